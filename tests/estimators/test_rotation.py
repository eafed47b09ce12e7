"""RBNN's weights: rotations that follow them from epoch to epoch, learned angles and scales."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref import data, estimators, models, pack, train
from bnn_ref.annealing import Moment
from bnn_ref.auditing import audit_layer
from bnn_ref.estimators.rbnn import Triangle
from bnn_ref.estimators.rotation import LearnedScale, Rotation, alternate
from bnn_ref.layers import Activation, Conv2d, Product
from bnn_ref.parameter import Array


def objective(left: Array, right: Array, matrices: Array) -> float:
    """max over B of sum_i tr(B_i^T R1^T X_i R2): the sum of absolute values, matrix by matrix."""
    return sum(float(np.abs(left.T @ x @ right).sum()) for x in matrices)


@given(st.integers(0, 9999), st.integers(1, 4), st.integers(1, 5), st.integers(1, 6))
def test_the_alternation_never_lowers_the_trace_and_keeps_r_orthogonal(
    seed: int, a: int, b: int, filters: int
) -> None:
    rng = np.random.default_rng(seed)
    matrices = rng.normal(size=(filters, a, b))
    left, right = np.linalg.qr(rng.normal(size=(a, a)))[0], np.linalg.qr(rng.normal(size=(b, b)))[0]
    last = objective(left, right, matrices)
    for _ in range(4):
        left, right = alternate(left, right, matrices)
        np.testing.assert_allclose(left.T @ left, np.eye(a), atol=1e-12)
        np.testing.assert_allclose(right.T @ right, np.eye(b), atol=1e-12)
        now = objective(left, right, matrices)
        assert now >= last * (1 - 1e-12)
        last = now
    bound = np.sqrt(a * b) * np.sqrt((matrices**2).sum(axis=(1, 2))).sum()
    assert last <= bound * (1 + 1e-12), "no vector is nearer to a corner than a corner"


def test_each_half_step_is_the_best_of_many() -> None:
    """No random rotation does better than the one that the SVD gives, the other two being held."""
    rng = np.random.default_rng(0)
    matrices = rng.normal(size=(5, 3, 4))
    eye = np.eye(3), np.eye(4)
    left, right = alternate(*eye, matrices)
    signs = np.sign(matrices)

    def trace(r1: Array, r2: Array) -> float:
        return sum(float(np.trace(b.T @ r1.T @ x @ r2)) for b, x in zip(signs, matrices, strict=True))

    others = [np.linalg.qr(rng.normal(size=(n, n)))[0] for n in (3, 4) for _ in range(500)]
    assert trace(left, eye[1]) >= max(trace(r, eye[1]) for r in others[:500])
    assert trace(left, right) >= max(trace(left, r) for r in others[500:])
    assert trace(left, right) > trace(*eye) * 1.02


def layer(refreshed: bool = True, seed: int = 0) -> Conv2d:
    rng = np.random.default_rng(seed)
    b = estimators.get("rbnn-weight", t=0.8)
    made = Conv2d(2, 5, 3, rng=rng, activation=estimators.get("rbnn-activation"), weight=b)
    if refreshed:
        made.refresh()
    return made


def parts_of(made: Product) -> tuple[Rotation, LearnedScale]:
    assert made.weight is not None
    found = list(made.weight.parts())
    (turn,) = {id(p): p for p in found if isinstance(p, Rotation)}.values()
    (scale,) = {id(p): p for p in found if isinstance(p, LearnedScale)}.values()
    return turn, scale


def test_forward_is_the_paper_s_formula_filter_by_filter() -> None:
    made = layer()
    turn, scale = parts_of(made)
    rng = np.random.default_rng(1)
    assert turn.theta is not None
    assert scale.alpha is not None
    turn.theta.value = rng.normal(size=5).astype(np.float32) * 3
    scale.alpha.value = rng.uniform(0.5, 2, 5).astype(np.float32)
    r1, r2 = (buffer.value.astype(np.float64) for buffer in made.weight.buffers())  # type: ignore[union-attr]
    assert (r1.shape, r2.shape) == ((3, 3), (6, 6)), "18 = 3 * 6, 3 the largest divisor below the root"
    got = made.weight(made.latent.value)  # type: ignore[misc]
    for f in range(5):
        w = made.latent.value[..., f].astype(np.float64).ravel()
        z = (w - w.mean()) / w.std(ddof=1)
        turned = (r1.T @ z.reshape(3, 6) @ r2).ravel()
        share = abs(np.sin(float(turn.theta.value[f])))
        wanted = scale.alpha.value[f] * np.sign((1 - share) * z + share * turned)
        np.testing.assert_array_equal(got[..., f].ravel(), wanted.astype(np.float32))


def test_refreshed_weights_lie_nearer_to_corners() -> None:
    def cosine(made: Conv2d) -> float:
        w = made.latent.value.reshape(18, 5)
        z = (w - w.mean(axis=0)) / w.std(axis=0, ddof=1)
        r1, r2 = (buffer.value for buffer in made.weight.buffers())  # type: ignore[union-attr]
        turned = r1.T @ z.T.reshape(5, 3, 6) @ r2
        return float(np.abs(turned).sum() / np.sqrt(18 * 5) / np.linalg.norm(turned))

    before, after = cosine(layer(refreshed=False)), cosine(layer())
    assert after > before + 0.01
    again = layer()
    again.refresh()
    assert cosine(again) >= after * (1 - 1e-6)


def test_a_refresh_is_three_rounds_on_the_standardised_filters() -> None:
    made = layer()
    w = made.latent.value.astype(np.float64).reshape(18, 5) + 0.0
    z = ((w - w.mean(axis=0)) / w.std(axis=0, ddof=1)).T.reshape(5, 3, 6)
    left, right = np.eye(3), np.eye(6)
    for _ in range(3):
        left, right = alternate(left, right, z)
    r1, r2 = (buffer.value for buffer in made.weight.buffers())  # type: ignore[union-attr]
    np.testing.assert_allclose(r1, left, atol=1e-4)
    np.testing.assert_allclose(r2, right, atol=1e-4)


def test_before_the_first_epoch_nothing_is_turned() -> None:
    r1, r2 = (buffer.value for buffer in layer(refreshed=False).weight.buffers())  # type: ignore[union-attr]
    np.testing.assert_array_equal(r1, np.eye(3))
    np.testing.assert_array_equal(r2, np.eye(6))


def test_alpha_begins_as_the_mean_absolute_weight_and_is_then_left_alone() -> None:
    made = layer(refreshed=False)
    _, scale = parts_of(made)
    assert scale.alpha is not None
    means = [np.abs(made.latent.value[..., f]).mean() for f in range(5)]
    np.testing.assert_allclose(scale.alpha.value, means, rtol=1e-6)
    made.latent.value = 2 * made.latent.value
    made.refresh()
    np.testing.assert_allclose(scale.alpha.value, means, rtol=1e-6)


def test_at_its_first_angle_theta_does_not_move() -> None:
    """abs(sin) has its top at pi/2: only rounding is left of the gradient; elsewhere there is one."""
    made = layer()
    turn, _ = parts_of(made)
    x = np.random.default_rng(0).normal(size=(4, 5, 5, 2)).astype(np.float32)
    sizes = []
    for angle in (np.pi / 2, 1.0):
        assert turn.theta is not None
        turn.theta.value = np.full(5, angle, np.float32)
        made.zero_grad()
        y, cache = made.forward(x)
        made.backward(np.ones_like(y), cache)
        assert turn.theta.grad is not None
        sizes.append(float(np.abs(turn.theta.grad).max()))
    assert sizes[0] < 1e-5
    assert sizes[1] > 1e-2


@pytest.mark.parametrize("angle", [0.7, -0.7, 2.5, 4.0, 0.0])
def test_backward_passes_with_rotations_and_any_angle(angle: float) -> None:
    made = layer()
    turn, _ = parts_of(made)
    assert turn.theta is not None
    turn.theta.value = np.linspace(angle, angle + 0.2, 5)
    report = audit_layer(made, np.random.default_rng(0).normal(size=(3, 5, 5, 2)))
    assert report.passed, str(report)
    names = {check.name for check in report.checks}
    assert {"gradient to weight.theta", "gradient to weight.alpha", "gradient to latent"} <= names


def test_rotations_are_saved_and_follow_the_dtype_but_nobody_trains_them() -> None:
    made = layer()
    own = {"weight.left", "weight.right"}
    assert own <= set(made.state_dict())
    assert not own & set(made.named_parameters())
    other = layer(seed=3)
    other.load_state_dict(made.state_dict())
    x = np.random.default_rng(0).normal(size=(2, 4, 4, 2)).astype(np.float32)
    np.testing.assert_array_equal(other(x), made(x))
    wide = made.astype(np.float64).state_dict()
    assert {wide[key].dtype for key in own} == {np.dtype(np.float64)}


def test_packed_it_is_the_signs_of_the_turned_weights() -> None:
    made = layer()
    turn, _ = parts_of(made)
    assert turn.theta is not None
    turn.theta.value = np.linspace(0.2, 2, 5).astype(np.float32)
    x = np.random.default_rng(0).normal(size=(2, 4, 4, 2)).astype(np.float32)
    packed = pack(made)
    np.testing.assert_array_equal(packed(x), made.eval()(x))
    assert [node.step.kind for node in packed.graph.nodes] == ["pack_signs", "binary_conv", "scale"]
    bits = packed.graph.nodes[1].step.weight.values()  # type: ignore[attr-defined]
    signs = np.sign(made.train().weight(made.latent.value))  # type: ignore[misc]
    np.testing.assert_array_equal(bits, signs.transpose(3, 0, 1, 2))
    assert (bits != np.sign(made.latent.value).transpose(3, 0, 1, 2)).any()


def test_training_refreshes_before_each_epoch_and_a_resumed_run_is_the_same(tmp_path: Path) -> None:
    digits = data.load("digits").take(96, 20)

    def build() -> models.Model:
        names = {"estimator": "rbnn-activation", "weight_estimator": "rbnn-weight"}
        return models.build("bireal-small", input_shape=(8, 8, 1), widths=(4,), blocks=(2,), **names)

    config = train.Config(epochs=3, batch_size=32)
    whole, seen = build(), []

    def watch(epoch: Any) -> None:
        seen.append(whole.state_dict()["body.parts.0.branch.parts.0.weight.left"])

    train.fit(whole, digits, config, on_epoch_end=watch)
    assert all((one != other).any() for one, other in itertools.pairwise(seen))
    for r in seen:
        np.testing.assert_allclose(r.T @ r, np.eye(len(r)), atol=1e-5)

    class Stop(Exception):
        pass

    def stop(epoch: Any) -> None:
        raise Stop

    path = tmp_path / "run"
    with pytest.raises(Stop):
        train.fit(build(), digits, config, checkpoint=path, on_epoch_end=stop)
    resumed = build()
    train.fit(resumed, digits, config, resume=path)
    for key, value in whole.state_dict().items():
        np.testing.assert_array_equal(resumed.state_dict()[key], value, key)


def test_an_activation_is_turned_along_its_channels() -> None:
    made = Activation(estimators.get("rbnn-weight"), shape=(6,))
    assert {key: value.shape for key, value in made.state_dict().items()} == {
        "curve.alpha": (6,),
        "curve.theta": (1,),
        "curve.left": (2, 2),
        "curve.right": (3, 3),
    }


def test_what_is_not_bound_or_does_not_fit_says_so() -> None:
    for unbound in (Rotation(), LearnedScale()):
        with pytest.raises(ValueError, match="required to be bound to a tensor"):
            unbound(np.zeros((2, 3)))
    bound = Rotation().bind((3,), -1, np.random.default_rng(0))
    with pytest.raises(ValueError, match="x: required vectors of 3, as it was bound to"):
        bound(np.zeros((2, 4)))
    with pytest.raises(ValueError, match="rounds: required a whole number >= 1"):
        estimators.get("rbnn-weight", rounds=0)


def test_its_triangle_follows_the_law_of_weights() -> None:
    """t from 0.01, not EDE's 0.1: that of the entry `rbnn` at every moment."""
    for moment in (Moment.of_epoch(0, 400), Moment.of_epoch(133, 400), Moment.of_epoch(399, 400)):
        surrogate = estimators.get("rbnn-weight").at(moment).surrogate
        (curve,) = (part for part in surrogate.parts() if isinstance(part, Triangle))
        assert curve == estimators.get("rbnn").at(moment).surrogate
    assert (curve.k, curve.t > 9.8) == (1, True)
