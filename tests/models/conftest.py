"""Every network at its smallest, and what the same network means; makes `model_calls` importable."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bnn_ref.models import Model

sys.path.append(str(Path(__file__).parent))

from model_calls import POSE, shallow

LARGE = [
    *("bireal-20", "bireal-18", "bireal-34", "bireal-50", "bireal-152"),
    *("bireal-18-caffe", "bireal-34-caffe", "resnet-18", "resnet-34"),
    *("reactnet-18", "reactnet-small", "reactnet-a", "real-to-binary"),
]

TRANSFORMERS = ["vit-tiny", "deit-tiny", "deit-small", "deit-base"]

SMALLEST: dict[str, dict[str, Any]] = {
    "mlp": {"input_shape": (1, 1, 1), "width": 1, "depth": 1},
    "cnn": {"input_shape": (4, 4, 1), "width": 1},
    "bireal-small": {"input_shape": (1, 1, 1), "widths": (1,), "blocks": (1,), "pool": False},
    "resnet-20": {"input_shape": (1, 1, 1), "width": 2, "blocks": (1,)},
    "vgg-small": {"input_shape": (8, 8, 1), "width": 1},
    **{name: {"input_shape": (1, 1, 1), "width": 1, "blocks": (1,)} for name in LARGE},
    **{
        name: {"input_shape": (1, 1, 1), "width": 1, "depth": 1, "heads": 1, "patch": 1}
        for name in TRANSFORMERS
    },
    **{name: {"input_shape": (32, 32, 1), "joints": 3, "width": 1, **shallow(name)} for name in POSE},
}


@pytest.fixture(scope="session")
def smallest() -> dict[str, dict[str, Any]]:
    return SMALLEST


@pytest.fixture(scope="session")
def bits() -> Callable[[Model], Any]:
    """Everything that a model's state is made of, to the bit: dtype, shape, bytes."""
    return lambda model: {k: (v.dtype.str, v.shape, v.tobytes()) for k, v in model.state_dict().items()}
