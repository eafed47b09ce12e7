"""Data sets published as four IDX files: what they have in common, which is all but a row of facts."""

from __future__ import annotations

import io
import zipfile
import zlib
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bnn_ref.data import idx, search
from bnn_ref.data.dataset import Dataset

# File, its key in a .npz archive, its number of dimensions; in the order of the hashes below.
FILES = (
    ("train-images-idx3-ubyte", "x_train", 3),
    ("train-labels-idx1-ubyte", "y_train", 1),
    ("t10k-images-idx3-ubyte", "x_test", 3),
    ("t10k-labels-idx1-ubyte", "y_test", 1),
)

# What reading a damaged, foreign or malicious archive raises; ValueError is also NumPy's refusal to unpickle.
_DAMAGE = (ValueError, KeyError, EOFError, RuntimeError, zlib.error, zipfile.BadZipFile)


@dataclass(frozen=True)
class IdxSet:
    """The facts about one data set of four IDX files.

    Parameters
    ----------
    name : str
        The name that `bnn_ref.data.load` knows it by.
    address : str
        The folder of the compressed files on the network, ending in a slash.
    package : str
        The Debian package that installs it, or "" where there is none.
    classes : tuple of str
        What each label stands for.
    source : str
        Who made it and under which licence.
    compressed, content : tuple of str
        The MD5 of the four files as published (what a download must be), and of their uncompressed content
        (what is checked however the data came: Debian compresses them anew, archives hold the arrays).
    """

    name: str
    address: str
    package: str
    classes: tuple[str, ...]
    source: str
    compressed: tuple[str, str, str, str]
    content: tuple[str, str, str, str]

    def load(self, folder: str | PathLike[str] | None = None) -> Dataset:
        """Return the data set from the first place that has it (see `bnn_ref.data.search`).

        Parameters
        ----------
        folder : path, optional
            Holds, directly or in a subfolder named after the set, the IDX files (plain, or compressed as
            .gz), or one archive NAME.npz with the keys x_train, y_train, x_test and y_test.

        Raises
        ------
        FileNotFoundError
            If no place has it and it cannot be downloaded; says where it was sought and how to get it.
        ValueError
            If a file is damaged or is not the published one.
        """
        for place in search.folders(self.name, folder):
            paths = [_existing(place / file) for file, _, _ in FILES]
            complete = [path for path in paths if path is not None]
            if len(complete) == len(FILES):
                return self._from_files(complete)
            archive = place / f"{self.name}.npz"
            if archive.is_file():
                return self._checked([f"{archive}, {key}" for _, key, _ in FILES], _read_archive(archive))
        return self._from_files(self._download(folder))

    def _download(self, folder: str | PathLike[str] | None) -> list[Path]:
        cache = search.cache(self.name)
        try:
            return [
                search.download(f"{self.address}{file}.gz", md5, self.name)
                for (file, _, _), md5 in zip(FILES, self.compressed, strict=True)
            ]
        except OSError as error:  # what requests raises without a network is one, and so is a full disk
            urls = " ".join(f"{self.address}{file}.gz" for file, _, _ in FILES)
            curl = f"curl --fail --remote-name-all --create-dirs --output-dir {cache} {urls}"
            commands = [f"apt-get install {self.package}", curl] if self.package else [curl]
            raise search.not_found(self.name, folder, commands, error) from error

    def _from_files(self, paths: list[Path]) -> Dataset:
        arrays = [idx.read(path, ndim) for path, (_, _, ndim) in zip(paths, FILES, strict=True)]
        return self._checked([str(path) for path in paths], arrays)

    def _checked(self, origins: list[str], arrays: list[NDArray[np.uint8]]) -> Dataset:
        for origin, array, md5 in zip(origins, arrays, self.content, strict=True):
            if (came := idx.digest(array)) != md5:
                raise ValueError(f"{origin}: required the {self.name} content of MD5 {md5}, got MD5 {came}")
        train_images, train_labels, test_images, test_labels = arrays
        return Dataset(
            name=self.name,
            train_images=train_images[..., np.newaxis],
            train_labels=train_labels.astype(np.int64),
            test_images=test_images[..., np.newaxis],
            test_labels=test_labels.astype(np.int64),
            classes=self.classes,
            source=self.source,
        )


def _existing(plain: Path) -> Path | None:
    return next((path for path in (plain, plain.with_name(f"{plain.name}.gz")) if path.is_file()), None)


def _read_archive(path: Path) -> list[NDArray[np.uint8]]:
    required = "a NumPy archive of uint8 arrays " + ", ".join(f"{key} ({ndim}-d)" for _, key, ndim in FILES)
    content = io.BytesIO(path.read_bytes())  # in memory a wrong offset is a ValueError, on disk an OSError
    try:
        with zipfile.ZipFile(content), np.load(content, allow_pickle=False) as archive:
            arrays = [archive[key] for _, key, _ in FILES]
    except _DAMAGE as error:
        raise ValueError(f"{path}: required {required}, got {type(error).__name__}: {error}") from error
    for array, (_, key, ndim) in zip(arrays, FILES, strict=True):
        if array.dtype != np.uint8 or array.ndim != ndim:
            raise ValueError(f"{path}: required {required}, got {key} of {array.dtype} {array.shape}")
    return arrays
