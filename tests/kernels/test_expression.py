"""Compiled formulas against NumPy on the same arrays: equal to the last bit, NaN and infinity too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref import estimators
from bnn_ref.curve import Curve
from bnn_ref.kernels import expression
from bnn_ref.kernels.expression import BLOCK, SMALL, TwoValued, fused
from bnn_ref.kernels.tracing import Traced, traced

SPECIAL = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 2.0, 0.5, 3e38, 1e-45]
FORMULAS: dict[str, Callable[[Any], Any]] = {
    "arithmetic": lambda x: (2 * x - 1) / (x + 3) - -x,
    "rounds_twice": lambda x: x * 1.1 + 0.3,
    "extremes": lambda x: np.maximum(np.minimum(x, 1), -x),
    "compared": lambda x: np.where((x >= -1) & (x < 1) | (x == 2), x * x, np.abs(x)),
    "inverted": lambda x: (~(x > 0)).astype(x.dtype) - (x != x).astype(x.dtype),
    "told": lambda x: np.where(np.isnan(x), 7.0, np.square(x)),
    "constant": lambda x: np.ones_like(x),
    "strict": lambda x: np.where(x <= 0.5, np.zeros_like(x), x),
}
OTHERS: dict[str, Callable[[Any], Any]] = {
    "exponential": lambda x: np.exp(-np.abs(x)),
    "branching": lambda x: x * 2 if (x > 0).any() else x,
    "double": lambda x: x * np.float64(1.1),
}


def samples(dtype: type, size: int = BLOCK + 5) -> Any:
    rng = np.random.default_rng(0)
    x = (3 * rng.normal(size=size)).astype(dtype)
    with np.errstate(over="ignore"):
        x[: len(SPECIAL)] = x[-len(SPECIAL) :] = np.array(SPECIAL, dtype)
    return x, rng.normal(size=size).astype(dtype)


def equal(got: Any, expected: Any) -> bool:
    return got.dtype == expected.dtype and bool(np.array_equal(got, expected, equal_nan=True))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", [*FORMULAS, *OTHERS])
def test_equal_to_numpy(name: str, dtype: type) -> None:
    formula = (FORMULAS | OTHERS)[name]
    assert (traced(formula, dtype) is not None) == (name in FORMULAS)
    x, dy = samples(dtype)
    if name == "branching":
        x = abs(x)  # so that every block takes the same branch
    with np.errstate(all="ignore"):
        expected = np.asarray(formula(x), dtype)
        assert equal(fused(formula, x), expected)
        assert equal(fused(formula, x, dy), expected * dy)
        assert equal(fused(formula, x.reshape(-1, 1)[::-1], dy[:, None]), expected[::-1, None] * dy[:, None])


def test_the_arrays_are_not_written_to() -> None:
    x, dy = samples(np.float32)
    before = x.copy(), dy.copy()
    x.flags.writeable = dy.flags.writeable = False
    with np.errstate(over="ignore"):  # in the last elements, which are NumPy's
        fused(FORMULAS["compared"], x, dy)
    assert equal(x, before[0])
    assert equal(dy, before[1])


def test_another_formula_for_numpy_is_used_where_none_is_compiled() -> None:
    x, _ = samples(np.float32)
    twice = fused(OTHERS["exponential"], x, plain=lambda x: 2 * np.exp(-np.abs(x)))
    assert equal(twice, 2 * np.exp(-np.abs(x)))
    assert equal(fused(FORMULAS["constant"], x[:9], plain=lambda x: x), x[:9])


@pytest.mark.parametrize(
    "formula",
    [
        lambda x: x + np.ones(3),
        lambda x: x.sum(),
        lambda x: np.ascontiguousarray(x),
        lambda x: np.asarray(x, np.float32) + 1,
        lambda x: x > 0,
        lambda x: np.add(x, 1, dtype=np.float64),
        lambda x: np.where(x > 0),
        lambda x: np.where(x, x, 1),
        lambda x: np.ones_like(x, dtype=np.float64),
        lambda x: (x > 0).astype(np.int8),
        lambda x: np.add.reduce(x),
        lambda x: 1.0,
    ],
)
def test_what_is_no_formula_is_not_compiled(formula: Any) -> None:
    assert traced(formula, np.float32) is None


def curves() -> list[Curve]:
    """One of every kind that is in the table and holds no array."""
    found: dict[type, Curve] = {}
    for name in estimators.TABLE:
        for part in estimators.get(name).parts():
            if isinstance(part, Curve) and part.fixed_everywhere:
                found.setdefault(type(part), part)
    return list(found.values())


@given(curve=st.sampled_from(curves()), seed=st.integers(0, 2**32 - 1))
def test_every_curve_has_the_slope_and_value_of_small_arrays(curve: Curve, seed: int) -> None:
    """Those of a few elements are NumPy's own; with all of them at once passes are compiled."""
    rng = np.random.default_rng(seed)
    x = (2 * rng.normal(size=SMALL)).astype(np.float32)
    kinks = np.array([*curve.kinks, np.nan, 0.0], np.float32)
    x[: len(kinks)] = kinks
    dy = rng.normal(size=SMALL).astype(np.float32)
    parts = [slice(start, start + 1000) for start in range(0, SMALL, 1000)]
    with np.errstate(all="ignore"):
        slope = np.concatenate([curve.slope_times(x[p], dy[p]) for p in parts])
        assert equal(curve.slope_times(x, dy), slope)
        try:
            value = np.concatenate([curve(x[p]) for p in parts])
        except TypeError as error:
            assert "declares no" in str(error)  # noqa: PT017 - a part that is used for its slope alone
            return
        assert equal(curve(x), value)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("curve", [c for c in curves() if c.two_slopes], ids=lambda c: type(c).__name__)
def test_a_slope_of_two_values_is_kept_in_bits(curve: Curve, dtype: type) -> None:
    x, dy = samples(dtype)
    x[100 : 100 + len(curve.kinks)] = curve.kinks
    kept = curve.kept(x)
    assert isinstance(kept, TwoValued)
    assert 8 * kept.bits.nbytes <= x.size
    assert set(np.unique(curve.slope(x))) == set(np.array(curve.two_slopes, dtype))
    assert equal(curve.vjp_of(kept, dy), curve.vjp(x, dy))
    assert equal(curve.vjp_of(kept, dy.reshape(1, -1)), curve.vjp(x, dy)[None])
    assert curve.kept(x[:9]).tobytes() == x[:9].tobytes()
    assert equal(curve.vjp_of(x[:9], dy[:9]), curve.vjp(x[:9], dy[:9]))


def test_other_slopes_keep_the_array() -> None:
    x, _ = samples(np.float32)
    for name in ("approxsign", "identity-ste", "tanh"):
        assert estimators.get(name).kept(x) is x
    assert isinstance(estimators.get("clipped-ste").kept(x), TwoValued)
    assert TwoValued.of(OTHERS["exponential"], x, (0.0, 1.0)) is None


def test_the_sign_of_every_kind_of_zero() -> None:
    from bnn_ref.curve import Sign

    x = np.tile(np.array([0.0, -0.0, 1e-45, -1e-45, np.nan], np.float32), SMALL)
    for zero in (-1, 1):
        expected = np.tile(np.array([zero, zero, 1, -1, np.nan], np.float32), SMALL)
        assert equal(Sign(zero)(x), expected)


def test_nothing_is_compiled_for_few_elements(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expression, "compiled", None)
    x = np.linspace(-2, 2, SMALL - 1, dtype=np.float32)
    assert equal(fused(FORMULAS["arithmetic"], x), FORMULAS["arithmetic"](x))


def test_a_traced_array_has_no_truth() -> None:
    with pytest.raises(TypeError, match="a branch"):
        bool(Traced("x", (), "f", np.dtype(np.float32)))
