"""`python -m analysis.pose.shown MODEL`: what does a trained network find in pictures that it never saw?

MODEL is a file that `bnn-ref pose train` wrote (docs/pose.md has the command). Its joints of the first
pictures that the study tests by go on record, to be drawn.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from analysis.pose.task import DATA_SEED, DIFFICULTY, SIDE
from analysis.study import Study, carry_out, out_option
from analysis.tables import Cell, Table
from bnn_ref import pose
from bnn_ref.train import load_model

QUESTION = "What does a trained pose network find in pictures that it never saw?"


def tables(model: Path, count: int) -> Mapping[str, Table]:
    """The joints of the first `count` pictures to test by, in pixels, and how sure the network is."""
    trained = load_model(model)
    pixels, document = pose.figures.generate(count, DATA_SEED + 1, (SIDE, SIDE), DIFFICULTY)
    boxes = pose.true_boxes(pose.parse_annotations(document))
    given = trained.model, boxes, pose.Stack(pixels), trained.preprocessing
    found = pose.find(*given, exact=trained.data["exact"])
    rows: list[list[Cell]] = [
        [key, joint, *(f"{value:.2f}" for value in place)]
        for key, joints in zip(found.image_ids.tolist(), found.keypoints, strict=True)
        for joint, place in zip(pose.JOINTS, joints, strict=True)
    ]
    return {"pose-shown": Table.of(("picture", "joint", "x", "y", "score"), rows)}


def main(argv: Sequence[str] | None = None) -> int:
    """Put the table into `--out`; returns 0."""
    parser = ArgumentParser("python -m analysis.pose.shown", description=QUESTION)
    parser.add_argument("model", type=Path, metavar="MODEL", help="a file that `bnn-ref pose train` wrote")
    parser.add_argument("--pictures", type=int, default=4, help="how many of those to test by")
    out_option(parser)
    given = parser.parse_args(argv)
    settings = f"{given.model} --pictures {given.pictures}"
    answer = partial(tables, given.model, given.pictures)
    carry_out(Study("pose.shown", QUESTION, answer, (DATA_SEED + 1,), settings), given.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
