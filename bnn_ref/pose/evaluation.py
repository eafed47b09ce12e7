"""Average precision and recall of found persons, as COCO counts them: ten numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bnn_ref.parameter import Array
from bnn_ref.pose.annotations import Annotations, Results
from bnn_ref.pose.matching import MOST, RANGES, THRESHOLDS, Matches, match

RECALLS = np.linspace(0, 1, 101)
NAMES = ("AP", "AP50", "AP75", "AP(M)", "AP(L)", "AR", "AR50", "AR75", "AR(M)", "AR(L)")
"""The ten, in the order in which pycocotools keeps them."""

CELLS = (("all", None), ("all", 0.5), ("all", 0.75), ("medium", None), ("large", None))
"""Range and threshold (None: the mean over all) of the first five names, and of the other five."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Precision and recall for each area range and threshold; `str` is the table that pycocotools prints.

    Attributes
    ----------
    precision : float64 (3, 10, 101)
        At each of 101 recalls; -1 where there was nobody to be found.
    recall : float64 (3, 10)
        The part of those to be found that was found; -1 likewise.
    """

    precision: Array
    recall: Array

    def to_dict(self) -> dict[str, float]:
        """The ten numbers by name: AP, AP50, AP75, AP(M), AP(L), AR, AR50, AR75, AR(M), AR(L)."""
        tables = self.precision, self.recall
        means = [float(table[_cell(*cell)].ravel().mean()) for table in tables for cell in CELLS]
        return dict(zip(NAMES, means, strict=True))

    def __str__(self) -> str:
        lines = []
        for name, value in self.to_dict().items():
            kind = "Average Precision  (AP)" if name.startswith("AP") else "Average Recall     (AR)"
            area, threshold = CELLS[NAMES.index(name) % len(CELLS)]
            at = f"{THRESHOLDS[0]:.2f}:{THRESHOLDS[-1]:.2f}" if threshold is None else f"{threshold:.2f}"
            lines.append(f" {kind} @[ IoU={at:<9} | area={area:>6} | maxDets={MOST:>3} ] = {value:0.3f}")
        return "\n".join(lines)


def _cell(area: str, threshold: float | None) -> tuple[int, slice]:
    row = list(RANGES).index(area)
    if threshold is None:
        return row, slice(None)
    column = int(np.argmin(np.abs(THRESHOLDS - threshold)))
    return row, slice(column, column + 1)


def evaluate(truth: Annotations, results: Results) -> Evaluation:
    """The ten numbers of COCO's keypoint evaluation.

    Found persons of all images are counted from the best score down (equal scores: by image id, then by the
    order in the file). Precision is made non-increasing from the right and read at 101 recalls, as 0 where a
    recall is not reached.

    Source: coco2014 (the public evaluation code). A true person with the id 0 is one like any other here;
    that code takes a match with it for none.
    """
    matches = match(truth, results)
    shape = len(RANGES), len(THRESHOLDS)
    precision, recall = np.full((*shape, len(RECALLS)), -1.0), np.full(shape, -1.0)
    order = np.argsort(-matches.scores, kind="stable")
    for cell in np.ndindex(*shape):
        if matches.persons[cell[0]]:
            precision[cell], recall[cell] = _curve(matches, order, cell)
    return Evaluation(precision, recall)


def _curve(matches: Matches, order: Array, cell: tuple[int, ...]) -> tuple[Array, float]:
    """Precision at each recall, and the last recall, of one range and threshold."""
    counted, right = ~matches.ignored[cell][order], matches.right[cell][order]
    true, false = np.cumsum(right & counted), np.cumsum(~right & counted)
    recall = true / matches.persons[cell[0]]
    precision = np.maximum.accumulate((true / (true + false + np.spacing(1)))[::-1])[::-1]
    reached = np.searchsorted(recall, RECALLS)
    read = np.append(precision, 0.0)[reached]  # a recall that is not reached has the index past the end
    return read, float(recall[-1]) if len(recall) else 0.0
