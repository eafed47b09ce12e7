"""Operations without a claim: named, scaled, inverted, dead, or honestly unmatched."""

from __future__ import annotations

import numpy as np
import pytest

from bnn_ref import estimators
from bnn_ref.auditing import Operation, audit_operation, identify


@pytest.mark.parametrize("name", list(estimators.curves()))
def test_every_entry_is_recognised(name: str) -> None:
    b = estimators.get(name)
    found = identify(Operation(b.forward, b.backward))
    assert found.kind == "identified"
    assert name in found.names


def test_dead_scaled_inverted_and_kinks() -> None:
    b = estimators.get("clipped-ste")
    assert identify(Operation(b.forward, lambda x, dy: 0 * dy)).kind == "dead"
    scaled = identify(Operation(b.forward, lambda x, dy: 1.5 * b.backward(x, dy)))
    assert (scaled.kind, round(scaled.scale, 9)) == ("scaled", 1.5)
    assert identify(Operation(b.forward, lambda x, dy: -b.backward(x, dy))).kind == "inverted"
    strict = identify(Operation(b.forward, lambda x, dy: (np.abs(x) < 1) * dy))
    assert (strict.kind, strict.names, strict.kinks) == ("identified", ("bnn-weight",), ())
    half_open = identify(Operation(b.forward, lambda x, dy: ((x > -1) & (x <= 1)) * dy))
    assert (half_open.kind, half_open.kinks) == ("identified", (-1.0,))


def test_a_stranger_is_not_forced_into_the_table() -> None:
    found = identify(Operation(np.sign, lambda x, dy: np.exp(-np.abs(x)) * dy))
    assert found.kind == "no match"
    assert "nearest is" in str(found)


def test_a_strangers_exception_is_its_answer() -> None:
    b = estimators.get("clipped-ste")
    report = audit_operation(b.forward, lambda x, dy: b.backward(x, dy)[:, None][:, 0], "clipped-ste")
    assert [check.name for check in report.failures] == ["dtype and shape kept"]
    assert "backward of float32 (): raised IndexError" in report.failures[0].worst
