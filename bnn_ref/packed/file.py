"""Reading a packed network from its file: everything is verified before anything is computed."""

from __future__ import annotations

import json
from os import PathLike

from bnn_ref.checks import require
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

    Raises
    ------
    ValueError
        For a file that is truncated, damaged, of another version, or no packed network; names the file and
        the reason.
    OSError
        If the file cannot be read at all.

    Notes
    -----
    Source: ours; docs/packed-format.md. Nothing is unpickled.
    """
    try:
        described, arrays = container.read(path)
        graph = document.restore(described, arrays)
        constants, shape = described["preprocessing"], described["input_shape"]
        preprocessing = None if constants is None else Preprocessing.from_dict(constants)
        data = described.get("data", {})  # older files, and networks that nobody trained, say nothing
        require(isinstance(data, dict), "data", "a JSON object", data)
        return PackedModel(graph, None if shape is None else tuple(shape), preprocessing, data)
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path}: the graph is malformed: {error!r}") from error
    except (ValueError, json.JSONDecodeError) as error:
        raise ValueError(f"{path}: {error}") from error
