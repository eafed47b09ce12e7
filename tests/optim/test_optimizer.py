"""What all optimizers share: decay, clipping, which parameters they touch, and their memory."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref.optim import OPTIMIZERS, RULES, SGD, Adam, Optimizer
from bnn_ref.parameter import Parameter

Run = Callable[..., list[Any]]
One = Callable[..., Parameter]
# Bop's own file has what it does to latent weights in place of clipping, that of proximal ones what they add
CLIPPING = [*RULES.values(), partial(SGD, nesterov=True)]
MAKERS = [*OPTIMIZERS.values(), lambda *args, **options: SGD(*args, nesterov=True, **options)]


def test_decay_alone_shrinks_geometrically(run: Run, one: One) -> None:
    optimizer = SGD([one([8.0, -4.0])], 0.5, momentum=0.0, weight_decay=0.25)
    found = run(optimizer, lambda x: np.zeros(2), 6)
    np.testing.assert_array_equal(found, [[8 * 0.875**n, -4 * 0.875**n] for n in range(7)])


@pytest.mark.parametrize("make", MAKERS)
def test_decay_is_a_gradient_of_half_the_square(run: Run, one: One, make: Any) -> None:
    inside = run(make([one([3.0, -2.0])], 0.1, weight_decay=0.5), lambda x: np.sin(x), 5)
    outside = run(make([one([3.0, -2.0])], 0.1), lambda x: np.sin(x) + 0.5 * x, 5)
    np.testing.assert_array_equal(inside, outside)


@pytest.mark.parametrize("make", CLIPPING)
@given(values=st.lists(st.floats(-3, 3), min_size=4, max_size=4), clip=st.floats(0.1, 2))
def test_clipping_bounds_latent_weights_and_no_others(
    run: Run, one: One, make: Any, values: list[float], clip: float
) -> None:
    gradient = np.cos
    free = run(make([one(values)], 0.3, clip=None), gradient, 1)[-1]
    assert np.array_equal(run(make([one(values)], 0.3, clip=clip), gradient, 1)[-1], free)
    bounded = run(make([one(values, latent=True)], 0.3, clip=clip), gradient, 1)[-1]
    np.testing.assert_array_equal(bounded, [min(max(value, -clip), clip) for value in free])


@pytest.mark.parametrize("make", CLIPPING)
@pytest.mark.parametrize(("shape", "fans"), [((2, 4), 6), ((3, 3, 2, 4), 54), ((5, 5, 6, 1), 175)])
def test_glorot_s_update_is_a_longer_way_to_the_same_new_weight(
    run: Run, make: Any, shape: tuple[int, ...], fans: int
) -> None:
    """W + r (new W - W), r = 1 / sqrt(1.5 / fans), then the clip; what is not latent moves as ever."""
    start, r = np.random.default_rng(0).normal(size=shape) / 9, 1 / np.sqrt(1.5 / fans)

    def moved(latent: bool, **options: Any) -> Any:
        return run(make([Parameter(start, "w", latent=latent)], 0.01, **options), np.cos, 1)[-1]

    free = moved(True)
    np.testing.assert_allclose(moved(True, glorot=True), start + r * (free - start), rtol=1e-12)
    np.testing.assert_array_equal(moved(False, glorot=True), free)
    clipped = moved(True, glorot=True, clip=0.1)
    np.testing.assert_array_equal(clipped, np.clip(moved(True, glorot=True), -0.1, 0.1))
    assert np.abs(moved(True, glorot=True) - free).max() > 1e-3


@pytest.mark.parametrize("make", MAKERS)
def test_glorot_s_update_needs_fans(one: One, make: Any) -> None:
    make([one([1.0])], 0.1, glorot=True)
    with pytest.raises(ValueError, match=r"glorot: required latent weights \(\.\.\., C, F\)"):
        make([one([1.0], latent=True)], 0.1, glorot=True)


@pytest.mark.parametrize("make", MAKERS)
def test_a_parameter_without_gradient_is_left_alone(one: One, make: Any) -> None:
    moved, still = one([1.0]), one([9.0], latent=True)
    optimizer = make([still, moved], 0.1, weight_decay=0.1, clip=1.0)
    moved.accumulate(np.array([1.0]))
    optimizer.step()
    assert still.value == 9  # neither decayed nor clipped
    assert moved.value != 1
    assert {key.partition(".")[0] for key in optimizer.state_dict()} == {"1"}


@pytest.mark.parametrize("make", MAKERS)
def test_arrays_that_others_hold_do_not_change(one: One, make: Any) -> None:
    parameter = one([1.0, 2.0], latent=True)
    optimizer = make([parameter], 0.1, weight_decay=0.1, clip=1.0)
    for _ in range(3):
        value, grad = parameter.value, np.array([0.5, -0.5])
        parameter.grad = grad
        optimizer.step()
        assert parameter.value is not value
        np.testing.assert_array_equal(grad, [0.5, -0.5])
    value.flags.writeable = grad.flags.writeable = False
    optimizer.step()


@pytest.mark.parametrize("make", MAKERS)
@given(before=st.integers(0, 4), after=st.integers(1, 4))
def test_a_new_optimizer_goes_on_from_the_memory_of_the_old(
    run: Run, one: One, make: Any, before: int, after: int
) -> None:
    whole = run(make([one([3.0, -2.0])], 0.1), np.sin, before + after)
    first = make([one([3.0, -2.0])], 0.1)
    parted = run(first, np.sin, before)
    second = make([one(parted[-1])], 0.1)
    second.load_state_dict(first.state_dict())
    np.testing.assert_array_equal(run(second, np.sin, after)[-1], whole[-1])


@pytest.mark.parametrize("make", MAKERS)
def test_memory_is_copied_on_its_way_out_and_in(run: Run, one: One, make: Any) -> None:
    optimizer = make([one([3.0, -2.0])], 0.1)
    run(optimizer, np.sin, 2)
    out = optimizer.state_dict()
    kept = {key: value.copy() for key, value in out.items()}
    for value in out.values():
        value[...] = 99
    incoming = optimizer.state_dict()
    optimizer.load_state_dict(incoming)
    for value in incoming.values():
        value[...] = 99
    for key, value in optimizer.state_dict().items():
        np.testing.assert_array_equal(value, kept[key])
        assert value.dtype == kept[key].dtype


GOOD = {"0.steps": np.array(1), "0.first": np.zeros(2), "0.second": np.zeros(2)}


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"0.velocity": np.zeros(2)}, r"state: required PARAMETER\.SLOT with a slot of first, second, steps"),
        ({**GOOD, "1.steps": np.array(1)}, "got '1.steps'"),
        ({**GOOD, "-1.steps": np.array(1)}, "got '-1.steps'"),
        ({**GOOD, "00.steps": np.array(1)}, "got '00.steps'"),
        ({**GOOD, "steps": np.array(1)}, "got 'steps'"),
        ({**GOOD, "0.first": np.zeros(3)}, r"state\['0.first'\]: required shape \(2,\), got \(3,\)"),
        ({**GOOD, "0.steps": np.zeros(2)}, r"state\['0.steps'\]: required shape \(\), got \(2,\)"),
        ({"0.steps": np.array(1), "0.first": np.zeros(2)}, "state: required '0.second' beside"),
    ],
)
def test_a_foreign_memory_is_refused_and_changes_nothing(
    run: Run, one: One, state: dict[str, Any], message: str
) -> None:
    optimizer = Adam([one([3.0, -2.0])], 0.1)
    run(optimizer, np.sin, 2)
    before = optimizer.state_dict()
    with pytest.raises(ValueError, match=message):
        optimizer.load_state_dict(state)
    for key, value in optimizer.state_dict().items():
        np.testing.assert_array_equal(value, before[key])


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize(
    ("argument", "value"),
    [
        *(("lr", value) for value in (0.0, -1.0, float("nan"))),
        *(("weight_decay", value) for value in (-1e-9, float("nan"))),
        *(("clip", value) for value in (0.0, -1.0, float("nan"))),
    ],
)
def test_numbers_out_of_range_are_named(one: One, make: Any, argument: str, value: float) -> None:
    with pytest.raises(ValueError, match=rf"{argument}: required a number .*, got {value}"):
        make([one([0.0])], **{argument: value})


def test_the_base_says_that_it_has_no_rule(one: One) -> None:
    parameter = one([1.0])
    parameter.accumulate(np.array([1.0]))
    with pytest.raises(TypeError, match="Optimizer has no direction"):
        Optimizer([parameter], 0.1).step()
