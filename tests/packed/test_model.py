"""The packed model as an object: what it takes, what it leaves alone, how much it holds."""

from __future__ import annotations

import json
import os
import tracemalloc
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
from packed_nets import PACKED, build, inputs, perturb, signs

from bnn_ref.data import Preprocessing
from bnn_ref.kernels import threads
from bnn_ref.layers import BatchNorm, Conv2d, Flatten, Layer, Linear, ReLU, Sequential
from bnn_ref.packed import pack
from bnn_ref.packed.model import CHUNK
from bnn_ref.packed.plan import Plan
from bnn_ref.packed.plans import KEPT, Plans
from bnn_ref.packed.product import Product
from bnn_ref.parameter import Array

CONSTANTS = Preprocessing(255, (0.25,), (0.5,), (8, 8, 1))


def net(name: str = "cnn", **options: Any) -> Layer:
    model = build(name, input_shape=(8, 8, 1), **options)
    perturb(model, np.random.default_rng(0))
    return model


def draw(n: int, seed: int = 0) -> Array:
    return inputs(np.random.default_rng(seed), (n, 8, 8, 1))


@pytest.mark.parametrize(
    ("x", "reason"),
    [
        (np.zeros((1, 8, 8, 1)), "float32.*float64"),
        (np.zeros((1, 8, 8, 1), np.uint8), "float32.*uint8"),
        ([[0.0]], "float32.*list"),
        (np.zeros((8, 8, 1), np.float32), r"\(N, 8, 8, 1\).*\(8, 8, 1\)"),
        (np.zeros((1, 9, 8, 1), np.float32), r"\(N, 8, 8, 1\).*\(1, 9, 8, 1\)"),
        (np.full((2, 8, 8, 1), np.nan, np.float32), r"NaN at index \(0, 0, 0, 0\)"),
    ],
)
def test_what_it_refuses(x: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=f"x: .*{reason}"):
        pack(net())(x)


def test_a_layer_that_the_input_does_not_fit_is_named() -> None:
    binary = Conv2d(3, 2, 1, rng=np.random.default_rng(0), activation=signs(), weight=signs())
    packed = pack(Sequential(Flatten(), Linear(4, 2, rng=np.random.default_rng(0))))
    with pytest.raises(ValueError, match=r"parts\.1 \(real_linear\)"):
        packed(np.zeros((1, 5), np.float32))
    with pytest.raises(ValueError, match=r"parts\.0 \(binary_conv\)"):
        pack(Sequential(binary))(np.zeros((1, 2, 2, 99), np.float32))


def test_nan_on_the_way_to_a_sign_is_an_error() -> None:
    binary = Linear(2, 2, rng=np.random.default_rng(0), activation=signs(), weight=signs())
    norm = BatchNorm(2).eval()
    norm.gamma.value[:] = 0
    with np.errstate(invalid="ignore"), pytest.raises(ValueError, match=r"parts\.1 \(pack_signs\).*NaN"):
        pack(Sequential(norm, binary))(np.full((1, 2), np.inf, np.float32))


@pytest.mark.parametrize("name", PACKED)
def test_no_images(name: str) -> None:
    packed = pack(net(name))
    assert packed(draw(0)).shape == (0, 10)


@pytest.mark.parametrize("model", [Sequential(), Sequential(Flatten()), Sequential(ReLU())])
def test_output_is_fresh(model: Layer) -> None:
    x = draw(2)
    kept = x.copy()
    y = pack(model)(x)
    np.testing.assert_array_equal(y, model(x))
    y[:] = 7
    np.testing.assert_array_equal(x, kept)


def test_input_and_model_stay_as_they_are() -> None:
    model, x = net(), draw(3)
    before, kept = model.state_dict(), x.copy()
    packed = pack(model)
    expected = packed(x)
    assert model.training
    assert all(layer.training for _, layer in model.layers())
    np.testing.assert_array_equal(x, kept)
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value, before[name])
    for parameter in model.parameters():  # trained on, in place
        parameter.value *= -1
    for layer, name in model.named_buffers().values():
        getattr(layer, name)[:] += 1
    np.testing.assert_array_equal(packed(x), expected)


def test_order_in_memory_does_not_matter() -> None:
    packed, x = pack(net()), draw(6)
    np.testing.assert_array_equal(packed(np.asfortranarray(x)), packed(x))
    np.testing.assert_array_equal(packed(np.repeat(x, 2, axis=0)[::2]), packed(x))


@pytest.mark.parametrize("name", PACKED)
def test_the_answer_does_not_depend_on_the_batch(name: str) -> None:
    """Neither on how many images there are, nor on how many are computed together, nor on threads."""
    model, x = net(name).eval(), draw(9)
    packed = pack(model)
    expected = model(x)
    np.testing.assert_array_equal(packed(x), expected)
    np.testing.assert_array_equal(np.concatenate([packed(image[None]) for image in x]), expected)
    np.testing.assert_array_equal(Plan(packed.graph, x.shape[1:], count=4)(x), expected)
    np.testing.assert_array_equal(packed(x, threads=3), expected)


def test_memory_is_bounded() -> None:
    packed, x = pack(net("bireal-small")), draw(1500)
    plan = Plan(packed.graph, x.shape[1:])
    packed(x[:20])
    tracemalloc.start()
    packed(x)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 * plan.nbytes + 2**20 < 8 * 2**20  # copies that a step makes, and the answers
    tracemalloc.start()
    packed(x[:1])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**15 < plan.nbytes / 5


def test_a_plan_is_taken_and_given_back() -> None:
    packed, x = pack(net()), draw(2)
    packed(x)
    assert len(packed.plans) == 1
    packed(x)
    assert len(packed.plans) == 1
    first, second = (packed.plans.take(x.shape[1:]) for _ in range(2))
    assert len(packed.plans) == 0
    assert second is not first
    np.testing.assert_array_equal(second(x), first(x))
    packed.plans.give(x.shape[1:], first)
    assert packed.plans.take(x.shape[1:]) is first


def test_a_plan_that_failed_is_not_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """After an interruption a thread may still write in its buffers."""
    packed, x = pack(net()), draw(1)
    packed(x)
    monkeypatch.setattr(Plan, "_part", Mock(side_effect=KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        packed(x)
    monkeypatch.undo()
    assert len(packed.plans) == 0
    packed(x)
    assert len(packed.plans) == 1


def test_the_plans_of_old_shapes_are_dropped() -> None:
    packed = pack(Sequential(ReLU()))
    plans = Plans(packed.graph, kept=3)
    made = {size: plans.take((size,)) for size in range(1, 6)}
    for size in (1, 2, 3):
        plans.give((size,), made[size])
    assert plans.take((1,)) is made[1]
    plans.give((1,), made[1])  # used again: 2 is the oldest now
    plans.give((4,), made[4])
    assert len(plans) == 3
    assert plans.take((2,)) is not made[2]
    assert all(plans.take((size,)) is made[size] for size in (1, 3, 4))
    for size in range(1, 40):
        packed(np.zeros((1, size), np.float32))
    assert len(packed.plans) == KEPT


def test_threads_after_a_fork() -> None:
    """The child makes its own: it would wait for ever for those of its parent."""
    packed, x = pack(net()), draw(4)
    expected = packed(x, threads=2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking beside threads
        child = os.fork()
    if not child:
        os._exit(int(not np.array_equal(packed(x, threads=2), expected)))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("threads", [0, -1, 1.5, True])
def test_threads_must_be_a_number(threads: Any) -> None:
    with pytest.raises(ValueError, match="threads: required a whole number >= 1"):
        pack(net())(draw(1), threads=threads)


def test_threads() -> None:
    packed = pack(net("bireal-small"))
    batches = [draw(4, seed) for seed in range(24)]
    expected = [packed(x) for x in batches]
    with ThreadPoolExecutor(4) as pool:
        for y, answer in zip(pool.map(packed, batches), expected, strict=True):
            np.testing.assert_array_equal(y, answer)


@pytest.mark.parametrize("name", ["bireal-18", "reactnet-small", "vgg-small"])
def test_one_image_is_shared_by_its_pixels(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any number of threads, past that of pixels; several calls at a time."""
    monkeypatch.setattr(threads, "GRAIN", 1)
    packed, x = pack(net(name).eval()), draw(1)
    expected = packed(x)
    shared: list[int] = []
    run = Product._pixels

    def seen(self: Product, first: int, last: int) -> None:
        shared.append(last - first)
        run(self, first, last)

    monkeypatch.setattr(Product, "_pixels", seen)
    for count in (2, 3, 100):
        shared.clear()
        np.testing.assert_array_equal(packed(x, threads=count), expected)
        products = [
            task for task in Plan(packed.graph, x.shape[1:]).tasks.values() if isinstance(task, Product)
        ]
        assert len(shared) == sum(min(count, len(task.work.pixels)) for task in products)
        assert sum(shared) == sum(len(task.work.pixels) for task in products)
    with ThreadPoolExecutor(4) as pool:
        for y in pool.map(lambda x: packed(x, threads=2), [x] * 24):
            np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize("row", [0, 3])
def test_a_nan_among_anybodys_pixels_is_noticed(row: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too large for a float32, and that times 0."""
    monkeypatch.setattr(threads, "GRAIN", 1)
    rng, norms = np.random.default_rng(0), [BatchNorm(2).eval() for _ in range(2)]
    norms[0].gamma.value[:], norms[1].gamma.value[:] = np.finfo(np.float32).max, 0
    binary = Conv2d(2, 2, 1, rng=rng, activation=signs(), weight=signs(), bias=False)
    packed = pack(Sequential(Conv2d(2, 2, 1, rng=rng, bias=False), *norms, binary))
    x = np.zeros((1, 4, 4, 2), np.float32)
    packed(x, threads=2)
    x[0, row] = 1e30
    with np.errstate(all="ignore"), pytest.raises(ValueError, match=rf"NaN at index \(0, {row}, 0"):
        packed(x, threads=2)


def test_a_call_keeps_to_its_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever its steps are made of, and however many threads kernels have elsewhere."""
    monkeypatch.setattr(threads, "GRAIN", 1)
    monkeypatch.setitem(threads._state, "threads", 4)
    parts: list[tuple[int, int]] = []
    made = Plan.__call__

    def shares(plan: Plan, x: Array) -> Array:
        threads.share(lambda first, last: parts.append((first, last)), 8, 8)
        return made(plan, x)

    monkeypatch.setattr(Plan, "__call__", shares)
    pack(net())(draw(2))
    assert parts == [(0, 8)]


def test_predict() -> None:
    model = net()
    pixels = np.random.default_rng(0).integers(0, 256, (9, 8, 8, 1), dtype=np.uint8)
    expected = model.eval()(CONSTANTS(pixels)).argmax(axis=-1)
    for constants in (CONSTANTS, CONSTANTS.to_dict()):
        classes = pack(model, preprocessing=constants).predict(pixels)
        assert classes.dtype == np.int64
        np.testing.assert_array_equal(classes, expected)


def test_predict_streams(tmp_path: Path) -> None:
    """From a file mapped into memory, a chunk at a time: neither pixels nor floats are there all together."""
    packed, count = pack(net(), CONSTANTS), 80 * CHUNK + 1
    pixels = np.random.default_rng(0).integers(0, 256, (count, 8, 8, 1), dtype=np.uint8)
    np.save(tmp_path / "pixels.npy", pixels)
    mapped = np.load(tmp_path / "pixels.npy", mmap_mode="r")
    packed.predict(mapped[:3])
    tracemalloc.start()
    classes = packed.predict(mapped, threads=2)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < pixels.nbytes
    np.testing.assert_array_equal(classes, packed(CONSTANTS(pixels)).argmax(axis=-1))
    assert packed.predict(pixels[:0]).shape == (0,)


def test_predict_needs_preprocessing_and_pixels() -> None:
    with pytest.raises(ValueError, match="preprocessing"):
        pack(net()).predict(np.zeros((1, 8, 8, 1), np.uint8))
    with pytest.raises(ValueError, match="uint8"):
        pack(net(), CONSTANTS).predict(draw(1))


def test_preprocessing_must_fit() -> None:
    other = Preprocessing(255, (0.25,), (0.5,), (9, 9, 1))
    with pytest.raises(ValueError, match=r"\(8, 8, 1\).*\(9, 9, 1\)"):
        pack(net(), other)
    assert pack(Sequential(Flatten()), other).input_shape == (9, 9, 1)
    assert pack(Sequential(Flatten())).input_shape is None


def test_to_dict() -> None:
    packed = pack(net(), CONSTANTS)
    summary = packed.to_dict()
    assert json.loads(json.dumps(summary)) == summary
    assert sum(step["bytes"] for step in summary["steps"]) == summary["payload_bytes"] == packed.payload_bytes
    assert sum(summary["layer_bytes"].values()) == packed.payload_bytes
    assert summary["preprocessing"] == CONSTANTS.to_dict()
    first_sign = {
        "layer": "body.parts.2",
        "kind": "pack_signs",
        "inputs": [2],
        "options": {"zero": 1},
        "bytes": 0,
    }
    assert summary["steps"][2] == first_sign
