"""Float convolution against scipy.signal, its naive twin, and the adjoint identity.

Draws are small (Gaussian) integers: all sums are exact in every dtype, and results are compared for equality.
"""

from contextlib import ExitStack, contextmanager
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import correlate

from bnn_ref.kernels import conv, conv2d, conv2d_input_grad, conv2d_weight_grad, floats, naive, output_size

DTYPES = st.sampled_from([np.float32, np.float64, np.complex128])
EXACT = st.sampled_from([np.float64, np.complex128])


def integers(rng, shape, dtype):
    values = rng.integers(-8, 9, shape).astype(dtype)
    return values + dtype(1j) * rng.integers(-8, 9, shape) if np.dtype(dtype).kind == "c" else values


@st.composite
def problems(draw, dtypes=DTYPES, most=4):
    """x, w, dy, (stride, padding, dilation) with at least one output pixel."""
    kernel, stride, padding = draw(st.integers(1, 5)), draw(st.integers(1, 3)), draw(st.integers(0, 3))
    dilation = draw(st.sampled_from([1, 1, 2, 3]))
    reach = range(0, kernel * dilation, dilation)[-1] + 1
    least = max(1, reach - 2 * padding)
    height, width = draw(st.tuples(*[st.integers(least, least + most)] * 2))
    size = height, width + draw(st.sampled_from([0, 0, 8]))  # wide enough for outputs that share words
    n, channels, filters = draw(st.integers(0, most)), draw(st.integers(1, most)), draw(st.integers(1, most))
    rng, dtype = np.random.default_rng(draw(st.integers(0, 2**32 - 1))), draw(dtypes)
    x, w = (
        integers(rng, (n, *size, channels), dtype),
        integers(rng, (kernel, kernel, channels, filters), dtype),
    )
    out = (output_size(s, reach, stride, padding) for s in size)
    return x, w, integers(rng, (n, *out, filters), dtype), (stride, padding, dilation)


BLOCKS = st.sampled_from([1, 2000, conv._BLOCK])  # image by image, a few at a time, all at once


@contextmanager
def blocks_of(size):
    """Blocks and groups of so many numbers, and sums to filters over an odd number of pixels at a time."""
    with ExitStack() as stack:
        for module, name, value in (
            (conv, "_BLOCK", size),
            (floats, "GROUP", size),
            (floats, "CHUNK", 7 if size == 1 else floats.CHUNK),
            (floats, "CHUNK_SHARED", 1 if size == 1 else floats.CHUNK_SHARED),
        ):
            stack.enter_context(patch.object(module, name, value))
        floats._back.cache_clear()  # it remembers groups
        stack.callback(floats._back.cache_clear)
        yield


def scipy_conv2d(x, w, stride, padding, dilation):
    """Every channel of every image correlated alone; scipy conjugates its second argument, so undo that.

    It knows no dilation: zeros are put between the rows and columns of the filters.
    """
    gaps = np.repeat(np.arange(1, len(w)), dilation - 1)
    w = np.insert(np.insert(w, gaps, 0, axis=0), gaps, 0, axis=1)
    padded = np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    y = [
        [
            sum(
                correlate(image[..., c], w[..., c, f].conj(), mode="valid", method="direct")
                for c in range(x.shape[3])
            )
            for f in range(w.shape[3])
        ]
        for image in padded
    ]
    return np.array(y).transpose(0, 2, 3, 1)[:, ::stride, ::stride]


@contextmanager
def interpreted():
    """Run the copies' Python source instead of their machine code."""
    kernels = {name: getattr(conv, name) for name in ("_im2col", "_col2im")}
    with patch.multiple(
        conv, **{name: getattr(kernel, "py_func", kernel) for name, kernel in kernels.items()}
    ):
        yield


def check_against_naive(problem):
    x, w, dy, window = problem
    kernel = w.shape[0]
    y = conv2d(x, w, *window)
    dx = conv2d_input_grad(dy, w, x.shape, *window)
    dw = conv2d_weight_grad(x, dy, kernel, *window)
    np.testing.assert_array_equal(y, naive.conv2d(x, w, *window), strict=True)
    np.testing.assert_array_equal(dx, naive.conv2d_input_grad(dy, w, x.shape, *window), strict=True)
    np.testing.assert_array_equal(dw, naive.conv2d_weight_grad(x, dy, kernel, *window), strict=True)


@given(problems(), BLOCKS)
def test_equal_to_naive_in_blocks_of_any_size(problem, block):
    with blocks_of(block):
        check_against_naive(problem)


@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (3, 1), (1, 2), (2, 2)])
@pytest.mark.parametrize(
    ("channels", "filters", "kernel"),
    [(3, 16, 3), (40, 33, 3), (17, 80, 1), (64, 48, 5), (130, 32, 2), (3, 64, 7), (600, 16, 3)],
)
def test_tiles_of_every_width(channels, filters, kernel, stride, dilation):
    """Whole tiles and the rest of them, several runs at a time and one, in float32."""
    rng, padding = np.random.default_rng(channels), max(1, kernel // 2)
    x, w = (
        integers(rng, shape, np.float32)
        for shape in ((3, 9, 8, channels), (kernel, kernel, channels, filters))
    )
    out = [output_size(size, dilation * (kernel - 1) + 1, stride, padding) for size in (9, 8)]
    dy = integers(rng, (3, *out, filters), np.float32)
    check_against_naive((x, w, dy, (stride, padding, dilation)))


@pytest.mark.parametrize("width", [7, 8, 12, 16, 20, 28])
@pytest.mark.parametrize("filters", [16, 32, 80, 112])
@pytest.mark.parametrize("padding", [0, 1, 2])
def test_outputs_beside_one_another(width, filters, padding):
    """Rows that fall into tiles of 16, 8 and 4 outputs, and others; narrow blocks and wide ones."""
    rng = np.random.default_rng(width)
    x, w = integers(rng, (2, 4, width, 5), np.float32), integers(rng, (3, 3, 5, filters), np.float32)
    dy = integers(rng, (2, *(size + 2 * padding - 2 for size in (4, width)), filters), np.float32)
    check_against_naive((x, w, dy, (1, padding, 1)))
    check_against_naive((dy, w.swapaxes(2, 3), x, (1, 2 - padding, 1)))


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("stride", [2, 3, 4])
@pytest.mark.parametrize("kernel", [1, 3])
def test_strides_past_the_image(size, stride, kernel):
    """Some places within a stride have no pixel at all; each image is a group."""
    rng, side = np.random.default_rng(size), output_size(size, kernel, stride, 1)
    x, w, dy = (
        integers(rng, shape, np.float32)
        for shape in ((3, size, size, 5), (kernel, kernel, 5, 4), (3, side, side, 4))
    )
    with blocks_of(1):
        check_against_naive((x, w, dy, (stride, 1, 1)))


@given(problems(dtypes=st.just(np.float32)))
def test_gradients_do_not_depend_on_the_other_images(problem):
    x, w, dy, window = problem
    rng = np.random.default_rng(0)
    x, w, dy = (part + rng.normal(size=part.shape).astype(np.float32) for part in (x, w, dy))
    dx = conv2d_input_grad(dy, w, x.shape, *window)
    for n in range(len(x)):
        one = conv2d_input_grad(dy[n : n + 1], w, (1, *x.shape[1:]), *window)
        np.testing.assert_array_equal(one[0], dx[n])


@pytest.mark.parametrize("stride", [1, 2])
def test_float32_gradients_round_as_little_as_a_sum_does(stride):
    rng = np.random.default_rng(stride)
    x, w = rng.normal(size=(16, 16, 16, 32)), rng.normal(size=(3, 3, 32, 48))
    dy = rng.normal(size=(16, *[output_size(16, 3, stride, 1)] * 2, 48))
    narrow = [part.astype(np.float32) for part in (x, w, dy)]
    dx = naive.conv2d_input_grad(dy, w, x.shape, stride, 1)
    dw = naive.conv2d_weight_grad(x, dy, 3, stride, 1)
    got = conv2d_input_grad(narrow[2], narrow[1], x.shape, stride, 1)
    assert abs(got - dx).max() <= 1e-5 * abs(dx).max()
    got = conv2d_weight_grad(narrow[0], narrow[2], 3, stride, 1)
    assert abs(got - dw).max() <= 1e-5 * abs(dw).max()


@given(problems(most=2))
def test_interpreted(problem):
    with interpreted():
        check_against_naive(problem)


@given(problems().filter(lambda problem: len(problem[0]) > 0))
def test_conv2d_equals_scipy(problem):
    x, w, _, window = problem
    np.testing.assert_array_equal(conv2d(x, w, *window), scipy_conv2d(x, w, *window), strict=True)


@given(problems(), st.integers(-3, 3))
def test_a_pad_is_pixels_that_were_there(problem, pad):
    x, w, dy, (stride, padding, dilation) = problem
    framed = np.pad(x, ((0, 0), *[(padding, padding)] * 2, (0, 0)), constant_values=pad)
    for kernels in (conv, naive):
        y = kernels.conv2d(x, w, stride, padding, dilation, pad)
        np.testing.assert_array_equal(y, conv2d(framed, w, stride, 0, dilation), strict=True)
        dw = kernels.conv2d_weight_grad(x, dy, len(w), stride, padding, dilation, pad)
        wanted = conv2d_weight_grad(framed, dy, len(w), stride, 0, dilation)
        np.testing.assert_array_equal(dw, wanted, strict=True)
    inside = (slice(padding, size - padding) for size in framed.shape[1:3])
    dx = conv2d_input_grad(dy, w, framed.shape, stride, 0, dilation)[:, *inside]
    np.testing.assert_array_equal(conv2d_input_grad(dy, w, x.shape, stride, padding, dilation), dx)


@given(problems(dtypes=EXACT), BLOCKS)
def test_gradients_are_transposes(problem, block):
    x, w, dy, window = problem
    with blocks_of(block):
        dx = conv2d_input_grad(dy, w, x.shape, *window)
        dw = conv2d_weight_grad(x, dy, w.shape[0], *window)
        forward = (dy * conv2d(x, w, *window)).sum()
    assert forward == (dx * x).sum() == (dw * w).sum()


@given(problems(dtypes=st.just(np.float64)))
def test_complex_step_derivative(problem):
    x, w, _, window = problem
    v = w[::-1, ::-1, ::-1, ::-1] + 1  # any direction
    step = 2.0**-600  # the step's square underflows, and scaling by a power of two is exact
    y = conv2d(x.astype(complex), w + 1j * step * v, *window)
    np.testing.assert_array_equal(y.imag / step, conv2d(x, v, *window))


@given(problems())
def test_arguments_are_not_changed_and_strides_do_not_matter(problem):
    x, w, dy, window = problem
    frozen = [np.asfortranarray(array) for array in (x, w, dy)]
    for array in frozen:
        array.flags.writeable = False
    fx, fw, fdy = frozen
    np.testing.assert_array_equal(conv2d(fx, fw, *window), conv2d(x, w, *window))
    dx = conv2d_input_grad(fdy, fw, x.shape, *window)
    np.testing.assert_array_equal(dx, conv2d_input_grad(dy, w, x.shape, *window))
    dw = conv2d_weight_grad(fx, fdy, w.shape[0], *window)
    np.testing.assert_array_equal(dw, conv2d_weight_grad(x, dy, w.shape[0], *window))


@given(st.integers(0, 20), st.integers(1, 5), st.integers(1, 7), st.integers(0, 3), st.booleans())
def test_output_size_counts_the_starts(size, kernel, stride, padding, ceil):
    ceil = ceil and size > 0
    expected = naive.output_size(size, kernel, stride, padding, ceil)
    if expected:
        assert output_size(size, kernel, stride, padding, ceil) == expected
    else:
        with pytest.raises(
            ValueError, match=f"size {size} with padding {padding} must be at least kernel {kernel}"
        ):
            output_size(size, kernel, stride, padding)


@pytest.mark.parametrize(("kernel", "stride", "padding"), [(0, 1, 0), (3, 0, 0), (3, 1, -1)])
def test_output_size_refuses(kernel, stride, padding):
    with pytest.raises(ValueError, match=f"got kernel {kernel}, stride {stride}, padding {padding}"):
        output_size(8, kernel, stride, padding)


def zeros(*shape, dtype=np.float32):
    return np.zeros(shape, dtype)


X, W, DY = zeros(2, 5, 5, 3), zeros(3, 3, 3, 4), zeros(2, 3, 3, 4)
ERRORS = [
    (
        conv2d,
        (X.astype(np.int32), W),
        TypeError,
        "conv2d: x must be float32, float64 or complex128, got int32",
    ),
    (conv2d, (X, W.astype(np.float64)), TypeError, "conv2d: w must be float32 like x, got float64"),
    (conv2d, (X[0], W), ValueError, "conv2d: x must have four axes"),
    (conv2d, (X[..., :0], W[:, :, :0]), ValueError, "conv2d: x must have four axes without a 0"),
    (conv2d, (X, W[:, :2]), ValueError, r"conv2d: w must have shape \(3, 3, 3, 4\), got \(3, 2, 3, 4\)"),
    (conv2d, (X, W[:, :, :2]), ValueError, r"conv2d: w must have shape \(3, 3, 3, 4\), got \(3, 3, 2, 4\)"),
    (conv2d, (X[:, :2], W), ValueError, "size 2 with padding 0 must be at least kernel 3"),
    (conv2d_input_grad, (DY, W, (2, 5, 5)), ValueError, r"x_shape must be \(N, H, W, C\), got \(2, 5, 5\)"),
    (
        conv2d_input_grad,
        (DY, W, (2, 5, 5, 2)),
        ValueError,
        r"conv2d_input_grad: w must have shape \(3, 3, 2, 4\)",
    ),
    (conv2d_input_grad, (DY, W, (2, 6, 5, 3)), ValueError, r"dy must have shape \(2, 4, 3, 4\), got"),
    (conv2d_input_grad, (DY, W.astype(np.float64), X.shape), TypeError, "w must be float32 like dy"),
    (conv2d_weight_grad, (X, DY, 2), ValueError, r"conv2d_weight_grad: dy must have shape \(2, 4, 4, 4\)"),
    (conv2d_weight_grad, (X, DY.astype(complex), 3), TypeError, "dy must be float32 like x, got complex128"),
    (conv2d_weight_grad, (X, DY, 0), ValueError, "kernel and stride must be at least 1"),
    (conv2d, (X, W, 1, 0, 0), ValueError, "dilation must be at least 1, got 0"),
    (conv2d_input_grad, (DY, W, X.shape, 1, 0, 0), ValueError, "dilation must be at least 1, got 0"),
    (conv2d_weight_grad, (X, DY, 3, 1, 0, -1), ValueError, "dilation must be at least 1, got -1"),
    (conv2d, (X, W, 1, 0, 3), ValueError, "size 5 with padding 0 must be at least kernel 7"),
]


@pytest.mark.parametrize(("function", "arguments", "error", "message"), ERRORS)
def test_errors(function, arguments, error, message):
    with pytest.raises(error, match=message):
        function(*arguments)
