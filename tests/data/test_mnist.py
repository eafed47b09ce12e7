"""The rows of facts, and the published sets themselves wherever this machine has them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from bnn_ref.data import Dataset, Preprocessing, mnist, search
from bnn_ref.data.idx_set import FILES, IdxSet

if TYPE_CHECKING:  # at run time the name conftest may be another folder's
    from conftest import Toy

ROWS = [mnist.FASHION_MNIST, mnist.MNIST]
BESIDE = Path(__file__).parents[2].parent / "shared" / "data"

# Images of each class in training and test; the printed mean and std of the training pixels / 255.
FACTS: dict[str, tuple[list[int], list[int], float, float]] = {
    "fashion-mnist": ([6000] * 10, [1000] * 10, 0.2860, 0.3530),
    "mnist": (
        [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
        [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
        0.1307,
        0.3081,
    ),
}


def home(row: IdxSet) -> Path | None:
    """The folder argument that finds the real set without a network, if there is one."""
    for base in (search.given(), BESIDE, search.SYSTEM):
        if base is None:
            continue
        for place in (base / row.name, base):
            files = all(any(place.glob(f"{file}*")) for file, _, _ in FILES)
            if files or (place / f"{row.name}.npz").is_file():
                return base
    return None


# Worked out before any test changes the environment. Where a set is absent its generated double stands in.
HOMES = {row.name: home(row) for row in ROWS}


def obtained(
    row: IdxSet, toy: Toy, tmp_path: Path
) -> tuple[Dataset, tuple[list[int], list[int], float, float]]:
    if (folder := HOMES[row.name]) is not None:
        return row.load(folder), FACTS[row.name]
    pixels = toy.arrays["x_train"] / 255
    return toy.row.load(toy.write(tmp_path)), ([2, 2, 3], [1, 1, 1], pixels.mean(), pixels.std())


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_published_set_has_its_published_numbers(
    row: IdxSet, toy: Toy, tmp_path: Path, bare_machine: Path
) -> None:
    dataset, (train, test, mean, std) = obtained(row, toy, tmp_path)
    assert np.bincount(dataset.train_labels).tolist() == train
    assert np.bincount(dataset.test_labels).tolist() == test
    assert (len(dataset.train_images), len(dataset.test_images)) == (sum(train), sum(test))
    assert (dataset.shape[2], dataset.peak, len(dataset.classes)) == (1, 255, len(train))
    preprocessing = Preprocessing.fit(dataset)
    assert preprocessing.mean == pytest.approx((mean,), abs=5.1e-5)
    assert preprocessing.std == pytest.approx((std,), abs=5.1e-5)
    standardized = preprocessing(dataset.train_images)
    assert abs(standardized.mean(dtype=np.float64)) < 1e-6
    assert abs(standardized.std(dtype=np.float64) - 1) < 1e-6


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_generated_files_are_not_the_published_set(
    row: IdxSet, toy: Toy, tmp_path: Path, bare_machine: Path
) -> None:
    toy.write(tmp_path)
    with pytest.raises(ValueError, match=f"required the {row.name} content of MD5 {row.content[0]}"):
        row.load(tmp_path)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_row_is_complete(row: IdxSet) -> None:
    assert len(set(row.classes)) == 10
    assert row.address.endswith("/")
    assert "licence" in row.source or "CC BY" in row.source


def test_no_hash_is_written_twice() -> None:
    hashes = [md5 for row in ROWS for md5 in row.compressed + row.content]
    assert len(set(hashes)) == 16
    assert all(len(md5) == 32 and set(md5) <= set("0123456789abcdef") for md5 in hashes)


def test_debian_names_the_package_that_the_error_recommends(bare_machine: Path) -> None:
    with pytest.raises(FileNotFoundError, match="apt-get install dataset-fashion-mnist"):
        mnist.FASHION_MNIST.load()
    with pytest.raises(FileNotFoundError, match=r"Get it with: curl .*t10k-labels-idx1-ubyte\.gz"):
        mnist.MNIST.load(os.devnull)
