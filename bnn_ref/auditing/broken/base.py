"""One thing that is wrong on purpose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bnn_ref.auditing.report import Report


@dataclass(frozen=True)
class Broken:
    """Something wrong, the audit of it, and the check that must fail.

    Attributes
    ----------
    name : str
        What is wrong.
    audit : callable
        Runs the ordinary audit.
    caught_by : str
        The name of a check that must be among the failures.
    """

    name: str
    audit: Callable[[], Report]
    caught_by: str
