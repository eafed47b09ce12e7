"""The six golden sets of bbc.md 5.7 (row 27), on COCO's own photographs and annotations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnn_ref import pose
from bnn_ref.pose.annotations import Annotations, Results

G1 = [0.86088961, 0.99314547, 0.91089109, 0.77557756, 0.93725248, 0.875, 1, 0.91666667, 0.78, 0.94285714]
G2 = [0.52804809, 0.90429043, 0.48826025, 0.44554455, 0.61337459]
G2_TIED = [0.52718529, 0.90429043, 0.50099010, 0.42475248, 0.62426568]
G3 = [0.52874587, 0.90429043, 0.50099010, 0.42475248, 0.62195545]
G3_FLOAT32 = [0.53039132, 0.90429043, *G2[2:]]
RECALL = [0.58333333, 0.91666667, 0.58333333, 0.44, 0.68571429]
G4 = [0.982019, 1, 1, 0.977218, 0.989798, 0.988235, 1, 1, 0.985294, 0.991176]
G5 = [0.983586, 1, 1, 0.977218, 0.993710, 0.989706, 1, 1, 0.985294, 0.994118]
G6 = [0.963874, 1, 0.980198, 0.959466, 0.978142, 0.974419, 1, 0.988372, 0.963636, 0.993548]


def numbers(truth: Annotations, results: Results) -> list[float]:
    return list(pose.evaluate(truth, results).to_dict().values())


@pytest.fixture
def four(real: Path) -> Annotations:
    return pose.read_annotations(real / "mmpose_coco4" / "test_coco.json")


def test_g1_real_predictions(real: Path, four: Annotations) -> None:
    results = pose.read_results(real / "mmpose_coco4" / "example_coco_preds.json", four)
    np.testing.assert_allclose(numbers(four, results), G1, rtol=0, atol=5e-9)


def distorted(truth: Annotations, exact: bool) -> Results:
    """The true persons with x 0.98, y 1.02; score 0.98 mean(v > 0.2), v 0.8 of the visibility, in float32."""
    points = truth.keypoints.astype(np.float32) * np.float32([0.98, 1.02, 0.8])
    seen = points[:, :, 2]
    scores = [
        0.98 * float(v[v > 0.2].astype(np.float64 if exact else np.float32).mean())
        if (v > 0.2).any()
        else 0.0
        for v in seen
    ]
    return Results(truth.image_ids, points[:, :, :2].astype(float), np.array(scores))


@pytest.mark.parametrize(("exact", "wanted"), [(False, G2), (True, G2_TIED)])
def test_g2_all_persons_moved(four: Annotations, exact: bool, wanted: list[float]) -> None:
    np.testing.assert_allclose(numbers(four, distorted(four, exact)), wanted + RECALL, rtol=0, atol=5e-9)


@pytest.mark.parametrize(("exact", "wanted"), [(True, G3), (False, G3_FLOAT32)])
def test_g3_equal_scores_in_another_order(four: Annotations, exact: bool, wanted: list[float]) -> None:
    moved = distorted(four, exact)
    rows: list[Any] = []
    for image in np.unique(four.image_ids):
        (own,) = np.nonzero(four.image_ids == image)
        own = own[np.argsort(four.ids[own])]
        rows += list(own[np.argsort(moved.scores[own], kind="stable")[::-1]])
    kept = [row for row in rows if four.labelled[row].any()]
    results = Results(moved.image_ids[kept], moved.keypoints[kept], moved.scores[kept])
    np.testing.assert_allclose(numbers(four, results), wanted + RECALL, rtol=0, atol=5e-9)


@pytest.mark.parametrize(
    ("part", "persons", "size", "sigma", "wanted"),
    [
        ("val", 68, (192, 256), 2, G4),
        ("val", 68, (288, 384), 3, G5),
        ("train", 86, (192, 256), 2, G6),
    ],
    ids=["G4", "G5", "G6"],
)
def test_encoding_and_decoding_true_poses(
    real: Path,
    tmp_path: Path,
    part: str,
    persons: int,
    size: tuple[int, int],
    sigma: int,
    wanted: list[float],
) -> None:
    """The ceiling of the way from joints to heat maps and back, through files."""
    truth = pose.read_annotations(real / "coco_mini_kp" / f"person_keypoints_{part}2017_mini.json")
    rows, boxes = pose.trainable(truth)
    assert len(rows) == persons
    crops = [pose.Crop.around(box, size[0] / size[1]) for box in boxes]
    joints = np.array(
        [pose.transform(c.matrix(size), truth.keypoints[r, :, :2]) for c, r in zip(crops, rows)]
    )
    small = size[0] // 4, size[1] // 4
    maps, _ = pose.targets(joints, truth.labelled[rows].astype(float), small, sigma)
    points, scores = pose.decode(maps)
    back = np.array([pose.transform(pose.inverse(c.matrix(small)), p) for c, p in zip(crops, points)])
    found = np.concatenate([back, scores[..., None]], axis=2)
    said = pose.result_records(
        truth, truth.image_ids[rows], found, pose.person_scores(np.ones(persons), scores)
    )
    (tmp_path / "results.json").write_text(json.dumps(said))
    results = pose.read_results(tmp_path / "results.json", truth)
    np.testing.assert_allclose(numbers(truth, results), wanted, rtol=0, atol=5e-7)
