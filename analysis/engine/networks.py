"""Bi-Real-18 and ResNet-18 for images of 224 x 224 pixels, as packed files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from analysis.engine.rival import Case
from analysis.tables import Table
from bnn_ref import models
from bnn_ref.packed import PackedModel, load_packed, pack
from bnn_ref.timing import paired

SIDE, CLASSES = 224, 1000


def packed(name: str, side: int, folder: Path) -> tuple[PackedModel, Path]:
    """The network `name`, drawn from seed 0, with norms that keep its values near 1; and its file."""
    path = folder / f"{name}.safetensors"
    if not path.exists():
        model = models.build(name, input_shape=(side, side, 3), classes=CLASSES)
        pack(model.eval()).save(path)
    return load_packed(path), path


def threads(side: int, pairs: int, folder: Path, images: tuple[int, ...] = (1, 8), count: int = 2) -> Table:
    """Bi-Real-18 on several threads against itself on one, by the clock on the wall; answers compared.

    One image is shared by its pixels, several are divided.
    """
    rows = []
    for number in images:
        network, given = case("bireal-18", side, number, folder)
        x = given.x
        found = paired(lambda: network(x, threads=count), lambda: network(x), pairs)  # noqa: B023
        rows.append([number, count, *(float(f"{part:.3g}") for part in (found.ratio, found.low, found.high))])
    return Table.of(["images", "threads", "times as fast", "low", "high"], rows)


def case(name: str, side: int, images: int, folder: Path) -> tuple[PackedModel, Case]:
    """The network and its answer to normal images from seed 1."""
    network, path = packed(name, side, folder)
    x = np.random.default_rng(1).normal(size=(images, side, side, 3)).astype(np.float32)
    return network, Case(path, x, network(x))
