"""Trained networks as bits: `pack` a model, call it, save it, load it.

`steps` are the instructions, `translate` and `compiler` choose them, `folding` replaces batch norm and sign
by integer thresholds, `graph` runs them, `file` stores them (docs/packed-format.md).
"""

from bnn_ref.packed.file import load_packed as load_packed
from bnn_ref.packed.model import PackedModel as PackedModel
from bnn_ref.packed.model import pack as pack

__all__ = ["PackedModel", "load_packed", "pack"]
