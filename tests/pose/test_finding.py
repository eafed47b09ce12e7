"""From boxes to poses: perfect maps give the true joints back, through flip test and suppression."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bnn_ref import pose
from bnn_ref.parameter import Array
from bnn_ref.pose.finding import cut

SIZE = (96, 128)
Network = Callable[[Array], Array]


@pytest.fixture(scope="module")
def persons() -> pose.Persons:
    pixels, document = pose.figures.generate(12, seed=4, size=(128, 128))
    return pose.Persons(pose.parse_annotations(document), pose.Stack(pixels))


def oracle(maps: Array) -> Network:
    """Answers with the given maps in order, and to every second call with those of the mirror image."""
    calls: list[int] = []

    def network(x: Array) -> Array:
        first, mirror = divmod(len(calls), 2)
        calls.append(1)
        part = maps[2 * first : 2 * first + len(x)]
        if not mirror:
            return part
        back = part[:, :, ::-1, pose.FLIP]
        return np.roll(back, 1, axis=2)  # what a network that mirrors exactly would say: see `flipped_back`

    return network


def found(persons: pose.Persons, network: Network, **more: Any) -> pose.Found:
    boxes, preprocessing = pose.true_boxes(persons.truth), pose.normalisation(SIZE)
    return pose.find(network, boxes, persons.pictures, preprocessing, batch=2, **more)


def test_perfect_maps_give_the_joints_back(persons: pose.Persons) -> None:
    """Rounding to a map's pixel moves a joint by at most 2 pixels of the input each way."""
    _, maps, weights = persons.sample(range(len(persons)), pose.View(SIZE, 1.5))
    network = oracle(np.repeat(maps, 1, axis=0))
    result = found(persons, network)
    assert result.image_ids.tolist() == persons.truth.image_ids[persons.rows].tolist()
    true = persons.truth.keypoints[persons.rows]
    for i, box in enumerate(persons.boxes):
        most = 2 * pose.Crop.around(box, SIZE[0] / SIZE[1]).scale[0] * 200 / SIZE[0]
        away = np.abs(result.keypoints[i, :, :2] - true[i, :, :2])[weights[i] > 0]
        assert away.max() <= most + 1e-9
        assert away.max() > 0.1 * most  # or the bound says nothing
    assert pose.evaluate(persons.truth, result.results).to_dict()["AP50"] == 1


def test_scores_are_the_peaks_above_a_fifth(persons: pose.Persons) -> None:
    _, maps, weights = persons.sample(range(len(persons)), pose.View(SIZE, 1.5))
    halves = (0.5 * maps[i : i + 2] for i in range(0, len(maps), 2))
    result = found(persons, lambda _: next(halves), flip=False)
    np.testing.assert_allclose(result.keypoints[:, :, 2], 0.5 * (weights > 0), rtol=1e-6)
    np.testing.assert_allclose(result.scores, 0.5, rtol=1e-6)


def test_doubles_within_an_image_are_dropped_and_not_across_images(persons: pose.Persons) -> None:
    boxes = pose.true_boxes(persons.truth)
    twice = pose.Boxes(
        np.array([1, 1, 2]),
        np.concatenate([boxes.boxes[:1], boxes.boxes[:1], boxes.boxes[:1]]),
        np.array([0.5, 0.9, 0.7]),
    )
    blank = np.zeros((3, 32, 24, 17))
    blank[:, 5, 6] = 1
    result = pose.find(
        lambda x: blank[: len(x)], twice, persons.pictures, pose.normalisation(SIZE), flip=False
    )
    assert result.image_ids.tolist() == [1, 2]
    np.testing.assert_allclose(result.scores, [0.9, 0.7])


def test_the_network_sees_the_preprocessed_crop(persons: pose.Persons) -> None:
    seen: list[Array] = []

    def network(x: Array) -> Array:
        seen.append(x.copy())
        return np.zeros((len(x), 32, 24, 17))

    found(persons, network)
    pixels, _, _ = persons.sample([0, 1], pose.View(SIZE))
    np.testing.assert_array_equal(seen[0], pose.normalisation(SIZE)(pixels))
    np.testing.assert_array_equal(seen[1], seen[0][:, :, ::-1])


def test_nobody_is_looked_at_and_nobody_found(persons: pose.Persons) -> None:
    none = pose.Boxes(np.zeros(0, np.int64), np.zeros((0, 4)), np.zeros(0))
    result = pose.find(lambda x: x, none, persons.pictures, pose.normalisation(SIZE))
    assert (result.keypoints.shape, result.scores.shape) == ((0, 17, 3), (0,))


def test_whole_images(persons: pose.Persons) -> None:
    images = {4: pose.annotations.Image("x", 40, 30), 9: pose.annotations.Image("y", 5, 6)}
    boxes = pose.whole_images(pose.unlabelled(images))
    assert boxes.image_ids.tolist() == [4, 9]
    assert boxes.boxes.tolist() == [[0, 0, 39, 29], [0, 0, 4, 5]]
    crop = cut(
        lambda _: np.full((30, 40, 3), 9, np.uint8), [4], [pose.Crop.around(boxes.boxes[0], 1)], (8, 8)
    )
    assert crop.shape == (1, 8, 8, 3)
    assert (crop[0, 3:5, 3:5] == 9).all()


def test_wrong_maps_and_sizes_are_refused(persons: pose.Persons) -> None:
    with pytest.raises(
        ValueError, match=r"network: required one that answers with maps \(2, 32, 24, 17\), got"
    ):
        found(persons, lambda x: np.zeros((len(x), 10)))
    with pytest.raises(ValueError, match="batch: required a whole number >= 1, got 0"):
        pose.find(
            lambda x: x, pose.true_boxes(persons.truth), persons.pictures, pose.normalisation(SIZE), batch=0
        )
    for size in ((97, 128), (96, 0)):
        with pytest.raises(ValueError, match="size: required multiples of 4, got"):
            pose.map_size(size)
