"""What a binarizer deploys, held against the levels that it claims and the scale they may have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from bnn_ref.auditing.claims import deployment_checks
from bnn_ref.binarizer import Binarizer, Compose, Constant, Detach, Map, MeanAbs, Scaled, Sign
from bnn_ref.estimators.proximal import Polyline
from bnn_ref.estimators.quantizers import ProximalQuantizer
from bnn_ref.estimators.ste import Identity, Tanh
from bnn_ref.parameter import Array

X = np.random.default_rng(0).normal(size=(3, 3, 2, 4))
X[..., 0] = 0  # a filter of zeros: its scale is 0


@dataclass(frozen=True)
class Reads(Map):
    """A scale that is any function of the tensor."""

    function: Callable[[Array], Array]
    whole = True

    def __call__(self, x: Array) -> Array:
        return self.function(x)


def deployed(rule: Map) -> dict[str, bool]:
    found = deployment_checks(Binarizer(Sign(), Identity(), rule), X, Sign()(X))
    return {check.name: check.passed for check in found}


@pytest.mark.parametrize(
    "rule",
    [
        Sign(),
        Scaled(MeanAbs(), Sign()),
        Scaled(MeanAbs(per_channel=False), Sign()),
        Scaled(Constant(2.0), Sign()),
        Compose((Tanh(), Sign())),
    ],
)
def test_signs_times_one_positive_number_a_channel_pass(rule: Map) -> None:
    assert deployed(rule) == {
        "deployed values are -1 or +1": True,
        "deployed is the level nearest to the trained value": True,
    }


@pytest.mark.parametrize(
    "scale",
    [
        Reads(lambda x: np.abs(x) + 0.1),
        Reads(lambda x: np.abs(x).mean(axis=(1, 2, 3), keepdims=True)),
        Reads(lambda x: -np.abs(x).mean(axis=(0, 1, 2), keepdims=True)),
        Constant(-1.0),
        Constant(0.0),
    ],
    ids=["each its own", "one a row", "negative ones", "a negative one", "none"],
)
def test_other_scales_fail(scale: Map) -> None:
    assert not deployed(Scaled(scale, Sign()))["deployed values are -1 or +1"]


def test_one_number_a_channel_is_for_rules_that_read_the_weight() -> None:
    @dataclass(frozen=True)
    class Local(Reads):
        whole = False

    assert deployed(Scaled(Reads(lambda x: np.arange(1, 5.0)), Sign()))["deployed values are -1 or +1"]
    assert not deployed(Scaled(Local(lambda x: np.arange(1, 5.0)), Sign()))["deployed values are -1 or +1"]


def test_levels_under_a_scale_are_not_those_of_what_holds_it() -> None:
    scaled = Scaled(MeanAbs(), Sign())
    assert scaled.levels == Sign().levels == Detach(Sign()).levels == (-1, 1)
    for holder in (
        Compose((Tanh(), scaled)),
        Detach(scaled),
        Scaled(MeanAbs(), scaled),
        Binarizer(scaled, Tanh()),
    ):
        assert holder.levels is None
        assert not holder.binary


@pytest.mark.parametrize(("middle", "right"), [(0.5, True), (0.45, False), (0.55, False)])
def test_levels_are_deployed_where_the_trained_value_is_nearest(middle: float, right: bool) -> None:
    """Three levels behind a soft forward: thresholds a little off are found, though no sign is wrong."""
    steps = ((-middle, -1.0), (-middle, 0.0), (middle, 0.0), (middle, 1.0))
    soft = ProximalQuantizer((-1, 0, 1), rho=0.1)
    x = np.linspace(-2, 2, 999)
    found = deployment_checks(Binarizer(soft, Identity(), Polyline(steps)), x, soft(x))
    assert {check.name: check.passed for check in found} == {
        "deployed values are -1 or +0 or +1": True,
        "deployed is the level nearest to the trained value": right,
    }
