"""A picture that knows, for every pixel, which part of which figure was painted there last."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnn_ref.parameter import Array

Tint = Callable[[Array, Array], Array]
"""How light a part is at a place along it (0 to 1) and across it (0 in the middle, 1 at the edge)."""


class Canvas:
    """Pixels and their owners.

    Attributes
    ----------
    pixels : float64 (H, W, 3)
        0 to 255, perhaps beyond until the picture is done.
    owner : int64 (H, W)
        The number of the part painted last, 0 where none was.
    """

    def __init__(self, pixels: Array) -> None:
        self.pixels = pixels
        self.owner: NDArray[np.int64] = np.zeros(pixels.shape[:2], np.int64)

    def capsule(
        self, ends: Array, radii: tuple[float, float], colour: Array, part: int = 0, tint: Tint | None = None
    ) -> None:
        """Paint what is within a radius of a segment: `ends` (2, 2) as x, y; soft over one pixel at the edge.

        The radius runs from that of the first end to that of the second; `part` 0 leaves the owners alone.
        """
        window = self._window(ends, max(radii) + 1)
        if window is None:
            return
        rows, columns = window
        y, x = np.mgrid[rows, columns]
        along = ends[1] - ends[0]
        length = float(along @ along)
        t = ((x - ends[0, 0]) * along[0] + (y - ends[0, 1]) * along[1]) / (length or 1.0)
        t = np.clip(t, 0, 1)
        away = np.hypot(x - ends[0, 0] - t * along[0], y - ends[0, 1] - t * along[1])
        radius = radii[0] + (radii[1] - radii[0]) * t
        cover = np.clip(radius - away + 0.5, 0, 1)[..., None]
        light = shaded(t, away / radius) if tint is None else tint(t, away / radius)
        self.pixels[rows, columns] += cover * (light[..., None] * colour - self.pixels[rows, columns])
        if part:
            self.owner[rows, columns][cover[..., 0] > 0.5] = part

    def _window(self, ends: Array, margin: float) -> Any:
        height, width = self.owner.shape
        low = np.floor(ends.min(axis=0) - margin).astype(int)
        high = np.ceil(ends.max(axis=0) + margin).astype(int) + 1
        left, top = np.maximum(low, 0).tolist()
        right, bottom = np.minimum(high, [width, height]).tolist()
        return (slice(top, bottom), slice(left, right)) if left < right and top < bottom else None


def shaded(t: Array, across: Array) -> Array:
    """Round things are darker at their edges."""
    return np.asarray(1 - 0.35 * across**2)


def cloth(rng: np.random.Generator) -> Tint:
    """A pattern: plain, striped along or across, or speckled."""
    kind, strength, phase = rng.integers(4), rng.uniform(0.1, 0.4), rng.uniform(0, 6)
    along, over = rng.uniform(6, 25), rng.uniform(3, 8)

    def tint(t: Array, across: Array) -> Array:
        patterns = (np.zeros_like(t), np.sin(along * t + phase), np.sin(over * across + phase))
        wave = patterns[kind] if kind < 3 else np.sin(along * t + phase) * np.sin(over * across)
        return np.asarray(shaded(t, across) * (1 + strength * wave))

    return tint


def background(rng: np.random.Generator, size: tuple[int, int]) -> Array:
    """Light, coarse patches and a fine grain, in three related colours: (H, W, 3)."""
    width, height = size
    pixels = np.tile(rng.uniform(30, 220, 3), (height, width, 1))
    for cells in (2, 5, 12):
        patch = rng.normal(size=(cells, cells)) * rng.uniform(5, 35)
        pixels += _stretched(patch, height, width)[..., None] * rng.uniform(0.3, 1, 3)
    return pixels


def _stretched(patch: Array, height: int, width: int) -> Array:
    """A small array, bilinear, as large as the picture."""
    steps = [np.linspace(0, len(patch) - 1.001, length) for length in (height, width)]
    (row, down), (column, right) = ((s.astype(int), s % 1) for s in steps)
    upper = patch[row][:, column] * (1 - right) + patch[row][:, column + 1] * right
    lower = patch[row + 1][:, column] * (1 - right) + patch[row + 1][:, column + 1] * right
    return np.asarray(upper * (1 - down[:, None]) + lower * down[:, None])
