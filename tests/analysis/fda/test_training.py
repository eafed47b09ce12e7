"""The trained study: its arms can be built, its contrasts are those of the runs, its readings are honest."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from analysis.contrasts import contrasts
from analysis.fda import __main__ as study
from analysis.fda import speed, training
from analysis.tables import RESULTS, Table, read
from bnn_ref import models, train
from bnn_ref.estimators.noise import NoiseModule
from bnn_ref.estimators.ste import Identity
from bnn_ref.train import Comparison, Epoch, History, Run


def run(arm: str, seed: int, accuracy: float) -> Run:
    return Run(arm, seed, History((Epoch(0, 0, 0.0, 0.1, 1.0, 0.5, accuracy, 1.0),)))


ARMS, SWEEP = training.Sweep().arms(), training.Sweep()


def made_up(gaps: dict[str, float]) -> Comparison:
    """Three seeds an arm, around 0.8 plus the arm's gap, with the same spread for all."""
    runs = tuple(
        run(arm, seed, 0.8 + gaps.get(arm, 0.0) + 0.01 * seed + (0.0005 * seed if arm in gaps else 0.0))
        for arm in ARMS
        for seed in range(3)
    )
    return Comparison("made up", "resnet-20", ARMS, {}, train.Config(), "sine", (0, 1, 2), runs)


@pytest.mark.parametrize("arm", ARMS)
def test_every_arm_binarizes_both_operands_alike(arm: str) -> None:
    options = ARMS[arm]
    model = models.build(
        "resnet-20", input_shape=(8, 8, 1), width=2, blocks=(1, 1, 1), scale="tensor", **options
    )
    conv = model.body.parts[0].branch.parts[0]  # type: ignore[attr-defined]
    assert conv.activation.name == conv.weight.inner.name == options["estimator"]
    assert str(conv.activation) == str(conv.weight.inner)
    numbers = [int(word) for word in arm.split() if word.isdigit()]
    if arm.endswith("terms"):
        law = conv.activation.law
        assert [law.start, law.stop] == numbers * (3 - len(numbers)), "one number: fixed"
    if "eta" in arm:
        (module,) = {p for p in conv.activation.surrogate.parts() if isinstance(p, NoiseModule)}
        assert module.eta == (None if arm.endswith("= 0") else Identity())
    assert ("noise" in arm) == (len(conv.activation.parameters()) == 2)


def test_contrasts_and_settings_name_arms_that_exist() -> None:
    arms = set(ARMS)
    for contrast in training.CONTRASTS:
        assert {contrast.arm, contrast.against} <= arms
    result = made_up({})
    assert training.terms(result, SWEEP).column("terms") == tuple(map(str, SWEEP.fixed))
    settings = training.schedules(result, SWEEP).column("setting")
    assert set(settings) == {"fixed", "from 1", "from 9"}
    tables = {contrast.where for contrast in training.CONTRASTS}
    assert {"Table 2", "Table 3", "Table 4", "Fig. 3", "Fig. 4"} <= tables


def test_a_contrast_is_that_of_its_two_arms() -> None:
    table = contrasts(made_up({"sine": 0.04}), training.CONTRASTS, 1000).records()
    found = {(row["arm"], row["minus"]): row for row in table}
    assert found["sine", "clipped STE"]["difference"] == "4.05"
    assert found["sine + noise", "sine"]["difference"] == "-4.05"
    assert found["sine", "clipped STE"]["reading"] == "same sign as the paper's"
    assert found["sine + noise", "sine"]["reading"] == "DIFFERS from the paper's"
    assert found["DSQ + noise", "DSQ"]["reading"].startswith("cannot tell")
    assert found["sine", "clipped STE"]["in the paper"] == "1.39"


def test_a_run_that_diverged_leaves_nothing_to_read() -> None:
    result = made_up({"sine": 0.04})
    lost = [
        replace(one, diverged="loss: NaN") if one.arm == "DSQ" and one.seed else one for one in result.runs
    ]
    broken = replace(result, runs=tuple(lost))
    whole, table = (contrasts(each, training.CONTRASTS, 1000).records() for each in (result, broken))
    (row,) = (row for row in table if "DSQ" in (row["arm"], row["minus"]))
    assert row["reading"] == "a run diverged, nothing can be said"
    assert row["difference"] == row["low"] == row["error of the images"] == ""
    assert [row for row in table if row["minus"] != "DSQ"] == [row for row in whole if row["minus"] != "DSQ"]
    (arm,) = (row for row in training.arms(broken).records() if row["arm"] == "DSQ")
    assert (arm["mean"], arm["by seed"]) == ("", "80.00 diverged diverged")


def test_what_is_committed_follows_from_the_runs_on_record() -> None:
    """Contrasts, terms and schedules recomputed from the accuracies seed by seed, with SciPy's t test."""
    arms = {row["arm"]: row for row in read(RESULTS / "fda-arms.csv").records()}
    seeds = {arm: np.array([float(v) for v in row["by seed"].split()]) for arm, row in arms.items()}
    assert set(arms) == set(ARMS)
    for row in read(RESULTS / "fda-contrasts.csv").records():
        gaps = seeds[row["arm"]] - seeds[row["minus"]]
        assert float(row["difference"]) == pytest.approx(gaps.mean(), abs=0.02)
        half = stats.t.ppf(0.975, 2) * gaps.std(ddof=1) / np.sqrt(3)
        assert float(row["low"]) == pytest.approx(gaps.mean() - half, abs=0.06)
        assert float(row["high"]) == pytest.approx(gaps.mean() + half, abs=0.06)
        error = float(row["error of the images"])
        differs = row["in the paper"] and abs(float(row["in the paper"]) - gaps.mean()) > half + error
        said = differs or (abs(gaps.mean()) > half and abs(gaps.mean()) > error)
        assert row["reading"].startswith("cannot tell") != said
        assert row["reading"].startswith("DIFFERS") == bool(differs)
    for row in read(RESULTS / "fda-terms.csv").records():
        assert row["mean"] == arms[f"{row['terms']} terms"]["mean"]
    for row in read(RESULTS / "fda-schedules.csv").records():
        arm = {"fixed": "{} terms", "from 1": "1 to {} terms", "from 9": "9 to {} terms"}[row["setting"]]
        named = arm.format(row["stop"])
        assert row["mean"] == arms["sine" if named == "9 to 18 terms" else named]["mean"]


def test_the_recorded_time_is_flat_for_the_closed_form_alone() -> None:
    """Of a table on record, not of this machine: the sum of 20 cosines is several times that of one."""
    times = read(RESULTS / "fda-time.csv")
    total, closed = (np.array(times.numbers(name)) for name in ("cosine sum", "closed form"))
    assert times.column("terms") == tuple(map(str, range(1, 21)))
    assert total[-1] / total[0] > 3
    assert closed.max() / closed.min() < 2


def test_time_is_measured_on_equal_outputs(monkeypatch: pytest.MonkeyPatch) -> None:
    table = speed.times(1000, 3, (1, 20))
    assert table.column("terms") == ("1", "20")
    assert all(value > 0 for name in table.columns[1:] for value in table.numbers(name))
    monkeypatch.setattr(
        speed, "fourier_slope", lambda x, dy, n, omega, out: np.multiply(1.01 * x, dy, out=out)
    )
    with pytest.raises(ValueError, match="required equal outputs"):
        speed.times(1000, 3, (1,))


def test_the_speed_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert speed.main(["--size", "1000", "--pairs", "3"]) == 0
    said = capsys.readouterr().out
    assert "NumPy's cosine sum, 10 terms, into a buffer" in said
    assert said.count("terms, over ours at 10") == 4


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole study, as small as it gets."""
    folder: Path = tmp_path_factory.mktemp("fda")
    with pytest.MonkeyPatch.context() as patch:
        real = speed.times
        patch.setattr(speed, "times", lambda: real(1000, 3, (1, 2)))
        few = ["--limit", "64", "--epochs", "1", "--seeds", "2", "--width", "2", "--scale", "channel"]
        few += ["--terms", "1", "3", "--from-one", "4", "--from-nine", "12", "--out", str(folder)]
        assert study.main(few) == 0
    return folder


def test_the_study_writes_what_the_figures_draw(small: Path) -> None:
    names = {path.name for path in small.iterdir()}
    stems = ("functions", "dft", "arms", "contrasts", "terms", "schedules", "time")
    assert names == {f"fda-{stem}.csv" for stem in stems}
    header = (small / "fda-arms.csv").read_text().splitlines()[:4]
    given = "--data digits --limit 64 --model resnet-20 --width 2 --scale channel --terms 1 3 --from-one 4"
    assert header[1].startswith(f"# command: python -m analysis.fda {given} --from-nine 12 --epochs 1")
    assert read(small / "fda-terms.csv").column("terms") == ("1", "3")
    assert "9 to 12 terms" in read(small / "fda-arms.csv").column("arm")
    assert len(read(small / "fda-contrasts.csv").rows) < len(training.CONTRASTS)
    assert header[2] == "# seeds: 0, 1"
    assert set(read(small / "fda-arms.csv").column("runs")) == {"2"}


def test_one_seed_says_nothing() -> None:
    one = replace(made_up({}), seeds=(0,))
    rows: Any = contrasts(one, training.CONTRASTS, 1000).records()
    assert {row["reading"] for row in rows} == {"one run: no spread, nothing can be said"}
    assert {row["low"] for row in rows} == {""}
    assert all(math.isnan(value) for value in Table.numbers(training.arms(one), "low"))


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--seeds", "0"], "seeds: required at least one"),
        (["--epochs", "0"], "epochs: required a whole number >= 1, got 0"),
        (["--width", "3"], "width: required an even number"),
        (["--data", "cats"], "invalid choice"),
    ],
)
def test_wrong_options_end_with_status_2(
    argv: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        study.main([*argv, "--out", str(tmp_path / "none")])
    assert ended.value.code == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "none").exists()
