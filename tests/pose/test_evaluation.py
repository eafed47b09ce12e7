"""The ten numbers against a slow evaluator in plain loops, and what must hold of them whatever the scene."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenes import document, found, person, scene

from bnn_ref.pose.annotations import Annotations, Results
from bnn_ref.pose.evaluation import NAMES, evaluate
from bnn_ref.pose.oks import oks
from bnn_ref.pose.reading import parse_annotations, parse_results

SEED = st.integers(0, 2**32 - 1)
RANGES = ((0.0, 1e10), (1024.0, 9216.0), (9216.0, 1e10))


def read(truth: dict[str, Any], results: list[dict[str, Any]]) -> tuple[Annotations, Results]:
    annotations = parse_annotations(truth)
    return annotations, parse_results(results, annotations)


def numbers(truth: Annotations, results: Results) -> Any:
    return np.array(list(evaluate(truth, results).to_dict().values()))


def choose(likeness: list[float], open_to: list[bool], spare: list[bool]) -> int | None:
    """Who is taken: the most alike of those to be found, else of the others; the later of equals."""
    for wanted in (False, True):
        best = None
        for g in range(len(likeness)):
            if open_to[g] and spare[g] == wanted and (best is None or likeness[g] >= likeness[best]):
                best = g
        if best is not None:
            return best
    return None


def outcomes(
    truth: Annotations, results: Results, alike: Any, threshold: float, low: float, high: float
) -> Any:
    """(score, right) of everybody who counts, in the order of counting, and how many were to be found."""
    said, total = [], 0
    for image in sorted(truth.images):
        true = [g for g in range(len(truth.ids)) if truth.image_ids[g] == image]
        own = [d for d in range(len(results.scores)) if results.image_ids[d] == image]
        own = sorted(own, key=lambda d: -results.scores[d])[:20]
        spare = [
            bool(truth.crowd[g] or not truth.labelled[g].any() or not low <= truth.areas[g] <= high)
            for g in true
        ]
        total += spare.count(False)
        taken: set[int] = set()
        for d in own:
            likeness = [float(alike[d, g]) for g in true]
            free = [truth.crowd[g] or i not in taken for i, g in enumerate(true)]
            best = choose(likeness, [f and v >= threshold for f, v in zip(free, likeness)], spare)
            pose = results.keypoints[d]
            area = np.prod(pose.max(axis=0) - pose.min(axis=0))
            if best is not None:
                taken.add(best)
            if (best is None and low <= area <= high) or (best is not None and not spare[best]):
                said.append((results.scores[d], best is not None))
    return sorted(said, key=lambda one: -one[0]), total


def slow(truth: Annotations, results: Results) -> Any:
    """The ten numbers: precision as the best that is reached at a recall or later."""
    alike = oks(results.keypoints[:, None], truth.keypoints, truth.boxes, truth.areas)
    ap, ar = np.full((3, 10), -1.0), np.full((3, 10), -1.0)
    for a, (low, high) in enumerate(RANGES):
        for t in range(10):
            said, total = outcomes(truth, results, alike, 0.5 + 0.05 * t, low, high)
            if not total:
                continue
            hits = np.cumsum([right for _, right in said])
            ar[a, t] = hits[-1] / total if len(said) else 0
            reached = [
                max((hits[i] / (i + 1) for i in range(len(said)) if hits[i] / total >= r), default=0)
                for r in np.linspace(0, 1, 101)
            ]
            ap[a, t] = np.mean(reached)
    return np.array([v for m in (ap, ar) for v in (m[0].mean(), m[0, 0], m[0, 5], m[1].mean(), m[2].mean())])


@given(seed=SEED)
def test_they_are_those_of_plain_loops_row_27(seed: int) -> None:
    """Bbc.md section 8, row 27, without another library; crowds, ignored persons, doubles, equal scores."""
    truth, results = read(*scene(np.random.default_rng(seed), 4))
    np.testing.assert_allclose(numbers(truth, results), slow(truth, results), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("nose_last", "wanted"), [(False, 1.0), (True, 0.5)])
def test_of_equally_alike_persons_the_later_is_taken(nose_last: bool, wanted: float) -> None:
    """One person shows the nose alone, one everything, in the same places; the surer answer is like both.

    The other answer has the nose right and is far away else: only the one with a nose alone is left for it.
    """
    whole = [v for j in range(17) for v in (10.0 * j, 5.0 * j, 2.0)]
    nose = [0.0, 0.0, 2.0, *([0.0] * 48)]
    common = {"image_id": 1, "category_id": 1, "iscrowd": 0, "bbox": [0, 0, 160, 80], "area": 5000.0}
    true = [
        {**common, "id": 1, "keypoints": nose, "num_keypoints": 1},
        {**common, "id": 2, "keypoints": whole, "num_keypoints": 17},
    ]
    far = [0.0, 0.0, 1.0, *([1e4] * 48)]
    answers = [
        {"image_id": 1, "category_id": 1, "keypoints": pose, "score": score}
        for pose, score in ((whole, 0.9), (far, 0.8))
    ]
    truth, results = read(document([1], true[::-1] if nose_last else true), answers)
    assert evaluate(truth, results).to_dict()["AR"] == wanted


def test_of_more_than_20_the_best_20_count() -> None:
    rng = np.random.default_rng(1)
    persons = [person(rng, 1, 5)]
    while not persons[0]["num_keypoints"] or persons[0]["iscrowd"]:
        persons = [person(rng, 1, 5)]
    results = [{**found(rng, 5, [], 0), "score": 0.5 + i / 100} for i in range(20)]
    exact = {"image_id": 5, "category_id": 1, "keypoints": persons[0]["keypoints"]}
    for score, wanted in ((0.505, 1.0), (0.4, 0.0)):
        truth, read_back = read(document([5], persons), [{**exact, "score": score}, *results])
        assert evaluate(truth, read_back).to_dict()["AR"] == wanted


@given(seed=SEED)
def test_only_the_order_of_scores_matters_row_25(seed: int) -> None:
    """Bbc.md section 8, row 25."""
    truth, results = read(*scene(np.random.default_rng(seed)))
    moved = Results(results.image_ids, results.keypoints, np.exp(3 * results.scores) - 7)
    np.testing.assert_array_equal(numbers(truth, results), numbers(truth, moved))


@given(seed=SEED)
def test_perfect_answers_and_none_row_25(seed: int) -> None:
    """Bbc.md section 8, row 25: 1 where a range has somebody, 0 without answers, -1 where it has nobody.

    Nobody shares a place here: an answer that is like two persons may be given to the wrong one.
    """
    truth, results = read(*scene(np.random.default_rng(seed), doubles=0))
    counted = ~truth.crowd & truth.labelled.any(axis=1)
    some = np.array([(counted & (truth.areas >= low) & (truth.areas <= high)).any() for low, high in RANGES])
    populated = np.tile(some[[0, 0, 0, 1, 2]], 2)
    perfect = Results(truth.image_ids[counted], truth.keypoints[counted, :, :2], np.ones(counted.sum()))
    np.testing.assert_allclose(numbers(truth, perfect), np.where(populated, 1, -1), atol=1e-12)
    nobody = Results(results.image_ids[:0], results.keypoints[:0], results.scores[:0])
    np.testing.assert_array_equal(numbers(truth, nobody), np.where(populated, 0, -1))


def test_all_are_in_the_unit_interval_or_minus_1_and_mostly_fall_row_26() -> None:
    """Bbc.md section 8, row 26: that AP falls as the threshold rises is usual, not certain."""
    falling = []
    for seed in range(60):
        found_out = evaluate(*read(*scene(np.random.default_rng(seed))))
        values = np.array(list(found_out.to_dict().values()))
        assert (((values >= 0) & (values <= 1)) | (values == -1)).all()
        falling += list(np.diff(found_out.precision.mean(axis=2)).ravel() <= 1e-12)
    assert np.mean(falling) > 0.9


@given(seed=SEED)
def test_removing_ignored_persons_never_raises_precision_row_28(seed: int) -> None:
    """Bbc.md section 8, row 28: who took them is wrong from then on, and nobody else changes."""
    truth, results = scene(np.random.default_rng(seed))
    kept = [p for p in truth["annotations"] if not p["iscrowd"] and p["num_keypoints"]]
    before, after = evaluate(*read(truth, results)), evaluate(*read({**truth, "annotations": kept}, results))
    assert (after.precision <= before.precision + 1e-12).all()
    np.testing.assert_array_equal(after.recall, before.recall)


def test_the_table_that_is_printed() -> None:
    truth, results = read(*scene(np.random.default_rng(5)))
    found_out = evaluate(truth, results)
    assert list(found_out.to_dict()) == list(NAMES)
    lines = str(found_out).splitlines()
    assert lines[0].startswith(" Average Precision  (AP) @[ IoU=0.50:0.95 | area=   all | maxDets= 20 ] = ")
    assert lines[8].startswith(" Average Recall     (AR) @[ IoU=0.50:0.95 | area=medium | maxDets= 20 ] = ")
    printed = [float(line.rsplit("= ", 1)[1]) for line in lines]
    np.testing.assert_allclose(printed, list(found_out.to_dict().values()), atol=5.1e-4)


def test_an_annotation_with_the_id_0_is_one_like_any_other() -> None:
    rng = np.random.default_rng(0)
    truth, results = scene(rng)
    first = parse_annotations(truth)
    moved = {**truth, "annotations": [{**p, "id": p["id"] - 1} for p in truth["annotations"]]}
    second = parse_annotations(moved)
    assert 0 in second.ids
    answers = parse_results(results, first)
    np.testing.assert_array_equal(numbers(first, answers), numbers(second, answers))


@pytest.mark.parametrize("persons", [0, 3])
def test_no_images_with_answers(persons: int) -> None:
    rng = np.random.default_rng(0)
    truth, results = read(document([1], [person(rng, i, 1) for i in range(persons)]), [])
    assert set(numbers(truth, results)) <= {-1.0, 0.0}
