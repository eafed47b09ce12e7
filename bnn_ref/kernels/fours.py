"""Gradients of a convolution of signs by the look-ups of `lookup`: what each reads and writes.

They are those of `floats` where one factor is +1 or -1, at up to twice the pace of multiplications; the sums
are taken in another order. Source: ours.
"""

from dataclasses import replace
from functools import lru_cache
from math import prod

import numpy as np
from numpy.typing import NDArray

from bnn_ref.kernels.floats import Floats, Places, walk_back, zeros
from bnn_ref.kernels.layout import Geometry, aligned, pitch_of
from bnn_ref.kernels.lookup import FOUR, ROWS, correlate_tables, outer_tables, vectors_of
from bnn_ref.kernels.threads import share
from bnn_ref.kernels.tiles import LANES

CHUNK = 512
"""Tables at a time, 32 KiB, for the first cache."""


def images_grad(dy: Floats, w: Floats, geometry: Geometry) -> Floats:
    """(N, Ho, Wo, F) and signs (K, K, C, F) -> (N, H, W, C)."""
    missing = -w.shape[-1] % FOUR
    if missing:
        dy, w = (np.pad(part, [(0, 0)] * 3 + [(0, missing)]) for part in (dy, w))
    places = np.zeros((*w.shape[:3], w.shape[3] // FOUR), np.int32)
    for k in range(FOUR):
        places |= (w[..., k::FOUR] > 0) << k
    return walk_back(correlate_tables, np.ascontiguousarray(dy, np.float32), places, geometry, (LANES,))


@lru_cache(64)
def _reads(geometry: Geometry, chunk: int) -> tuple[Places, Places]:
    """What taps find on the images, `chunk` outputs at a time: `reads` and `bounds` of `outer_tables`."""
    inside, classes = geometry.border
    met = inside.reshape(len(inside), -1)[classes].T
    columns = np.arange(0, geometry.length, geometry.words)
    offsets = (geometry.runs[:, None] + columns).reshape(-1)
    reads, bounds = [np.zeros((0, 2), np.int64)], []
    for first in range(0, len(classes), chunk):
        bounds.append([first])
        for tap, offset in zip(met[:, first : first + chunk], offsets, strict=True):
            bounds[-1].append(sum(map(len, reads)))
            own = np.flatnonzero(tap)
            reads.append(np.stack([own, geometry.firsts[first + own] + offset], axis=1))
        bounds[-1].append(sum(map(len, reads)))
    return np.concatenate(reads).reshape(-1), np.array(bounds, np.int64)


def filters_grad(bits: NDArray[np.uint32], dy: Floats, geometry: Geometry) -> Floats:
    """(K, K, C, F) from signs as bits (N, Hp, Wp, words), padded, and dy (N, Ho, Wo, F)."""
    filters, channels, taps = dy.shape[-1], geometry.words, geometry.kernel**2
    pitch = pitch_of(channels)
    rows = ROWS[vectors_of(pitch)]
    laid = replace(geometry, words=pitch)
    reads, bounds = _reads(laid, CHUNK // rows)
    dw = zeros(-(-filters // rows) * rows, taps * pitch)
    halves = bits.view(np.uint16).reshape(len(bits), prod(geometry.padded[:2]), -1)
    grads = np.ascontiguousarray(dy, np.float32).reshape(len(dy), -1, filters)
    whole = len(bits) // FOUR * FOUR
    fill = (0, -len(bits) % FOUR), (0, 0), (0, 0)
    rest = [np.pad(part[whole:], fill) for part in (halves, grads)]

    def part(first: int, last: int) -> None:
        """The sums of some filters, a thread's own."""
        places = np.empty(prod(laid.padded), np.int32)
        tables = aligned((CHUNK * LANES,), np.float32)
        some = first * rows, last * rows
        for signs, dys in ((halves[:whole], grads[:whole]), rest):
            outer_tables(signs, dys, reads, bounds, places, tables, some, dw)

    share(part, len(dw) // rows, halves.nbytes + grads.nbytes)
    found = dw[:filters].reshape(filters, geometry.kernel, geometry.kernel, pitch)[..., :channels]
    return np.ascontiguousarray(np.moveaxis(found, 0, -1))
