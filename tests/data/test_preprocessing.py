"""Standardization: its constants against NumPy's own mean and std, its refusals, its way through JSON."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from bnn_ref.data import Dataset, Preprocessing, load

CONSTANTS: dict[str, Any] = {"peak": 16, "mean": [0.5], "std": [0.25], "shape": [1, 3, 1]}


def colours(images: np.ndarray[Any, np.dtype[np.uint8]], peak: int = 255) -> Dataset:
    labels = np.zeros(len(images), np.int64)
    return Dataset("colours", images, labels, images[:1], labels[:1], ("any",), "ours", peak)


def test_the_formula_on_numbers_one_can_check() -> None:
    pixels = np.array([0, 8, 16], np.uint8).reshape(1, 1, 3, 1)
    standardized = Preprocessing.from_dict(CONSTANTS)(pixels)
    assert standardized.dtype == np.float32
    np.testing.assert_array_equal(standardized.ravel(), [-2, 0, 2])
    np.testing.assert_array_equal(pixels.ravel(), [0, 8, 16])


def test_channels_have_constants_of_their_own() -> None:
    preprocessing = Preprocessing(10, (0.0, 0.5), (1.0, 0.5), (1, 1, 2))
    pixels = np.array([[10, 10], [0, 0]], np.uint8).reshape(2, 1, 1, 2)
    np.testing.assert_array_equal(preprocessing(pixels).reshape(2, 2), [[1, 1], [0, -1]])


def test_digits_get_mean_0_and_std_1() -> None:
    digits = load("digits")
    standardized = Preprocessing.fit(digits)(digits.train_images)
    assert abs(standardized.mean(dtype=np.float64)) < 1e-6
    assert abs(standardized.std(dtype=np.float64) - 1) < 1e-6


def test_fit_agrees_with_numpy_channel_by_channel() -> None:
    rng = np.random.default_rng(5)
    images = np.stack([rng.integers(low, low + 60, (11, 6, 7), np.uint8) for low in (0, 90, 140)], axis=-1)
    preprocessing = Preprocessing.fit(colours(images, peak=200))
    np.testing.assert_allclose(preprocessing.mean, (images / 200).mean(axis=(0, 1, 2)), rtol=1e-13)
    np.testing.assert_allclose(preprocessing.std, (images / 200).std(axis=(0, 1, 2)), rtol=1e-13)
    assert (preprocessing.peak, preprocessing.shape) == (200, (6, 7, 3))


def test_fit_sees_only_the_training_part() -> None:
    digits = load("digits")
    assert Preprocessing.fit(digits.take(test=1)) == Preprocessing.fit(digits)
    assert Preprocessing.fit(digits.take(train=100)) != Preprocessing.fit(digits)


def test_fit_counts_beyond_32_bits() -> None:
    # 9 % of the pixels are 0; the squares of the others sum up to 1.2 times 2**32.
    images = np.full((1, 200, 440, 1), 255, np.uint8)
    images[:, :18] = 0
    preprocessing = Preprocessing.fit(colours(images))
    assert int(np.square(images.astype(object)).sum()) > 2**32
    assert preprocessing.mean == pytest.approx((0.91,), rel=1e-15)
    assert preprocessing.std == pytest.approx(((0.91 * 0.09) ** 0.5,), rel=1e-14)


def test_a_constant_channel_has_no_standardization() -> None:
    with pytest.raises(ValueError, match=r"std: required positive numbers \(is a channel constant\?\)"):
        Preprocessing.fit(colours(np.full((3, 2, 2, 1), 7, np.uint8)))


def test_an_empty_batch_stays_one() -> None:
    assert Preprocessing.from_dict(CONSTANTS)(np.zeros((0, 1, 3, 1), np.uint8)).shape == (0, 1, 3, 1)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((2, 1, 3, 1), np.float32), "images: required uint8 pixels of 0 to 16, got float32"),
        (np.zeros((1, 3, 1), np.uint8), r"images: required shape \(N, 1, 3, 1\), got \(1, 3, 1\)"),
        (np.zeros((2, 3, 1, 1), np.uint8), r"images: required shape \(N, 1, 3, 1\), got \(2, 3, 1, 1\)"),
        (np.full((2, 1, 3, 1), 17, np.uint8), "images: required pixels of 0 to 16, got 17"),
    ],
)
def test_other_images_are_refused(images: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Preprocessing.from_dict(CONSTANTS)(images)


def test_json_gives_back_the_same_object() -> None:
    fitted = Preprocessing.fit(load("digits"))
    again = Preprocessing.from_dict(json.loads(json.dumps(fitted.to_dict())))
    assert again == fitted
    assert hash(again) == hash(fitted)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"peak": 0}, "peak: required 1 to 255, got 0"),
        ({"peak": 256}, "peak: required 1 to 255, got 256"),
        ({"mean": [0.5, 0.5]}, "mean: required 1 finite numbers"),
        ({"mean": [float("nan")]}, "mean: required 1 finite numbers"),
        ({"std": []}, "std: required 1 finite numbers"),
        ({"std": [-0.25]}, "std: required positive numbers"),
        ({"shape": [0, 3, 1]}, "shape: required three positive numbers"),
        ({"shape": [3, 1]}, "not enough values"),
        ({"shape": None}, "constants: required numbers and lists of numbers"),
        ({"mean": 0.5}, "constants: required numbers and lists of numbers"),
        ({"colour": 1}, "constants: required the keys .* got .*'colour'"),
    ],
)
def test_constants_that_are_none_are_refused(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Preprocessing.from_dict(CONSTANTS | changed)


@pytest.mark.parametrize("missing", sorted(CONSTANTS))
def test_every_constant_is_needed(missing: str) -> None:
    with pytest.raises(ValueError, match="constants: required the keys"):
        Preprocessing.from_dict({key: value for key, value in CONSTANTS.items() if key != missing})
