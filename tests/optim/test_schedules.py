"""Where schedules start, where they end, and that they only fall."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref.optim import SCHEDULES, Constant, Cosine, Linear, Step

PROGRESS = st.floats(0, 1)


@pytest.mark.parametrize(
    ("name", "start", "half", "end"),
    [
        ("constant", 1, 1, 1),
        ("decades", 1, 0.01, 1e-4),
        ("step", 1, 0.1, 0.01),
        ("cosine", 1, 0.5, 0),
        ("linear", 1, 0.5, 0),
        ("bbc", 1, 1, 1e-4),
    ],
)
def test_start_middle_and_end(name: str, start: float, half: float, end: float) -> None:
    schedule = SCHEDULES[name]
    assert [schedule(0.0), schedule(0.5), schedule(1.0)] == pytest.approx([start, half, end], abs=1e-15)


def test_every_schedule_is_in_the_test_above() -> None:
    assert sorted(SCHEDULES) == ["bbc", "constant", "cosine", "decades", "linear", "step"]


@given(st.sampled_from(sorted(SCHEDULES)), st.lists(PROGRESS, min_size=2))
def test_a_schedule_only_falls_between_one_and_zero(name: str, progress: list[float]) -> None:
    factors = [SCHEDULES[name](p) for p in sorted(progress)]
    assert all(1 >= a >= b >= 0 for a, b in pairwise(factors))
    assert all(type(factor) is float for factor in factors)  # a NumPy float64 would promote float32 weights


@given(PROGRESS)
def test_cosine_and_linear_mirror_at_the_middle(progress: float) -> None:
    for schedule in (Cosine(), Linear()):
        assert schedule(progress) + schedule(1 - progress) == pytest.approx(1)


@given(PROGRESS)
def test_constant_is_constant(progress: float) -> None:
    assert Constant()(progress) == 1


@pytest.mark.parametrize(
    ("progress", "passed"),
    [(0.0, 0), (0.29, 0), (0.3, 1), (0.31, 1), (0.59, 1), (0.6, 2), (0.9, 3), (1.0, 3)],
)
def test_a_milestone_counts_from_when_it_is_reached(progress: float, passed: int) -> None:
    assert Step((0.3, 0.6, 0.9), 0.5)(progress) == 0.5**passed


def test_bbc_falls_where_its_code_lets_it_fall() -> None:
    """Source: bbc2023, released code: 70, 90, 100, 110 of 120 epochs, a tenth each."""
    found = [SCHEDULES["bbc"](epoch / 120) for epoch in (69, 70, 89, 90, 99, 100, 109, 110)]
    assert found == pytest.approx([1, 0.1, 0.1, 0.01, 0.01, 1e-3, 1e-3, 1e-4])
