"""COCO's keypoint evaluation against pycocotools: the ten numbers, what it prints, and speed."""

from __future__ import annotations

import contextlib
import copy
import io
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from scenes import document, found, person, scene

from bnn_ref.pose.evaluation import NAMES, evaluate
from bnn_ref.pose.reading import parse_annotations, parse_results
from bnn_ref.timing import paired


def theirs(truth: dict[str, Any], results: list[dict[str, Any]]) -> tuple[Any, list[str]]:
    """The ten numbers, and the lines that they are printed in; writes into `results`."""
    with contextlib.redirect_stdout(io.StringIO()) as said:
        coco = COCO()
        coco.dataset = truth
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(results), "keypoints")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return np.array(evaluation.stats), said.getvalue().splitlines()[-10:]


def ours(truth: dict[str, Any], results: list[dict[str, Any]]) -> Any:
    annotations = parse_annotations(truth)
    return evaluate(annotations, parse_results(results, annotations))


@pytest.mark.parametrize("block", range(10))
def test_random_scenes_row_27(block: int) -> None:
    """Bbc.md section 8, row 27: 400 scenes, of which every tenth has many persons in an image."""
    for seed in range(40 * block, 40 * block + 40):
        truth, results = scene(np.random.default_rng(seed), 30 if seed % 10 == 0 else 8)
        numbers, lines = theirs(truth, copy.deepcopy(results))
        mine = ours(truth, results)
        np.testing.assert_allclose(
            [mine.to_dict()[n] for n in NAMES], numbers, rtol=0, atol=1e-12, err_msg=str(seed)
        )
        assert str(mine).splitlines() == lines, seed


def test_the_scenes_are_not_all_alike() -> None:
    """The comparison says something: numbers between 0 and 1 abound, and absent ranges occur."""
    numbers = np.array(
        [list(ours(*scene(np.random.default_rng(seed))).to_dict().values()) for seed in range(100)]
    )
    assert ((numbers > 0.05) & (numbers < 0.95)).mean() > 0.5
    assert (numbers == -1).any()


def test_not_slower_on_5000_images_of_5_persons() -> None:
    rng = np.random.default_rng(0)
    persons = [person(rng, i + 1, i // 5) for i in range(25_000)]
    truth = document(list(range(5000)), persons)
    results = [found(rng, i // 5, persons[5 * (i // 5) : 5 * (i // 5) + 5], 0) for i in range(25_000)]
    pairs = 3
    copies = iter([copy.deepcopy(results) for _ in range(pairs + 2)])  # one to compare, one to begin with
    speed = paired(
        lambda: np.array(list(ours(truth, results).to_dict().values())),
        lambda: theirs(truth, next(copies))[0],
        pairs,
        tolerance=1e-12,
    )
    print(speed)
    assert speed.low > 1
