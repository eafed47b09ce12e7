"""Layers and whole networks in turns with other libraries, each in its own process, outputs checked first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from analysis.engine import networks
from analysis.engine.layers import SHAPES, Alone, Layer
from analysis.engine.rival import Case, NoRival, Rival
from analysis.engine.rivals.turns import turn
from analysis.tables import Cell, Table
from bnn_ref.kernels.threads import among
from bnn_ref.parameter import Array
from bnn_ref.timing import Pairing, interleaved

FLOATS = ("torch nchw", "torch channels_last", "onnxruntime floats")
QUANTIZED = ("torch int8", "onnxruntime int8")
COLUMNS = ("what", "images", "threads", "rival", "version", "ratio", "low", "high", "ours ms", "theirs ms")
MEMORY = ("memory MB",)
LEAST = {"int8": 0.99, "floats": 0.9999}
"""The smallest cosine between two right answers."""

NEAR = 1e-3
"""The largest difference between floats, as a share of the largest answer."""


@dataclass(frozen=True)
class Harness:
    """What is asked for.

    Attributes
    ----------
    python : str
        The interpreter of the environment where the other libraries are.
    folder : path
        Where files are exchanged.
    pairs, images, threads : int
    """

    python: str
    folder: Path
    pairs: int
    images: int = 1
    threads: int = 1

    def rows(
        self, ours: Mapping[str, Callable[[], object]], names: tuple[str, ...], case: Case
    ) -> Iterator[list[Cell]]:
        """A row for each of ours and each rival: the case is what the rivals compute."""
        for name in names:
            try:
                with Rival(self.python, self.folder, self.threads) as rival:
                    answer, said = rival.make(name, case)
                    agree(name, answer, case.answer, case.signs)
                    for what, call in ours.items():
                        with among(self.threads):
                            found = interleaved(lambda: turn(call, self.threads), rival.seconds, self.pairs)  # noqa: B023
                        yield self.row(what, name, said, found)
            except NoRival as reason:
                print(f"{name}: {reason}")

    def row(self, what: str, name: str, said: dict[str, Any], found: Pairing) -> list[Cell]:
        """As `COLUMNS`, and the rival's memory."""
        times = (found.ratio, found.low, found.high, 1e3 * found.ours, 1e3 * found.theirs)
        numbers = (float(f"{number:.3g}") for number in (*times, said["memory"] / 1e6))
        return [what, self.images, self.threads, name, said["version"], *numbers]


def agree(name: str, theirs: Array, ours: Array, signs: bool = False) -> None:
    """ValueError unless the answers are the same, but for rounding: then no ratio would mean anything.

    Floats must be near each other one by one, unless `signs` are taken on the way: a sum that is rounded
    otherwise may flip one, and that grows. Bytes, and signs, need only point in one direction.
    """
    same = theirs.shape == ours.shape
    a, b = theirs.ravel().astype(np.float64), ours.ravel().astype(np.float64)
    cosine = float(a @ b / np.sqrt((a @ a) * (b @ b))) if same else 0.0
    least = LEAST["int8" if name.endswith("int8") else "floats"]
    if not cosine >= least:
        raise ValueError(f"{name}: required answers with a cosine of at least {least}, got {cosine:.6f}")
    far = abs(a - b).max() / abs(b).max()
    if far > NEAR and not (signs or name.endswith("int8")):
        raise ValueError(f"{name}: required answers within {NEAR} of the largest, got {far:.3g}")


def layers(harness: Harness) -> Table:
    """Layer A (floats in and out) and B (fused, signs in and out) at the four shapes, against all rivals."""
    rows: list[list[Cell]] = []
    for side, channels in SHAPES:
        alone, fused = Alone(side, channels, harness.images), Layer(side, channels, harness.images)
        shape = f"{side} x {side} x {channels}"
        calls: dict[str, Callable[[], object]] = {f"A {shape}": alone, f"B {shape}": fused.fused}
        names = ("numpy floats", *FLOATS, *QUANTIZED)
        rows += harness.rows(calls, names, alone.case(harness.folder))
    return Table.of([*COLUMNS, *MEMORY], rows + means(rows))


def means(rows: list[list[Cell]]) -> list[list[Cell]]:
    """Geometric means over the shapes, of quartiles too: a row for A and B and each rival; no times."""
    found: list[list[Cell]] = []
    for kind in "AB":
        for name in dict.fromkeys(str(row[3]) for row in rows):
            own = [row for row in rows if row[3] == name and str(row[0]).startswith(kind)]
            numbers = np.exp(np.log([[float(cell) for cell in row[5:8]] for row in own]).mean(axis=0))
            blank = [float("nan")] * (len(own[0]) - 8)
            rounded = (float(f"{number:.3g}") for number in numbers)
            found.append([f"{kind}, geometric mean", *own[0][1:5], *rounded, *blank])
    return found


def whole(harness: Harness, side: int = networks.SIDE) -> Table:
    """Bi-Real-18 against ResNet-18, which a user would run instead, and against itself in torch."""
    network, same = networks.case("bireal-18", side, harness.images, harness.folder)
    _, other = networks.case("resnet-18", side, harness.images, harness.folder)
    calls = {f"Bi-Real-18, {side} x {side}": lambda: network(same.x, threads=harness.threads)}
    rows = [
        [f"{row[0]}, against {what}", *row[1:]]
        for what, names, case in (
            ("ResNet-18", (*FLOATS, "onnxruntime int8"), other),
            ("Bi-Real-18", FLOATS[:2], same),
        )
        for row in harness.rows(calls, names, case)
    ]
    return Table.of([*COLUMNS, *MEMORY], rows)
