"""Binary convolution while training: images as bits from the sign on, forward by the packed kernel.

The product of signs is an integer, exact in float32, so the packed kernel computes what the float kernel
would. The gradients meet the same signs: sums of four numbers are looked up where the CPU can, else they are
the float kernel's (and those to the images of dilated filters, which have zeros between their taps). Source:
ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnn_ref.kernels import fours
from bnn_ref.kernels.conv import conv2d_input_grad, conv2d_weight_grad, output_size, reach
from bnn_ref.kernels.layout import NONE, Geometry, aligned, geometry, lay_filters, masks, ones, pitch_of
from bnn_ref.kernels.threads import share
from bnn_ref.kernels.tiles import INTERPRETED, LANES, LOOKS_UP, Work, convolution, pack_rows
from bnn_ref.kernels.xnor import starts

Array = NDArray[Any]
Bits = NDArray[np.uint32]

PER_WORD = 32


def _bits(x: Array, padding: int, strict: bool, pad: int) -> Bits | None:
    """Signs of float32 (N, H, W, C), padded, (N, Hp, Wp, words); None where there is a NaN."""
    n, height, width, channels = x.shape
    words, pitch = -(-channels // PER_WORD), pitch_of(channels)
    bits = aligned((n, height + 2 * padding, width + 2 * padding, words), np.uint32)
    bits[:] = ones(channels) if pad == 1 else 0
    if pitch != channels:
        x = np.pad(x, ((0, 0), (0, 0), (0, 0), (0, pitch - channels)))
    rows, columns = (np.arange(size) + padding for size in (height, width))
    targets = (rows[:, None] * bits.shape[2] + columns).reshape(-1) * (words * PER_WORD // LANES)
    numbers = np.ascontiguousarray(x, np.float32).reshape(n, height * width, pitch)
    halves = bits.view(np.uint16).reshape(n, -1) if n else np.zeros((0, 0), np.uint16)
    nan = []
    found = (numbers, targets, masks(channels), halves, strict)
    share(lambda first, last: nan.append(pack_rows(*found, first, last)), n, numbers.nbytes)
    return None if any(nan) else bits


@dataclass(frozen=True, eq=False)
class SignImages:
    """Images of signs, (N, H, W, C), as bits.

    Attributes
    ----------
    bits : uint32 (N, Hp, Wp, ceil(C / 32))
        Padded; 1 is +1; what is no channel is 0.
    channels, padding : int
    pad : int
        What the padding is: +1 or -1, or 0 where it is absent.
    """

    bits: Bits
    channels: int
    padding: int
    pad: int = 0

    @classmethod
    def of(cls, x: Array, padding: int = 0, strict: bool = False, pad: int = 0) -> SignImages | None:
        """+1 where x >= 0, or x > 0 if `strict`, else -1.

        None where no kernel takes it: a NaN (which has no sign), another dtype than float32, no compiler.
        """
        if INTERPRETED or x.dtype != np.float32 or x.ndim != 4 or 0 in x.shape:
            return None
        bits = _bits(x, padding, strict, pad)
        return None if bits is None else cls(bits, x.shape[3], padding, pad)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(N, H, W, C)."""
        n, height, width, _ = self.bits.shape
        return n, height - 2 * self.padding, width - 2 * self.padding, self.channels

    def values(self) -> Array:
        """+1 and -1, float32 (N, H, W, C)."""
        p, (_, height, width, _) = self.padding, self.shape
        inner = np.ascontiguousarray(self.bits[:, p : p + height, p : p + width], "<u4").view(np.uint8)
        ones = np.unpackbits(inner, axis=-1, count=self.channels, bitorder="little")
        return ones.astype(np.float32) * 2 - 1

    def geometry(self, kernel: int, stride: int, dilation: int, words: int) -> Geometry:
        """Of a convolution whose pixels have so many words; ValueError where there is no output pixel."""
        for size in self.shape[1:3]:
            output_size(size, reach(kernel, dilation), stride, self.padding)
        return geometry(*self.shape[1:3], words, kernel, stride, self.padding, dilation)

    def conv2d(self, w: Array, stride: int = 1, dilation: int = 1) -> Array:
        """`conv2d` of the values and filters w (K, K, C, F) of +1 and -1: float32 (N, Ho, Wo, F)."""
        kernel, filters, words = w.shape[0], w.shape[3], self.bits.shape[3]
        shapes, pitch = self.geometry(kernel, stride, dilation, words), pitch_of(w.shape[3])
        shapes = shapes.filled if self.pad else shapes
        turned = _bits(np.ascontiguousarray(w.transpose(3, 0, 1, 2)), 0, False, 0)
        if turned is None:
            raise ValueError("SignImages.conv2d: w must be +1 and -1, got NaN")
        y = aligned((len(self.bits), *shapes.shape, pitch), np.float32)
        work = Work(
            self.bits.reshape(len(self.bits), shapes.size),
            lay_filters(turned.reshape(filters, -1)),
            shapes.runs,
            shapes.length,
            shapes.places(pitch=pitch),
            **NONE | {"start": starts(shapes, turned, self.channels), "reals": y},
        )
        run = convolution("signs", "f")
        share(lambda first, last: run(work, pitch, first, last), len(y), y.nbytes)
        return np.ascontiguousarray(y[..., :filters])

    def input_grad(self, dy: Array, w: Array, stride: int = 1, dilation: int = 1) -> Array:
        """`conv2d_input_grad` of float32 dy (N, Ho, Wo, F) and filters w (K, K, C, F) of +1 and -1."""
        if LOOKS_UP and dilation == 1:
            return fours.images_grad(dy, w, self.geometry(len(w), stride, 1, self.channels))
        return conv2d_input_grad(dy, w, self.shape, stride, self.padding, dilation)

    def weight_grad(self, dy: Array, kernel: int, stride: int = 1, dilation: int = 1) -> Array:
        """`conv2d_weight_grad` of the values and float32 dy (N, Ho, Wo, F): (K, K, C, F)."""
        if LOOKS_UP:
            shapes = self.geometry(kernel, stride, dilation, self.channels)
            return fours.filters_grad(self.bits, dy, shapes.filled if self.pad else shapes)
        return conv2d_weight_grad(self.values(), dy, kernel, stride, self.padding, dilation, self.pad)
