"""Reading a packed network from its file: verified by checksums, types and shapes at once."""

from __future__ import annotations

import json
from os import PathLike
from typing import Any

from bnn_ref.checks import require, require_whole
from bnn_ref.data import Preprocessing
from bnn_ref.packed import container, document
from bnn_ref.packed.model import PackedModel


def load_packed(path: str | PathLike[str]) -> PackedModel:
    """The packed network that `PackedModel.save` wrote to `path`.

    Parameters
    ----------
    path : path

    Returns
    -------
    PackedModel
        Where the file says the input's shape, its plan is made and its machine code loaded: on one thread
        the first answer takes no longer than the next.

    Raises
    ------
    ValueError
        For a file that is truncated, damaged, of another version, or no packed network; names the file and
        the reason.
    OSError
        If the file cannot be read at all.
    MemoryError
        Where memory does not hold the plan; names the file.

    Notes
    -----
    Source: ours; docs/packed-format.md. Nothing is unpickled.
    """
    try:
        described, arrays = container.read(path)
        graph = document.restore(described, arrays)
        constants, shape = described["preprocessing"], _shape(described["input_shape"])
        preprocessing = None if constants is None else Preprocessing.from_dict(constants)
        data = described.get("data", {})  # older files, and networks that nobody trained, say nothing
        require(isinstance(data, dict), "data", "a JSON object", data)
        network = PackedModel(graph, shape, preprocessing, data)
        network.prepare()
        return network
    except (IndexError, KeyError, OverflowError, RecursionError, TypeError) as error:
        raise ValueError(f"{path}: the graph is malformed: {error!r}") from error
    except MemoryError:
        raise MemoryError(f"{path}: required memory for the plan of its inputs, got too little") from None
    except (ValueError, json.JSONDecodeError) as error:
        raise ValueError(f"{path}: {error}") from error


def _shape(given: Any) -> tuple[int, ...] | None:
    """Of one input, if the file says it."""
    if given is None:
        return None
    require(isinstance(given, list) and len(given) > 0, "input_shape", "a list of sizes", given)
    for size in given:
        require_whole("input_shape", size, 1)
    return tuple(given)
