"""Clocks and laws: where training stands, and what that means for a parameter."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref.annealing import Geometric, Linear, Moment, Together


def test_the_two_clocks() -> None:
    moments = [Moment.of_epoch(epoch, 5) for epoch in range(5)]
    assert [m.progress for m in moments] == [0, 0.25, 0.5, 0.75, 1]
    assert [m.fraction for m in moments] == [0, 0.2, 0.4, 0.6, 0.8]
    assert Moment.of_epoch(1, 3, step=70, lr_sum=0.5) == Moment(0.5, 1 / 3, 70, 0.5, 3)


def test_the_clock_that_reaches_1_in_every_last_epoch() -> None:
    assert [Moment.of_epoch(epoch, 4).ended for epoch in range(4)] == [0.25, 0.5, 0.75, 1]
    assert Moment.of_epoch(0, 1).ended == 1
    assert Moment.at(0.3).ended == 0.3


def test_laws_together_move_each_its_own_field() -> None:
    both = Together((Geometric("beta", 1.0, 4.0), Geometric("gamma", 9.0, 1.0)))
    assert both(Moment.at(0.5)) == {"beta": pytest.approx(2.0), "gamma": pytest.approx(3.0)}
    assert Together(())(Moment.at(0.5)) == {}
    with pytest.raises(ValueError, match=r"laws: required laws of different fields, got \['beta'\]"):
        Together((Geometric("beta", 1.0, 4.0), Geometric("beta", 1.0, 4.0)))(Moment.at(0.0))


def test_a_single_epoch_counts_as_the_last() -> None:
    assert Moment.of_epoch(0, 1) == Moment(1.0, 0.0, epochs=1)


@given(st.floats(0, 1))
def test_at_a_bare_progress_both_clocks_agree(progress: float) -> None:
    assert Moment.at(progress) == Moment(progress, progress, 0, 0.0)


@pytest.mark.parametrize("progress", [-1e-300, np.nextafter(1, 2), 2, -1, math.nan, math.inf, -math.inf])
def test_progress_outside_the_unit_interval_is_refused(progress: float) -> None:
    with pytest.raises(ValueError, match=r"progress: required a number in \[0, 1\], got"):
        Moment.at(progress)


@pytest.mark.parametrize(("epoch", "epochs"), [(5, 5), (-1, 5), (0, 0), (1, 0), (0, -3)])
def test_an_epoch_that_does_not_exist_is_refused(epoch: int, epochs: int) -> None:
    with pytest.raises(ValueError, match=f"required 0 <= epoch < epochs = {epochs}, got {epoch}"):
        Moment.of_epoch(epoch, epochs)


@given(start=st.floats(1e-3, 1e3), stop=st.floats(1e-3, 1e3), progress=st.floats(0, 1))
def test_geometric_goes_from_start_to_stop_in_equal_factors(
    start: float, stop: float, progress: float
) -> None:
    law = Geometric("beta", start, stop)

    def value(at: float) -> float:
        (held,) = law(Moment(at, 0.123)).items()
        assert held[0] == "beta"
        return held[1]

    assert value(0) == start
    assert value(1) == pytest.approx(stop, rel=1e-12)
    assert min(start, stop) * (1 - 1e-12) <= value(progress) <= max(start, stop) * (1 + 1e-12)
    assert value(progress) * value(1 - progress) == pytest.approx(start * stop, rel=1e-9)
    assert value(progress / 2) ** 2 == pytest.approx(value(progress) * start, rel=1e-9)


@pytest.mark.parametrize("ends", [(-1.0, 2.0), (0.0, 1.0), (1.0, 0.0), (math.nan, 1.0)])
def test_a_geometric_law_needs_positive_ends(ends: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="required"):
        Geometric("beta", *ends)


@given(start=st.floats(-1e3, 1e3), stop=st.floats(-1e3, 1e3), progress=st.floats(0, 1))
def test_linear_goes_from_start_to_stop_in_equal_steps(start: float, stop: float, progress: float) -> None:
    law = Linear("rho", start, stop)

    def value(at: float) -> float:
        (held,) = law(Moment(at, 0.123)).items()
        assert held[0] == "rho"
        return held[1]

    assert (value(0), value(1)) == (start, stop)  # the hard limit itself, to the last bit
    assert value(progress) + value(1 - progress) == pytest.approx(start + stop, abs=1e-9)
    assert 2 * value(progress / 2) == pytest.approx(value(progress) + start, abs=1e-9)
