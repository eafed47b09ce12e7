"""The same way on photographs: a check that real files, crops and joints fit each other, and no result.

A network that is shown 28 photographs learns them by heart, if it is let to; what it says of 32 others is
chance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from analysis.contrasts import points
from analysis.pose.arms import ARMS
from analysis.tables import Cell, Table
from bnn_ref import pose
from bnn_ref.data import search
from bnn_ref.models import build
from bnn_ref.train import Config, Poses, fit

SET = "coco_mini_kp"
FILE = "person_keypoints_{}2017_mini.json"


def found(folder: str | None) -> Path | None:
    """The folder of the photographs, None where there is none: below the one that is named."""
    base = search.given(folder)
    places = () if base is None else (base / "pose" / SET, base / SET, base)
    return next((place for place in places if (place / FILE.format("train")).is_file()), None)


def task(folder: Path, view: pose.View) -> Poses:
    """Persons of the photographs to learn from and to test by."""
    parts = []
    for part in ("train", "val"):
        truth = pose.read_annotations(folder / FILE.format(part))
        parts.append(pose.Persons(truth, pose.Folder(folder / "images", truth.images)))
    return Poses(SET, parts[0], parts[1], view)


def table(work: Poses, network: str, arms: list[str], config: Config, shared: Mapping[str, Any]) -> Table:
    """Loss at first and at last, AP of the photographs that were learnt and of the others."""
    columns = ("arm", "epochs", "first loss", "last loss", "AP, learnt", "AP, others")
    return Table.of(columns, [_row(arm, work, network, config, {**shared, **ARMS[arm]}) for arm in arms])


def by_heart(work: Poses, network: str, config: Config, shared: Mapping[str, Any]) -> list[Cell]:
    """A row of `table`: in full precision, the same crops again and again, until joints must be found."""
    still = replace(work, view=replace(work.view, augmentation=pose.Augmentation()))
    return _row("full precision, by heart", still, network, config, {**shared, **ARMS["full precision"]})


def _row(arm: str, work: Poses, network: str, config: Config, build_options: Mapping[str, Any]) -> list[Cell]:
    model = build(network, input_shape=work.shape, classes=len(work.outputs), **build_options)
    history = fit(model, work, config)
    losses = (f"{history[i].loss:.6f}" for i in (0, -1))
    learnt = points(replace(work, tested=work.train).test(model))
    return [arm, config.epochs, *losses, learnt, points(history[-1].test_accuracy)]
