"""The promise of the architecture: one class and one table line, and everything else follows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import bnn_ref
from bnn_ref import estimators, models
from bnn_ref.binarizer import Curve, Piece
from bnn_ref.parameter import Array


@dataclass(frozen=True)
class Arctangent(Curve):
    """T(x) = 2/pi arctan(s x), T'(x) = 2s/pi / (1 + (s x)^2). Source: ours, a toy.

    Parameters
    ----------
    s : float
        Steepness.
    """

    s: float = 2.0
    area = 2.0

    @property
    def peak(self) -> float:
        return 2 * self.s / np.pi

    def pieces(self) -> tuple[Piece, ...]:
        return (lambda x: 2 / np.pi * np.arctan(self.s * x),)

    def slope(self, x: Array) -> Array:
        return 2 * self.s / np.pi / (1 + (self.s * x) ** 2)


@pytest.fixture
def _toy() -> Iterator[None]:
    estimators.TABLE["toy"] = estimators.Entry(estimators.hard(Arctangent), "bengio2013", "an arctangent")
    yield
    del estimators.TABLE["toy"]


pytestmark = pytest.mark.usefixtures("_toy")


def test_it_is_listed_and_made() -> None:
    assert "toy" in bnn_ref.names()
    assert bnn_ref.get("toy", s=3.0).surrogate == Arctangent(3.0)


def test_it_is_audited_at_both_levels() -> None:
    assert bnn_ref.audit("toy").passed
    assert bnn_ref.audit_estimator_in_network("toy").passed


def test_it_has_a_spectrum_by_quadrature() -> None:
    w = np.array([0.0, 0.5, 3.0])
    assert np.allclose(bnn_ref.spectrum("toy").gain(w), np.exp(-w / 2.0), atol=1e-8)  # the known transform


def test_it_trains_packs_and_predicts(tmp_path: Path) -> None:
    model = models.build("cnn", input_shape=(8, 8, 1), estimator="toy", weight_estimator="toy", width=4)
    digits = bnn_ref.data.load("digits").take(128, 40)
    preprocessing = bnn_ref.data.Preprocessing.fit(digits)
    history = bnn_ref.train.fit(model, digits, bnn_ref.train.Config(epochs=1))
    assert len(history) == 1
    packed = bnn_ref.pack(model)
    x = preprocessing(digits.test_images)
    assert np.array_equal(packed(x), model.eval()(x))


def test_the_command_line_knows_it(tmp_path: Path) -> None:
    from bnn_ref.cli import app

    run = CliRunner().invoke
    assert "toy" in run(app, ["list"]).output
    audited = run(app, ["audit", "toy", "--json"])
    assert audited.exit_code == 0
    assert json.loads(audited.output)[0]["passed"]
    assert run(app, ["spectrum", "toy"]).exit_code == 0
    shown = run(app, ["show", "toy", "--out", str(tmp_path)])
    assert shown.exit_code == 0
    assert (tmp_path / "toy.png").stat().st_size > 10_000
