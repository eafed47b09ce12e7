"""Small data, and what it means that two networks are the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bnn_ref import data, models
from bnn_ref.layers import Layer


@pytest.fixture(scope="session")
def digits() -> data.Dataset:
    return data.load("digits")


@pytest.fixture(scope="session")
def few(digits: data.Dataset) -> data.Dataset:
    """130 training images: with 43 in a batch three whole batches and a last one of a single image."""
    return digits.take(train=130, test=50)


@pytest.fixture(scope="session")
def tiny() -> Callable[..., models.Model]:
    """A perceptron for the digits that trains in milliseconds."""

    def build(estimator: str = "approxsign", **options: Any) -> models.Model:
        return models.build("mlp", estimator=estimator, **{"input_shape": (8, 8, 1), "width": 12} | options)

    return build


@pytest.fixture(scope="session")
def bits() -> Callable[[Layer], dict[str, tuple[str, tuple[int, ...], bytes]]]:
    """Everything that a model's state is made of, to the bit: dtype, shape, bytes."""
    return lambda model: {k: (v.dtype.str, v.shape, v.tobytes()) for k, v in model.state_dict().items()}


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)
