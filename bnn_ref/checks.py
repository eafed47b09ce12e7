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


def is_number(value: Any) -> bool:
    """Whether `value` is a finite real number (no bool, no text)."""
    real = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    return real and bool(np.isfinite(value))


def require_positive(name: str, value: Any) -> None:
    """Raise ValueError unless `value` is a finite number above 0."""
    require(is_number(value) and value > 0, name, "a positive number", value)
