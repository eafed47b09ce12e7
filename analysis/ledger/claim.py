"""What a claim is: whose, in which words, and how it is put to the test."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import numpy as np

EVIDENCE: dict[str, str] = {
    "P": "the paper's text says so",
    "P?": "believed to be in the paper: recalled, not checked against its text",
    "N": "a later paper, an independent summary or a public thread says that the paper says so",
    "F": "read off a figure of the paper",
    "C": "read in the authors' released code",
    "T": "read in third-party code",
    "R": "our reading where the sources are silent",
    "D": "derived by us",
}
"""Who says it. Only P and F are "the paper says"."""

HOLDS, FAILS, UNTESTED = VERDICTS = ("holds", "fails", "cannot be tested here")


@dataclass(frozen=True)
class Finding:
    """What a check found: whether the claim holds, the number that decided, and what that number is."""

    holds: bool
    number: float
    means: str


Check: TypeAlias = Callable[[], Finding]


@dataclass(frozen=True)
class Claim:
    """One statement of a paper, of its code, or of ours about it.

    Attributes
    ----------
    key : str
        Its name, unique in the ledger.
    paper : str
        A key of `bnn_ref.papers`: whose method it is about.
    source : str
        Where it is said, as exactly as the sources at hand allow; "ours" for what we derived.
    evidence : str
        A key of `EVIDENCE`.
    statement : str
        In our words.
    check : callable or None
        Computes the finding; the verdict is never written down.
    reason : str
        Why it cannot be tested here, where there is no check.
    """

    key: str
    paper: str
    source: str
    evidence: str
    statement: str
    check: Check | None = None
    reason: str = ""

    def __post_init__(self) -> None:
        if self.evidence not in EVIDENCE:
            raise ValueError(f"evidence: required one of {', '.join(EVIDENCE)}; got {self.evidence!r}")
        if (self.check is None) == (self.reason == ""):
            raise ValueError(f"{self.key}: required either a check or the reason why there is none")

    @property
    def where(self) -> str:
        """The computation that decides, as a dotted name."""
        check: Any = self.check.func if isinstance(self.check, partial) else self.check
        return "" if check is None else f"{check.__module__}.{check.__qualname__}"

    def rule(self) -> Ruling:
        """Put it to the test."""
        if self.check is None:
            return Ruling(self, UNTESTED, np.nan, self.reason)
        found = self.check()
        return Ruling(self, HOLDS if found.holds else FAILS, float(found.number), found.means)


@dataclass(frozen=True)
class Ruling:
    """A claim, its verdict (of `VERDICTS`), the number that decided (NaN without a check), its meaning."""

    claim: Claim
    verdict: str
    number: float
    means: str


def claim(key: str, paper: str, source: str, evidence: str, statement: str) -> Callable[[Check], Claim]:
    """Turn the check below it into the claim."""
    return partial(Claim, key, paper, source, evidence, statement)


def collected(namespace: Mapping[str, object]) -> tuple[Claim, ...]:
    """Every claim of a module, alone or in a tuple, in its order."""
    found: list[Claim] = []
    for held in namespace.values():
        for part in held if isinstance(held, tuple) else (held,):
            if isinstance(part, Claim):
                found.append(part)
    return tuple(found)


def at_most(number: float, limit: float, means: str) -> Finding:
    """Holds when `number` is at most `limit`."""
    return Finding(bool(number <= limit), float(number), means)


def near(number: float, wanted: float, tolerance: float, means: str) -> Finding:
    """Holds when `number` is within `tolerance` (absolute) of what is claimed."""
    return Finding(bool(abs(number - wanted) <= tolerance), float(number), means)
