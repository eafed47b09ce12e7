"""Contrasts are read honestly: no effect is seen in noise, no agreement where an expectation is missed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from analysis.contrasts import Contrast, contrasts, image_error, reading
from bnn_ref.train import Comparison, Config, Difference, Epoch, History, Run


def test_the_error_of_the_test_images_is_that_of_two_binomials() -> None:
    """Half the width of the middle 95 % of simulated differences, at 92 and 94 % of 360 images."""
    rng = np.random.default_rng(0)
    first, second = (rng.binomial(360, p, 200_000) / 360 for p in (0.92, 0.94))
    low, high = np.percentile(first - second, [2.5, 97.5])
    assert image_error(0.92, 0.94, 360) == pytest.approx((high - low) / 2, rel=0.05)


@pytest.mark.parametrize(
    ("low", "high", "paper", "said"),
    [
        (-0.044, 0.033, 14.66, "DIFFERS from the paper's"),
        (-0.43, -0.20, -0.20, "DIFFERS from the paper's"),
        (-0.03, -0.011, -0.20, "worse"),
        (0.001, 0.009, 1.39, "cannot tell: within the error of the test images"),
        (-0.006, -0.006, 0.2, "cannot tell: within the error of the test images"),
        (0.01, 0.03, 1.39, "same sign as the paper's"),
        (-0.03, -0.001, 0.5, "OPPOSITE sign to the paper's"),
        (-0.03, -0.01, -1.56, "same sign as the paper's"),
        (-0.01, 0.03, 1.39, "cannot tell: the interval holds 0"),
        (0.0, 0.0, 0.5, "cannot tell: the interval holds 0"),
        (0.01, 0.03, None, "better"),
        (-0.03, -0.01, None, "worse"),
        (None, None, 1.0, "one run: no spread, nothing can be said"),
    ],
)
def test_readings(low: float | None, high: float | None, paper: float | None, said: str) -> None:
    mean = 0.0 if low is None or high is None else (low + high) / 2
    one = Contrast("a table", "a", "b", paper)
    assert reading(Difference("a", "b", mean, low, high, 0.1, 0.1), one, 0.01) == said


@pytest.mark.parametrize(
    ("mean", "direction", "said"),
    [
        (0.05, 1, "better, as expected"),
        (-0.05, -1, "worse, as expected"),
        (-0.05, 1, "worse, AGAINST what was expected"),
        (0.05, 0, "better, AGAINST what was expected"),
        (0.05, None, "better"),
        (0.015, 1, "cannot tell: within the error of the test images"),
        (0.005, 0, "cannot tell: the interval holds 0"),
    ],
)
def test_readings_where_a_direction_is_expected(mean: float, direction: int | None, said: str) -> None:
    gap = Difference("a", "b", mean, mean - 0.01, mean + 0.01, 0.1, 0.1)
    assert reading(gap, Contrast("ours", "a", "b", direction=direction), 0.02) == said


def test_an_expectation_is_a_number_or_a_direction() -> None:
    assert [Contrast("", "a", "b", n).expected for n in (3.0, -3.0, 0.3, None)] == [1, -1, None, None]
    assert [Contrast("", "a", "b", direction=d).answer for d in (1, 0, -1)] == ["better", "equal", "worse"]
    assert Contrast("", "a", "b", 1.386).answer == "1.39"
    with pytest.raises(ValueError, match="direction: required None beside a number of the paper, got 1"):
        Contrast("", "a", "b", 1.0, 1)
    with pytest.raises(ValueError, match="direction: required -1, 0, 1 or None, got 2"):
        Contrast("", "a", "b", direction=2)


def made_up(levels: dict[str, list[float]]) -> Comparison:
    """Accuracies by arm, seed by seed."""
    runs = tuple(
        Run(arm, seed, History((Epoch(0, 0, 0.0, 0.1, 1.0, 0.5, accuracy, 1.0),)))
        for arm, values in levels.items()
        for seed, accuracy in enumerate(values)
    )
    arms: dict[str, dict[str, Any]] = {arm: {} for arm in levels}
    return Comparison("made up", "mlp", arms, {}, Config(), next(iter(arms)), (0, 1, 2), runs)


def test_contrasts_are_paired_and_those_without_their_arms_left_out() -> None:
    """Seeds differ by 10 points and arms by 2 within each: unpaired, nothing could be told."""
    result = made_up({"a": [0.72, 0.821, 0.92], "b": [0.70, 0.80, 0.90]})
    asked = [Contrast("ours", "a", "b", direction=1), Contrast("ours", "a", "c")]
    (row,) = contrasts(result, asked, 10**6, "expected").records()
    assert (row["difference"], row["expected"], row["reading"]) == ("2.03", "better", "better, as expected")
    assert float(row["low"]) > 1.8
    assert row["runs"] == "3"


def test_several_arms_together_are_their_mean_seed_by_seed() -> None:
    """Each cell scatters by 10 points, against its partner's scatter: their mean does not."""
    up, down = [0.70, 0.80, 0.90], [0.90, 0.80, 0.70]
    levels = {"x 1": up, "x 2": down, "y 1": [v - 0.05 for v in up], "y 2": [v - 0.07 for v in down]}
    levels["y 2"][0] -= 0.01
    groups = {"x": ["x 1", "x 2"], "y": ["y 1", "y 2"], "z": []}
    asked = [Contrast("ours", "x", "y"), Contrast("ours", "x", "z"), Contrast("ours", "x 1", "y")]
    whole, mixed = contrasts(made_up(levels), asked, 10**6, "expected", groups).records()
    assert (whole["difference"], whole["runs"], whole["reading"]) == ("6.17", "6", "better")
    half = 4.3027 * np.std([6.5, 6.0, 6.0], ddof=1) / np.sqrt(3)
    assert float(whole["high"]) - float(whole["low"]) == pytest.approx(2 * half, abs=0.02)
    assert (mixed["arm"], mixed["minus"]) == ("x 1", "y")


def test_arms_together_must_be_there_and_differ() -> None:
    result = made_up({"a": [0.7, 0.8, 0.9], "b": [0.7, 0.8, 0.9]})
    with pytest.raises(ValueError, match=r"arm: required at least one arm, got \(\)"):
        result.contrast([], "b")
    with pytest.raises(ValueError, match="against: required another arm than a, b"):
        result.contrast(["a", "b"], ("b", "a"))
    with pytest.raises(ValueError, match="arm: required one of a, b, got 'c'"):
        result.contrast(["a", "c"], "b")
