"""The tape: every call in order, every use of a value added up, every complaint with the layer's name."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref import autodiff
from bnn_ref.autodiff import Symbol, Tensor, ancestors, backward, steps, trace
from bnn_ref.layers import Add, BatchNorm, Composite, Layer, Linear, ReLU, Sequential
from bnn_ref.parameter import Parameter


class Times(Layer):
    """y = a * b, which remembers in what order its calls were walked back."""

    def __init__(self, log: list[str] | None = None, name: str = "") -> None:
        self.log, self.name = [] if log is None else log, name

    def forward(self, a: Any, b: Any) -> Any:
        return a * b, (a, b)

    def backward(self, dy: Any, cache: Any) -> Any:
        self.log.append(self.name)
        a, b = cache
        return dy * b, dy * a


class Answering(Layer):
    """A layer whose backward answers whatever it was given."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def forward(self, *xs: Any) -> Any:
        return sum(xs), None

    def backward(self, dy: Any, cache: Any) -> Any:
        return self.answer


def number(x: float) -> Tensor:
    return Tensor(np.array(float(x)))


# Values used several times


def test_a_diamond_by_hand() -> None:
    """y = (x a)(x b) with a = 3, b = 5 is 15 x^2; at x = 2 its slope is 60."""
    log: list[str] = []
    x = number(2)
    left, right = Times(log, "left")(x, np.array(3.0)), Times(log, "right")(x, np.array(5.0))
    y = Times(log, "top")(left, right)
    backward(y)
    assert y.value == 60
    assert (x.grad, left.grad, right.grad, y.grad) == (60, 10, 6, 1)
    assert log[0] == "top"
    assert sorted(log) == ["left", "right", "top"], "each call is walked back once"


@pytest.mark.parametrize("swapped", [False, True])
def test_a_value_is_pushed_on_only_after_all_its_uses_are_in(swapped: bool) -> None:
    """u is used by v and by y; whoever walks depth first, from either side, pushes u too early."""
    log: list[str] = []
    x = number(2)
    u = Times(log, "u")(x, x)
    v = Times(log, "v")(u, np.array(3.0))
    y = Times(log, "y")(*((v, u) if swapped else (u, v)))  # 3 x^4
    backward(y)
    assert log == ["y", "v", "u"]
    assert x.grad == 12 * 2**3


@given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), min_size=1, max_size=12))
def test_any_graph_of_products_is_a_power_of_its_input(edges: list[tuple[int, int]]) -> None:
    """Whatever is multiplied, the result is x^n with a known n, whose slope at x = 1 is n."""
    x = number(1)
    nodes, powers = [x], [1]
    for a, b in edges:
        a, b = a % len(nodes), b % len(nodes)
        nodes.append(Times()(nodes[a], nodes[b]))
        powers.append(powers[a] + powers[b])
    backward(nodes[-1])
    assert x.grad == powers[-1]
    order = [tensor.serial for tensor in ancestors(nodes[-1])]
    assert order == sorted(set(order), reverse=True)


def test_the_same_value_twice_in_one_call() -> None:
    x = number(3)
    backward(Add()(x, x), np.array(5.0))
    assert x.grad == 10
    backward(Times()(x, x))
    assert x.grad == 6


def test_a_long_chain_needs_no_recursion() -> None:
    x = number(1)
    y = x
    for _ in range(5000):
        y = Add()(y, x)
    backward(y)
    assert x.grad == 5001


# Backward again


def test_tensors_start_anew_and_parameters_add_up() -> None:
    """The difference is the contract: gradients of parameters are collected over many tapes."""
    layer = Linear(2, 2, rng=np.random.default_rng(0)).astype(np.float64)
    x = Tensor(np.ones((1, 2)))
    y = ReLU()(layer(x))
    once = []
    for _ in range(2):
        backward(y, np.ones((1, 2)))
        once.append((x.grad, layer.latent.grad, layer.bias.grad))
    (x1, w1, b1), (x2, w2, b2) = once
    np.testing.assert_array_equal(x2, x1)
    np.testing.assert_array_equal(w2, 2 * w1)
    np.testing.assert_array_equal(b2, 2 * b1)


def test_a_second_output_does_not_see_the_gradients_of_the_first() -> None:
    x = number(2)
    middle = Times()(x, np.array(3.0))
    one, two = Times()(middle, np.array(5.0)), Times()(middle, np.array(7.0))
    backward(one)
    backward(two)
    assert (middle.grad, x.grad) == (7, 21)
    assert one.grad == 1, "not an ancestor: its gradient stays"
    backward(middle)
    assert (middle.grad, x.grad) == (1, 3)


def test_a_composite_walks_its_own_tape_every_time() -> None:
    model = Sequential(BatchNorm(2), ReLU()).astype(np.float64)
    x = Tensor(np.random.default_rng(0).normal(size=(4, 2)))
    y = Sequential(model, model)(x)
    dy = np.random.default_rng(1).normal(size=(4, 2))
    backward(y, dy)
    first = x.grad
    backward(y, dy)
    np.testing.assert_array_equal(x.grad, first)


# Constants


def test_arrays_are_constants() -> None:
    x, constant = number(2), np.array(3.0)
    y = Times()(constant, x)
    backward(y)
    assert x.grad == 3
    assert y.call.inputs == (constant, x)
    assert ancestors(y) == [y, x]


def test_what_the_output_does_not_depend_on_gets_no_gradient() -> None:
    x, other = number(2), number(5)
    Times()(x, other)
    backward(Times()(x, np.array(1.0)))
    assert x.grad == 1
    assert other.grad is None


def test_an_output_that_is_an_input() -> None:
    x = number(2)
    backward(x, np.array(7.0))
    assert x.grad == 7


# Bad use


def test_a_gradient_is_required_unless_there_is_one_number() -> None:
    with pytest.raises(ValueError, match=r"dy: required for an output of shape \(3,\), got None"):
        backward(Tensor(np.ones(3)))
    single = Tensor(np.ones((1, 1), np.float32))
    backward(single)
    assert single.grad.tolist() == [[1]]
    assert single.grad.dtype == np.float32


@pytest.mark.parametrize("shape", [(2,), (1, 2), (3, 1), ()])
def test_a_gradient_of_another_shape_is_refused_and_changes_nothing(shape: tuple[int, ...]) -> None:
    x = Tensor(np.ones((3, 2)))
    y = Add()(x, x)
    backward(y, np.ones((3, 2)))
    with pytest.raises(ValueError, match=r"dy: required shape \(3, 2\), got"):
        backward(y, np.ones(shape))
    assert x.grad.tolist() == [[2, 2]] * 3


def test_a_layer_that_answers_another_shape_is_named() -> None:
    for answer in (np.ones(3), np.ones((2, 1)), np.ones(())):
        y = Answering(answer)(Tensor(np.ones(2)))
        with pytest.raises(ValueError, match=r"Answering.backward: required a gradient of shape \(2,\), got"):
            backward(y, np.ones(2))


@pytest.mark.parametrize("count", [1, 3])
def test_a_layer_that_answers_another_number_of_gradients_is_named(count: int) -> None:
    y = Answering((np.ones(2),) * count)(Tensor(np.ones(2)), Tensor(np.ones(2)))
    with pytest.raises(ValueError, match="Answering"):
        backward(y, np.ones(2))


@pytest.mark.parametrize("dy", [1.0, [1.0]])
def test_a_gradient_that_is_no_array_is_refused_or_taken(dy: Any) -> None:
    x = Tensor(np.ones(np.shape(dy)))
    try:
        backward(x, dy)
    except (TypeError, ValueError) as error:
        assert "dy" in str(error)  # noqa: PT017


def test_the_incoming_gradient_is_not_written_to() -> None:
    x, dy = Tensor(np.ones(2)), np.array([1.0, 2.0])
    dy.flags.writeable = False
    backward(Add()(Add()(x, x), x), dy)
    assert x.grad.tolist() == [3, 6]
    assert dy.tolist() == [1, 2]


def test_a_tape_lives_as_long_as_its_output() -> None:
    class Marked(np.ndarray):
        pass

    value = np.ones(2).view(Marked)
    alive = weakref.ref(value)
    y = Add()(Tensor(value), Tensor(value))
    del value
    gc.collect()
    assert alive() is not None
    del y
    gc.collect()
    assert alive() is None


def test_a_call_records_what_it_was_given() -> None:
    x, layer = number(2), Times()
    y = autodiff.call(layer, [x, x])
    assert (y.value, y.grad) == (4, None)
    assert (y.call.layer, y.call.inputs, y.call.cache) == (layer, (x, x), (x.value, x.value))


# Symbols


def test_symbols_write_the_structure_down_without_computing() -> None:
    rng = np.random.default_rng(0)
    first, relu, add, last = Linear(2, 2, rng=rng), ReLU(), Add(), Linear(2, 1, rng=rng)

    class Block(Composite):
        def __init__(self) -> None:
            self.parts = [first, relu, add]

        def compute(self, x: Any) -> Any:
            return add(relu(first(x)), x)

    source = Symbol()
    flat = steps(Sequential(Block(), last)(source))
    assert [symbol.layer for symbol in flat] == [None, first, relu, add, last]
    assert flat[0] is source
    assert flat[3].inputs == (flat[2], source)
    seen: set[int] = set()
    for symbol in flat:
        assert all(id(part) in seen for part in symbol.inputs), "inputs first"
        seen.add(id(symbol))


def test_a_symbol_used_twice_is_one_step() -> None:
    x, add = Symbol(), Add()
    y = add(add(x, x), x)
    assert [symbol.layer for symbol in steps(y)] == [None, add, add]
    assert steps(x) == [x]


def test_a_model_is_traced_from_its_input_to_its_output() -> None:
    relu, add = ReLU(), Add()
    x, y = trace(lambda x: add(relu(x), x))
    assert [symbol.layer for symbol in steps(y)] == [None, relu, add]
    assert steps(y)[0] is x


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (lambda x: x + 1, "model: required one that only calls layers on its input: .*Symbol"),
        (lambda x: x.mean(), "model: required one that only calls layers on its input: .*mean"),
        (lambda x: (x, x), "model: required one with one output, got tuple"),
    ],
)
def test_a_model_that_does_more_cannot_be_traced(model: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        trace(model)


def test_a_constant_among_symbols() -> None:
    assert len(steps(Add()(Symbol(), np.ones(2)))) >= 2


def test_parameters_are_not_on_the_tape() -> None:
    layer = Linear(2, 2, rng=np.random.default_rng(0))
    y = layer(Tensor(np.ones((1, 2))))
    assert not any(isinstance(part, Parameter) for part in y.call.inputs)
    assert len(ancestors(y)) == 2


class Counting(Layer):
    """y = x p, which counts how often it was asked for the input's gradient."""

    def __init__(self) -> None:
        self.p, self.asked = Parameter(np.full(2, 3.0), "p"), 0

    def forward(self, x: Any) -> Any:
        return x * self.p.value, x

    def backward(self, dy: Any, cache: Any) -> Any:
        self.asked += 1
        self.backward_parameters(dy, cache)
        return dy * self.p.value

    def backward_parameters(self, dy: Any, cache: Any) -> None:
        self.p.accumulate(dy * cache)


@pytest.mark.parametrize("depth", [0, 1, 2])
@pytest.mark.parametrize("wanted", [True, False])
def test_an_unwanted_gradient_is_not_computed(wanted: bool, depth: int) -> None:
    """In a composite of any depth; the second is always asked, for the first one's parameters."""
    first, second = Counting(), Counting()
    model: Layer = Sequential(first, second)
    for _ in range(depth):
        model = Sequential(model)
    x = Tensor(np.array([1.0, 2.0]), wanted=wanted)
    backward(model(x), np.ones(2))
    assert (first.asked, second.asked) == (int(wanted), 1)
    assert first.p.grad.tolist() == second.p.grad.tolist() == [3, 6]
    assert (x.grad is not None) == wanted
    if wanted:
        assert x.grad.tolist() == [9, 9]


def test_a_composite_keeps_caches_and_no_values() -> None:
    model = Sequential(Counting(), Counting())
    x = np.arange(2.0)
    y, (inputs, output) = model.forward(x)
    assert y.tolist() == [0, 9]
    for tensor in autodiff.ancestors(output):
        assert tensor.value.shape == (2,)
        assert tensor.value.strides == (0,)
    assert model.backward(np.ones(2), (inputs, output)).tolist() == [9, 9]
    assert all(tensor.grad is None for tensor in autodiff.ancestors(output))
    assert model.backward(np.ones(2), (inputs, output)).tolist() == [9, 9]


def test_a_gradient_that_was_passed_on_can_be_let_go() -> None:
    """What is left are those of the tape's inputs, the same."""
    x = Tensor(np.array([1.0, -2.0]))
    middle = autodiff.call(Add(), [x, x])
    output = autodiff.call(Add(), [middle, x])
    backward(output, np.array([1.0, 10.0]), keep=False)
    assert middle.grad is None
    assert output.grad is None
    np.testing.assert_array_equal(x.grad, [3, 30])
