"""What an audit says: frozen, printable, and plain data on request."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Check:
    """One question and its answer.

    Attributes
    ----------
    name : str
        What was checked.
    passed : bool
        The answer.
    error, tolerance : float
        What was measured and what was allowed.
    worst : str
        The worst element: where, what was required, what came.
    """

    name: str
    passed: bool
    error: float
    tolerance: float
    worst: str = ""

    @classmethod
    def of(cls, name: str, error: float, tolerance: float, worst: str = "") -> Check:
        """Passed when `error` is a number and at most `tolerance`."""
        return cls(name, bool(error <= tolerance), float(error), tolerance, worst)

    @classmethod
    def that(cls, name: str, holds: bool, otherwise: str = "") -> Check:
        """A yes-or-no check; `otherwise` says what is wrong."""
        return cls(name, bool(holds), 0.0 if holds else math.inf, 0.0, "" if holds else otherwise)

    def to_dict(self) -> dict[str, Any]:
        """Plain data; an infinite error becomes None."""
        error = self.error if math.isfinite(self.error) else None
        return {
            "name": self.name,
            "passed": self.passed,
            "error": error,
            "tolerance": self.tolerance,
            "worst": self.worst,
        }


@dataclass(frozen=True)
class Report:
    """All checks of one subject.

    Attributes
    ----------
    subject : str
        What was audited.
    level : str
        "implementation" or "composition".
    checks : tuple of Check
        In the order they were made.
    verdict : str
        One line; for an operation without a claim, what it was identified as.
    on_kinks : int
        Elements that lay exactly on a kink or in a tie (composition only).
    """

    subject: str
    level: str
    checks: tuple[Check, ...]
    verdict: str = ""
    on_kinks: int = 0

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(check.passed for check in self.checks)

    @property
    def failures(self) -> tuple[Check, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if not check.passed)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, ready for JSON."""
        return {
            "subject": self.subject,
            "level": self.level,
            "passed": self.passed,
            "verdict": self.verdict,
            "on_kinks": self.on_kinks,
            "checks": [check.to_dict() for check in self.checks],
        }

    def __str__(self) -> str:
        """A table, one check a line, with the worst element of those that failed."""
        width = max(len(check.name) for check in self.checks) if self.checks else 0
        lines = [f"{self.subject}: {'passed' if self.passed else 'FAILED'} ({self.level})"]
        lines += [f"  {self.verdict}"] if self.verdict else []
        lines += [f"  {self.on_kinks} elements on kinks or in ties"] if self.level == "composition" else []
        for check in self.checks:
            mark = "ok  " if check.passed else "FAIL"
            measure = f"{check.error:8.1e} <= {check.tolerance:.0e}" if check.tolerance else ""
            worst = f"  {check.worst}" if check.worst and not check.passed else ""
            lines.append(f"  {mark} {check.name:<{width}}  {measure}{worst}".rstrip())
        return "\n".join(lines)
