"""Images that a user names: arrays and pictures, one or a folder of them, as a network takes them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import numpy as np

from bnn_ref.packed.model import CHUNK
from bnn_ref.parameter import Array
from bnn_ref.pose.images import SUFFIXES, read_image

KINDS = "a .npy file (uint8, (N, H, W, C) or (H, W, C)), a picture (PNG, JPEG ...), or a folder of such files"


def pixels(path: Path, shape: tuple[int, int, int]) -> Iterator[Array]:
    """uint8 (N, H, W, C) by the files' names: arrays stay on disk, pictures come some at a time.

    Raises
    ------
    FileNotFoundError
        For a path that is not there.
    ValueError
        For a folder without images, a file that is none, or one that is not of `shape` (H, W, C); names it.
    """
    for are_pictures, group in groupby(_files(path), key=_is_picture):
        files = list(group)
        if not are_pictures:
            yield from (_array(file, shape) for file in files)
            continue
        for start in range(0, len(files), CHUNK):
            yield np.stack([_picture(file, shape) for file in files[start : start + CHUNK]])


def _is_picture(file: Path) -> bool:
    return file.suffix.lower() in SUFFIXES


def _files(path: Path) -> list[Path]:
    """The images of a folder by name, or the one file."""
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.iterdir() if file.suffix.lower() == ".npy" or _is_picture(file))
    if not files:
        wanted = ", ".join((".npy", *SUFFIXES))
        raise ValueError(f"{path}: required a folder with images ({wanted}), got none there")
    return files


def _picture(path: Path, shape: tuple[int, int, int]) -> Array:
    """(H, W, C): grey for one channel; red, green, blue for three."""
    height, width, channels = shape
    if channels not in (1, 3):
        raise ValueError(f"{path}: required a .npy file for {channels} channels, got a picture")
    return read_image(path, (width, height), grey=channels == 1)


def _array(path: Path, shape: tuple[int, int, int]) -> Array:
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except (EOFError, ValueError) as reason:
        raise ValueError(f"{path}: required a .npy array, got a file that is none ({reason})") from reason
    if isinstance(found, np.lib.npyio.NpzFile):
        found.close()
        raise ValueError(f"{path}: required a .npy array, got an archive of several")
    fits = found.dtype == np.uint8 and found.ndim in (3, 4) and found.shape[-3:] == shape
    if not fits:
        raise ValueError(f"{path}: required uint8 images of shape {shape}, got {found.dtype} {found.shape}")
    return found[None] if found.ndim == 3 else found
