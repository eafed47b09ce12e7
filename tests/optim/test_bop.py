"""Bop against a loop over single weights: who flips, who does not, and what happens on the threshold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bnn_ref
from bnn_ref import data, models, train
from bnn_ref.optim import SCHEDULES, Adam, Bop
from bnn_ref.parameter import Parameter

Run = Callable[..., list[Any]]
One = Callable[..., Parameter]
SIGNS = st.sampled_from([-1.0, 1.0])
GRADIENTS = st.floats(-2, 2, width=32)


@given(
    weights=st.lists(st.tuples(SIGNS, GRADIENTS, GRADIENTS, GRADIENTS), min_size=1, max_size=8),
    gamma=st.sampled_from([1.0, 0.5, 0.125]),
    threshold=st.sampled_from([0.0, 0.25, 0.5, 1e-8]),
)
def test_it_flips_only_what_the_momentum_asks_for(
    run: Run, one: One, weights: list[tuple[float, ...]], gamma: float, threshold: float
) -> None:
    """A flip needs sign(m) = sign(w) and abs(m) > tau; on w m = tau the answer is +1 whatever w was."""
    start, gradients = [w for w, *_ in weights], np.array([g for _, *g in weights]).T
    stream = iter(gradients)
    optimizer = Bop([one(start, latent=True)], 0.1, gamma=gamma, threshold=threshold)
    path = run(optimizer, lambda w: next(stream), 3)
    for i, w in enumerate(start):
        m = 0.0
        for step in range(3):
            m = m - gamma * m + gamma * gradients[step][i]
            if w * m == threshold:
                w = 1.0
            elif np.sign(m) == w and abs(m) > threshold:
                w = -w
            assert path[step + 1][i] == w


@pytest.mark.parametrize(("w", "g"), [(1.0, 0.5), (-1.0, -0.5)])
def test_on_the_threshold_the_weight_becomes_plus_1(run: Run, one: One, w: float, g: float) -> None:
    optimizer = Bop([one([w], latent=True)], 0.1, gamma=1.0, threshold=0.5)
    assert run(optimizer, lambda _: np.array([g]), 1)[-1].tolist() == [1.0]


@given(st.lists(st.tuples(SIGNS, GRADIENTS), min_size=1, max_size=8), st.sampled_from([0.25, 4.0, 1024.0]))
def test_the_scale_of_gradients_is_the_scale_of_the_threshold(
    run: Run, one: One, weights: list[tuple[float, float]], scale: float
) -> None:
    start, gradient = [w for w, _ in weights], np.array([g for _, g in weights])
    paths = [
        run(Bop([one(start, latent=True)], 0.1, gamma=0.5, threshold=0.5 * c), lambda w, c=c: c * gradient, 4)
        for c in (1.0, scale)
    ]
    np.testing.assert_array_equal(*paths)


def test_real_weights_are_read_as_their_signs(run: Run, one: One) -> None:
    optimizer = Bop([one([0.3, -0.2, 0.0, 7.0], latent=True)], 0.1, gamma=1.0, threshold=0.5)
    found = run(optimizer, lambda w: np.array([0.6, -0.4, 1.0, 0.4]), 1)[-1]
    np.testing.assert_array_equal(found, [-1, -1, -1, 1])  # by value 0.3 * 0.6 were below 0.5, 7 * 0.4 above


def test_other_parameters_are_adams(run: Run, one: One) -> None:
    options: dict[str, Any] = {"betas": (0.8, 0.9), "eps": 1e-3, "weight_decay": 0.1}
    found = run(Bop([one([3.0, -2.0])], 0.1, **options), np.sin, 5)
    np.testing.assert_array_equal(found, run(Adam([one([3.0, -2.0])], 0.1, **options), np.sin, 5))


def test_decay_and_clip_leave_binary_weights_alone(run: Run, one: One) -> None:
    optimizer = Bop([one([1.0, -1.0], latent=True)], 0.1, weight_decay=9.0, clip=0.5)
    np.testing.assert_array_equal(run(optimizer, lambda w: np.zeros(2), 3)[-1], [1, -1])


def test_a_binary_weight_remembers_its_momentum_and_nothing_else(run: Run, one: One) -> None:
    optimizer = Bop([one([1.0, -1.0], latent=True)], 0.1)
    run(optimizer, lambda w: np.ones(2), 2)
    state = optimizer.state_dict()
    assert list(state) == ["0.momentum"]
    with pytest.raises(ValueError, match=r"a slot of momentum, got '0.first'"):
        optimizer.load_state_dict({"0.first": np.zeros(2)})
    np.testing.assert_allclose(state["0.momentum"], 1 - (1 - 1e-4) ** 2)


def test_the_first_threshold_is_that_of_the_released_settings(run: Run, one: One) -> None:
    """tau = 1e-8: just below it nothing flips, just above it does."""
    for size, flips in ((0.99e-8, False), (1.01e-8, True)):
        found = run(Bop([one([1.0], latent=True)], 0.1, gamma=1.0), lambda w, g=size: np.array([g]), 1)[-1]
        assert (found[0] == -1) == flips


@pytest.mark.parametrize(
    ("key", "value"), [("gamma", 0.0), ("gamma", 1.1), ("gamma", np.nan), ("threshold", -1)]
)
def test_numbers_out_of_range_are_named(one: One, key: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{key}: required a number"):
        Bop([one([1.0])], **{key: value})


def test_digits_are_learned_end_to_end_and_packed() -> None:
    digits = data.load("digits").take(600, 200)
    model = models.build("cnn", input_shape=digits.shape, width=8, weight_estimator="bop")
    config = train.Config(epochs=4, optimizer="bop", lr=5e-3, gamma=1e-2, gamma_schedule="linear")
    before = {key: np.sign(v) for key, v in model.state_dict().items() if key.endswith("latent")}
    history = train.fit(model, digits, config)
    assert history[-1].test_accuracy > 0.6
    state = model.state_dict()
    binary = [name for name, p in model.named_parameters().items() if p.latent]
    assert len(binary) == 3
    for name in binary:
        assert set(np.unique(state[name])) == {-1.0, 1.0}
        assert (state[name] != before[name]).any()
    x = train.evaluation.Preprocessing.fit(digits)(digits.test_images)
    np.testing.assert_array_equal(bnn_ref.pack(model)(x), model(x))


def test_gamma_follows_its_own_schedule() -> None:
    digits = data.load("digits").take(100, 40)
    config = train.Config(epochs=5, batch_size=50, optimizer="bop", gamma=0.5, gamma_schedule="decades")
    model = models.build("mlp", input_shape=digits.shape, width=4, weight_estimator="bop")
    training = train.training.Training(model, digits, config, train.evaluation.Preprocessing.fit(digits))
    seen = []
    for _ in range(5):
        training.run_epoch()
        seen.append((training.optimizer.gamma, training.optimizer.lr))
    np.testing.assert_allclose([gamma for gamma, _ in seen], [0.5 * 0.1**e for e in range(5)])
    np.testing.assert_allclose(
        [lr for _, lr in seen], [1e-3 * SCHEDULES["cosine"](s / 10) for s in (1, 3, 5, 7, 9)]
    )
