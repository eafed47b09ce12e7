"""Cosine, gain and bias: exact where the truth is, and freed of its noise where it is not."""

from __future__ import annotations

import numpy as np
import pytest

from bnn_ref.auditing import agreement

RNG = np.random.default_rng(7)
TRUTH = RNG.normal(size=40)
GRADIENT = 0.5 * TRUTH + 0.3 * RNG.normal(size=40)


def test_of_an_exact_truth_they_are_plain_geometry() -> None:
    found = agreement(GRADIENT, TRUTH)
    unit = TRUTH / np.linalg.norm(TRUTH)
    along = GRADIENT @ unit
    assert found.gain == pytest.approx(along / np.linalg.norm(TRUTH))
    assert found.cosine == pytest.approx(np.cos(np.arctan2(np.linalg.norm(GRADIENT - along * unit), along)))
    assert found.bias == pytest.approx(np.linalg.norm(GRADIENT - TRUTH) / np.linalg.norm(TRUTH))
    assert found.low == found.high == found.cosine
    folded = agreement(GRADIENT.reshape(5, 8), TRUTH.reshape(5, 8))
    assert folded.cosine == pytest.approx(found.cosine)


@pytest.mark.parametrize(("factor", "cosine", "bias"), [(1, 1, 0), (-2, -1, 3), (0.1, 1, 0.9)])
def test_of_multiples_of_the_truth(factor: float, cosine: float, bias: float) -> None:
    found = agreement(factor * TRUTH, TRUTH)
    assert (found.cosine, found.gain) == (pytest.approx(cosine), pytest.approx(factor))
    assert found.bias == pytest.approx(bias, abs=1e-12)


def test_the_noise_of_the_truth_is_taken_out_and_its_interval_is_honest() -> None:
    """With twenty times more noise than signal in a draw; a mean of draws alone would be half as aligned."""
    exact, rng = agreement(GRADIENT, TRUTH), np.random.default_rng(1)
    size, inside, cosines, naive = 60, 0, [], []
    for seed in range(200):
        draws = TRUTH + np.sqrt(20) * rng.normal(size=(size, 40))
        found = agreement(GRADIENT, draws, seed)
        inside += found.low <= exact.cosine <= found.high
        cosines.append(found.cosine)
        naive.append(agreement(GRADIENT, draws.mean(axis=0)).cosine)
    assert np.mean(cosines) == pytest.approx(exact.cosine, abs=0.02)
    assert np.mean(naive) < exact.cosine - 0.08
    assert 0.88 <= inside / 200 <= 1.0


def test_gain_and_bias_are_freed_of_noise_too() -> None:
    draws = TRUTH + 2 * np.random.default_rng(2).normal(size=(4000, 40))
    found, exact = agreement(GRADIENT, draws), agreement(GRADIENT, TRUTH)
    assert found.gain == pytest.approx(exact.gain, abs=0.03)
    assert found.bias == pytest.approx(exact.bias, abs=0.03)


def test_a_truth_lost_in_noise_says_nothing() -> None:
    noise = np.random.default_rng(3).normal(size=(5, 40))
    found = agreement(GRADIENT, noise - noise.mean(axis=0))
    assert np.isnan([found.cosine, found.low, found.high, found.gain, found.bias]).all()
    assert np.isnan(agreement(np.zeros(40), TRUTH).cosine)


@pytest.mark.parametrize("shape", [(1, 40), (3, 41), (), (2, 3, 40)])
def test_shapes_that_do_not_fit(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"truth: required shape \(40,\), or two or more of it"):
        agreement(GRADIENT, np.ones(shape))
