"""The container of model files and checkpoints: safetensors, with plain values as JSON in its header.

The header's metadata are `format`, `version` and `content` (the JSON). Nothing is ever unpickled.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import metadata
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from safetensors import SafetensorError, safe_open

from bnn_ref.files import replacing
from bnn_ref.parameter import Array

VERSION = "1"
DTYPES = ("float32", "float64", "int64")


def write(
    path: str | PathLike[str], kind: str, content: Mapping[str, Any], tensors: Mapping[str, Array]
) -> None:
    """Put a file of format `kind` at `path`: complete, or not at all.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        When no file can be put there.
    ValueError
        For a tensor of another dtype than `DTYPES`.
    """
    _check_dtypes(tensors)
    content = {**content, "bnn_ref": metadata.version("bnn-ref")}
    header = {"format": kind, "version": VERSION, "content": json.dumps(content, allow_nan=False)}
    # safetensors reads memory as it lies, whatever the strides say; ascontiguousarray would lose shape ().
    ordered = {name: np.array(tensor, order="C") for name, tensor in tensors.items()}
    with replacing(path) as temporary:
        temporary.write_bytes(safetensors.numpy.save(ordered, header))


def read(path: str | PathLike[str], kind: str) -> tuple[dict[str, Any], dict[str, Array]]:
    """Content and tensors of the file of format `kind` at `path`.

    Raises
    ------
    FileNotFoundError
        When there is none.
    ValueError
        When it is damaged, or of another format or version; names the file and the reason.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"{path}: required a {kind} file, got {'a folder' if path.is_dir() else 'none'}"
        )
    with explained(path, kind), safe_open(path, framework="numpy") as file:
        header = file.metadata() or {}
        if header.get("format") != kind:
            raise ValueError(f"format: required {kind!r}, got {header.get('format')!r}")
        if header.get("version") != VERSION:
            raise ValueError(f"version: required {VERSION!r}, got {header.get('version')!r}")
        content = json.loads(header["content"])
        tensors = {name: file.get_tensor(name) for name in list(file.keys())}
        _check_dtypes(tensors)
    return content, tensors


@contextmanager
def explained(path: str | PathLike[str], kind: str) -> Iterator[None]:
    """Whatever a damaged file provokes inside the block becomes one ValueError that names the file."""
    try:
        yield
    except (SafetensorError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        reason = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
        raise ValueError(f"{path}: required a complete {kind} file, got {reason}") from error


def _check_dtypes(tensors: Mapping[str, Array]) -> None:
    for name, tensor in tensors.items():
        if tensor.dtype.name not in DTYPES:
            raise ValueError(f"{name}: required one of {', '.join(DTYPES)}, got {tensor.dtype.name}")
