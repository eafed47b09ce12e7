"""Threads: every part is done once, little is not shared, and results do not depend on how many there are."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref import kernels
from bnn_ref.kernels import channels as channels_of
from bnn_ref.kernels import threads
from bnn_ref.kernels.expression import fused
from bnn_ref.kernels.signs import SignImages
from bnn_ref.kernels.threads import GRAIN, among, get_threads, pool, set_threads, share


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    before = get_threads()
    yield
    set_threads(before)


@given(st.integers(1, 7), st.integers(0, 40), st.integers(0, 10 * GRAIN))
def test_every_item_is_worked_on_once(count: int, items: int, nbytes: int) -> None:
    set_threads(count)
    seen: list[tuple[int, int]] = []
    share(lambda first, last: seen.append((first, last)), items, nbytes)
    assert sorted(i for part in seen for i in range(*part)) == list(range(items))
    assert len(seen) <= max(1, min(count, nbytes // GRAIN))


def test_work_is_done_at_the_same_time() -> None:
    set_threads(3)
    meeting = threading.Barrier(3, timeout=20)  # passes only if three threads come
    share(lambda first, last: meeting.wait(), 3, 3 * GRAIN)


def test_there_is_one_pool_however_many_threads_are_asked_for() -> None:
    pool.cache_clear()  # others may have asked for more
    seen: set[int] = set()
    for count in (2, 5, 3):
        set_threads(count)
        meeting = threading.Barrier(count, timeout=20)

        def work(first: int, last: int, meeting: threading.Barrier = meeting) -> None:
            seen.add(threading.get_ident())
            meeting.wait()

        share(work, count, count * GRAIN)
    assert len(seen) <= 5


def test_a_thread_of_the_pool_shares_with_nobody() -> None:
    set_threads(2)
    seen: list[tuple[int, int]] = []
    pool().submit(share, lambda first, last: seen.append((first, last)), 8, 8 * GRAIN).result(timeout=20)
    assert seen == [(0, 8)]


def test_who_is_alone_shares_with_nobody_until_then() -> None:
    set_threads(2)
    seen: list[tuple[int, int]] = []

    def work(first: int, last: int) -> None:
        seen.append((first, last))

    with among(1):
        with among(1):
            share(work, 8, 8 * GRAIN)
        share(work, 8, 8 * GRAIN)
    assert seen == [(0, 8), (0, 8)]
    share(work, 8, 8 * GRAIN)
    assert sorted(seen[2:]) == [(0, 4), (4, 8)]


@pytest.mark.parametrize("broken", [0, 1])
def test_an_error_in_any_thread_arrives(broken: int) -> None:
    set_threads(2)

    def work(first: int, last: int) -> None:
        if first == broken:
            raise KeyError(first)

    with pytest.raises(KeyError, match=str(broken)):
        share(work, 2, 2 * GRAIN)


def test_an_error_waits_for_every_part() -> None:
    """Whoever catches it may use again what the parts wrote to."""
    set_threads(3)
    ended: list[int] = []

    def work(first: int, last: int) -> None:
        if first < 2:
            raise KeyError(first)
        time.sleep(0.2)
        ended.append(first)

    with pytest.raises(KeyError, match="0"):
        share(work, 3, 3 * GRAIN)
    assert ended == [2]


@pytest.mark.parametrize("bad", [0, -1, 1.5, True])
def test_among_a_number_that_is_none(bad: Any) -> None:
    with pytest.raises(ValueError, match="count: required a whole number >= 1"), among(bad):
        pass


@pytest.mark.parametrize("bad", [0, -1, 1.5, True])
def test_a_number_of_threads_that_is_none(bad: Any) -> None:
    with pytest.raises(ValueError, match="count: required a whole number >= 1"):
        set_threads(bad)


def conv(rng: np.random.Generator, channels: int, stride: int) -> list[Any]:
    x, w = (rng.normal(size=s).astype(np.float32) for s in ((5, 9, 8, channels), (3, 3, channels, 21)))
    y = kernels.conv2d(x, w, stride, 1)
    dy = rng.normal(size=y.shape).astype(np.float32)
    grads = (
        kernels.conv2d_input_grad(dy, w, x.shape, stride, 1),
        kernels.conv2d_weight_grad(x, dy, 3, stride, 1),
    )
    return [y, *grads]


def signs(rng: np.random.Generator, channels: int, stride: int) -> list[Any]:
    x, w = (rng.normal(size=s).astype(np.float32) for s in ((5, 9, 8, channels), (3, 3, channels, 21)))
    images = SignImages.of(x, 1)
    assert images is not None
    y = images.conv2d(w, stride)
    dy = rng.normal(size=y.shape).astype(np.float32)
    grads = images.input_grad(dy, np.sign(w), stride), images.weight_grad(dy, 3, stride)
    return [images.bits, y, *grads]


def rows(rng: np.random.Generator, channels: int, _: int) -> list[Any]:
    x, dy = (rng.normal(3, 1, size=(900, channels)).astype(np.float32) for _ in range(2))
    mean, variance = (part.astype(np.float32) for part in kernels.moments(x))
    gamma, slope = rng.normal(size=(2, channels)).astype(np.float32)
    norms = (
        kernels.normalize(x, mean, variance, gamma, slope),
        *kernels.normalize_grad(x, dy, mean, variance, gamma),
    )
    prelu = kernels.prelu(x - 3, slope), *kernels.prelu_grad(x - 3, dy, slope)
    slopes = fused(lambda v: 3 * v * v - 1, x, dy), kernels.fourier_slope(x, dy, 5, 1.0)
    return [mean, variance, *norms, *prelu, *slopes]


@pytest.mark.parametrize("work", [conv, signs, rows])
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 3), st.integers(2, 5))
def test_no_result_depends_on_threads(
    work: Callable[..., list[Any]], seed: int, channels: int, stride: int, count: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threads, "GRAIN", 1)
        patch.setattr(channels_of, "NUMBERS", 1)
        set_threads(1)
        alone = work(np.random.default_rng(seed), channels, stride)
        set_threads(count)
        together = work(np.random.default_rng(seed), channels, stride)
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other, strict=True)
