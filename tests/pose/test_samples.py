"""What training sees: the peak of a joint's map lies where the joint is in the crop, however it is varied."""

from __future__ import annotations

import numpy as np
import pytest

from bnn_ref import pose
from bnn_ref.pose.joints import COUNT

SIZE = (64, 96)
TURNED = pose.Augmentation(scale=0.3, rotation=40, rotate=1, flip=0.5)


def marked() -> tuple[pose.Persons, np.ndarray]:
    """One person on black, each joint a white spot in one picture of its own: 17 pictures, 17 persons."""
    rng = np.random.default_rng(1)
    joints = np.column_stack([rng.uniform(30, 90, (COUNT, 2)).round(), np.full(COUNT, 2)])
    pixels = np.zeros((COUNT, 120, 120, 3), np.uint8)
    for j, (x, y, _) in enumerate(joints.astype(int)):
        pixels[j, y - 2 : y + 3, x - 2 : x + 3] = 255
    person = {
        "category_id": 1, "iscrowd": 0, "num_keypoints": COUNT, "bbox": [20, 20, 80, 80], "area": 900,
        "keypoints": joints.ravel().tolist(),
    }  # fmt: skip
    truth = {
        "images": [{"id": i + 1, "file_name": "x", "width": 120, "height": 120} for i in range(COUNT)],
        "categories": [{"id": 1, "name": "person"}],
        "annotations": [{**person, "id": i + 1, "image_id": i + 1} for i in range(COUNT)],
    }
    return pose.Persons(pose.parse_annotations(truth), pose.Stack(pixels)), joints


@pytest.mark.parametrize("seed", [None, 0, 1, 2])
def test_the_peak_lies_on_the_spot(seed: int | None) -> None:
    """A spot is at (4 i, 4 j) to within 2 pixels and its own blur, in the map of its joint: or of the
    opposite one where the crop is mirrored."""
    persons, _ = marked()
    rng = None if seed is None else np.random.default_rng(seed)
    pixels, maps, weights = persons.sample(range(COUNT), pose.View(SIZE, 1.5, TURNED), rng)
    points, _ = pose.heatmaps.peaks(maps)
    seen = mirrored = 0
    for j in range(COUNT):
        light = pixels[j, :, :, 0].astype(float)
        if light.sum() < 255 * 4:
            continue
        y, x = (float((light * axis).sum() / light.sum()) for axis in np.indices(light.shape))
        inside = 4 < x < SIZE[0] - 5 and 4 < y < SIZE[1] - 5
        places = [j, int(pose.FLIP[j])]
        gaps = [float(np.abs(4 * points[j, k] - (x, y)).max()) for k in places]
        if inside:
            assert min(gaps) < 3
            assert weights[j, places[int(np.argmin(gaps))]] == 1
            seen, mirrored = seen + 1, mirrored + int(gaps[1] < gaps[0])
    assert seen >= 10
    assert (mirrored > 0) == (seed is not None)


def test_without_a_generator_crops_are_plain_and_the_same() -> None:
    persons, _ = marked()
    first, again = (persons.sample([3, 5], pose.View(SIZE, 2.0, TURNED)) for _ in range(2))
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, other)
    varied = persons.sample([3, 5], pose.View(SIZE, 2.0, TURNED), np.random.default_rng(0))
    assert not np.array_equal(varied[0], first[0])


def test_unlabelled_joints_have_no_weight_and_no_map() -> None:
    pixels, document = pose.figures.generate(20, seed=2, size=(96, 96))
    persons = pose.Persons(pose.parse_annotations(document), pose.Stack(pixels))
    _, maps, weights = persons.sample(range(len(persons)), pose.View((96, 96)))
    missing = ~persons.truth.labelled[persons.rows]
    assert missing.any()
    assert not weights[missing].any()
    assert not maps.transpose(0, 3, 1, 2)[missing].any()
    assert weights[~missing].mean() > 0.99  # a joint at the picture's edge may miss the crop


def test_a_size_that_has_no_maps_is_refused() -> None:
    with pytest.raises(ValueError, match=r"size: required multiples of 4, got \(30, 40\)"):
        pose.View((30, 40))
