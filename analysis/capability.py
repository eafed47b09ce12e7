"""How many values can the tensors of a Bi-Real block take, and how many do they take in a trained network?

Bounds of one entry behind n taps: 2 after a sign, n + 1 after a 1-bit convolution, as many after batch norm,
(n + 1)^2 where the shortcut adds a second such tensor. A tensor of N independent entries: to the power N.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from analysis.ledger.numeric import sums_of_signs, taps_of_map
from analysis.study import Study, run
from analysis.tables import Cell, Table
from bnn_ref import data, models, train
from bnn_ref.binarizer import Sign
from bnn_ref.layers import Sequential
from bnn_ref.models.bireal import BiReal20
from bnn_ref.parameter import Array

SEED, SIZE, CHANNELS, BLOCKS = 0, 14, 32, 3
PLACES = {4: "corner", 6: "edge", 9: "interior"}
"""Where a pixel is, by how many of the nine pixels under a 3x3 kernel are on the map."""


def values(tensor: str, taps: int) -> int:
    """The bound of one entry behind so many taps: what `tensor` is, counted, not from a formula."""
    conv = len(sums_of_signs(taps))
    return {"A_b": 2, "A_m": conv, "A_r": conv, "A_r + shortcut": conv**2}[tensor]


TENSORS = ("A_b", "A_m", "A_r", "A_r + shortcut")
NETWORKS = {"bireal": TENSORS, "plain": TENSORS[:-1]}
"""A shortcut a convolution, or none: and what there is in a block."""


def bounds() -> Table:
    """A map of 14 x 14 x 32 behind 3x3x32 kernels: bits (log2 of the number of values), border or not."""
    taps = taps_of_map(SIZE, CHANNELS)
    rows: list[list[Cell]] = []
    for tensor in TENSORS:
        inside = values(tensor, int(taps.max()))
        bits = np.log2([values(tensor, int(n)) for n in taps.ravel()])
        whole = taps.size * CHANNELS * float(np.log2(inside))
        rows.append([tensor, inside, float(np.log2(inside)), whole, float(CHANNELS * bits.sum())])
    columns = ["tensor", "values of an entry", "bits of an entry"]
    return Table.of([*columns, "bits of the map", "bits with the border"], rows)


def counts() -> Table:
    """What an entry can take, counted, where the bound is reached and where it is not."""
    full, ratio = sums_of_signs(9 * CHANNELS), float(np.sqrt(2))
    cases: dict[str, tuple[int, Array]] = {
        f"{place}, {pixels} of 9 pixels": (pixels * CHANNELS, sums_of_signs(pixels * CHANNELS))
        for pixels, place in PLACES.items()
    }
    cases["sum of two outputs, scales 1 and sqrt 2"] = (9 * CHANNELS, full[:, None] + ratio * full)
    cases["sum of two outputs, equal scales"] = (9 * CHANNELS, full[:, None] + full)
    rows: list[list[Cell]] = [[name, taps, len(np.unique(found))] for name, (taps, found) in cases.items()]
    return Table.of(["entry", "taps", "values"], rows)


def trained(digits: data.Dataset, shortcut: str) -> BiReal20:
    """Three blocks of 3x3x32 on 8 x 8 pixels, three epochs on the digits, in eval mode."""
    own: dict[str, Any] = {"width": CHANNELS, "blocks": [BLOCKS], "shortcut": shortcut}
    model = models.build("bireal-20", input_shape=digits.shape, seed=SEED, **own)
    train.fit(model, digits, train.Config(epochs=3, lr=1e-2, seed=SEED))
    assert isinstance(model, BiReal20)
    return model


def tensors(model: BiReal20, images: Array) -> Iterator[tuple[int, dict[str, Array]]]:
    """For each block its number and its tensors (N, H, W, C) in eval mode; a sum only where there is one."""
    x = model.stem(images)
    for number, block in enumerate(model.body.parts, 1):
        branch = getattr(block, "branch", block)
        assert isinstance(branch, Sequential)
        product, normalize = branch.parts
        conv = product(x)
        found = [Sign()(x), conv, normalize(conv)]
        x = block(x)
        yield number, dict(zip(TENSORS, [*found, x] if branch is not block else found, strict=False))


def distinct(values: Array) -> Array:
    """How many values each entry takes over the first axis."""
    steps = np.diff(np.sort(values, axis=0), axis=0)
    return np.asarray(1 + (steps != 0).sum(axis=0))


def measured() -> Table:
    """Values that entries of trained networks take over all images: the most, and the median entry's.

    The bound is the rule's, which counts one tensor on the shortcut. In fact that stream carries the stem's
    real values and every block before. What is trained depends, in its last digits, on the machine.
    """
    digits = data.load("digits")
    images = np.concatenate([digits.train_images, digits.test_images])
    rows: list[list[Cell]] = []
    for shortcut in NETWORKS:
        for number, block in tensors(trained(digits, shortcut), data.Preprocessing.fit(digits)(images)):
            for tensor, entries in block.items():
                rows += [[shortcut, number, *row] for row in _places(tensor, entries)]
    columns = ["network", "block", "place", "taps", "tensor", "bound", "images", "most", "median"]
    return Table.of(columns, rows)


def _places(tensor: str, entries: Array) -> Iterator[list[Cell]]:
    found, pixels = distinct(entries), taps_of_map(entries.shape[1], 1)
    for n, place in PLACES.items():
        here, bound = found[pixels == n], values(tensor, n * CHANNELS)
        yield [place, n * CHANNELS, tensor, bound, len(entries), int(here.max()), float(np.median(here))]


def tables() -> Mapping[str, Table]:
    """Every table of this study by name."""
    return {
        "capability-bounds": bounds(),
        "capability-counts": counts(),
        "capability-measured": measured(),
    }


STUDY = Study(
    "capability",
    "How many values can the tensors of a Bi-Real block take, and how many do they?",
    tables,
    (SEED,),
)

if __name__ == "__main__":
    sys.exit(run(STUDY))
