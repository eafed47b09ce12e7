"""The file around a packed network: safetensors, with the graph as metadata and checksums over everything.

docs/packed-format.md is the specification. Nothing here knows what a step is.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping
from os import PathLike
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from bnn_ref.files import replacing
from bnn_ref.parameter import Array

FORMAT = "bnn_ref.packed"
VERSION = "1"
_CODES = {"float32": "F32", "int32": "I32", "uint8": "U8"}


def digest(data: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def raw(tensor: Array) -> bytes:
    """The tensor's bytes in the file: C order, little-endian."""
    return tensor.astype(tensor.dtype.newbyteorder("<"), order="C", copy=False).tobytes()


def encode(document: Mapping[str, Any], tensors: Mapping[str, Array]) -> bytes:
    """The file's content: equal for equal arguments, byte for byte.

    Parameters
    ----------
    document : mapping
        What JSON can hold: the graph.
    tensors : mapping of str to array
        float32, int32 or uint8.
    """
    graph = json.dumps(document, separators=(",", ":"), allow_nan=False)
    metadata = {"format": FORMAT, "version": VERSION, "graph": graph, "sha256": digest(graph.encode())}
    header: dict[str, Any] = {"__metadata__": metadata}
    blocks, position = [], 0
    for name in sorted(
        tensors, key=lambda key: (-tensors[key].itemsize, key)
    ):  # wide ones first: all aligned
        tensor = tensors[name]
        blocks.append(raw(tensor))
        offsets = [position, position + len(blocks[-1])]
        header[name] = {"dtype": _CODES[tensor.dtype.name], "shape": tensor.shape, "data_offsets": offsets}
        position = offsets[1]
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return b"".join((len(text).to_bytes(8, "little"), text, *blocks))


def write(path: str | PathLike[str], content: bytes) -> None:
    """Put `content` at `path`, all of it or nothing."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def read(path: str | PathLike[str]) -> tuple[dict[str, Any], dict[str, Array]]:
    """The graph and the tensors of the file at `path`; the graph's checksum is verified, theirs are not.

    Raises
    ------
    ValueError
        Truncated, foreign, of another version, or a damaged graph; gives the reason without the path.
    OSError
        If it cannot be read at all.
    """
    open(os.fspath(path), "rb").close()  # safetensors does not name what it cannot open
    try:
        with safe_open(os.fspath(path), framework="numpy") as file:
            document = _document(file.metadata() or {})
            codes = {name: file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118
            if strange := sorted(set(codes.values()) - set(_CODES.values())):
                raise ValueError(f"required tensors of {', '.join(_CODES.values())}, got {strange[0]}")
            return document, {name: np.array(file.get_tensor(name)) for name in codes}
    except SafetensorError as error:
        raise ValueError(f"truncated, or not a safetensors file ({error})") from error


def _finite(text: str) -> float:
    if not math.isfinite(value := float(text)):
        raise ValueError(f"graph: required finite numbers, got {text}")
    return value


def _document(metadata: Mapping[str, str]) -> dict[str, Any]:
    if metadata.get("format") != FORMAT:
        raise ValueError(f"not a packed network: required format {FORMAT!r}, got {metadata.get('format')!r}")
    if metadata.get("version") != VERSION:
        raise ValueError(f"required version {VERSION!r}, got {metadata.get('version')!r}")
    graph = metadata.get("graph", "")
    if digest(graph.encode()) != metadata.get("sha256"):
        raise ValueError("damaged: the checksum of the graph is wrong")
    document = json.loads(graph, parse_constant=_finite, parse_float=_finite)
    if not isinstance(document, dict):
        raise ValueError(f"graph: required a JSON object, got {type(document).__name__}")
    return document
