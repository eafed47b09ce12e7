"""The 8x8 digits that the package carries: the default, where no other data set is at hand."""

from __future__ import annotations

import gzip
from importlib import resources
from os import PathLike

import numpy as np
from numpy.typing import NDArray

from bnn_ref.data.dataset import Dataset

SOURCE = (
    "Optical Recognition of Handwritten Digits (test set), E. Alpaydin and C. Kaynak, 1998, "
    "UCI Machine Learning Repository, CC BY 4.0"
)
SEED = 1998
TEST_PER_CLASS = 36


def load(folder: str | PathLike[str] | None = None) -> Dataset:
    """Return the digits: 1,437 training and 360 test images of 8 x 8 pixels, 0 to 16.

    Parameters
    ----------
    folder : path, optional
        Ignored: these data are in the package.

    Notes
    -----
    The 360 test images are 36 of each class, drawn once and for all (see `held_out`); both parts keep the
    order of the file. The 13 writers occur in both parts, so accuracies here are higher than on new writers.

    Source: UCI Machine Learning Repository, https://doi.org/10.24432/C50P49; see digits.txt.
    """
    packed = resources.files("bnn_ref.data").joinpath("digits.csv.gz").read_bytes()
    rows = np.loadtxt(gzip.decompress(packed).decode("ascii").splitlines(), delimiter=",", dtype=np.uint8)
    images, labels = rows[:, :-1].reshape(-1, 8, 8, 1), rows[:, -1].astype(np.int64)
    test = held_out(labels)
    return Dataset(
        name="digits",
        train_images=images[~test],
        train_labels=labels[~test],
        test_images=images[test],
        test_labels=labels[test],
        classes=tuple("0123456789"),
        source=SOURCE,
        peak=16,
    )


def held_out(labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which rows are test images: of each class, the 36 with the smallest random keys.

    Parameters
    ----------
    labels : int64 (N,)
        The class of each row.

    Returns
    -------
    bool (N,)

    Notes
    -----
    Source: ours. The keys are raw bits of PCG64, which NumPy promises never to change; it promises nothing
    of the kind for the methods of a Generator.
    """
    keys = np.random.PCG64(SEED).random_raw(len(labels))
    chosen = np.zeros(len(labels), np.bool_)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        chosen[rows[np.argsort(keys[rows])[:TEST_PER_CLASS]]] = True
    return chosen
