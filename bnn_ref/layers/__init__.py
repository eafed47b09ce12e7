"""Layers: explicit forward, explicit backward, a visible cache. One family a file."""

from bnn_ref.layers.activation import Activation, HardTanh, LeakyClip, PReLU, ReLU, RPReLU
from bnn_ref.layers.attention import Attention, MultiHeadAttention
from bnn_ref.layers.base import Composite, Layer, Sequential
from bnn_ref.layers.channels import GroupMean, TileChannels
from bnn_ref.layers.conv import Conv2d
from bnn_ref.layers.gelu import GELU
from bnn_ref.layers.grouped import GroupedConv2d, TakeChannels
from bnn_ref.layers.linear import Linear
from bnn_ref.layers.loss import (
    AttentionLoss,
    DistributionLoss,
    HeatmapLoss,
    MeanSquaredError,
    SoftmaxCrossEntropy,
    SquaredHinge,
)
from bnn_ref.layers.norm import BatchNorm, LayerNorm
from bnn_ref.layers.penalty import LatentPenalty
from bnn_ref.layers.pool import AvgPool2d, GlobalAvgPool, MaxPool2d
from bnn_ref.layers.product import CHANNEL_SCALE, TENSOR_SCALE, Product
from bnn_ref.layers.resize import BilinearUpsample, NearestUpsample
from bnn_ref.layers.scale import ChannelMeanAbs, Gate, InputScale, Multiply, OutputScale, XnorConv2d
from bnn_ref.layers.shape import Add, Concat, Flatten, PadShortcut
from bnn_ref.layers.tokens import ClassToken, FirstToken, PatchEmbedding, Position, Tokens
from bnn_ref.layers.transposed import ConvTranspose2d
from bnn_ref.layers.view import binarized, deployed_state

__all__ = [
    "CHANNEL_SCALE",
    "GELU",
    "TENSOR_SCALE",
    "Activation",
    "Add",
    "Attention",
    "AttentionLoss",
    "AvgPool2d",
    "BatchNorm",
    "BilinearUpsample",
    "ChannelMeanAbs",
    "ClassToken",
    "Composite",
    "Concat",
    "Conv2d",
    "ConvTranspose2d",
    "DistributionLoss",
    "FirstToken",
    "Flatten",
    "Gate",
    "GlobalAvgPool",
    "GroupMean",
    "GroupedConv2d",
    "HardTanh",
    "HeatmapLoss",
    "InputScale",
    "LatentPenalty",
    "Layer",
    "LayerNorm",
    "LeakyClip",
    "Linear",
    "MaxPool2d",
    "MeanSquaredError",
    "MultiHeadAttention",
    "Multiply",
    "NearestUpsample",
    "OutputScale",
    "PReLU",
    "PadShortcut",
    "PatchEmbedding",
    "Position",
    "Product",
    "RPReLU",
    "ReLU",
    "Sequential",
    "SoftmaxCrossEntropy",
    "SquaredHinge",
    "TakeChannels",
    "TileChannels",
    "Tokens",
    "XnorConv2d",
    "binarized",
    "deployed_state",
]
