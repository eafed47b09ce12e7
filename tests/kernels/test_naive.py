"""The naive twins mirror the fast kernels' signatures and give results worked out by hand."""

import inspect

import numpy as np
import pytest

from bnn_ref import kernels
from bnn_ref.kernels import naive

NAMES = sorted(name for name, value in vars(kernels).items() if inspect.isfunction(value))


def test_the_package_exports_the_kernels():
    packing = {"word_count", "pack_signs", "unpack_signs", "to_stream", "from_stream", "stream_bytes"}
    products = {"xnor_linear", "xnor_conv2d", "threshold_pack"}
    floats = {"conv2d", "conv2d_input_grad", "conv2d_weight_grad", "linear", "output_size"}
    pooling = {"max_pool2d", "sum_pool2d", "sum_image", "max_pool2d_places", "max_pool2d_grad"}
    channels = {"moments", "normalize", "normalize_grad", "prelu", "prelu_grad"}
    fused = {"fourier_slope", "normal_cdf"}
    assert set(NAMES) == packing | products | floats | pooling | channels | fused


@pytest.mark.parametrize("name", NAMES)
def test_every_kernel_has_a_twin_with_its_signature(name):
    fast, plain = (inspect.signature(getattr(module, name)).parameters for module in (kernels, naive))
    assert [(p.name, p.default) for p in fast.values()] == [(p.name, p.default) for p in plain.values()]


@pytest.mark.parametrize("name", NAMES)
def test_docstrings_name_their_source(name):
    assert "Source: " in getattr(kernels, name).__doc__
    assert "Source: " in getattr(naive, name).__doc__


def test_signs_by_hand():
    x = np.array([0.0, -0.0, -1.0, 2.0, -5e-324])
    words = naive.pack_signs(x)
    np.testing.assert_array_equal(words, np.array([0b01011], np.uint64), strict=True)
    np.testing.assert_array_equal(
        naive.unpack_signs(words, 5), np.array([1, 1, -1, 1, -1], np.float32), strict=True
    )
    np.testing.assert_array_equal(naive.to_stream(words, 5), np.array([0b01011], np.uint8), strict=True)
    np.testing.assert_array_equal(naive.from_stream(np.array([0b01011], np.uint8), (5,)), words, strict=True)


def test_products_by_hand():
    a = naive.pack_signs(np.array([[1.0, -1.0, 1.0]]))
    w = naive.pack_signs(np.array([[1.0, 1.0, 1.0], [-1.0, 1.0, -1.0]]))
    np.testing.assert_array_equal(naive.xnor_linear(a, w, 3), np.array([[1, -3]], np.int32), strict=True)
    ones = np.ones((1, 3, 3, 1), np.uint64)
    z = naive.xnor_conv2d(ones, ones, 1, padding=1)
    np.testing.assert_array_equal(z[0, :, :, 0], [[4, 6, 4], [6, 9, 6], [4, 6, 4]])
    bits = naive.threshold_pack(
        np.array([3, 3], np.int32), np.array([3, 2], np.int32), np.array([True, True])
    )
    np.testing.assert_array_equal(bits, np.array([1], np.uint64))


def test_convolution_by_hand():
    x, w = np.arange(1.0, 5.0).reshape(1, 2, 2, 1), np.array([[10.0, 20.0], [30.0, 40.0]]).reshape(2, 2, 1, 1)
    dy = np.array([2.0]).reshape(1, 1, 1, 1)
    np.testing.assert_array_equal(naive.conv2d(x, w).ravel(), [10 + 40 + 90 + 160])
    np.testing.assert_array_equal(naive.conv2d(x, w, stride=2, padding=1).ravel(), [40, 60, 60, 40])
    np.testing.assert_array_equal(naive.conv2d_input_grad(dy, w, x.shape).ravel(), [20, 40, 60, 80])
    np.testing.assert_array_equal(naive.conv2d_weight_grad(x, dy, 2).ravel(), [2, 4, 6, 8])
