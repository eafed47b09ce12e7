"""The twins that our steps are timed against: the same losses and gradients as ours."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from analysis.training_speed import passes, twin
from analysis.training_speed.networks import Case, Ours
from bnn_ref import estimators
from bnn_ref.autodiff import Tensor, backward

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("layout", ["channels_last", "nchw"])
@pytest.mark.parametrize("estimator", ["clipped-ste", "approxsign"])
@pytest.mark.parametrize("name", ["cnn", "vgg-small", "resnet-20", "vit-tiny"])
def test_one_step(name: str, estimator: str, layout: str) -> None:
    """Two blocks deep: further on, rounding turns signs around and gradients part."""
    shallow = {"resnet-20": {"blocks": [1, 1]}, "vit-tiny": {"depth": 2}}
    options = {"width": 8} | shallow.get(name, {})
    case = Case(name, (8, 8, 1), 4, options)
    ours, theirs = Ours(case, estimator), twin.Twin(case, estimator, layout)
    backward(ours.loss(ours.model(Tensor(ours.images, wanted=False)), ours.labels))
    sums = sorted(float(abs(parameter.grad).sum()) for parameter in ours.model.parameters())
    assert ours.loss(ours.model(ours.images), ours.labels) == pytest.approx(theirs(), rel=1e-5)
    theirs_sums = sorted(float(abs(tensor.grad).sum()) for tensor in theirs.parameters)
    np.testing.assert_allclose(sums, theirs_sums, rtol=1e-3, atol=1e-4)


def test_the_released_form_has_the_slope_of_approxsign() -> None:
    x = torch.linspace(-2, 2, 41, requires_grad=True)
    (slope,) = torch.autograd.grad(passes.released(torch, x).sum(), x)
    expected = estimators.get("approxsign").backward(x.detach().numpy(), np.ones(41, np.float32))
    np.testing.assert_allclose(slope.numpy(), expected, atol=1e-6)


@pytest.mark.parametrize("name", passes.ROWS)
def test_passes_answer_alike(name: str) -> None:
    ours, theirs = passes.ours(name, 10**4)(), passes.theirs(name, 10**4)()
    assert np.ptp(ours) > 1
    np.testing.assert_allclose(ours, theirs, atol=passes.TOLERANCE)


@pytest.mark.parametrize("side", ["torch", "torch, kept"])
def test_passes_in_processes(side: str) -> None:
    found = passes.slope("clipped-ste", 10**5, side, 3)
    assert 0 < found.low <= found.ratio <= found.high
