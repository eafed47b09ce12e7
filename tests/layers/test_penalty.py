"""The regularisers of BNN+: values by a loop, gradients by the audit, and a training run that uses them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bnn_ref import data, models, train
from bnn_ref.auditing import audit_layer
from bnn_ref.layers import LatentPenalty

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("power", [1, 2])
def test_the_value_is_the_distance_of_sizes_to_alpha(power: int) -> None:
    w = RNG.normal(size=(3, 4))
    wanted = 0.0
    for value in w.flat:
        gap = 0.7 - value if value > 0 else 0.7 + value
        wanted += 0.1 * abs(gap) ** power
    term = LatentPenalty(power, 0.1, 0.7)
    term.astype(np.float64)
    term.alpha.value = np.asarray(0.7)
    assert float(term(w)) == pytest.approx(wanted)


@pytest.mark.parametrize("power", [1, 2])
def test_the_gradient_is_the_derivative(power: int) -> None:
    w = RNG.normal(size=(3, 3, 2, 4))
    w.flat[:4] = [0.0, -0.0, 0.5, -0.5]  # kinks of abs, and of R1
    report = audit_layer(LatentPenalty(power, 0.3, 0.5), w)
    assert report.passed, str(report)
    assert report.on_kinks == 4
    assert {"gradient to input 0", "gradient to alpha"} <= {check.name for check in report.checks}


@pytest.mark.parametrize("power", [1, 2])
def test_differences_agree_off_the_kinks(power: int) -> None:
    term, w, h = LatentPenalty(power, 0.3, 0.5), np.array([0.9, -0.2, 0.3]), 1e-6
    term.astype(np.float64)
    _, cache = term.forward(w)
    quotient = [(term(w + h * e) - term(w - h * e)) / (2 * h) for e in np.eye(3)]
    np.testing.assert_allclose(term.backward(np.ones(()), cache), quotient, rtol=1e-7)


def test_at_weights_of_size_alpha_nothing_pulls() -> None:
    term = LatentPenalty(2, 1.0, 0.25)
    w = np.array([0.25, -0.25], np.float32)
    y, cache = term.forward(w)
    assert y == 0
    np.testing.assert_array_equal(term.backward(np.ones((), np.float32), cache), [0, 0])


def test_the_best_alpha_of_r2_is_the_mean_size_and_of_r1_the_median() -> None:
    w = RNG.normal(size=101)
    for power, best in ((1, np.median(np.abs(w))), (2, np.abs(w).mean())):
        values = []
        for alpha in (best - 0.05, best, best + 0.05):
            term = LatentPenalty(power, 1.0)
            term.alpha.value = np.asarray(alpha)
            values.append(float(term(w)))
        assert values[1] < min(values[0], values[2])


@pytest.mark.parametrize(
    ("power", "strength", "initial", "named"),
    [(3, 1.0, 1.0, "power"), (1, -1.0, 1.0, "strength"), (1, 1.0, np.nan, "initial")],
)
def test_wrong_arguments_are_named(power: int, strength: float, initial: float, named: str) -> None:
    with pytest.raises(ValueError, match=f"{named}: required"):
        LatentPenalty(power, strength, initial)


def spread(kind: str) -> tuple[float, train.History]:
    """How far the sizes of binary layers' weights lie apart after training, and the history."""
    digits = data.load("digits").take(200, 40)
    model = models.build("mlp", input_shape=digits.shape, width=16)
    history = train.fit(model, digits, train.Config(epochs=3, lr=1e-2, penalty=kind, penalty_strength=0.05))
    sizes = [np.abs(p.value) for p in model.parameters() if p.latent]
    return float(np.mean([s.std() / s.mean() for s in sizes])), history


def test_training_with_it_draws_sizes_together_and_reports_it() -> None:
    free, history = spread("none")
    assert [epoch.penalty for epoch in history] == [0, 0, 0]
    for kind in ("r1", "r2"):
        bound, history = spread(kind)
        assert bound < 0.8 * free
        assert all(epoch.penalty > 0 for epoch in history)


def test_a_resumed_run_has_its_scales(tmp_path: Path) -> None:
    digits = data.load("digits").take(120, 40)
    config = train.Config(epochs=3, batch_size=30, penalty="r1", penalty_strength=0.01)

    def stop(epoch: train.Epoch) -> None:
        if epoch.epoch == 1:
            raise KeyboardInterrupt

    whole, parted, last = (models.build("mlp", input_shape=digits.shape, width=8) for _ in range(3))
    history = train.fit(whole, digits, config)
    file = tmp_path / "run.safetensors"
    with pytest.raises(KeyboardInterrupt):
        train.fit(parted, digits, config, on_epoch_end=stop, checkpoint=file)
    assert train.fit(last, digits, config, resume=file) == history
    for key, value in whole.state_dict().items():
        np.testing.assert_array_equal(last.state_dict()[key], value)
