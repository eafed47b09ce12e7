"""The tiles: every operation against NumPy on the naive integers, whatever lies around the outputs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref.kernels import naive, pack_signs
from bnn_ref.kernels.layout import NONE, Geometry, aligned, lay_filters, pitch_of
from bnn_ref.kernels.tiles import LANES, Work, convolution
from bnn_ref.kernels.xnor import lay_images, starts

SEEDS = st.integers(0, 2**32 - 1)
FILTERS = st.sampled_from([1, 15, 16, 17, 64, 65, 80, 129])
PIXELS = st.integers(1, 14)
CHANNELS = st.one_of(st.sampled_from([1, 9, 31, 32, 33, 64, 65]), st.integers(1, 600))


class Case:
    """A 1 x 1 convolution of one image of P pixels in a row, and everything that operations may touch."""

    def __init__(self, seed: int, pixels: int, filters: int, channels: int = 9) -> None:
        rng = np.random.default_rng(seed)
        self.a = rng.normal(size=(1, 1, pixels, channels)).astype(np.float32)
        self.w = rng.normal(size=(filters, 1, 1, channels)).astype(np.float32)
        words = pack_signs(self.a), pack_signs(self.w)
        self.z = naive.xnor_conv2d(*words, channels)[0, 0]
        self.pitch, self.filters, self.pixels = pitch_of(filters), filters, pixels
        images, laid = (lay_images(part, channels, 0) for part in words)
        self.geometry = Geometry(1, pixels, images.shape[-1], 1)
        self.signs = {
            "images": images.reshape(1, -1),
            "filters": lay_filters(laid.reshape(filters, -1)),
            "start": starts(self.geometry, laid, channels),
        }
        self.rows = rng.normal(size=(5, filters)).astype(np.float32)
        self.residual = rng.normal(size=(pixels, filters)).astype(np.float32)

    def run(self, ops: str, rows: np.ndarray) -> dict[str, Any]:
        """What `ops` leave: integers, numbers (pixels, filters), bits as booleans, and the NaN flag."""
        made = {
            "z": np.zeros((self.pixels, self.pitch), np.int32),
            "reals": np.zeros((self.pixels, self.pitch), np.float32),
            "residual": self._wide(self.residual),
            "bits": np.full((1, self.pixels * (self.pitch // LANES)), 0xFFFF, np.uint16),
            "nan": np.zeros(1, np.uint16),
            "table": self._wide(rows),
            "masks": np.packbits(
                (np.arange(self.pitch) < self.filters).reshape(-1, LANES), axis=1, bitorder="little"
            ).view(np.uint16)[:, 0],
        }
        targets = np.arange(self.pixels) * (self.pitch // LANES)
        work = Work(
            **NONE
            | self.signs
            | made
            | {
                "runs": self.geometry.runs,
                "length": self.geometry.length,
                "pixels": self.geometry.places(targets, self.pitch),
            }
        )
        convolution("signs", ops)(work, self.pitch, 0, 1)
        octets = made["bits"].astype("<u2").view(np.uint8).reshape(self.pixels, -1)
        bits = np.unpackbits(octets, axis=1, bitorder="little").astype(bool)
        return {
            "z": made["z"][:, : self.filters],
            "reals": made["reals"][:, : self.filters],
            "bits": bits[:, : self.filters],
            "pad": bits[:, self.filters :],
            "nan": bool(made["nan"][0]),
        }

    def _wide(self, rows: np.ndarray) -> np.ndarray:
        wide = aligned((len(rows), self.pitch), rows.dtype)
        wide[:] = 0
        wide[:, : self.filters] = rows
        return wide


@given(SEEDS, PIXELS, FILTERS, CHANNELS)
def test_integers(seed: int, pixels: int, filters: int, channels: int) -> None:
    case = Case(seed, pixels, filters, channels)
    np.testing.assert_array_equal(case.run("i", case.rows)["z"], case.z)


@given(SEEDS, PIXELS, FILTERS, CHANNELS)
def test_numbers_and_signs(seed: int, pixels: int, filters: int, channels: int) -> None:
    """Times, plus, residual, PReLU between two shifts: NumPy's roundings, one operation after another."""
    case = Case(seed, pixels, filters, channels)
    gain, shift, before, slope, after = case.rows
    y = case.z.astype(np.float32) * gain + shift
    y = y + case.residual + before
    y = np.where(y > 0, y, slope * y) + after
    got = case.run("*+r+p+fb", case.rows)
    np.testing.assert_array_equal(got["reals"], y)
    np.testing.assert_array_equal(got["bits"], y >= 0)
    assert not got["pad"].any()
    assert not got["nan"]


@given(SEEDS, PIXELS, FILTERS)
def test_ties_go_where_the_letter_says(seed: int, pixels: int, filters: int) -> None:
    case = Case(seed, pixels, filters, channels=4)  # sums of four signs: many zeros
    rows = np.array([[1.0], [0.0]], np.float32).repeat(filters, axis=1)
    np.testing.assert_array_equal(case.run("*+b", rows)["bits"], case.z >= 0)
    np.testing.assert_array_equal(case.run("*+s", rows)["bits"], case.z > 0)
    minus = rows * np.float32(-1)  # the sums that were 0 are -0.0 now
    np.testing.assert_array_equal(case.run("*+b", minus)["bits"], case.z <= 0)


@given(SEEDS, PIXELS, FILTERS, CHANNELS)
def test_thresholds(seed: int, pixels: int, filters: int, channels: int) -> None:
    case, rng = Case(seed, pixels, filters, channels), np.random.default_rng(seed)
    falls = rng.random(filters) < 0.5
    limit = rng.choice([-(2**31), -3, -1, 0, 1, 3, 2**31 - 1], filters).astype(np.int32)
    turn = np.where(falls, np.int32(-1), np.int32(0))
    rows = np.stack([turn, limit ^ turn]).view(np.float32)
    got = case.run("t", rows)
    np.testing.assert_array_equal(got["bits"], np.where(falls, case.z <= limit, case.z >= limit))
    assert not got["pad"].any()


@pytest.mark.parametrize("ops", ["*+b", "*+s", "*+fb"])
def test_the_sign_of_a_nan_is_told(ops: str) -> None:
    case = Case(0, 5, 20)
    rows = case.rows.copy()
    assert not case.run(ops, rows)["nan"]
    rows[1, 19] = np.nan
    assert case.run(ops, rows)["nan"]


@pytest.mark.parametrize("filters", [9, 20, 70])
def test_the_sign_of_one_nan_is_told_wherever_it_is(filters: int) -> None:
    """In every vector of every tile, the smallest one too: a NaN of the residual is in one number alone."""
    case = Case(0, 9, filters)
    for pixel in range(9):
        for column in range(0, filters, 7):
            kept, case.residual[pixel, column] = case.residual[pixel, column], np.nan
            assert case.run("*+rb", case.rows)["nan"], (pixel, column)
            case.residual[pixel, column] = kept
    assert not case.run("*+rb", case.rows)["nan"]


@given(SEEDS, PIXELS, FILTERS, CHANNELS)
def test_floats(seed: int, pixels: int, filters: int, channels: int) -> None:
    """Small integers: exact sums, whatever their order."""
    rng = np.random.default_rng(seed)
    a = rng.integers(-8, 9, (1, pixels, channels)).astype(np.float32)
    w = rng.integers(-8, 9, (filters, channels)).astype(np.float32)
    geometry, pitch = Geometry(1, pixels, channels, 1), pitch_of(filters)
    y = np.zeros((1, pixels, pitch), np.float32)
    places = geometry.places(pitch=pitch)
    work = Work(a, lay_filters(w), geometry.runs, channels, places, **NONE | {"reals": y})
    convolution("floats", "f")(work, pitch, 0, 1)
    np.testing.assert_array_equal(y[..., :filters], a @ w.T)
    assert not y[..., filters:].any()


def test_products_and_sums_are_not_contracted() -> None:
    """(1 + e)^2 - (1 + 2e) is 0 with two roundings and e^2 with one."""
    case = Case(0, 1, 1, channels=1)
    e = np.float32(2.0**-12)
    rows = np.array([[1 + e], [0]], np.float32)
    first = case.run("*+f", rows)["reals"][0, 0] * case.z[0, 0]
    assert first == 1 + e
    twice = np.array([[1 + e], [0], [1 + e], [-(1 + 2 * e) * case.z[0, 0]]], np.float32)
    assert case.run("*+*+f", twice)["reals"][0, 0] == 0
