"""ReActNet's blocks: what stands where, and training in two steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from model_calls import feeds, kinds

from bnn_ref import data, estimators, models, pack, train
from bnn_ref.auditing import audit_model
from bnn_ref.autodiff import Tensor, backward
from bnn_ref.layers import DistributionLoss, Product
from bnn_ref.models import Operands, ReActBlock, ReActMobileBlock, build

RNG = np.random.default_rng(0)
OPERANDS = Operands(estimators.get("approxsign"), estimators.get("ste"), None, RNG)


REACT = ["Activation", "PReLU", "Activation"]


def test_a_react_block_is_shift_sign_conv_norm_sum_rprelu() -> None:
    own = ["Activation", "Conv2d", "BatchNorm"]
    assert kinds(ReActBlock(OPERANDS, 4, 4)) == [*own, "Add", *REACT]
    project = ["AvgPool2d", "Conv2d", "BatchNorm"]
    assert kinds(ReActBlock(OPERANDS, 4, 8, 2)) == [*project, *own, "Add", *REACT]


def test_its_shift_and_sign_are_rsign() -> None:
    """The convolution behind the shift answers and learns as one with the entry `rsign` does."""
    block = ReActBlock(OPERANDS, 4, 4)
    conv = block.branch.parts[0]
    twin = Operands(estimators.get("rsign"), estimators.get("ste"), None, RNG).conv(4, 4, 3, padding=1)
    twin.latent = conv.latent
    (shift,), (own,) = block.shift.parameters(), twin.activation.parameters()
    shift.value = own.value = RNG.normal(size=4).astype(np.float32)
    x, dy = RNG.normal(size=(2, 2, 5, 5, 4)).astype(np.float32)
    tensor, other = Tensor(x), Tensor(x)
    y, z = conv(block.shift(tensor)), twin(other)
    np.testing.assert_array_equal(y.value, z.value)
    backward(y, dy)
    backward(z, dy)
    np.testing.assert_array_equal(tensor.grad, other.grad)
    np.testing.assert_allclose(shift.grad, own.grad, rtol=1e-6)


@pytest.mark.parametrize(("channels", "stride"), [(4, 1), (4, 2), (8, 1), (8, 2)])
def test_a_mobile_block_lets_its_input_through(channels: int, stride: int) -> None:
    """With silent norms and slopes of 1 the pooled input is left, side by side where it doubles."""
    block = ReActMobileBlock(OPERANDS, 4, channels, stride)
    for name, parameter in block.named_parameters().items():
        if name.endswith(("gamma", "slope")):
            parameter.value = np.full_like(parameter.value, name.endswith("slope"))
    x = RNG.normal(size=(2, 6, 4, 4)).astype(np.float32)
    pooled = x.reshape(2, 6 // stride, stride, 4 // stride, stride, 4).mean(axis=(2, 4))
    wanted = np.concatenate([pooled] * (channels // 4), axis=3)
    np.testing.assert_allclose(block(x), wanted, rtol=1e-6, atol=1e-7)


def test_a_mobile_block_has_no_real_convolution_and_two_branches_where_it_doubles() -> None:
    for channels, branches in ((4, 1), (8, 2)):
        block = ReActMobileBlock(OPERANDS, 4, channels, 2)
        products = [layer for _, layer in block.layers() if isinstance(layer, Product)]
        assert [layer.latent.value.shape for layer in products] == [(3, 3, 4, 4), *[(1, 1, 4, 4)] * branches]
        assert all(layer.weight is not None and layer.activation is not None for layer in products)
    pointwise = ["Conv2d", "BatchNorm", "Add"]
    first = ["AvgPool2d", "Activation", "Conv2d", "BatchNorm", "Add", *REACT, "Activation"]
    assert kinds(block) == [*first, *pointwise, *pointwise, "Concat", *REACT]


def test_what_reads_what_in_a_mobile_block() -> None:
    """The pointwise half reads the end of the spatial half, shifted; its shortcuts are that end itself."""
    block = ReActMobileBlock(OPERANDS, 4, 8, 2)
    read, middle = feeds(block), block.bend.after
    assert read[id(block.add)] == [block.spatial.parts[1], *block.pool.parts]
    assert read[id(block.next_shift)] == [middle]
    for branch, add in zip(block.pointwise, block.adds, strict=True):
        assert read[id(branch.parts[0])] == [block.next_shift]
        assert read[id(add)] == [branch.parts[1], middle]


def test_each_half_of_a_doubled_block_is_its_own_branch() -> None:
    block = ReActMobileBlock(OPERANDS, 4, 8)
    x = RNG.normal(size=(2, 5, 5, 4)).astype(np.float32)
    before = block(x)
    block.pointwise[1].parts[0].latent.value *= -1
    after = block(x)
    np.testing.assert_array_equal(before[..., :4], after[..., :4])
    assert (before[..., 4:] != after[..., 4:]).any()


@pytest.mark.parametrize("size", [(7, 5), (8, 8), (9, 3)])
@pytest.mark.parametrize("name", ["reactnet-18", "reactnet-a", "reactnet-small"])
def test_every_size_of_image_fits_and_packs(name: str, size: tuple[int, int]) -> None:
    model = build(name, input_shape=(*size, 2), width=4, blocks=(2, 1, 1), seed=3)
    rng = np.random.default_rng(1)
    for key, parameter in model.named_parameters().items():
        if key.endswith(("shift", "slope")):
            parameter.value = rng.normal(size=parameter.value.shape).astype(np.float32)
    x = rng.normal(size=(3, *size, 2)).astype(np.float32)
    model.train()(x)
    np.testing.assert_array_equal(pack(model)(x), model.eval()(x))


def test_stages_of_reactnet_a() -> None:
    """64, 128, 256, 512, 1024 channels in 1, 2, 2, 6, 2 blocks, halved at each but the first."""
    model, shapes = build("reactnet-a", input_shape=(64, 64, 3), width=2), []
    x = model.stem(np.zeros((1, 64, 64, 3), np.float32))
    for block in model.body.parts:
        x = block.eval()(x)
        shapes.append(x.shape[1:])
    stages = [(32, 4, 1), (16, 8, 2), (8, 16, 2), (4, 32, 6), (2, 64, 2)]
    assert shapes == [(size, size, c) for size, c, count in stages for _ in range(count)]


# Two steps


def test_in_the_first_of_two_steps_weights_are_real_and_the_second_starts_from_it() -> None:
    digits = data.load("digits").take(128, 40)
    options: dict[str, Any] = {"input_shape": (8, 8, 1), "width": 4}
    first = build("reactnet-small", weight_estimator=models.REAL, **options)
    products = [layer for _, layer in first.layers() if isinstance(layer, Product)]
    assert all(layer.weight is None for layer in products)
    assert sum(layer.activation is not None for layer in products) == 4
    assert not any(parameter.latent for parameter in first.parameters())
    train.fit(first, digits, train.Config(epochs=1, weight_decay=1e-5))
    second = build("reactnet-small", seed=5, **options)
    second.load_state_dict(first.state_dict())
    for key, value in first.state_dict().items():
        np.testing.assert_array_equal(second.state_dict()[key], value)
    assert sum(parameter.latent for parameter in second.parameters()) == 4
    history = train.fit(second, digits, train.Config(epochs=1, weight_decay=0.0, clip=None))
    assert len(history) == 1
    x = data.Preprocessing.fit(digits)(digits.test_images)
    np.testing.assert_array_equal(pack(second)(x), second.eval()(x))


def test_real_weights_have_no_parameters_of_an_estimator() -> None:
    with pytest.raises(ValueError, match="weight_parameters: required none with 'real'"):
        build("cnn", weight_estimator=models.REAL, weight_parameters={"clip": 2.0})


def test_a_student_learns_from_its_teacher_s_distribution() -> None:
    """The loss on the teacher's scores takes the place of labels: no gradient reaches the teacher."""
    options: dict[str, Any] = {"input_shape": (8, 8, 1), "classes": 3, "width": 2}
    teacher = build("reactnet-small", estimator=models.REAL, **options).eval()
    student = build("reactnet-small", **options)
    images = np.random.default_rng(0).normal(size=(4, 8, 8, 1)).astype(np.float32)
    report = audit_model(student, DistributionLoss(), images.astype(np.float64), teacher(images))
    assert report.passed, str(report)
    backward(DistributionLoss()(student(Tensor(images)), teacher(images)))
    assert all(parameter.grad is not None for parameter in student.parameters())
    assert all(parameter.grad is None for parameter in teacher.parameters())
