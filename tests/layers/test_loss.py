"""Losses against SciPy, against loops, and where a careless formula overflows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from bnn_ref.autodiff import Tensor, backward
from bnn_ref.basepoint import record, replay
from bnn_ref.layers import (
    AttentionLoss,
    DistributionLoss,
    HeatmapLoss,
    MeanSquaredError,
    SoftmaxCrossEntropy,
    SquaredHinge,
)


@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 6),
    classes=st.integers(1, 5),
    size=st.sampled_from([1e-3, 1.0, 30.0, 1e4]),
)
def test_cross_entropy_is_logsumexp_and_its_gradient_softmax(
    seed: int, n: int, classes: int, size: float
) -> None:
    rng = np.random.default_rng(seed)
    logits, labels = size * rng.normal(size=(n, classes)), rng.integers(0, classes, n)
    loss = SoftmaxCrossEntropy()
    y, cache = loss.forward(logits, labels)
    each = special.logsumexp(logits, axis=1) - logits[np.arange(n), labels]
    np.testing.assert_allclose(y, each.mean(), rtol=1e-12, atol=1e-14 * size)
    dz, _ = loss.backward(np.array(3.0), cache)
    expected = 3 / n * (special.softmax(logits, axis=1) - np.eye(classes)[labels])
    np.testing.assert_allclose(dz, expected, rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(dz.sum(axis=1), 0, atol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extreme_logits_do_not_overflow(dtype: Any) -> None:
    logits = np.array([[1e4, -1e4], [-1e4, 1e4], [1e4, 1e4]], dtype)
    loss = SoftmaxCrossEntropy()
    right, cache = loss.forward(logits, np.array([0, 1, 0]))
    assert right == pytest.approx(np.log(2) / 3, rel=1e-6)
    dz, _ = loss.backward(np.ones((), dtype), cache)
    np.testing.assert_allclose(dz, [[0, 0], [0, 0], [-1 / 6, 1 / 6]], atol=1e-7)
    wrong, cache = loss.forward(logits[:2], np.array([1, 0]))
    assert wrong == 2e4
    np.testing.assert_allclose(loss.backward(np.ones((), dtype), cache)[0], [[0.5, -0.5], [-0.5, 0.5]])


def test_equal_logits_cost_the_logarithm_of_the_number_of_classes() -> None:
    logits = np.full((4, 10), 123.0)
    assert SoftmaxCrossEntropy()(logits, np.arange(4)) == pytest.approx(np.log(10), rel=1e-14)


def hinge(logits: Any, labels: Any, side: Any) -> Any:
    total = 0
    for n, k in np.ndindex(logits.shape):
        t = 1 if labels[n] == k else -1
        if 1 - t * side[n, k] > 0:
            total += (1 - t * logits[n, k]) ** 2
    return total / logits.size


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 5), classes=st.integers(1, 4))
def test_squared_hinge_is_its_double_loop(derivative: Any, seed: int, n: int, classes: int) -> None:
    rng = np.random.default_rng(seed)
    logits, labels = 2 * rng.normal(size=(n, classes)), rng.integers(0, classes, n)
    loss = SquaredHinge()
    y, cache = loss.forward(logits, labels)
    assert y == pytest.approx(hinge(logits, labels, logits), rel=1e-13, abs=1e-13)
    dz, _ = loss.backward(np.array(-2.0), cache)
    expected = derivative(lambda z: hinge(z, labels, logits), logits, np.array(-2.0))
    np.testing.assert_allclose(dz, expected, rtol=0, atol=1e-13)


def test_squared_hinge_of_a_confident_answer_is_zero_and_flat() -> None:
    loss = SquaredHinge()
    y, cache = loss.forward(np.array([[1.0, -1.0, -7.0], [-2.0, -1.0, 4.0]]), np.array([0, 2]))
    assert y == 0
    assert not np.any(loss.backward(np.ones(()), cache)[0])
    y, cache = loss.forward(np.array([[0.0, 0.0]]), np.array([1]))
    assert y == 1
    assert loss.backward(np.ones(()), cache)[0].tolist() == [[1.0, -1.0]]


def test_margins_of_exactly_one_are_counted_as_kinks() -> None:
    loss, labels = SquaredHinge(), np.array([0])
    with record() as point:
        loss.forward(np.array([[1.0, -1.0, 0.5]]), labels)
    assert point.on_kinks == 2
    with replay(point):
        assert loss.forward(np.array([[9.0, -9.0, 9.0]]), labels)[0] == 100 / 3


@pytest.mark.parametrize("shape", [(1,), (3, 2), (2, 1, 4)])
def test_mean_squared_error(derivative: Any, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    y, target = rng.normal(size=(2, *shape))

    def loop(z: Any) -> Any:
        return sum((a - b) ** 2 for a, b in zip(z.ravel(), target.ravel(), strict=True)) / target.size

    loss = MeanSquaredError()
    value, cache = loss.forward(y, target)
    assert value == pytest.approx(loop(y), rel=1e-13)
    dy, _ = loss.backward(np.array(0.5), cache)
    np.testing.assert_allclose(dy, derivative(loop, y, np.array(0.5)), rtol=1e-13)


@given(seed=st.integers(0, 2**32 - 1))
def test_heat_map_loss_is_its_loop(derivative: Any, seed: int) -> None:
    """Joint by joint, half the mean over images and pixels of the weighted square; the mean over joints."""
    rng = np.random.default_rng(seed)
    n, h, w, j = rng.integers(1, 4, 4)
    (y, target), weight = rng.normal(size=(2, n, h, w, j)), rng.uniform(0, 2, (n, j))

    def loop(maps: Any, wanted: Any, weights: Any) -> Any:
        total = 0
        for joint in range(j):
            squares = [
                (weights[i, joint] * (maps[i, a, b, joint] - wanted[i, a, b, joint])) ** 2
                for i, a, b in np.ndindex(n, h, w)
            ]
            total += 0.5 * sum(squares) / len(squares)
        return total / j

    loss = HeatmapLoss()
    value, cache = loss.forward(y, target, weight)
    assert value == pytest.approx(loop(y, target, weight), rel=1e-12)
    given_back = loss.backward(np.array(-3.0), cache)
    slopes = (
        derivative(lambda z: loop(z, target, weight), y, np.array(-3.0)),
        derivative(lambda z: loop(y, z, weight), target, np.array(-3.0)),
        derivative(lambda z: loop(y, target, z), weight, np.array(-3.0)),
    )
    for mine, wanted in zip(given_back, slopes, strict=True):
        np.testing.assert_allclose(mine, wanted, rtol=1e-10, atol=1e-13)


@given(seed=st.integers(0, 2**32 - 1))
def test_heat_map_loss_is_0_where_weighted_joints_agree_and_unlabelled_ones_are_free_row_23(
    seed: int,
) -> None:
    """Bbc.md section 8, row 23."""
    rng = np.random.default_rng(seed)
    y, target = rng.normal(size=(2, 2, 3, 4, 5))
    weight = rng.integers(0, 2, (2, 5)).astype(float)
    target = np.where(weight[:, None, None] > 0, y, target)
    loss = HeatmapLoss()
    assert loss(y, target, weight) == 0
    weight[0, 2] = 1
    target[0, 1, 3, 2] = y[0, 1, 3, 2] + 0.5
    value, cache = loss.forward(y, target, weight)
    assert value > 0
    dy, dt, _ = loss.backward(np.ones(()), cache)
    assert np.flatnonzero(dy).tolist() == np.flatnonzero(dt).tolist()
    free = np.broadcast_to(weight[:, None, None] == 0, dy.shape)
    assert not dy[free].any()
    assert dy[0, 1, 3, 2] == pytest.approx(-0.5 / dy.size)


@pytest.mark.parametrize(
    ("shapes", "said"),
    [
        (((2, 3, 4, 5), (2, 3, 4, 4), (2, 5)), r"maps: required two of one shape \(N, H, W, J\)"),
        (((2, 3, 4), (2, 3, 4), (2, 4)), "maps: required"),
        (((0, 3, 4, 5), (0, 3, 4, 5), (0, 5)), "maps: required"),
        (((2, 3, 4, 5), (2, 3, 4, 5), (5,)), r"weight: required one a map, \(2, 5\), got \(5,\)"),
    ],
)
def test_heat_map_loss_refuses_what_does_not_fit(shapes: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        HeatmapLoss().forward(*map(np.ones, shapes))


@pytest.mark.parametrize("loss", [SoftmaxCrossEntropy(), SquaredHinge()])
@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.array([0, 3]), "required 0 <= label < 3, got 0 to 3"),
        (np.array([-1, 2]), "required 0 <= label < 3, got -1 to 2"),
        (np.array([0.0, 1.0]), "required 2 whole numbers, got float64"),
        (np.array([True, False]), "required 2 whole numbers, got bool"),
        (np.array([0, 1, 2]), r"required 2 whole numbers, got int64 of shape \(3,\)"),
        (np.array([[0], [1]]), r"got int64 of shape \(2, 1\)"),
        (np.array(1), r"got int64 of shape \(\)"),
    ],
)
def test_what_is_no_label_is_refused(loss: Any, labels: Any, message: str) -> None:
    with pytest.raises(ValueError, match="labels: .*" + message):
        loss(np.zeros((2, 3)), labels)


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.uint64])
def test_labels_of_any_whole_type(dtype: Any) -> None:
    logits, labels = np.random.default_rng(0).normal(size=(3, 4)), [3, 0, 1]
    for loss in (SoftmaxCrossEntropy(), SquaredHinge()):
        first, cache = loss.forward(logits, np.array(labels))
        other, other_cache = loss.forward(logits, np.array(labels, dtype))
        assert first == other
        one = np.ones(())
        np.testing.assert_array_equal(loss.backward(one, cache)[0], loss.backward(one, other_cache)[0])


def test_a_target_of_another_shape_is_refused_not_broadcast() -> None:
    with pytest.raises(ValueError, match=r"target: required the shape of y, \(3, 2\), got \(2,\)"):
        MeanSquaredError()(np.zeros((3, 2)), np.zeros(2))


@pytest.mark.parametrize("loss", [SoftmaxCrossEntropy(), SquaredHinge(), MeanSquaredError()])
def test_a_loss_is_a_scalar_array_of_the_dtype_of_its_input(loss: Any) -> None:
    for dtype in (np.float32, np.float64):
        target = np.zeros((2, 3), dtype) if isinstance(loss, MeanSquaredError) else np.zeros(2, np.int64)
        y, cache = loss.forward(np.ones((2, 3), dtype), target)
        assert (type(y), y.shape, y.dtype) == (np.ndarray, (), dtype)
        assert loss.backward(np.ones((), dtype), cache)[0].dtype == dtype


@pytest.mark.parametrize("loss", [SoftmaxCrossEntropy(), SquaredHinge()])
def test_labels_get_no_gradient(loss: Any) -> None:
    labels = Tensor(np.array([1, 2]))
    backward(loss(Tensor(np.zeros((2, 3))), labels))
    assert labels.grad is None or not np.any(labels.grad)


@pytest.mark.parametrize("loss", [SoftmaxCrossEntropy(), SquaredHinge()])
def test_an_empty_batch_is_refused(loss: Any) -> None:
    with pytest.raises(ValueError, match="logits"):
        loss(np.zeros((0, 3)), np.zeros(0, np.int64))


# Of a student and its teacher


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 6), classes=st.integers(1, 5))
def test_the_distribution_loss_is_divergence_plus_entropy(seed: int, n: int, classes: int) -> None:
    """KL(p || q) + H(p) by SciPy; its gradient to the student is (q - p) / N, to 0 where they agree."""
    s, t = 3 * np.random.default_rng(seed).normal(size=(2, n, classes))
    y, cache = DistributionLoss().forward(s, t)
    p, q = special.softmax(t, axis=1), special.softmax(s, axis=1)
    wanted = special.rel_entr(p, q).sum(axis=1) + special.entr(p).sum(axis=1)
    np.testing.assert_allclose(y, wanted.mean(), rtol=1e-12, atol=1e-14)
    ds, dt = DistributionLoss().backward(np.array(2.0), cache)
    np.testing.assert_allclose(ds, 2 / n * (q - p), rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(dt.sum(axis=1), 0, atol=1e-13)
    assert DistributionLoss()(t, t) <= y + 1e-12, "the teacher's own answer is the best"


def test_a_sure_teacher_is_a_label() -> None:
    rng = np.random.default_rng(0)
    s, labels = rng.normal(size=(5, 4)), rng.integers(0, 4, 5)
    sure = 1e4 * np.eye(4)[labels]
    np.testing.assert_allclose(DistributionLoss()(s, sure), SoftmaxCrossEntropy()(s, labels), rtol=1e-13)
    for dtype in (np.float32, np.float64):
        assert np.isfinite(DistributionLoss()(1e30 * s.astype(dtype), sure.astype(dtype)))


def test_attention_compares_where_and_not_how_much() -> None:
    """0 for a multiple, for permuted channels, other signs; 2 where the two look at other pixels."""
    rng = np.random.default_rng(0)
    a = rng.normal(size=(3, 4, 5, 6))
    loss = AttentionLoss()
    for b in (a, 7 * a, -a, a[..., ::-1], np.sqrt((a * a).sum(axis=3, keepdims=True))):
        assert loss(a, b) == pytest.approx(0, abs=1e-30)
    left, right = np.zeros((2, 1, 4, 4, 2))
    left[0, 0, 0], right[0, 3, 3] = (3.0, 4.0), (0.1, 0.0)
    assert loss(left, right) == pytest.approx(2, rel=1e-15)
    assert loss(left, 0 * right) == 1, "a map of zeros stays one"


def test_attention_by_hand() -> None:
    """Maps (9, 16) / sqrt(337) and (1, 0): 2 - 2 * 9 / sqrt(337)."""
    a = np.array([3.0, 0.0, 0.0, 4.0]).reshape(1, 1, 2, 2)
    b = np.array([1.0, 0.0]).reshape(1, 1, 2, 1)
    assert AttentionLoss()(a, b) == pytest.approx(2 - 18 / np.sqrt(337), rel=1e-14)


def test_the_gradient_of_attention_does_not_change_sizes() -> None:
    """The loss does not change when an image's activations are multiplied: dA is orthogonal to A."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(3, 4, 5, 6)), rng.normal(size=(3, 4, 5, 2))
    da, db = AttentionLoss().backward(np.array(1.0), AttentionLoss().forward(a, b)[1])
    assert np.abs(da).max() > 1e-4
    for x, dx in ((a, da), (b, db)):
        np.testing.assert_allclose((x * dx).sum(axis=(1, 2, 3)), 0, atol=1e-15)


@pytest.mark.parametrize(
    ("loss", "shapes", "message"),
    [
        (DistributionLoss(), ((2, 3), (2, 4)), "logits: required two of one shape"),
        (DistributionLoss(), ((0, 3), (0, 3)), "logits: required"),
        (AttentionLoss(), ((2, 3, 3, 4), (2, 3, 2, 4)), "activations: required"),
        (AttentionLoss(), ((2, 3), (2, 3)), "activations: required"),
    ],
)
def test_what_does_not_belong_together_is_refused(loss: Any, shapes: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        loss(*(np.zeros(shape) for shape in shapes))
