"""Data sets refuse what is not one, and batches are the data, each item once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref.data import Dataset, batches


def parts(**changed: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "name": "small",
        "train_images": np.arange(5 * 2 * 3 * 1, dtype=np.uint8).reshape(5, 2, 3, 1),
        "train_labels": np.array([0, 1, 0, 1, 1], np.int64),
        "test_images": np.zeros((2, 2, 3, 1), np.uint8),
        "test_labels": np.array([1, 0], np.int64),
        "classes": ("no", "yes"),
        "source": "ours",
        "peak": 29,
    }
    return fields | changed


def test_a_data_set_has_the_shape_of_its_images() -> None:
    assert Dataset(**parts()).shape == (2, 3, 1)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"train_images": np.zeros((5, 2, 3, 1))}, r"train_images: required uint8 .* got float64"),
        ({"train_images": np.zeros((5, 2, 3), np.uint8)}, r"train_images: required .* got uint8 \(5, 2, 3\)"),
        ({"test_images": np.zeros((0, 2, 3, 1), np.uint8)}, r"test_images: required .* \(0, 2, 3, 1\)"),
        ({"test_images": np.zeros((2, 3, 2, 1), np.uint8)}, r"test_images: required images of \(2, 3, 1\)"),
        ({"peak": 28}, r"train_images: required pixels of 0 to 28, got 29"),
        ({"train_labels": np.zeros(5, np.int32)}, r"train_labels: required int64 \(5,\), got int32"),
        ({"train_labels": np.zeros(4, np.int64)}, r"train_labels: required int64 \(5,\), got int64 \(4,\)"),
        ({"train_labels": np.zeros((5, 1), np.int64)}, r"train_labels: required int64 \(5,\)"),
        ({"test_labels": np.array([2, 0], np.int64)}, r"test_labels: required 0 to 1, got 0 to 2"),
        ({"test_labels": np.array([1, -1], np.int64)}, r"test_labels: required 0 to 1, got -1 to 1"),
    ],
)
def test_what_is_no_data_set_is_refused(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Dataset(**parts(**changed))


def test_the_arrays_are_read_only_and_the_callers_are_not() -> None:
    fields = parts()
    dataset = Dataset(**fields)
    for name in ("train_images", "train_labels", "test_images", "test_labels"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(dataset, name)[0] = 1
        fields[name][0] = 1


def test_take_keeps_the_first_of_each_part() -> None:
    dataset = Dataset(**parts())
    few = dataset.take(train=3, test=1)
    np.testing.assert_array_equal(few.train_images, dataset.train_images[:3])
    np.testing.assert_array_equal(few.train_labels, [0, 1, 0])
    np.testing.assert_array_equal(few.test_labels, [1])
    assert len(few.test_images) == 1
    assert (few.name, few.classes, few.source, few.peak) == ("small", ("no", "yes"), "ours", 29)


def test_take_keeps_all_by_default() -> None:
    dataset = Dataset(**parts())
    assert (len(dataset.take(train=2).test_labels), len(dataset.take(test=1).train_images)) == (2, 5)


@pytest.mark.parametrize("count", [0, -1, 6])
def test_take_refuses_what_is_not_there(count: int) -> None:
    with pytest.raises(ValueError, match=f"train: required 1 to 5 images of small, got {count}"):
        Dataset(**parts()).take(train=count)


def test_take_refuses_the_test_part_too() -> None:
    with pytest.raises(ValueError, match="test: required 1 to 2 images of small, got 3"):
        Dataset(**parts()).take(test=3)


@given(st.integers(1, 40), st.integers(1, 45), st.one_of(st.none(), st.integers(0, 2**32)))
def test_batches_hold_everything_once_with_its_label(count: int, size: int, seed: int | None) -> None:
    images = np.arange(count * 2).reshape(count, 2)
    labels = 1000 + np.arange(count)
    rng = None if seed is None else np.random.default_rng(seed)
    drawn = list(batches(images, labels, size, rng))
    assert [len(x) for x, _ in drawn[:-1]] == [size] * (len(drawn) - 1)
    assert 1 <= len(drawn[-1][0]) <= size
    rows = np.concatenate([y for _, y in drawn]) - 1000
    assert sorted(rows) == list(range(count))
    np.testing.assert_array_equal(np.concatenate([x for x, _ in drawn]), images[rows])
    if seed is None:
        assert list(rows) == list(range(count))


def order(rng: np.random.Generator) -> list[int]:
    rows = np.arange(50)
    return [int(y) for _, label in batches(rows, rows, 8, rng) for y in label]


def test_the_order_is_a_function_of_the_seed() -> None:
    assert order(np.random.default_rng(1)) == order(np.random.default_rng(1))
    assert order(np.random.default_rng(1)) != order(np.random.default_rng(2))
    assert order(np.random.default_rng(1)) != list(range(50))


def test_each_epoch_has_another_order_drawn_at_the_call() -> None:
    rows, rng = np.arange(50), np.random.default_rng(3)
    first, second = batches(rows, rows, 50, rng), batches(rows, rows, 50, rng)
    late = [next(second)[0].tolist(), next(first)[0].tolist()]
    again = np.random.default_rng(3)
    assert late[::-1] == [order(again), order(again)]
    assert late[0] != late[1]


def test_no_images_are_no_batches() -> None:
    assert list(batches(np.zeros((0, 2)), np.zeros(0), 4)) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.zeros(3), np.zeros(2), 1), "labels: required one an image, 3, got 2"),
        ((np.zeros(3), np.zeros(3), 0), "size: required at least 1 image a batch, got 0"),
        ((np.zeros(3), np.zeros(3), 1, 42), "rng: required a numpy.random.Generator or None, got 42"),
    ],
)
def test_batches_refuse_at_the_call(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        batches(*arguments)
