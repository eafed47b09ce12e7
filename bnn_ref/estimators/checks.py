"""The one way in which a wrong parameter is refused."""

from __future__ import annotations

from typing import Any


def require(holds: bool, name: str, wanted: str, got: Any) -> None:
    """Raise ValueError naming the argument, what was required and what came, unless `holds`."""
    if not holds:
        raise ValueError(f"{name}: required {wanted}, got {got!r}")
