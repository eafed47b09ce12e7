"""Layers: explicit forward, explicit backward, a visible cache. One family a file."""

from bnn_ref.layers.activation import Activation, HardTanh, LeakyClip, PReLU, ReLU
from bnn_ref.layers.base import Composite, Layer, Sequential
from bnn_ref.layers.conv import Conv2d
from bnn_ref.layers.linear import Linear
from bnn_ref.layers.loss import MeanSquaredError, SoftmaxCrossEntropy, SquaredHinge
from bnn_ref.layers.norm import BatchNorm
from bnn_ref.layers.penalty import LatentPenalty
from bnn_ref.layers.pool import AvgPool2d, GlobalAvgPool, MaxPool2d
from bnn_ref.layers.product import CHANNEL_SCALE, TENSOR_SCALE, Product
from bnn_ref.layers.shape import Add, Flatten, PadShortcut
from bnn_ref.layers.view import binarized

__all__ = [
    "CHANNEL_SCALE",
    "TENSOR_SCALE",
    "Activation",
    "Add",
    "AvgPool2d",
    "BatchNorm",
    "Composite",
    "Conv2d",
    "Flatten",
    "GlobalAvgPool",
    "HardTanh",
    "LatentPenalty",
    "Layer",
    "LeakyClip",
    "Linear",
    "MaxPool2d",
    "MeanSquaredError",
    "PReLU",
    "PadShortcut",
    "Product",
    "ReLU",
    "Sequential",
    "SoftmaxCrossEntropy",
    "SquaredHinge",
    "binarized",
]
