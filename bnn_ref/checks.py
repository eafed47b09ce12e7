"""The one way in which a wrong parameter is refused."""

from __future__ import annotations

from typing import Any

import numpy as np


def require(holds: bool, name: str, wanted: str, got: Any) -> None:
    """Raise ValueError naming the argument, what was required and what came, unless `holds`."""
    if not holds:
        raise ValueError(f"{name}: required {wanted}, got {got!r}")


def require_whole(name: str, value: Any, least: int) -> None:
    """Raise ValueError unless `value` is a whole number (no bool) of at least `least`."""
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    require(whole and value >= least, name, f"a whole number >= {least}", value)
