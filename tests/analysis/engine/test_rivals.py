"""Another process computes what a packed file says, is held to our answer, and tells its own time."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.engine import against, networks
from analysis.engine.against import Harness, agree
from analysis.engine.layers import Alone, Layer
from analysis.engine.rival import Case, NoRival, Rival
from analysis.engine.rivals import turns
from analysis.engine.rivals.reading import filters, folded, read
from bnn_ref.layers import BatchNorm, Conv2d, ReLU, Sequential
from bnn_ref.packed import pack
from bnn_ref.packed.product import Product

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return Alone(5, 32, 2).case(tmp_path_factory.mktemp("layer"))


@pytest.fixture(scope="module")
def rival(case: Case) -> Iterator[Rival]:
    with Rival(sys.executable, case.file.parent) as process:
        yield process


def test_a_rival_computes_the_same_and_tells_its_time(case: Case, rival: Rival) -> None:
    answer, said = rival.make("numpy floats", case)
    np.testing.assert_allclose(answer, case.answer, rtol=1e-4, atol=1e-4)
    assert said["version"] == np.__version__
    assert said["memory"] >= 0
    assert 0 < rival.seconds() < 60


def test_a_library_that_is_not_there(case: Case) -> None:
    with Rival(sys.executable, case.file.parent) as process:
        with pytest.raises(NoRival, match="No module named 'nothing'"):
            process.make("nothing floats", case)
        with pytest.raises(NoRival):
            process.seconds()


def test_what_cannot_be_read_says_why(case: Case, tmp_path: Path) -> None:
    with Rival(sys.executable, tmp_path) as process, pytest.raises(NoRival, match="No such file"):
        process.make("numpy floats", Case(tmp_path / "none", case.x, case.answer))


def test_wrong_answers_are_refused() -> None:
    y = RNG.normal(size=(4, 3)).astype(np.float32)
    noisy = y + 0.1 * RNG.normal(size=y.shape).astype(np.float32)
    agree("torch int8", noisy, y)
    agree("torch nchw", y, y)
    for wrong in (noisy, -y, y[:2], np.full_like(y, np.nan)):
        with pytest.raises(
            ValueError, match=r"torch nchw: required answers with a cosine of at least 0\.9999"
        ):
            agree("torch nchw", wrong, y)


def test_floats_are_compared_one_by_one_where_no_sign_is_taken(tmp_path: Path) -> None:
    y = RNG.normal(size=(40, 30)).astype(np.float32)
    near, far = y.copy(), y.copy()
    near[0, 0] += 9e-4 * abs(y).max()
    far[0, 0] += 2e-3 * abs(y).max()
    agree("torch nchw", near, y)
    agree("torch nchw", far, y, signs=True)
    agree("torch int8", far, y)
    with pytest.raises(
        ValueError, match=r"torch nchw: required answers within 0\.001 of the largest, got 0\.002"
    ):
        agree("torch nchw", far, y)
    assert not Alone(5, 32).case(tmp_path).signs
    assert networks.case("bireal-18", 32, 1, tmp_path)[1].signs


def test_scales_and_norms_fold_into_products(tmp_path: Path) -> None:
    """What is left is computed in float64 and compared with eval mode."""
    norms = [BatchNorm(4), BatchNorm(4)]
    for norm in norms:
        norm.gamma.value, norm.beta.value, norm.running_mean = RNG.normal(size=(3, 4)).astype(np.float32)
    model = Sequential(Conv2d(3, 4, 1, rng=RNG, bias=True), *norms, ReLU(), Conv2d(4, 2, 1, rng=RNG)).eval()
    pack(model).save(tmp_path / "net")
    steps, output = read(tmp_path / "net")
    left, moved = folded(steps)
    assert [step.kind for step in left] == ["real_conv", "relu", "real_conv"]
    assert output in (left[-1].number, *moved)
    x = RNG.normal(size=(2, 3, 3, 3)).astype(np.float32)
    y = np.maximum(x @ filters(left[0])[..., 0, 0].T + left[0].tensors["bias"], 0)
    y = y @ filters(left[2])[..., 0, 0].T
    np.testing.assert_allclose(y, model(x), rtol=1e-4, atol=1e-5)


def test_rows_and_their_means(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """One rival, two of ours; a missing library leaves no row."""
    spent = iter([1.0] * 3 + [4.0] * 3)
    harness = Harness(sys.executable, case.file.parent, 3)
    monkeypatch.setattr(against, "turn", lambda call, threads: next(spent))
    monkeypatch.setattr(Rival, "seconds", lambda self: 8.0)
    calls: dict[str, Any] = {"A 1": None, "B 1": None}
    rows = list(harness.rows(calls, ("numpy floats", "nothing floats"), case))
    assert [row[:6] for row in rows] == [
        ["A 1", 1, 1, "numpy floats", np.__version__, 8.0],
        ["B 1", 1, 1, "numpy floats", np.__version__, 2.0],
    ]
    more = [["A 2", 1, 1, "numpy floats", "2", 2.0, 1.0, 18.0, *rows[0][8:]], *rows]
    first, second = against.means(more)
    assert (first[0], first[5:8]) == ("A, geometric mean", [4.0, pytest.approx(8**0.5, 1e-2), 12.0])
    assert (second[0], second[5:8]) == ("B, geometric mean", [2.0, 2.0, 2.0])


@pytest.mark.parametrize(("threads", "clock"), [(1, "process_time"), (2, "perf_counter")])
def test_a_turn_is_the_mean_of_later_calls(threads: int, clock: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first 5 ms do not count; here a call is slow at first."""
    now = [0.0]
    costs = iter([0.003, 0.003, 0.001, 0.002, 0.003])

    def call() -> None:
        now[0] += next(costs)

    monkeypatch.setattr(turns.time, clock, lambda: now[0])
    assert turns.turn(call, threads) == pytest.approx(0.002)
    assert next(costs, None) is None


def test_a_fused_layer_computes_its_images() -> None:
    layer = Layer(5, 32, 3)
    assert layer.work == 3 * 25 * 32 * 9 * 32
    assert layer.fused().size == 0


def test_a_fused_layer_that_computes_something_else_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Product.__call__

    def wrong(product: Product, count: int) -> None:
        """A sign of the first pixel is flipped."""
        made(product, count)
        product.work.bits[0, product.work.pixels[0, 2]] ^= 1

    Layer(5, 32)
    monkeypatch.setattr(Product, "__call__", wrong)
    with pytest.raises(ValueError, match="layer: required numbers and signs as the steps give"):
        Layer(5, 32)
