"""Where data sets are looked for: one order for all of them.

1. the folder that the caller names, or the environment's BNN_REF_DATA: a subfolder named after the set, then
   the folder itself;
2. the folder of the operating system's data packages;
3. our own download cache, and the network behind it.

Each place may lack a set, and the search goes on. It makes no difference to the result where a set is found,
for its content is checked against published hashes.
"""

from __future__ import annotations

import os
from os import PathLike
from pathlib import Path

import pooch

ENVIRONMENT = "BNN_REF_DATA"
SYSTEM = Path("/usr/share/datasets")


def given(folder: str | PathLike[str] | None = None) -> Path | None:
    """Return the folder that the caller or else the environment names, None where neither does."""
    named = folder if folder is not None else os.environ.get(ENVIRONMENT)
    return Path(named).expanduser() if named else None


def folders(name: str, folder: str | PathLike[str] | None = None) -> list[Path]:
    """Return the folders where the set `name` may be on this machine, in the order of the search."""
    base = given(folder)
    return ([] if base is None else [base / name, base]) + [SYSTEM / name]


def cache(name: str) -> Path:
    """Return the folder where downloads of the set `name` are kept."""
    return Path(pooch.os_cache("bnn_ref")) / name


def download(url: str, md5: str, name: str) -> Path:
    """Return the file at `url` out of the cache, fetched first if it is not there with the right MD5.

    Raises
    ------
    OSError
        If the network, or the disk, does not give it.
    ValueError
        If what came has another MD5; nothing is kept then.
    """
    return Path(pooch.retrieve(url, f"md5:{md5}", fname=url.rsplit("/", 1)[-1], path=cache(name)))


def not_found(
    name: str, folder: str | PathLike[str] | None, commands: list[str], error: Exception
) -> FileNotFoundError:
    """Return the exception that names the three places and the commands that get the data.

    Parameters
    ----------
    name : str
        The data set.
    folder : path or None
        What the caller named.
    commands : list of str
        Shell commands; any of them gets the data.
    error : Exception
        Why the download failed.
    """
    base = given(folder)
    return FileNotFoundError(
        f"{name}: required in one of three places, got none of them complete:\n"
        f"  1. the folder argument or {ENVIRONMENT}: {'neither is set' if base is None else base}\n"
        f"  2. the system's package folder: {SYSTEM / name}\n"
        f"  3. the download cache: {cache(name)} (the download failed: {error})\n"
        f"Get it with: {'  or  '.join(commands)}"
    )
