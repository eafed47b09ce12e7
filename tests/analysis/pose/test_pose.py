"""The study of pose networks, at a size that says nothing: its tables, and what they are made of."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analysis.pose import __main__ as study
from analysis.pose import arms, photographs, reached, task
from analysis.tables import read
from bnn_ref import pose
from bnn_ref.models import build
from bnn_ref.train import Comparison, Config, Epoch, History, Run

TINY = ["--figures", "4", "--tested", "2", "--height", "32", "--width", "32", "--channels", "1"]
SMALL = Config(1, 4, loss="heatmap")


def made_up(values: dict[str, float | None]) -> Comparison:
    """One run an arm with that AP; None diverged."""
    runs = []
    for arm, value in values.items():
        epoch = Epoch(0, 0, 0.0, 0.1, 1.0, 0.5, 0.0 if value is None else value, 90.0, measure="AP")
        runs.append(Run(arm, 0, History((epoch,)), "loss" if value is None else None))
    chosen = {arm: arms.ARMS[arm] for arm in values}
    return Comparison("figures", "sbpn", chosen, {}, SMALL, next(iter(values)), (0,), tuple(runs))


def test_the_tables_of_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("BNN_REF_DATA", raising=False)
    some = ["--arms", "full precision", "ApproxSign", "--seeds", "1", "--epochs", "1", "--jobs", "2"]
    assert study.main([*TINY, *some, "--out", str(tmp_path)]) == 0
    assert {path.stem for path in tmp_path.iterdir()} == {"pose-arms", "pose-contrasts"}
    assert "photographs left out: no folder of them" in capsys.readouterr().out
    assert " --arms 'full precision' ApproxSign --network " in (tmp_path / "pose-arms.csv").read_text()
    table = read(tmp_path / "pose-arms.csv")
    assert [row[0] for row in table.rows] == ["full precision", "ApproxSign"]
    assert all(0 <= value <= 100 for value in table.numbers("mean"))
    (asked,) = read(tmp_path / "pose-contrasts.csv").rows
    assert asked[1:3] == ("ApproxSign", "full precision")


def test_another_network_has_tables_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BNN_REF_DATA", raising=False)
    some = [
        "--network",
        "bhrnet-w32",
        "--arms",
        "ApproxSign",
        "full precision",
        "--seeds",
        "1",
        "--epochs",
        "1",
    ]
    assert study.main([*TINY, *some, "--batch-size", "2", "--out", str(tmp_path)]) == 0
    assert {path.stem for path in tmp_path.iterdir()} == {"pose-arms-bhrnet", "pose-contrasts-bhrnet"}


def test_the_check_on_photographs_alone(real: Path, tmp_path: Path) -> None:
    alone = ["--only-photographs", "--arms", "FDA", "--photo-epochs", "1", "--heart-epochs", "1"]
    assert study.main([*TINY, *alone, "--folder", str(real.parent), "--out", str(tmp_path)]) == 0
    assert {path.stem for path in tmp_path.iterdir()} == {"pose-photographs"}
    assert " --heart-epochs 1 --only-photographs --epochs " in (tmp_path / "pose-photographs.csv").read_text()
    table = read(tmp_path / "pose-photographs.csv")
    assert table.column("arm") == ("FDA", "full precision, by heart")


def test_what_is_wrong_ends_with_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BNN_REF_DATA", raising=False)
    for wrong, said in (
        (["--only-photographs"], "only-photographs: required photographs to learn, got 'no folder"),
        (["--figures", "1"], "figures: required"),
        (["--width", "30"], "size: required mult"),
    ):
        with pytest.raises(SystemExit) as ended:
            study.main([*TINY, *wrong, "--out", str(tmp_path)])
        assert ended.value.code == 2
        assert said in capsys.readouterr().err


def test_what_is_reached(tmp_path: Path) -> None:
    rows = reached.table(made_up({"full precision": 0.8, "ApproxSign": 0.599})).rows
    assert rows[0][:5] == ("full precision", "80.00", "80.00", "80.00", "reached")
    assert rows[1][:5] == ("ApproxSign", "59.90", "59.90", "60.00", "not reached")
    assert len(reached.table(made_up({"full precision": 0.8, "ApproxSign": None})).rows) == 1
    assert reached.main([*TINY, "--seeds", "1", "--epochs", "1", "--out", str(tmp_path)]) == 0
    table = read(tmp_path / "pose-reached.csv")
    assert [row[0] for row in table.rows] == list(reached.WANTED)
    assert table.column("verdict") == ("not reached",) * 2


def test_minutes_and_shares_of_a_table() -> None:
    (row,) = arms.table(made_up({"FDA": 0.25})).rows
    assert (row[0], row[2], row[-2], row[-1]) == ("FDA", "25.00", "50.00", "1.5")


@pytest.mark.parametrize("arm", arms.ARMS)
def test_every_arm_can_be_built(arm: str) -> None:
    build("sbpn", input_shape=(32, 32, 3), width=4, **arms.ARMS[arm])


@pytest.mark.parametrize(("exact", "ceiling"), [(False, 0.91), (True, 1.0)])
def test_the_set_is_one_set_and_its_ceiling_is_stated(exact: bool, ceiling: float) -> None:
    """Perfect maps of the study's own size decode to the AP that its docstring names, to three points."""
    options = Namespace(width=96, height=128, figures=2, tested=24)
    tested = task.drawn(options).tested
    again = pose.figures.generate(24, 1, (128, 128), task.DIFFICULTY)[0]
    np.testing.assert_array_equal(tested.pictures(24), again[23])
    _, maps, _ = tested.sample(range(len(tested)), pose.View((96, 128), task.SIGMA, exact=exact))
    found = pose.find(
        lambda _: maps, pose.true_boxes(tested.truth), tested.pictures, pose.normalisation((96, 128)),
        flip=False, exact=exact, batch=len(maps),
    )  # fmt: skip
    assert pose.evaluate(tested.truth, found.results).to_dict()["AP"] == pytest.approx(ceiling, abs=0.03)


def test_photographs_are_found_and_learnt(real: Path) -> None:
    folder = photographs.found(str(real.parent))
    assert folder == real / photographs.SET
    assert photographs.found(str(real)) == folder
    whole = photographs.task(folder, pose.View((32, 32), 1.0))
    assert (len(whole), len(whole.tested)) == (86, 68)
    few = whole.train.truth.take(list(whole.train.truth.images)[:2])
    part = pose.Persons(few, whole.train.pictures)
    work = type(whole)("few", part, part, whole.view)
    (row,) = photographs.table(work, "sbpn", ["ApproxSign"], SMALL, {"width": 1}).rows
    assert row[:2] == ("ApproxSign", "1")
    varied = replace(work, view=replace(work.view, augmentation=pose.Augmentation(scale=0.5, flip=0.5)))
    twice = [photographs.by_heart(some, "sbpn", SMALL, {"width": 1}) for some in (work, varied)]
    assert twice[0] == twice[1]
    assert twice[0][:2] == ["full precision, by heart", 1]
