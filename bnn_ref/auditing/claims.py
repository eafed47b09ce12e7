"""Level 1, from inside: a declared curve is what it says: its slope is T's derivative, its claims hold."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from scipy import integrate, optimize

from bnn_ref.auditing.bench import STEP
from bnn_ref.auditing.operation import compare, grid
from bnn_ref.auditing.report import Check
from bnn_ref.binarizer import Binarizer, Curve, Map, factored
from bnn_ref.parameter import Array


def complex_step(curve: Curve, x: Array) -> Array:
    """dT/dx from T alone: the imaginary part of T(x + ih) / h. On a kink, that of the piece that owns it."""
    return np.asarray(curve(x + 1j * STEP)).imag / STEP


def curve_checks(curve: Curve) -> Iterator[Check]:
    """Every check of a curve against its own declaration."""
    peak = curve.peak or 1.0
    x = grid(curve)
    x = x[np.abs(x) > 1e-300]  # the imaginary step would no longer be small beside x
    yield compare("slope is T's derivative", x, curve.derivative(x), complex_step(curve, x), peak, 1e-12)
    yield _difference_quotient(curve, peak)
    kinks = np.array(curve.kinks)
    if kinks.size:
        below, above = np.nextafter(kinks, -np.inf), np.nextafter(kinks, np.inf)
        yield compare("T is continuous at its kinks", kinks, curve(above), curve(below), peak, 1e-12)
        # what the kinks hide: pieces owned by the other side
        own = complex_step(curve, kinks)
        yield compare("slope on kinks is the owner's", kinks, curve.derivative(kinks), own, peak, 1e-12)
    yield from trait_checks(curve)
    yield from _parameters(curve)


def _difference_quotient(curve: Curve, peak: float) -> Check:
    """The second opinion, which needs no complex arithmetic: (T(x+h) - T(x-h)) / 2h away from kinks."""
    h = 1e-5 / max(1.0, peak)
    x = np.linspace(-2.9, 3.1, 1999)
    for kink in curve.kinks:
        x = x[np.abs(x - kink) > 2 * h]
    quotient = (curve(x + h) - curve(x - h)) / (2 * h)
    return compare("slope by difference quotient", x, curve.derivative(x), quotient, peak, 1e-5)


def trait_checks(curve: Curve) -> Iterator[Check]:
    """Every claimed trait measured; every trait claimed False has a witness."""
    reach = 4.0 if np.isinf(curve.support) else 2 * max(curve.support, 1.0)
    x = np.sort(np.concatenate([np.linspace(0, reach, 4001)[1:], np.abs(curve.kinks)]))
    odd = np.abs(curve(x) + curve(-x)).max() <= 1e-12 * max(1.0, float(np.abs(curve(x)).max()))
    yield _trait("odd", curve.odd, bool(odd))
    both = np.concatenate([-x[::-1], [0.0], x])
    yield _trait("monotone", curve.monotone, bool(curve.derivative(both).min() >= -1e-12))
    if np.isfinite(curve.support):
        outside = np.concatenate([np.nextafter(curve.support, np.inf) + np.linspace(0, 9, 99), [1e6]])
        largest = float(np.abs(curve.derivative(np.concatenate([outside, -outside]))).max())
        yield Check.of(f"slope 0 beyond support {curve.support:g}", largest, 0.0, "not zero outside")
    yield _peak(curve, both)
    yield _area(curve)
    if curve.period is not None:
        again = compare("period", x, curve(x + curve.period), curve(x), 1.0, 1e-9)
        yield again


def _trait(name: str, claimed: bool, found: bool) -> Check:
    label = name if claimed else f"not {name}"
    return Check.that(label, claimed == found, f"claimed {claimed}, found {found}")


def _peak(curve: Curve, x: Array) -> Check:
    """max abs(T') on the grid, polished between the neighbours of the best point."""
    size = np.abs(curve.derivative(x))
    i = int(size.argmax())
    low, high = x[max(i - 1, 0)], x[min(i + 1, len(x) - 1)]
    polished = optimize.minimize_scalar(
        lambda t: -abs(float(curve.derivative(np.array(t)))), bounds=(low, high), method="bounded"
    )
    found = max(float(size[i]), -float(polished.fun))
    scale = max(curve.peak, 1e-300)
    return Check.of("peak", abs(found - curve.peak) / scale, 1e-6, f"claimed {curve.peak:g}, found {found:g}")


def _area(curve: Curve) -> Check:
    """The integral of T' by quadrature between kinks, against the claim (None: it must not converge)."""
    if curve.area is None:
        far = [abs(float(curve(np.array(r)) - curve(np.array(-r)))) for r in (1e3, 1.7e3, 4.1e3)]
        settles = max(far) - min(far) < 1e-9
        return Check.that("no area, as claimed", not settles, f"T settles: its area is {far[0]:g}")
    near = min(curve.support, 10.0)  # on a half line alone, quadrature may miss what is narrow
    ends = {-curve.support, -near, 0.0, near, curve.support, *curve.kinks}
    found = sum(_integral(curve, a, b) for a, b in itertools.pairwise(sorted(ends)))
    error = abs(found - curve.area) / max(1.0, abs(curve.area))
    return Check.of("area", error, 1e-9, f"claimed {curve.area:.12g}, found {found:.12g}")


def _integral(curve: Curve, a: float, b: float) -> float:
    """T' over a piece without kinks, a half line perhaps, by adaptive quadrature."""
    found, _ = integrate.quad(lambda x: float(curve.derivative(np.array(x))), a, b, epsabs=1e-12, limit=400)
    return float(found)


def _parameters(curve: Curve) -> Iterator[Check]:
    """dT/dp, for each trained parameter, by a complex step in the parameter."""
    x = np.linspace(-2, 2, 41)
    for parameter, slope in curve.parameter_slopes(x):
        real = parameter.value
        try:
            parameter.value = real + 1j * STEP
            wanted = np.asarray(curve(x.astype(complex))).imag / STEP
        finally:
            parameter.value = real
        scale = max(1e-12, float(np.abs(wanted).max()))
        yield compare(f"slope to {parameter.name}", x, slope, wanted, scale, 1e-6)


def deployment_checks(binarizer: Binarizer, x: Array, trained: Array) -> Iterator[Check]:
    """What is deployed takes the levels that it claims, each where the forward value at `x` is near, off 0.

    Signs may have one positive scale, a rule for weights one for each output channel (`factored`). Where F
    answers with levels, no others may be deployed, unless F answers by chance.
    """
    rule, forward = binarizer.deploy(), binarizer.forward
    bits, scale = factored(rule, x)
    deployed = bits if scale is None else bits * scale
    levels = rule.levels if scale is None else (-1, 1)
    if levels is None and forward.drawn(np.random.default_rng(0)) == forward:
        levels = forward.levels
    if levels is None:
        several = np.unique(np.abs(deployed)).size > 1
        yield Check.that("deployed as other numbers than signs, as claimed", several, "they are signs")
        along = float(((trained - trained.mean()) * (deployed - deployed.mean())).sum())
        yield Check.that(
            "deployed and trained values rise together", along > 0, f"their product is {along:g}"
        )
        return
    form = "+g" if min(levels) < 0 else "g"
    name = f"deployed values are {' or '.join(f'{level:{form}}' for level in levels)}"
    near = np.abs(bits[..., None] - np.array(levels)).min(axis=-1) <= 1e-12
    yield Check.that(name, bool(near.all()) and _one_sign(scale, rule), "other values")
    near = _nearest(trained, bits, np.array(levels)) | (x == 0)
    where = "" if near.all() else f"at x = {x[~near][0]:.12g}"
    yield Check.that("deployed is the level nearest to the trained value", bool(near.all()), where)


def _nearest(trained: Array, bits: Array, levels: Array) -> Array:
    """Whether `bits` is the level nearest to `trained` (between signs: has its sign); in a tie either is."""
    middles = (levels[:-1] + levels[1:]) / 2
    slack = 4 * np.spacing(np.abs(middles))  # a subnormal at 0
    index = np.abs(bits[..., None] - levels).argmin(axis=-1)
    least = np.searchsorted(middles + slack, trained, "left")
    most = np.searchsorted(middles - slack, trained, "right")
    return (least <= index) & (index <= most)


def _one_sign(scale: Array | None, rule: Map) -> bool:
    """No scale, or a positive one: for all, or one a channel in a rule for weights (0 where all is 0)."""
    if scale is None:
        return True
    return (scale.size == 1 or rule.reduces) and bool((scale >= 0).all() and (scale > 0).any())


def alive(curve: Curve) -> Check:
    """The slope points where T rises: not 0 everywhere, not the wrong way."""
    mean = float(curve.derivative(np.linspace(-1, 1, 2001)).mean())
    return Check.that("alive and not inverted", mean > 0, f"mean slope on [-1, 1] is {mean:g}")
