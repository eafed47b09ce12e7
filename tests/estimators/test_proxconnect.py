"""ProxConnect's pairs and laws: properties B1, B3, B6, T7 of proxconnect.md, and what its entries do."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref import data, estimators, models, packed, train
from bnn_ref.annealing import Linear, Moment
from bnn_ref.binarizer import Binarizer, Curve, Sign
from bnn_ref.estimators.composition import Integral, Transformed
from bnn_ref.estimators.irnet import EDE
from bnn_ref.estimators.proxconnect import InverseSlope
from bnn_ref.estimators.proximal import Polyline
from bnn_ref.estimators.quantizers import Parq, Projection, ProximalQuantizer
from bnn_ref.estimators.ste import HardTanh, Identity
from bnn_ref.estimators.swish import SwishSign
from bnn_ref.layers import Product
from bnn_ref.parameter import Array

W = np.linspace(-2.5, 2.5, 1000)
ONES = np.ones_like(W)
PLUS = ["bnn++", "poly+", "ede+", "hard-tanh"]
SIGN_KEEPING = [*PLUS, "proxconnect", "parq", "tanh-proxconnect", "bnn++-proxconnect"]


@pytest.mark.parametrize("name", PLUS)
@pytest.mark.parametrize("progress", [0.0, 0.4, 1.0])
def test_b1_the_backward_is_the_slope_of_the_forward(name: str, progress: float) -> None:
    b = estimators.get(name).at(progress)
    assert isinstance(b.forward, Curve)
    w = W[(np.abs(W[:, None] - np.array([*b.forward.kinks, 9.0])) > 1e-5).all(axis=1)]
    quotient = (b(w + 1e-6) - b(w - 1e-6)) / 2e-6
    np.testing.assert_allclose(b.backward(w, np.ones_like(w)), quotient, rtol=0, atol=1e-6)


def test_b1_the_poly_pair_by_its_four_pieces() -> None:
    """-1, 2w + w^2, 2w - w^2, 1; 2 - 2 abs(w) inside; the heuristic behind a sign has the same backward."""
    pieces = [W < -1, (W >= -1) & (W < 0), (W >= 0) & (W < 1), W >= 1]
    wanted = np.select(pieces, [-ONES, 2 * W + W**2, 2 * W - W**2, ONES])
    plus, heuristic = estimators.get("poly+"), estimators.get("poly")
    np.testing.assert_allclose(plus(W), wanted, rtol=0, atol=1e-15)
    np.testing.assert_array_equal(plus.backward(W, ONES), heuristic.backward(W, ONES))
    np.testing.assert_array_equal(heuristic(W), np.sign(W))
    assert plus.backward(np.zeros(1), np.ones(1)) == 2


@given(st.floats(0, 1))
def test_b3_ede_has_slope_max_1_t_at_zero(progress: float) -> None:
    """k t = 1 while t <= 1, from then on k = 1; forward and backward of the "+" pair alike."""
    for name in ("ede", "ede+"):
        curve = estimators.get(name).at(progress).surrogate
        assert isinstance(curve, EDE)
        slope = float(curve.derivative(np.array(0.0)))
        assert np.isclose(slope, max(1.0, curve.t), rtol=1e-14)
        assert np.isclose(curve.k * curve.t, 1, rtol=1e-14) if curve.t <= 1 else curve.k == 1


def test_b3_ede_in_numbers() -> None:
    """3.3e-3 from the identity at t = 0.1; 0.762 at w = 1 in mid-training; up to k = 10 at first."""
    start, middle = estimators.get("ede+").at(0.0), estimators.get("ede+").at(0.5)
    inside = np.linspace(-1, 1, 2001)
    assert f"{np.abs(start(inside) - inside).max():.1e}" == "3.3e-03"
    assert f"{middle(np.ones(1))[0]:.3f}" == "0.762"
    assert np.isclose(start(np.array([1e4]))[0], 10)
    assert start.law == estimators.get("ede").law


def test_b6_bnn_decomposes_into_p_and_the_clip() -> None:
    """P(w) = w outside [-1, 1], sgn w inside; T = clip: T(P) = sgn, T'(P) = the mask, kinks included."""
    proximal, clip = Polyline(((-1, -1), (0, -1), (0, 1), (1, 1)), ends=(1, 1)), HardTanh()
    inside = np.abs(W) <= 1
    np.testing.assert_allclose(proximal(W), np.where(inside, np.sign(W), W), rtol=0, atol=1e-15)
    w = np.concatenate([W, [-1.0, 0.0, 1.0]])
    bnn = estimators.get("bnn")
    np.testing.assert_array_equal(clip(proximal(w)), bnn(w))
    inner = w[np.abs(w) <= 1]
    np.testing.assert_array_equal(clip.derivative(proximal(inner)), bnn.backward(inner, np.ones_like(inner)))
    np.testing.assert_array_equal(clip.derivative(proximal(w)), bnn.backward(w, np.ones_like(w)))


def test_b6_with_a_smooth_t() -> None:
    """P(w) = w + sgn w outside; in the gap T = sgn(z) (1 + u (1 - u)^2), u = abs z - 1; T' has no jump."""
    proximal = Polyline(((-1, -2), (-1, -1), (0, -1), (0, 1), (1, 1), (1, 2)), ends=(1, 1))

    def smooth(z: Array) -> Array:
        u = np.clip(np.abs(z) - 1, 0, 1)
        return np.where(np.abs(z) <= 1, z, np.sign(z) * (1 + u * (1 - u) ** 2))

    def slope(z: Array) -> Array:
        return np.asarray(smooth(z + 1e-6) - smooth(z - 1e-6)) / 2e-6

    w = W[np.abs(np.abs(W) - 1) > 1e-3]
    np.testing.assert_allclose(smooth(proximal(w)), np.sign(w), rtol=0, atol=1e-14)
    np.testing.assert_allclose(slope(proximal(w)), np.abs(w) <= 1, rtol=0, atol=3e-6)
    z = np.linspace(-3, 3, 60001)
    assert np.abs(np.diff(slope(z))).max() <= 1e-3  # no jump, at +-1 and +-2 neither


@pytest.mark.parametrize("name", SIGN_KEEPING)
@given(st.floats(1e-9, 50), st.floats(0, 1))
def test_t7_the_forward_keeps_the_sign(name: str, size: float, progress: float) -> None:
    """So P_Q(F(w)) and P_Q(w) deploy the same."""
    b = estimators.get(name).at(progress)
    w = np.array([-size, size])
    np.testing.assert_array_equal(np.sign(b(w)), [-1, 1])
    np.testing.assert_array_equal(b.deployed(b(w)), b.deployed(w))


@pytest.mark.parametrize("levels", [(-1, 0, 1), (-1, -0.3, 0.3, 1), (0, 1)])
@given(st.floats(-3, 3), st.floats(0, 1))
def test_t7_for_other_levels(levels: tuple[float, ...], w: float, progress: float) -> None:
    at = np.array([w])
    b = estimators.get("proxconnect", levels=levels).at(progress)
    middles = np.array([(a + c) / 2 for a, c in pairwise(levels)])
    if np.abs(middles - w).min() > 1e-9:
        np.testing.assert_array_equal(b.deployed(b(at)), b.deployed(at))


def test_full_precision_is_the_identity_all_through() -> None:
    b = estimators.get("fp")
    for y in (b(W), b.backward(W, W), b.deployed(W)):
        np.testing.assert_array_equal(y, W)


def test_names_of_pairs_that_are_known_by_others() -> None:
    bc, bnn = estimators.get("bc"), estimators.get("bnn")
    assert (bc.forward, bc.surrogate) == (Sign(), Identity())
    assert (bnn.forward, bnn.surrogate) == (Sign(), HardTanh())


@pytest.mark.parametrize("name", ["proxconnect", "parq"])
@pytest.mark.parametrize("levels", [(-1, 1), (-1, 0, 1), (-1, -0.3, 0.3, 1), (-0.5, 2)])
def test_from_the_clip_to_what_is_deployed(name: str, levels: tuple[float, ...]) -> None:
    for zero, tie in ((1, 1), (-1, 0)):
        b = estimators.get(name, levels=levels, zero=zero)
        np.testing.assert_allclose(b.at(0.0)(W), np.clip(W, levels[0], levels[-1]), rtol=0, atol=1e-15)
        hard = b.at(1.0)
        w = np.append(W, [(a + c) / 2 for a, c in pairwise(levels)])
        np.testing.assert_array_equal(hard(w), b.deployed(w))
        np.testing.assert_array_equal(hard(w[1000:]), levels[tie : tie + len(levels) - 1])
        assert hard.levels == levels
        np.testing.assert_array_equal(b.backward(w, w), w)
        gaps = [np.abs(b.at(p)(W) - b.deployed(W)).max() for p in (0, 0.3, 0.6, 1)]
        assert gaps == sorted(gaps, reverse=True)
        assert gaps[-1] == 0


def test_deployed_as_sign_or_as_projection() -> None:
    assert estimators.get("proxconnect").deployed == Sign()
    assert estimators.get("proxconnect", levels=(-1, 0, 1)).deployed == Projection((-1, 0, 1))


def test_the_linear_law_moves_rho_in_equal_steps() -> None:
    b = estimators.get("proxconnect", levels=(-1, 0, 3))
    rhos = [b.at(p).forward.rho for p in (0, 0.25, 0.5, 1)]  # type: ignore[attr-defined]
    np.testing.assert_allclose(rhos, [0, 0.375, 0.75, 1.5], rtol=1e-15)


def test_the_parq_law_in_numbers() -> None:
    """1, 0.930, 0.5, 0.070, 0 at f = 0, 1/4, 1/2, 3/4, 1: the ends to the last bit."""
    law = InverseSlope("s")
    found = [law(Moment.at(f))["s"] for f in (0, 0.25, 0.5, 0.75, 1)]
    assert [f"{s:.3f}" for s in found] == ["1.000", "0.930", "0.500", "0.070", "0.000"]
    assert (found[0], found[-1]) == (1, 0)
    assert estimators.get("parq").at(0.25).forward == Parq(s=found[1])


@given(st.floats(0, 1))
def test_the_parq_law_as_a_schedule_of_rho(f: float) -> None:
    """rho = 1 - s makes L the same map."""
    s = InverseSlope("s")(Moment.at(f))["s"]
    assert np.isclose(InverseSlope("rho", 0.0, 1.0)(Moment.at(f))["rho"], 1 - s, atol=1e-15)
    assert np.isclose(s + InverseSlope("s")(Moment.at(1 - f))["s"], 1, atol=1e-14)  # odd about the middle
    L = ProximalQuantizer(rho=1 - s)
    np.testing.assert_allclose(L(W), Parq(s=s)(W), rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("law", "message"),
    [
        (lambda: InverseSlope("s", steepness=0), "steepness: required a positive number, got 0"),
        (lambda: InverseSlope("s", centre=1), r"centre: required a number in \(0, 1\), got 1"),
        (lambda: Linear("rho", 0, np.inf), "stop: required a number, got inf"),
    ],
)
def test_wrong_laws_are_refused(law: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        law()


@pytest.mark.parametrize(("name", "outer"), [("tanh-proxconnect", "tanh"), ("bnn++-proxconnect", "bnn++")])
def test_t_behind_l(name: str, outer: str) -> None:
    """F = T(L(w)), B = T'(L(w)) with rho growing to 1; where L is the clip, T inside it."""
    b = estimators.get(name, beta=1.7, vrho=0.1).at(0.4)
    assert isinstance(b.forward, Transformed)
    assert isinstance(b.surrogate, Integral)
    curve, inner = estimators.get(outer, beta=1.7).surrogate, ProximalQuantizer(rho=0.4, vrho=0.1)
    assert (b.forward.outer, b.forward.inner) == (curve, inner) == (b.surrogate.outer, b.surrogate.inner)
    np.testing.assert_allclose(b(W), curve(inner(W)), rtol=0, atol=1e-15)
    hard = b.at(1.0)
    np.testing.assert_allclose(hard(W), curve(np.sign(W)), rtol=0, atol=1e-15)


def test_sign_swish_behind_l_stays_below_the_turn_of_its_slope() -> None:
    """Beyond beta = 2.399 the gradient outside the levels would point the wrong way."""
    b = estimators.get("bnn++-proxconnect")
    assert all((b.at(p).backward(W, ONES) > 0).all() for p in (0, 0.5, 1))
    assert (estimators.get("bnn++-proxconnect", beta=2.4).at(1.0).backward(W, ONES) < 0).all()
    assert (estimators.get("bnn++-proxconnect", beta=2.399).at(1.0).backward(W, ONES) > 0).all()


@pytest.mark.parametrize("name", ["proxconnect", "parq"])
@pytest.mark.parametrize("levels", [(1, -1), (1,), (0, np.nan), "levels"])
def test_wrong_levels_are_named(name: str, levels: Any) -> None:
    with pytest.raises(ValueError, match="levels: required two or more ascending numbers"):
        estimators.get(name, levels=levels)


def test_other_levels_pass_the_audit() -> None:
    from bnn_ref.auditing import audit

    for levels in ((-1, 0, 1), (-1, -0.3, 0.3, 1), (0, 2), (-3, -1)):
        for name in ("proxconnect", "parq"):
            b: Binarizer = estimators.get(name, levels=levels)
            for progress in (0, 0.4, 1):
                report = audit(b.at(progress))
                assert report.passed, str(report)


def test_sign_swish_alone_is_the_bnn_pp_pair() -> None:
    b = estimators.get("bnn++", beta=3.0)
    assert b.forward == b.surrogate == SwishSign(3.0)


def test_three_levels_train_and_evaluate_but_do_not_pack(tmp_path: Path) -> None:
    """Weights between the levels while training, on them in eval mode; the refusal says what is wanted."""
    digits = data.load("digits").take(train=400, test=100)
    options = {"input_shape": (8, 8, 1), "width": 32, "weight_estimator": "proxconnect"}
    model = models.build("mlp", weight_parameters={"levels": (-1, 0, 1)}, **options)
    products = [p for _, p in model.layers() if isinstance(p, Product) and p.weight is not None]
    assert products
    for layer in products:
        layer.latent.value *= 4  # drawn narrow, all weights would go to 0
    config = train.Config(epochs=8, batch_size=50, lr=0.01)
    history = train.fit(model, digits, config)
    assert history.epochs[-1].loss < 0.7 * history.epochs[0].loss
    assert history.epochs[-1].test_accuracy > 0.5
    for layer in products:
        assert np.unique(layer.deployed_weight()[0]).tolist() == [-1, 0, 1]
    path, prepared = tmp_path / "net.safetensors", data.Preprocessing.fit(digits)
    train.save_model(path, model, prepared, digits.classes, history, config)
    images = prepared(digits.test_images[:7])
    np.testing.assert_array_equal(train.load_model(path).model(images), model(images))
    with pytest.raises(ValueError, match=r"weights deployed as signs.*\(Projection\)"):
        packed.pack(model)
