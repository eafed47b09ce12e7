"""BBC's weak points: the toy finds its branch, formulas hold, the record says what the documentation says."""

from __future__ import annotations

import re
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest

from analysis.bbc import __main__ as study
from analysis.bbc import learned, start, toy, training
from analysis.tables import RESULTS, read
from bnn_ref.data import load
from bnn_ref.models import build

NAMES = ("starts", "areas", "toy", "toy-slopes", "frozen", "training", "contrasts", "slopes", "functions")
STEPS = 150


def test_a_small_study_answers_every_question(tmp_path: Path) -> None:
    arguments = "--draws 5 --toy-seeds 1 --toy-steps 12 --epochs 1 --seeds 1 --limit 66 --widths 2 --blocks 1"
    assert study.main([*arguments.split(), "--out", str(tmp_path)]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {f"bbc-{name}.csv" for name in NAMES}
    found = {name: read(tmp_path / f"bbc-{name}.csv") for name in NAMES}
    recorded = {name: read(RESULTS / f"bbc-{name}.csv") for name in NAMES}
    for name in ("starts", "areas", "toy", "frozen", "training", "contrasts", "functions"):
        assert found[name].columns == recorded[name].columns
    assert found["areas"] == recorded["areas"]
    first = found["slopes"].records()[0]
    model = build(
        "bireal-small", input_shape=(8, 8, 1), widths=(2,), blocks=(1,), seed=0, weight_estimator="bbc"
    )
    assert float(first["epoch 0"]) == pytest.approx(
        float(learned.in_network(model).surrogate.derivative(0.0))
    )


@pytest.mark.parametrize(
    ("arm", "found"), [("linear from +1/2", 1.0), ("linear from -1/2", 0.0), ("argmax, signed", 1.0)]
)
def test_the_toy_goes_where_its_slope_points(arm: str, found: float) -> None:
    """Spec 1.9: all signs from +1/2, none from -1/2; a decision and a slope of one sign find them too."""
    assert toy.outcome(arm, True, 0, STEPS).recovered == pytest.approx(found, abs=0.1)


def test_the_toy_forgets_nothing() -> None:
    one, same = (toy.outcome("MLP, default", True, 3, 24) for _ in range(2))
    assert one == same
    assert len(one.slopes) == toy.MARKS + 1
    kept, moved = (toy.outcome(f"argmax, {split}", True, 3, 24).gap for split in ("same", "signed"))
    assert kept[0] == moved[0] == pytest.approx(kept[1], abs=1e-12)
    assert abs(moved[1] - moved[0]) > 1e-3


def test_one_logit_is_what_it_says() -> None:
    b, x = start.logit(3.0, 2.0), np.linspace(-1, 1, 9)
    np.testing.assert_allclose(b.surrogate(x), np.clip(3 * np.tanh(2 * x), -1, 1), rtol=1e-12)
    np.testing.assert_array_equal(learned.closed(b, x), np.abs(3 * np.tanh(2 * x)) >= 1)


def test_snapshots_hold_all_centred_weights() -> None:
    model = build("mlp", input_shape=(8, 8, 1), width=12, weight_estimator="bbc")
    x, s, slope, shut, density = training.snapshot(model)
    assert density.sum() * (x[1] - x[0]) == pytest.approx(1, abs=1e-9)
    assert slope[30] == pytest.approx((s[31] - s[29]) / (x[31] - x[29]), rel=0.05)
    assert not shut[28:33].any()


def test_the_recipe_reaches_the_networks() -> None:
    options = study.EXPERIMENT.parser().parse_args(["--widths", "3", "--blocks", "1", "--seeds", "2"])
    trial = study.EXPERIMENT.trial(options)
    assert isinstance(options, Namespace)
    assert (trial.config.estimator_lr, trial.config.estimator_schedule) == (1e-3, "bbc")
    first = training.starts(trial, load("digits").take(64), trial.arms)
    assert set(first) == {(arm, seed) for arm in list(training.ARMS)[1:] for seed in (0, 1)}
    assert all(first["bbc, positive", seed] >= abs(first["bbc", seed]) - 1e-6 for seed in (0, 1))


# what is on record


def test_the_record_agrees_with_the_formulas() -> None:
    for row in read(RESULTS / "bbc-starts.csv").records():
        draws, exact = int(row["draws"]), float(row["exact deviation"])
        assert float(row["deviation"]) == pytest.approx(exact, abs=4 * exact / np.sqrt(2 * draws))
        assert float(row["share falling"]) == pytest.approx(0.5, abs=2 / np.sqrt(draws))
    areas = read(RESULTS / "bbc-areas.csv")
    np.testing.assert_allclose(areas.numbers("area"), areas.numbers("2 min(height, 1)"), atol=1e-6)


def test_the_record_of_the_toy_says_what_the_documentation_says() -> None:
    text = (Path(__file__).parents[3] / "docs" / "bbc.md").read_text()
    for row in read(RESULTS / "bbc-toy.csv").records():
        told = [
            f"{row['arm']}, {'with' if row['batch norm'] == 'yes' else 'without'}",
            row["began falling"] or "-", row["ended falling"] or "-", row["steeper at the end"] or "-",
            row["runs that found 90 %"], row["runs that found less than 10 %"],
        ]  # fmt: skip
        assert re.search(r"\| " + r" \| ".join(map(re.escape, told)) + r" \|", text), told


def test_frozen_means_frozen() -> None:
    for row in read(RESULTS / "bbc-frozen.csv").records():
        still = abs(float(row["gap after"]) - float(row["gap before"])) < 1e-9
        assert still == (row["arm"] == "argmax, same")
        if still and abs(float(row["slope before"])) > 0.3:
            upright = float(row["gap before"]) * float(row["slope after"]) > 0
            assert (float(row["recovered"]) > 0.5) == upright or float(row["slope after"]) * float(
                row["slope before"]
            ) < 0
