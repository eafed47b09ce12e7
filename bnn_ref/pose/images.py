"""Where pixels come from: files of a folder, or an array; asked for by image id."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TypeAlias

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from bnn_ref.pose.annotations import Image

Pictures: TypeAlias = Callable[[int], NDArray[np.uint8]]
"""From an image id to its pixels, uint8 (H, W, 3) in the order red, green, blue."""

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp")
"""What counts as an image where nobody names the files."""

BROKEN = (OSError, SyntaxError, ValueError, PIL.Image.DecompressionBombError, Warning)
"""What the decoders raise for files that are none, cut short or too large."""


@dataclass(frozen=True)
class Folder:
    """Image files under the names that an annotation file gives them; each is read when it is asked for.

    Parameters
    ----------
    path : Path
    images : mapping of int to Image
        By image id, as `Annotations.images`.
    """

    path: Path
    images: Mapping[int, Image]

    def check(self, image_ids: Iterable[int]) -> None:
        """Look at every file's header, before the work and not in it.

        Raises
        ------
        FileNotFoundError
            For the first image without a file.
        ValueError
            For a file that is no image, or of another size than stated.
        """
        for key in dict.fromkeys(image_ids):
            stated = self.images[key]
            file = self.path / stated.file_name
            if not file.is_file():
                raise FileNotFoundError(f"{file}: required the file of image {key}, got none")
            with _opened(file) as image:
                _require_size(file, (stated.width, stated.height), image.size)

    def __call__(self, image_id: int) -> NDArray[np.uint8]:
        """The pixels of an image; ValueError names a file that is damaged or of another size than stated."""
        stated = self.images[image_id]
        return read_image(self.path / stated.file_name, (stated.width, stated.height))


@dataclass(frozen=True, eq=False)
class Stack:
    """Images in one array, uint8 (N, H, W, 3), under the ids 1 to N: those that `figures.generate` draws."""

    pixels: NDArray[np.uint8]

    def __call__(self, image_id: int) -> NDArray[np.uint8]:
        """The pixels of an image."""
        return self.pixels[image_id - 1]


def read_image(
    path: str | PathLike[str], size: tuple[int, int] | None = None, *, grey: bool = False
) -> NDArray[np.uint8]:
    """An image file as uint8 (H, W, 3): red, green, blue, whatever the file holds.

    Parameters
    ----------
    path : path
    size : tuple of int (W, H), optional
        What it must have, asked of the file's header before anything is decoded.
    grey : bool
        Give (H, W, 1) instead, the brightness.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is damaged, no image, too large to decode, or of another size; names the file.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path}: required an image, got no file")
    with _opened(path) as file:
        if size is not None:
            _require_size(path, size, file.size)
        pixels = np.asarray(file.convert("L" if grey else "RGB"))
    return pixels.reshape(*pixels.shape[:2], -1)


class _OtherSize(ValueError):
    """An image has another size than somebody says."""


def _require_size(path: str | PathLike[str], size: tuple[int, int], found: tuple[int, int]) -> None:
    if found != size:
        wanted, got = (f"{width} x {height}" for width, height in (size, found))
        raise _OtherSize(f"{path}: required {wanted} pixels, got {got}")


@contextmanager
def _opened(path: str | PathLike[str]) -> Iterator[PIL.Image.Image]:
    """The image in a file, its header read; what goes wrong with it names the file."""
    try:
        with warnings.catch_warnings(action="error"), PIL.Image.open(path) as file:
            yield file
    except _OtherSize:
        raise
    except BROKEN as reason:
        raise ValueError(f"{path}: required a complete image, got {reason}") from reason


def listed(path: Path) -> dict[int, Image]:
    """The images of a folder where no annotation file names them: by file name, with the ids 1, 2, 3 ...

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or no image in it.
    ValueError
        For a file that is no image; names it.
    """
    if not path.is_dir():
        raise FileNotFoundError(f"{path}: required a folder of images, got none")
    files = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES)
    if not files:
        raise FileNotFoundError(f"{path}: required images ({', '.join(SUFFIXES)}), got none")
    return {number: _measured(file) for number, file in enumerate(files, 1)}


def _measured(file: Path) -> Image:
    height, width, _ = read_image(file).shape
    return Image(file.name, width, height)
