"""Data sets for training and testing, by name; nothing is read or downloaded before `load` is called.

To add one, write its loader and add a line to `TABLE`.
"""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike

from bnn_ref.data import digits, mnist
from bnn_ref.data.dataset import Dataset as Dataset
from bnn_ref.data.dataset import batches as batches
from bnn_ref.data.preprocessing import Preprocessing as Preprocessing

__all__ = ["TABLE", "Dataset", "Preprocessing", "batches", "load", "names"]

TABLE: dict[str, Callable[[str | PathLike[str] | None], Dataset]] = {
    "digits": digits.load,
    "fashion-mnist": mnist.FASHION_MNIST.load,
    "mnist": mnist.MNIST.load,
}


def names() -> list[str]:
    """Return the names that `load` knows."""
    return list(TABLE)


def load(name: str, folder: str | PathLike[str] | None = None) -> Dataset:
    """Return a data set, from this machine if it is there and from the network otherwise.

    Parameters
    ----------
    name : str
        One of `names()`.
    folder : path, optional
        Where to look first; the environment's BNN_REF_DATA by default. `bnn_ref.data.search` has the order.

    Raises
    ------
    ValueError
        If there is no such set, or a file of it is damaged or is not the published one.
    FileNotFoundError
        If it is nowhere; says where it was sought and which command gets it.
    """
    if name not in TABLE:
        raise ValueError(f"name: required one of {', '.join(names())}, got {name!r}")
    return TABLE[name](folder)
