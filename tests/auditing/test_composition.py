"""Level 2 itself: two derivatives agree, users' objects are left alone, worst elements are named."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref import estimators, models
from bnn_ref.auditing import audit, audit_layer, audit_model, residual_net
from bnn_ref.basepoint import record, replay
from bnn_ref.binarizer import Binarizer, Sign
from bnn_ref.estimators.ste import GradientClip
from bnn_ref.layers import (
    CHANNEL_SCALE,
    Conv2d,
    Layer,
    Linear,
    MeanSquaredError,
    SoftmaxCrossEntropy,
    SquaredHinge,
)
from bnn_ref.parameter import Array


def recentred(layer: Layer, x: Array, direction: Array, h: float) -> float:
    """sum(y) of the re-centred layer by real central differences: the second opinion."""
    with record() as point:
        layer.forward(x)
    with replay(point):
        above = layer.forward(x + h * direction)[0].sum()
    with replay(point):
        below = layer.forward(x - h * direction)[0].sum()
    return float((above - below) / (2 * h))


@pytest.mark.parametrize("name", ["clipped-ste", "approxsign", "fda", "reste", "bnn++"])
def test_finite_differences_of_the_recentred_network_agree(name: str) -> None:
    net, images, _ = residual_net(name)
    net.astype(np.float64)
    direction = np.random.default_rng(0).normal(size=images.shape)
    y, cache = copy.deepcopy(net).forward(images)
    tested = copy.deepcopy(net)
    _, cache = tested.forward(images)
    dx = tested.backward(np.ones_like(y), cache)
    slope = recentred(copy.deepcopy(net), images, direction, 1e-6)
    assert np.isclose(slope, (dx * direction).sum(), rtol=1e-5, atol=1e-7)


def test_recentred_forward_keeps_the_hard_values() -> None:
    net, images, _ = residual_net("clipped-ste")
    net.astype(np.float64)
    plain = copy.deepcopy(net)(images)
    with record() as point:
        recorded = copy.deepcopy(net)(images)
    with replay(point):
        replayed = copy.deepcopy(net)(images)
    assert np.array_equal(plain, recorded)
    assert np.allclose(plain, replayed, rtol=0, atol=1e-12)


SMALL: dict[str, dict[str, Any]] = {
    "mlp": {"width": 6},
    "cnn": {"width": 3},
    "bireal-small": {"widths": [3, 4], "blocks": [1, 1]},
    "resnet-20": {"width": 2, "blocks": [1, 1]},
    "vgg-small": {"width": 2},
    **{f"reactnet-{name}": {"width": 2, "blocks": [1, 2]} for name in ("18", "small", "a")},
    # one stage: behind a second, whose first block has norms alone, the stem's beta has no effect
    "real-to-binary": {"width": 2, "blocks": [3]},
}
POSE = [name for name in models.names() if "joints" in models.options(name)]
"""They answer with maps: `tests/models/test_pose.py` audits them."""
for name in set(models.names()) - set(SMALL) - set(POSE):
    blocks = "blocks" in models.options(name)
    SMALL[name] = (
        {"width": 2, "blocks": [2, 2]} if blocks else {"width": 4, "heads": 2, "depth": 2, "patch": 4}
    )


@pytest.mark.parametrize(("loss", "scale"), [(SoftmaxCrossEntropy(), "channel"), (SquaredHinge(), "tensor")])
@pytest.mark.parametrize("name", [name for name in models.names() if name not in POSE])
def test_every_model_passes_with_every_loss_and_scale(name: str, loss: Layer, scale: str) -> None:
    model = models.build(name, input_shape=(8, 8, 2), classes=3, scale=scale, **SMALL[name])
    rng = np.random.default_rng(0)
    report = audit_model(model, loss, rng.normal(size=(4, 8, 8, 2)), rng.integers(0, 3, 4))
    assert report.passed, str(report)


def test_a_target_may_be_an_image() -> None:
    """Of real numbers, in the precision of each pass."""
    rng = np.random.default_rng(0)
    net = Conv2d(2, 3, 3, rng=rng)
    x, target = rng.normal(size=(2, 5, 5, 2)), rng.normal(size=(2, 3, 3, 3))
    report = audit_model(net, MeanSquaredError(), x, target)
    assert report.passed, str(report)
    assert target.dtype == np.float64


def test_the_audited_model_is_not_changed() -> None:
    net, images, labels = residual_net("approxsign")
    before = net.state_dict()
    audit_model(net, SoftmaxCrossEntropy(), images, labels)
    after = net.state_dict()
    assert all(
        np.array_equal(before[key], after[key]) and before[key].dtype == after[key].dtype for key in before
    )
    assert all(parameter.grad is None for parameter in net.parameters())


@given(
    stride=st.integers(1, 3),
    padding=st.integers(0, 2),
    kernel=st.integers(1, 3),
    scale=st.booleans(),
    bias=st.booleans(),
    name=st.sampled_from(estimators.names()),
    seed=st.integers(0, 9),
)
def test_convolutions_of_every_form_pass(
    stride: int, padding: int, kernel: int, scale: bool, bias: bool, name: str, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    b = estimators.get(name)
    layer = Conv2d(
        2, 3, kernel, stride=stride, padding=padding, bias=bias, activation=b, weight=b,
        scale=CHANNEL_SCALE if scale else None, rng=rng,
    )  # fmt: skip
    report = audit_layer(layer, rng.integers(-2, 3, (2, 5, 4, 2)).astype(float))
    assert report.passed, str(report)


def test_worst_element_is_named() -> None:
    class OneWrong(Linear):
        def weight_grad(self, dy: Array, x: Array, w: Array) -> Array:
            dw = super().weight_grad(dy, x, w).copy()
            dw[3, 1] += 0.5
            return dw

    rng = np.random.default_rng(0)
    report = audit_layer(OneWrong(5, 4, rng=rng), rng.normal(size=(6, 5)))
    assert [check.name for check in report.failures] == ["gradient to latent"]
    assert report.failures[0].worst.startswith("at (3, 1): required ")


@dataclass(frozen=True)
class NotReallyNonlinear(GradientClip):
    """Claims that it has no T, but passes the gradient as it is."""

    def vjp(self, x: Array, dy: Array) -> Array:
        return dy.copy()

    declared_vjp = vjp


def test_a_map_that_is_linear_after_all_is_found_out() -> None:
    rule = Binarizer(Sign(), NotReallyNonlinear())
    layer = Linear(4, 3, rng=np.random.default_rng(0), activation=rule)
    for report in (audit(rule), audit_layer(layer, np.random.default_rng(0).normal(size=(5, 4)))):
        names = [check.name for check in report.failures]
        assert names
        assert all(name.endswith(", as claimed") and "not linear" in name for name in names)


def test_integer_targets_pass_through_and_float_targets_are_checked() -> None:
    rng = np.random.default_rng(0)
    report = audit_layer(MeanSquaredError(), rng.normal(size=(3, 2)), rng.normal(size=(3, 2)))
    assert {"gradient to input 0", "gradient to input 1"} <= {check.name for check in report.checks}
    assert report.passed
