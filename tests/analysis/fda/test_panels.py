"""The tables of the redrawn Fig. 1, against a transform and formulas that are written out here."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.fda import panels
from analysis.tables import Table
from bnn_ref.parameter import Array

M = 2048
K = np.arange(100)


@pytest.fixture(scope="module")
def transforms() -> Table:
    """The table of the study."""
    return panels.dft()


def column(table: Table, name: str) -> Array:
    return np.array(table.numbers(name))


def midpoints(samples: int) -> Array:
    """Of the cells of (0, 2 pi): another stretch of the period than the package samples."""
    return (np.arange(samples) + 0.5) * 2 * np.pi / samples


def repeated(name: str, x: Array) -> Array:
    """The functions by other formulas than the package's, repeated with the period 2 pi."""
    x = np.where(x > np.pi, x - 2 * np.pi, x)
    s = 1 / (1 + np.exp(-20 * x))
    sines = [4 / np.pi * np.sin(k * x) / k for k in range(1, 40, 2)]
    return np.asarray(
        {
            "sign": np.where(x > 0, 1.0, -1.0),
            "series": sum(sines),
            "tanh": 2 / (1 + np.exp(-40 * x)) - 1,
            "swish-sign": 2 * s * (1 + 20 * x * (1 - s)) - 1,
        }[name]
    )


@pytest.mark.parametrize("name", panels.CURVES)
def test_functions(name: str) -> None:
    table = panels.functions()
    x = column(table, "x")
    assert (x[0], x[200], x[-1]) == (-2, 0, 2)
    np.testing.assert_allclose(column(table, name), repeated(name, x), rtol=0, atol=1e-9)
    assert table.columns == ("x", "sign", "series", "tanh", "swish-sign")


@pytest.mark.parametrize("name", panels.CURVES)
def test_magnitudes_are_those_of_a_fourier_transform(
    name: str, transforms: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With few samples, so that both transforms alias alike; and k = 0, which is the mean."""
    monkeypatch.setattr(panels, "SAMPLES", M)
    found = panels.magnitudes(panels.CURVES[name])
    wanted = np.abs(np.fft.rfft(repeated(name, midpoints(M)))) * 2 / M
    np.testing.assert_allclose(found, wanted[:100], rtol=0, atol=1e-12)
    np.testing.assert_allclose(column(transforms, name), wanted[:100], rtol=0, atol=1e-4)


def test_the_square_wave_is_sampled_finely_enough(transforms: Table) -> None:
    exact = np.where(K % 2, 4 / (np.pi * np.maximum(K, 1)), 0)
    np.testing.assert_allclose(column(transforms, "sign"), exact, rtol=0, atol=1e-7)
    np.testing.assert_allclose(column(transforms, "series"), np.where(K <= 39, exact, 0), rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", ["series", "tanh", "swish-sign"])
def test_differences_are_those_of_the_columns(name: str, transforms: Table) -> None:
    gaps = np.abs(column(transforms, name) - column(transforms, "sign"))
    np.testing.assert_allclose(column(transforms, f"{name} off"), gaps, rtol=0, atol=1e-9)


def test_what_the_paper_shows(transforms: Table) -> None:
    """0 up to 40 and then 1/k; one hump with its top near 34; two humps and a zero near 17; smooth curves."""
    series, tanh, swish = (column(transforms, f"{n} off") for n in ("series", "tanh", "swish-sign"))
    assert series[:41].max() < 1e-7
    np.testing.assert_allclose(series[41::2] * K[41::2], 4 / np.pi, rtol=1e-4)
    assert tanh.argmax() == 34
    assert f"{tanh[34]:.5f}" == "0.01177"
    assert (np.diff(tanh[:35]) > 0).all()
    assert (np.diff(tanh[34:]) < 0).all()
    assert swish[17] < 1e-4 < min(swish[16], swish[18])
    assert (int(swish[:17].argmax()), 17 + int(swish[17:].argmax())) == (8, 37)
    assert min(tanh[1:].min(), swish[1:].min()) > 0, "at even k too, so the curves are smooth"
    assert max(np.abs(np.diff(tanh)).max(), np.abs(np.diff(swish)).max()) < 0.003 < np.diff(series).max() / 10
