"""The digits in the package: the published file, every row of it in one part, the split as it was drawn."""

from __future__ import annotations

import csv
import gzip
import hashlib
from importlib import resources

import numpy as np
import pytest

from bnn_ref.data import digits

FOLDER = resources.files("bnn_ref.data")
SHA256 = "09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22"

# The split of release 0.1: whoever changes it changes every published accuracy on digits.
FIRST = [1, 4, 7, 10, 12, 18, 21, 31]
DRAWN = "94e34a3247ab3ed46f2de948157161d81c14b49417147f41411a7471317e24d8"


def rows() -> list[list[int]]:
    text = gzip.decompress(FOLDER.joinpath("digits.csv.gz").read_bytes()).decode()
    return [[int(value) for value in row] for row in csv.reader(text.splitlines())]


def test_the_file_is_the_published_one_and_says_whose_it_is() -> None:
    content = FOLDER.joinpath("digits.csv.gz").read_bytes()
    attribution = FOLDER.joinpath("digits.txt").read_text(encoding="utf-8")
    assert len(content) == 57_523
    assert hashlib.sha256(content).hexdigest() == SHA256
    assert SHA256 in attribution
    for credit in ("E. Alpaydin and C. Kaynak, 1998", "CC BY 4.0"):
        assert credit in attribution
        assert credit in digits.load().source


def test_sizes_ranges_and_the_first_line() -> None:
    data = digits.load()
    assert data.train_images.shape == (1437, 8, 8, 1)
    assert data.test_images.shape == (360, 8, 8, 1)
    assert (data.shape, data.peak, data.name) == ((8, 8, 1), 16, "digits")
    assert data.train_images.min() == 0
    assert data.train_images.max() == data.test_images.max() == 16
    top = np.flatnonzero((data.train_images[:, 0, :, 0] == [0, 0, 5, 13, 9, 1, 0, 0]).all(axis=1))
    assert data.train_labels[top[0]] == 0


def test_each_class_has_36_test_images_and_the_published_total() -> None:
    data = digits.load()
    train, test = np.bincount(data.train_labels), np.bincount(data.test_labels)
    np.testing.assert_array_equal(test, np.full(10, 36))
    np.testing.assert_array_equal(train + test, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180])


def test_every_row_is_in_exactly_one_part_in_the_order_of_the_file() -> None:
    data, file = digits.load(), rows()
    test = digits.held_out(np.array([row[-1] for row in file]))
    for images, labels, chosen in (
        (data.train_images, data.train_labels, ~test),
        (data.test_images, data.test_labels, test),
    ):
        expected = [row for row, wanted in zip(file, chosen, strict=True) if wanted]
        assert np.column_stack([images.reshape(len(images), 64), labels]).tolist() == expected


def test_the_split_is_the_one_that_was_drawn() -> None:
    test = digits.held_out(np.array([row[-1] for row in rows()]))
    assert np.flatnonzero(test)[:8].tolist() == FIRST
    assert hashlib.sha256(np.packbits(test).tobytes()).hexdigest() == DRAWN
    thirds = [int(part.sum()) for part in np.array_split(test, 3)]
    assert min(thirds) > 90, "the file goes from writer to writer: a part of it must not be left out"


def test_images_and_labels_belong_together() -> None:
    data = digits.load()
    train, test = (x.reshape(len(x), 64).astype(np.int64) for x in (data.train_images, data.test_images))
    distance = (train**2).sum(axis=1) - 2 * test @ train.T
    accuracy = (data.train_labels[distance.argmin(axis=1)] == data.test_labels).mean()
    assert accuracy > 0.97


def test_no_folder_is_needed_or_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BNN_REF_DATA", "/nowhere")
    np.testing.assert_array_equal(digits.load("/nowhere").test_labels, digits.load().test_labels)
