"""The steps of a packed network; `KINDS` is the instruction set of its file format."""

from bnn_ref.packed.steps.base import Step
from bnn_ref.packed.steps.elementwise import (
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
)
from bnn_ref.packed.steps.shape import Add, Flatten, PadShortcut
from bnn_ref.packed.steps.signs import FlattenSigns, PackSigns, Threshold

KINDS: dict[str, type[Step]] = {
    step.kind: step
    for step in (
        *(PackSigns, Threshold, FlattenSigns),
        *(BinaryConv, BinaryLinear, SignWeightConv, SignWeightLinear, RealConv, RealLinear),
        *(Scale, Bias, Affine, PReLU, ReLU, Clip, LeakyClip, RealSign),
        *(MaxPool, AvgPool, GlobalMean, Flatten, Add, PadShortcut),
    )
}

__all__ = [
    "KINDS",
    "Add",
    "Affine",
    "AvgPool",
    "Bias",
    "BinaryConv",
    "BinaryLinear",
    "Clip",
    "Elementwise",
    "Flatten",
    "FlattenSigns",
    "GlobalMean",
    "LeakyClip",
    "MaxPool",
    "PReLU",
    "PackSigns",
    "PadShortcut",
    "ProductStep",
    "ReLU",
    "RealConv",
    "RealLinear",
    "RealSign",
    "Scale",
    "SignWeightConv",
    "SignWeightLinear",
    "Step",
    "Threshold",
]
