"""The steps of a packed network; `KINDS` is the instruction set of its file format."""

from bnn_ref.packed.steps.base import Step
from bnn_ref.packed.steps.elementwise import (
    GELU,
    Affine,
    Bias,
    Clip,
    Elementwise,
    LeakyClip,
    PReLU,
    RealSign,
    ReLU,
    Scale,
)
from bnn_ref.packed.steps.pool import AvgPool, GlobalMean, MaxPool
from bnn_ref.packed.steps.product import (
    BinaryConv,
    BinaryLinear,
    ProductStep,
    RealConv,
    RealLinear,
    SignWeightConv,
    SignWeightLinear,
    Window,
)
from bnn_ref.packed.steps.resize import (
    BilinearUpsample,
    GroupMean,
    NearestUpsample,
    OverlapAdd,
    TileChannels,
)
from bnn_ref.packed.steps.shape import Add, Concat, Flatten, PadShortcut, TakeChannels
from bnn_ref.packed.steps.signs import FlattenSigns, PackSigns, Threshold
from bnn_ref.packed.steps.transformer import Attention, ClassToken, FirstToken, LayerNorm, Position, Tokens

KINDS: dict[str, type[Step]] = {
    step.kind: step
    for step in (
        *(PackSigns, Threshold, FlattenSigns),
        *(BinaryConv, BinaryLinear, SignWeightConv, SignWeightLinear, RealConv, RealLinear),
        *(Scale, Bias, Affine, PReLU, ReLU, Clip, LeakyClip, GELU, RealSign),
        *(MaxPool, AvgPool, GlobalMean, Flatten, Add, Concat, PadShortcut),
        *(NearestUpsample, BilinearUpsample, OverlapAdd, TileChannels, GroupMean),
        TakeChannels,
        *(LayerNorm, Attention, Tokens, ClassToken, Position, FirstToken),
    )
}

__all__ = [
    "GELU",
    "KINDS",
    "Add",
    "Affine",
    "Attention",
    "AvgPool",
    "Bias",
    "BilinearUpsample",
    "BinaryConv",
    "BinaryLinear",
    "ClassToken",
    "Clip",
    "Concat",
    "Elementwise",
    "FirstToken",
    "Flatten",
    "FlattenSigns",
    "GlobalMean",
    "GroupMean",
    "LayerNorm",
    "LeakyClip",
    "MaxPool",
    "NearestUpsample",
    "OverlapAdd",
    "PReLU",
    "PackSigns",
    "PadShortcut",
    "Position",
    "ProductStep",
    "ReLU",
    "RealConv",
    "RealLinear",
    "RealSign",
    "Scale",
    "SignWeightConv",
    "SignWeightLinear",
    "Step",
    "TakeChannels",
    "Threshold",
    "TileChannels",
    "Tokens",
    "Window",
]
