"""Files are complete or not there: written under another name in the same folder, then renamed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path


def destination(path: str | PathLike[str]) -> Path:
    """`path`, once it is clear that a file can be put there: call it before the work, not after.

    Raises
    ------
    FileNotFoundError
        When its folder does not exist.
    IsADirectoryError
        When it is itself a folder.
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path}: required an existing folder, got {path.parent}, which is none")
    if path.is_dir():
        raise IsADirectoryError(f"{path}: required a file's name, got a folder")
    return path


@contextmanager
def replacing(path: str | PathLike[str]) -> Iterator[Path]:
    """A temporary name beside `path`, with its suffix; renamed to `path` if the block ends well.

    A crash, or an error in the block, leaves the old file as it was and nothing new behind.
    """
    path = destination(path)
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
