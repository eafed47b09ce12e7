"""A tiny data set of four IDX files in every form it may come in, and a machine without network or data."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pooch
import pytest
from numpy.typing import NDArray

from bnn_ref.data import search
from bnn_ref.data.idx_set import FILES, IdxSet


def idx_bytes(array: NDArray[np.uint8]) -> bytes:
    """An IDX file written by hand, for the package's own reader and digest to be checked against."""
    dims = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, 8, array.ndim]) + dims + array.tobytes()


@dataclass(frozen=True)
class Toy:
    """A data set of 7 + 3 images of 5 x 4 pixels, its row of facts, and its files."""

    row: IdxSet
    arrays: dict[str, NDArray[np.uint8]]

    def files(self) -> dict[str, bytes]:
        return {file: idx_bytes(self.arrays[key]) for file, key, _ in FILES}

    def write(self, folder: Path, form: str = "plain") -> Path:
        """Write the set into `folder` as `plain` or `gz` files or as one `npz`."""
        folder.mkdir(parents=True, exist_ok=True)
        if form == "npz":
            np.savez_compressed(folder / f"{self.row.name}.npz", **self.arrays)
            return folder
        for file, content in self.files().items():
            if form == "gz":
                (folder / f"{file}.gz").write_bytes(gzip.compress(content, mtime=0))
            else:
                (folder / file).write_bytes(content)
        return folder

    def spoil(self, folder: Path) -> Path:
        """Write plain files into `folder`, all of them well-formed, one pixel of one of them changed."""
        self.write(folder)
        path = folder / FILES[2][0]
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(content)
        return path


@pytest.fixture
def toy() -> Toy:
    rng = np.random.default_rng(7)
    arrays = {
        "x_train": rng.integers(0, 256, (7, 5, 4), np.uint8),
        "y_train": np.array([0, 1, 2, 0, 1, 2, 2], np.uint8),
        "x_test": rng.integers(0, 256, (3, 5, 4), np.uint8),
        "y_test": np.array([2, 1, 0], np.uint8),
    }
    contents = [idx_bytes(arrays[key]) for _, key, _ in FILES]
    packed, plain = (
        [hashlib.md5(data).hexdigest() for data in datas]
        for datas in ([gzip.compress(content, mtime=0) for content in contents], contents)
    )
    row = IdxSet(
        name="toy",
        address="https://example.invalid/toy/",
        package="dataset-toy",
        classes=("a", "b", "c"),
        source="ours",
        compressed=(packed[0], packed[1], packed[2], packed[3]),
        content=(plain[0], plain[1], plain[2], plain[3]),
    )
    return Toy(row, arrays)


@pytest.fixture
def bare_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No environment variable, no data package, empty cache, no network; returns the system's data folder."""

    def unreachable(*_: object, **__: object) -> str:
        raise ConnectionError("no network in tests")

    monkeypatch.delenv(search.ENVIRONMENT, raising=False)
    monkeypatch.setattr(search, "SYSTEM", tmp_path / "system")
    monkeypatch.setattr(pooch, "os_cache", lambda project: tmp_path / "cache" / project)
    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", unreachable)
    return tmp_path / "system"
