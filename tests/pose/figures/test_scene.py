"""The generated set: reproducible, exact, varied; how well its joints survive the way through heat maps."""

from __future__ import annotations

import copy
import json
from typing import Any

import numpy as np
import pytest

from bnn_ref import pose
from bnn_ref.pose.figures import DIFFICULTIES, Difficulty, generate
from bnn_ref.pose.figures.canvas import Canvas
from bnn_ref.pose.figures.figure import LIMBS, PARTS, draw_figure, paint
from bnn_ref.pose.figures.scene import annotate
from bnn_ref.pose.joints import JOINTS

ALONE = Difficulty(company=0, clutter=0, noise=0)


def test_a_longer_set_begins_with_the_shorter_and_another_seed_is_another_set() -> None:
    few, short = generate(3, seed=5, size=(64, 80))
    many, long = generate(6, seed=5, size=(64, 80))
    np.testing.assert_array_equal(few, many[:3])
    assert short["annotations"] == long["annotations"][: len(short["annotations"])]
    other, _ = generate(6, seed=6, size=(64, 80))
    assert all(not np.array_equal(a, b) for a in many for b in other)
    assert (many.shape, many.dtype) == ((6, 80, 64, 3), np.uint8)
    assert len({picture.tobytes() for picture in many}) == 6


def test_the_set_of_the_study_is_the_one_that_its_records_are_of() -> None:
    """What is on record was learnt from these pictures: another way of drawing makes another set."""
    images, document = generate(2, seed=0, size=(128, 128), difficulty=DIFFICULTIES["easy"])
    np.testing.assert_allclose(images.mean(axis=(1, 2, 3)), [85.492, 124.315], atol=0.01)
    np.testing.assert_allclose(images.std(axis=(1, 2, 3)), [44.069, 28.557], atol=0.01)
    noses = [person["keypoints"][:3] for person in document["annotations"]]
    np.testing.assert_allclose(noses, [[57.3, 25.5, 2], [63.6, 24.3, 2]], atol=0.06)
    assert [person["area"] for person in document["annotations"]] == [1303, 2022]
    (other,) = generate(1, seed=1, size=(128, 128), difficulty=DIFFICULTIES["easy"])[1]["annotations"]
    np.testing.assert_allclose(other["keypoints"][:3], [83.21, 10.12, 2], atol=0.01)


def test_the_document_is_coco_s_and_goes_through_json() -> None:
    images, document = generate(40, size=(96, 96))
    truth = pose.parse_annotations(json.loads(json.dumps(document)))
    assert [(i.width, i.height) for i in truth.images.values()] == [(96, 96)] * len(images)
    assert len(truth.ids) == len(document["annotations"]) > 40  # some have company
    perfect = pose.Results(truth.image_ids, truth.keypoints[:, :, :2], np.ones(len(truth.ids)))
    assert pose.evaluate(truth, perfect).to_dict()["AR"] == 1


def test_it_is_varied() -> None:
    images, document = generate(150)
    truth = pose.parse_annotations(document)
    counts = (
        np.bincount(truth.keypoints[:, :, 2].astype(int).ravel(), minlength=3) / truth.keypoints[:, :, 2].size
    )
    assert 0.03 < counts[0] < 0.3, "turned faces, joints beyond the picture"
    assert 0.05 < counts[1] < 0.3, "covered joints"
    assert np.mean((truth.areas > 32**2) & (truth.areas < 96**2)) > 0.9, "COCO's medium range"
    company = np.bincount(truth.image_ids)[1:] == 2
    assert 0.1 < company.mean() < 0.3
    assert images.mean(axis=(1, 2, 3)).std() > 20
    sides = truth.keypoints[:, 5, 0] > truth.keypoints[:, 6, 0]
    assert 0.35 < sides.mean() < 0.65, "seen from the front and from behind"


def test_area_and_box_are_those_of_the_pixels_that_show_the_figure() -> None:
    """With nobody else and no grain, a picture differs from the same one without its figure just there."""
    for seed in range(8):
        rng = np.random.default_rng(seed)
        ground = np.full((90, 70, 3), 500.0)  # lighter than anything that is painted
        canvas = Canvas(ground.copy())
        figure = draw_figure(rng, (70, 90), (0.6, 0.95), 1)
        paint(canvas, figure, rng)
        touched = (canvas.pixels != ground).any(axis=2)
        owned = canvas.owner > 0
        said = annotate(canvas, figure)
        x, y, w, h = map(int, said["bbox"])
        assert said["area"] == owned.sum() == owned[y : y + h, x : x + w].sum()
        for edge in (owned[y], owned[y + h - 1], owned[:, x], owned[:, x + w - 1]):
            assert edge.any(), "the box is no larger than it must be"
        assert not (owned & ~touched).any()
        rim = np.pad(owned, 1)
        near = rim[1:-1, 1:-1] | rim[2:, 1:-1] | rim[:-2, 1:-1] | rim[1:-1, 2:] | rim[1:-1, :-2]
        assert not (touched & ~near).any(), "soft edges alone lie outside"


def test_visible_joints_are_on_the_figure_and_a_cover_hides_them() -> None:
    for seed in range(30):
        rng = np.random.default_rng(seed)
        canvas = Canvas(np.zeros((120, 100, 3)))
        figure = draw_figure(rng, (100, 120), (0.6, 0.95), 1)
        assert not (figure.visibility(canvas) == 2).any(), "nothing is seen of a figure before it is painted"
        paint(canvas, figure, rng)
        seen = figure.visibility(canvas)
        x, y = figure.points.T
        inside = (x > -0.5) & (x < 99.5) & (y > -0.5) & (y < 119.5)
        assert not seen[~inside].any()
        assert (seen[5:][inside[5:]] > 0).all()
        assert (canvas.owner[np.rint(y[seen == 2]).astype(int), np.rint(x[seen == 2]).astype(int)] > 0).all()
        for j in np.flatnonzero(seen == 2)[:3]:
            covered = copy.deepcopy(canvas)
            covered.capsule(figure.points[[j, j]], (3, 3), np.zeros(3), 1 + PARTS)
            assert figure.visibility(covered)[j] == 1


def test_turned_faces_are_not_labelled() -> None:
    rng = np.random.default_rng(0)
    for _ in range(60):
        canvas, figure = Canvas(np.zeros((120, 100, 3))), draw_figure(rng, (100, 120), (0.6, 0.9), 1)
        paint(canvas, figure, rng)
        seen, looks_away = figure.visibility(canvas), figure.body.forward[2]
        if looks_away > 0.5:
            assert seen[0] == 0
        elif looks_away < -0.5:
            assert (seen[1:3] > 0).all()


def test_every_limb_and_joint_has_its_part() -> None:
    names = {name for start, end, *_ in LIMBS for name in (start, end)}
    assert names == set(JOINTS[5:])
    assert len({(start, end) for start, end, *_ in LIMBS}) == PARTS - 2 == 8


@pytest.mark.parametrize(("size", "sigma", "least"), [((96, 128), 2, 0.85), ((192, 256), 2, 0.93)])
def test_the_ceiling_of_heat_maps(size: tuple[int, int], sigma: int, least: float) -> None:
    """True joints, encoded and decoded: what no network of this size can be much better than."""
    _, document = generate(60, seed=1)
    truth = pose.parse_annotations(document)
    rows, boxes = pose.trainable(truth)
    small = size[0] // 4, size[1] // 4
    crops = [pose.Crop.around(box, 0.75) for box in boxes]
    true = truth.keypoints[rows, :, :2]
    joints = np.array([pose.transform(crop.matrix(size), points) for crop, points in zip(crops, true)])
    maps, _ = pose.targets(joints, truth.labelled[rows].astype(float), small, sigma)
    points, scores = pose.decode(maps)
    back = np.array([pose.transform(pose.inverse(c.matrix(small)), p) for c, p in zip(crops, points)])
    found = pose.Results(truth.image_ids[rows], back, pose.person_scores(np.ones(len(rows)), scores))
    assert least < pose.evaluate(truth, found).to_dict()["AP"] <= 1


def test_what_cannot_be_seen_has_no_area() -> None:
    rng = np.random.default_rng(0)
    canvas, figure = Canvas(np.zeros((120, 100, 3))), draw_figure(rng, (100, 120), (0.6, 0.9), 1)
    said = annotate(canvas, figure)
    assert (said["area"], said["bbox"]) == (0, [0, 0, 0, 0])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"count": -1}, "count: required a whole number >= 0, got -1"),
        ({"count": 1, "seed": 0.5}, "seed: required a whole number >= 0, got 0.5"),
        ({"count": 1, "size": (8, 64)}, "size: required a whole number >= 16, got 8"),
    ],
)
def test_bad_arguments_are_refused(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        generate(**arguments)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"company": 2}, "company: required a probability, got 2"),
        ({"clutter": 1.5}, "clutter: required a whole number >= 0, got 1.5"),
        ({"noise": -1}, "noise: required a number >= 0, got -1"),
    ],
)
def test_bad_difficulties_are_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Difficulty(**wrong)


def test_the_easiest_has_one_figure_and_no_grain() -> None:
    images, document = generate(12, size=(64, 64), difficulty=ALONE)
    assert [a["image_id"] for a in document["annotations"]] == list(range(1, 13))
    noisy, _ = generate(12, size=(64, 64), difficulty=Difficulty(company=0, clutter=0, noise=20))
    assert np.abs(noisy.astype(int) - images).mean() > 8
    _, both = generate(12, size=(64, 64), difficulty=Difficulty(company=1))
    assert len(both["annotations"]) == 24
