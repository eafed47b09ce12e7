"""Plans: what they compute together, where they put it, and that it is what the steps compute."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from packed_nets import assert_same_bits, build, chains, grouped, inputs, networks, signs

from bnn_ref.kernels import pack_signs
from bnn_ref.layers import BatchNorm, Conv2d, Layer, Linear, OutputScale, PReLU, ReLU, RPReLU, Sequential
from bnn_ref.packed import pack
from bnn_ref.packed.fusing import Fusing
from bnn_ref.packed.graph import Graph
from bnn_ref.packed.plan import Plan
from bnn_ref.packed.storage import Answers, Bits, Storage
from bnn_ref.parameter import Array

RNG = np.random.default_rng(0)


def graph_of(name: str, **options: object) -> Graph:
    return pack(build(name, **options).eval()).graph


def forms(graph: Graph) -> list[str]:
    return [one.ops for one in Fusing(graph).passes.values()]


@given(st.one_of(networks(), chains(), grouped()), st.integers(1, 3))
def test_equal_to_the_steps(drawn: tuple[Layer, Array], count: int) -> None:
    """Every number of images at a time; twice, for the buffers are used again."""
    model, x = drawn
    graph = pack(model).graph
    plan, expected = Plan(graph, x.shape[1:], count), graph.run(x).astype(np.float32)
    assert_same_bits(expected, model(x))
    assert_same_bits(plan(x), expected)
    assert_same_bits(plan(x[::-1])[::-1], expected)


@given(st.one_of(networks(), chains()))
def test_every_step_is_computed_once(drawn: tuple[Layer, Array]) -> None:
    graph = pack(drawn[0]).graph
    fusing = Fusing(graph)
    inside = [value for one in fusing.passes.values() for value in one.steps]
    assert len(inside) == len(set(inside))
    assert all(fusing.when(value) <= value for value in range(1, len(graph.nodes) + 1))


def test_a_bi_real_network_is_a_pass_a_block() -> None:
    """Convolution, scale, batch norm, shortcut, and the signs of the next block.

    Where a stage begins the real shortcut comes last, and takes the block's result as its residual.
    """
    plain, scaled = forms(graph_of("bireal-18")), forms(graph_of("bireal-18", scale="channel"))
    assert plain == ["*+f", "*+rfb", "*+rfb", "*+f", "*+rfb", "*+rf", "*+f"]
    assert scaled == ["*+f", "*+*+rfb", "*+*+rfb", "*+*+f", "*+rfb", "*+*+rf", "*+f"]


def test_the_forms_of_other_networks() -> None:
    assert "t" in forms(graph_of("vgg-small"))
    assert "*+r+p+f" in forms(graph_of("reactnet-18"))


def _block(norms: int, last: Layer) -> Iterator[Layer]:
    yield Conv2d(3, 4, 1, rng=RNG, bias=True)
    yield from (BatchNorm(4).eval() for _ in range(norms))
    yield last


@pytest.mark.parametrize(
    ("norms", "last", "ops"),
    [
        (1, ReLU(), "*+*+f"),  # the bias takes a pair of its own
        (3, ReLU(), "*+*+f"),  # what does not fit is a step
        (0, RPReLU(4), "*+*+f"),
    ],
)
def test_what_a_form_has_room_for(norms: int, last: Layer, ops: str) -> None:
    model = Sequential(*_block(norms, last)).eval()
    graph = pack(model).graph
    x = inputs(RNG, (2, 3, 3, 3))
    np.testing.assert_array_equal(Plan(graph, (3, 3, 3))(x), model(x))
    assert len(forms(graph)[0]) <= len("*+*++p+f")


@pytest.mark.parametrize("bend", [OutputScale(3, case=1), PReLU(3)])
def test_a_zero_keeps_its_sign(bend: Layer) -> None:
    """What a form has no use for adds nothing to -0.0: neither behind a scale, nor around a PReLU."""
    hard = signs()
    model = Sequential(Conv2d(2, 3, 1, rng=RNG, activation=hard, weight=hard), bend).eval()
    for parameter in bend.parameters():
        parameter.value = np.array([-1, 1, -0.0], np.float32)
    x = np.array([[[[1, -1], [1, 1]]]], np.float32)
    y = model(x)
    assert ((y == 0) & np.signbit(y)).any()
    assert_same_bits(Plan(pack(model).graph, x.shape[1:])(x), y)


@pytest.mark.parametrize("padding", [0, 1])
def test_integers_that_feed_a_real_product(padding: int) -> None:
    hard = signs()
    binary = Conv2d(3, 5, 1, rng=RNG, activation=hard, weight=hard, bias=False)
    model = Sequential(binary, Conv2d(5, 4, 3, padding=padding, rng=RNG)).eval()
    x = inputs(RNG, (2, 4, 3, 3))
    np.testing.assert_array_equal(Plan(pack(model).graph, x.shape[1:])(x), model(x))


@given(
    st.integers(1, 40),
    st.sampled_from([5, 16, 24, 32, 48, 80, 100]),
    st.sampled_from([8, 12, 16, 28]),
    st.integers(0, 2),
    st.integers(1, 2),
)
def test_a_real_product_of_rows_that_share_words(
    c: int, f: int, width: int, padding: int, count: int
) -> None:
    """A wide row is summed up in another order: the same one in eval mode and packed."""
    rng = np.random.default_rng(f)
    real = Conv2d(c, f, 3, padding=padding, rng=rng)
    model = Sequential(real, Conv2d(f, 3, 1, rng=rng, activation=signs(), weight=signs())).eval()
    x = rng.normal(size=(3, 4, width + 2 - 2 * padding, c)).astype(np.float32)
    assert_same_bits(Plan(pack(model).graph, x.shape[1:], count)(x), model(x))
    alone = Sequential(real).eval()
    assert_same_bits(Plan(pack(alone).graph, x.shape[1:], count)(x), alone(x))


def test_the_result_takes_the_place_of_its_residual() -> None:
    plan = Plan(graph_of("bireal-18"), (28, 28, 1))
    numbers = [value for value in plan.values.values() if not isinstance(value, Bits)]
    assert len({id(value) for value in numbers}) < len(numbers)
    plan = Plan(graph_of("bireal-18", shortcut="plain"), (28, 28, 1))
    numbers = [value for value in plan.values.values() if not isinstance(value, Bits)]
    assert len({id(value) for value in numbers}) == len(numbers)


def test_what_comes_in_and_goes_out_is_the_callers() -> None:
    """Whole vectors are read and written where the caller has them: once, and they are let go."""
    hard = signs()
    layer = Conv2d(16, 32, 3, padding=1, rng=RNG, activation=hard, weight=hard, bias=False)
    model = Sequential(layer, BatchNorm(32)).eval()
    plan = Plan(pack(model).graph, (4, 3, 16), count=2)
    assert plan.straight_in
    assert plan.straight_out is not None
    x = inputs(RNG, (3, 4, 3, 16))
    x.flags.writeable = False
    y, other = plan(x), plan(-x)
    np.testing.assert_array_equal(y, model(x))
    np.testing.assert_array_equal(other, model(-x))
    assert not plan.given.size
    assert not np.shares_memory(plan.straight_out.work.reals, other)


def test_the_memory_of_an_answer_is_used_again_when_nobody_has_it() -> None:
    answers = Answers()
    first = answers.take((2, 3))
    first[:] = 1
    view, memory = first[1:].T, id(answers.memory)
    del first
    second = answers.take((2, 3))  # somebody still has a view of the first
    second[:] = 2
    assert (view == 1).all()
    assert id(answers.memory) != memory
    memory = id(answers.memory)
    del second
    assert answers.take((3, 2)).shape == (3, 2)
    assert id(answers.memory) == memory
    assert answers.take((900,)).ctypes.data % 64 == 0
    assert answers.take((1,)).shape == (1,)
    assert answers.memory.nbytes < 128  # what was larger is let go


def test_bytes() -> None:
    graph = graph_of("bireal-small")
    one, four = Plan(graph, (28, 28, 1), 1), Plan(graph, (28, 28, 1), 4)
    buffers = sum({id(v.cells): v.cells.nbytes for v in one.values.values()}.values())
    assert buffers < one.nbytes < four.nbytes < one.nbytes + 3 * 1.1 * buffers


def test_a_shape_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"parts\.0 \(real_linear\)"):
        Plan(pack(Sequential(Linear(4, 2, rng=RNG))).graph, (5,))


def test_a_nan_is_named_as_the_steps_name_it() -> None:
    """inf - inf, in registers: the pass only knows that it happened."""
    hard = signs()
    binary = Conv2d(2, 2, 1, rng=RNG, activation=hard, weight=hard, bias=False)
    huge, back = BatchNorm(2).eval(), BatchNorm(2).eval()
    huge.gamma.value[:] = np.finfo(np.float32).max
    back.gamma.value[:] = 0
    model = Sequential(Conv2d(2, 2, 1, rng=RNG, bias=False), huge, back, binary)
    graph = pack(model).graph
    assert forms(graph)[0] == "*+*+b"
    with np.errstate(all="ignore"), pytest.raises(ValueError, match=r"pack_signs\).*NaN at index"):
        Plan(graph, (1, 1, 2))(np.full((1, 1, 1, 2), 1e30, np.float32))


@given(st.integers(1, 3), st.integers(1, 4), st.integers(1, 70), st.integers(0, 2), st.booleans())
def test_storage_gives_back_what_it_took(n: int, size: int, channels: int, margin: int, flat: bool) -> None:
    shape = (size, channels) if flat else (size, 3, channels)
    values = RNG.normal(size=(n, *shape)).astype(np.float32)
    numbers = Storage.of(n + 1, shape, np.float32, margin)
    numbers.write(values)
    np.testing.assert_array_equal(numbers.read(n), values)
    assert np.count_nonzero(numbers.cells) == values.size  # the rest is still zero
    bits = Bits.of(n + 1, shape, np.uint32, margin)
    bits.write(pack_signs(values))
    np.testing.assert_array_equal(bits.read(n), pack_signs(values))
    assert np.bitwise_count(bits.cells).sum() == (values >= 0).sum()
    around = bits.beside(margin, 1)
    around.inner[:] = bits.inner
    np.testing.assert_array_equal(around.read(n), pack_signs(values))
    outside = bits.cells[0, ..., 0].size - bits.inner[0, ..., 0].size
    added = np.bitwise_count(around.cells).sum() - np.bitwise_count(bits.cells).sum()
    assert added == (n + 1) * outside * channels
