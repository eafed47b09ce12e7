"""Reports: frozen, printable, plain data."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest

from bnn_ref.auditing import Check, Report, audit, audit_operation


def test_a_report_passes_when_all_its_checks_do() -> None:
    good, bad = Check.of("a", 1e-12, 1e-10), Check.of("b", 1.0, 1e-10, "at x = 2: required 1, got 3")
    assert Report("s", "implementation", (good,)).passed
    report = Report("s", "implementation", (good, bad))
    assert not report.passed
    assert report.failures == (bad,)
    assert "FAIL b" in str(report)
    assert "at x = 2: required 1, got 3" in str(report)


@pytest.mark.parametrize("error", [math.nan, math.inf])
def test_no_number_is_no_pass(error: float) -> None:
    assert not Check.of("a", error, 1e-10).passed


def test_reports_are_frozen_and_json_ready() -> None:
    report = audit("fda")
    with pytest.raises(dataclasses.FrozenInstanceError):
        report.subject = "other"  # type: ignore[misc]
    text = json.dumps(report.to_dict(), allow_nan=False)
    assert json.loads(text)["passed"] is True
    failing = audit_operation(lambda x: x, lambda x, dy: np.full_like(dy, np.nan), "clipped-ste")
    assert json.loads(json.dumps(failing.to_dict(), allow_nan=False))["passed"] is False


def test_a_layer_without_inputs_is_refused() -> None:
    from bnn_ref.layers import ReLU

    with pytest.raises(ValueError, match="inputs: required a base point"):
        audit(ReLU())


def test_unknown_name_lists_the_valid_ones() -> None:
    with pytest.raises(ValueError, match="required one of identity-ste"):
        audit("no-such")
