"""Everything on the list of wrong things is caught, by the check that names it; right things pass."""

from __future__ import annotations

import numpy as np
import pytest

from bnn_ref import estimators
from bnn_ref.auditing import audit_operation
from bnn_ref.auditing.broken import BROKEN, Broken


@pytest.mark.parametrize("broken", BROKEN, ids=lambda b: b.name)
def test_caught_by_name(broken: Broken) -> None:
    report = broken.audit()
    assert not report.passed
    assert broken.caught_by in [check.name for check in report.failures], str(report)
    assert all(check.worst for check in report.failures), "a failure must name its worst element"


def test_the_list_is_long_and_its_names_are_different() -> None:
    assert len(BROKEN) >= 16
    assert len({broken.name for broken in BROKEN}) == len(BROKEN)


def test_a_correct_clipped_ste_passes_and_a_dead_backward_fails() -> None:
    """The reverse of what generic gradient checkers say."""

    def sign(x: np.ndarray) -> np.ndarray:
        return np.where(np.isnan(x), x, np.where(x >= 0, 1, -1)).astype(x.dtype)

    def clipped(x: np.ndarray, dy: np.ndarray) -> np.ndarray:
        return (np.abs(x) <= 1).astype(x.dtype) * dy

    def dead(x: np.ndarray, dy: np.ndarray) -> np.ndarray:
        return 0 * dy

    assert audit_operation(sign, clipped, "clipped-ste").passed
    assert audit_operation(sign, clipped).verdict == "identified as clipped-ste"
    assert not audit_operation(sign, dead, "clipped-ste").passed
    assert not audit_operation(sign, dead).passed


@pytest.mark.parametrize("scale", [1.01, 0.99, 2.0, -1.0])
def test_a_scale_is_measured(scale: float) -> None:
    b = estimators.get("approxsign")
    report = audit_operation(b.forward, lambda x, dy: scale * b.backward(x, dy))
    assert not report.passed
    assert f"scaled by {scale:g}" in report.verdict
