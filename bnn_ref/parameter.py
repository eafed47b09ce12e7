"""A trainable array with its gradient; an array that is only kept. Shared by reference, never copied."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Parameter:
    """One trainable array.

    Parameters
    ----------
    value : array
        Any shape; float32 or float64 (complex128 while a derivative is checked).
    name : str
        Used in messages; the dotted key in a `state_dict` comes from where the parameter hangs.
    latent : bool
        True for the real weights behind binary ones: the only ones that weight clipping touches.

    Attributes
    ----------
    curvature : Curvature or None
        Where an optimizer publishes its estimate of the loss's curvature in this parameter; None where
        nobody reads it.
    """

    def __init__(self, value: Array, name: str = "", *, latent: bool = False) -> None:
        self.value: Array = np.asarray(value)
        self.grad: Array | None = None
        self.name = name
        self.latent = latent
        self.curvature: Curvature | None = None

    def accumulate(self, grad: Array) -> None:
        """Add `grad` (same shape as `value`) to what is there: a parameter may be used many times."""
        if grad.shape != self.value.shape:
            raise ValueError(f"gradient of {self.name}: required shape {self.value.shape}, got {grad.shape}")
        self.grad = np.array(grad) if self.grad is None else np.asarray(self.grad + grad)

    def zero_grad(self) -> None:
        """Forget the gradient."""
        self.grad = None

    def __repr__(self) -> str:
        return f"Parameter({self.name!r}, shape={self.value.shape}, dtype={self.value.dtype})"


class Buffer:
    """An array that a map keeps and nobody trains: it is saved with the model and follows its dtype.

    Parameters
    ----------
    value : array
        Any shape; replaced, not written to.
    name : str
        As of a `Parameter`.
    """

    def __init__(self, value: Array, name: str = "") -> None:
        self.value: Array = np.asarray(value)
        self.name = name

    def __repr__(self) -> str:
        return f"Buffer({self.name!r}, shape={self.value.shape}, dtype={self.value.dtype})"


class Curvature(Buffer):
    """Beside a parameter, of its shape: the diagonal of the loss's Hessian, as an optimizer sees it.

    Ones, until an optimizer publishes something.
    """


def value_of(parameter: float | Parameter) -> Any:
    """The number or array behind a field that is fixed (a float) or trained (a `Parameter`)."""
    return parameter.value if isinstance(parameter, Parameter) else parameter


def unbroadcast(grad: Array, shape: tuple[int, ...]) -> Array:
    """Sum `grad` over the axes along which an array of `shape` was broadcast to reach it."""
    lead = grad.ndim - len(shape)
    axes = tuple(range(lead)) + tuple(
        lead + i for i, n in enumerate(shape) if n == 1 and grad.shape[lead + i] != 1
    )
    return grad.sum(axis=axes).reshape(shape)
