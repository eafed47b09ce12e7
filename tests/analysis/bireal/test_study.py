"""The ablation: its cells are what they are called, its chains and its pairs as stated, its tables as run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis.bireal import __main__ as study
from analysis.bireal import grid, mismatch, training
from analysis.tables import RESULTS, Table, read
from bnn_ref.data import Dataset, load
from bnn_ref.train import Config


@pytest.fixture(scope="module")
def few() -> Dataset:
    return load("digits", None).take(64)


@pytest.fixture
def work(few: Dataset) -> training.Work:
    return training.Work(few, "bireal-20", {"width": 2, "blocks": (2, 2)}, Config(2, 32, clip=None), 4)


def test_a_grid_is_every_combination_once() -> None:
    levels = {
        "shortcut": ["bireal", "plain"],
        "start": ["relu"],
        "rule": ["bnn", "code"],
        "activation": ["clip"],
    }
    found = grid.cells(levels)
    assert [cell.label for cell in found] == [
        "bireal / relu / bnn / clip", "bireal / relu / code / clip",
        "plain / relu / bnn / clip", "plain / relu / code / clip",
    ]  # fmt: skip
    groups = grid.together(found)
    assert groups["rule code"] == ["bireal / relu / code / clip", "plain / relu / code / clip"]
    assert groups["start none"] == []
    with pytest.raises(ValueError, match=r"rule: required at least one of bnn, .*, each once, got "):
        grid.cells({**levels, "rule": ["bnn", "bnn"]})


@pytest.mark.parametrize("cell", grid.cells(grid.CHOICES), ids=lambda cell: cell.label)
def test_cells_are_built_as_they_are_called(cell: grid.Cell, work: training.Work) -> None:
    model = work.build(3, **cell.options)
    chosen = model.spec.options
    assert chosen["shortcut"] == cell.shortcut
    assert chosen["seed"] == 3
    assert grid.RULES[cell.rule] == chosen["weight_estimator"]
    assert grid.ACTIVATIONS[cell.activation] == chosen["estimator"]


def test_every_contrast_can_be_asked_of_the_whole_grid() -> None:
    found = grid.cells(grid.CHOICES)
    known = {cell.label for cell in found} | {name for name, arms in grid.together(found).items() if arms}
    for optimizer in ("adam", "sgd"):
        for one in grid.asked(optimizer):
            assert {one.arm, one.against} <= known
            assert one.paper is None, "the cells of the ablation are known by recall: none is quoted"
    rules = [{one.arm: one.expected for one in grid.asked(name)}["rule code"] for name in ("adam", "sgd")]
    assert rules == [0, 1]
    assert {one.arm: one.expected for one in grid.asked("sgd")}["rule paper"] == 0


def test_stages_share_the_epochs(work: training.Work) -> None:
    stages = work.stages("plain", "clip", 1)
    assert [stage.config.epochs for stage in stages] == [2, 1, 1]
    assert [stage.model.spec.options["estimator"] for stage in stages] == [
        "real-relu",
        "real-leaky-clip",
        "real",
    ]  # type: ignore[attr-defined]
    assert [stage.config.epochs for stage in work.stages("plain", "relu", 1)] == [4]
    assert work.stages("plain", "none", 1) == []
    with pytest.raises(ValueError, match="pretraining: required at least 3 epochs for 'clip', got 2"):
        training.Work(work.images, work.model, work.options, work.config, 2).stages("res", "clip", 0)


def test_runs_of_one_seed_share_their_real_network(work: training.Work) -> None:
    """Cells from one start, alone or together; the first batch of the first epoch is behind equal weights."""
    both = grid.cells(
        {"shortcut": ["res"], "start": ["clip"], "rule": ["bnn", "caffe"], "activation": ["clip"]}
    )
    runs = training.train_from(work, both, 5)
    assert [run.arm for run in runs] == ["res / clip / real network", *(cell.label for cell in both)]
    assert {run.seed for run in runs} == {5}
    alone = training.train_from(work, both[1:], 5)
    assert (alone[0], alone[1]) == (runs[0], runs[2])
    (fresh,) = training.train_from(work, grid.cells(
        {"shortcut": ["res"], "start": ["none"], "rule": ["bnn"], "activation": ["clip"]}), 5)  # fmt: skip
    assert fresh.history[0].loss > runs[1].history[0].loss, "it starts from trained weights"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole study, as small as it gets."""
    folder: Path = tmp_path_factory.mktemp("bireal")
    few = ["--limit", "64", "--epochs", "1", "--seeds", "2", "--width", "2", "--blocks", "2"]
    few += [
        "--shortcuts",
        "res",
        "bireal",
        "--starts",
        "clip",
        "--rules",
        "bnn",
        "paper",
        "--activations",
        "clip",
    ]
    few += ["--probed-epochs", "1", "--images", "2", "--draws", "10", "--out", str(folder)]
    assert study.main(few) == 0
    return folder


def test_the_study_writes_its_tables(small: Path) -> None:
    stems = ("cells", "real", "contrasts", "networks", "mismatch")
    assert {path.name for path in small.iterdir()} == {f"bireal-{stem}.csv" for stem in stems}
    cells = read(small / "bireal-cells.csv").records()
    assert [(row["shortcut"], row["rule"]) for row in cells] == [
        ("res", "bnn"), ("res", "paper"), ("bireal", "bnn"), ("bireal", "paper"),
    ]  # fmt: skip
    assert read(small / "bireal-real.csv").column("shortcut") == ("bireal", "res")
    asked = read(small / "bireal-contrasts.csv").records()
    assert [(row["arm"], row["expected"], row["runs"]) for row in asked] == [
        ("shortcut bireal", "better", "4"), ("rule paper", "equal", "4"),
    ]  # fmt: skip
    assert set(read(small / "bireal-networks.csv").column("elements")) == {"512", "288"}


def test_contrasts_on_record_follow_from_the_cells_on_record() -> None:
    """Main effects recomputed from the accuracies seed by seed."""
    cells = read(RESULTS / "bireal-cells.csv").records()
    for row in read(RESULTS / "bireal-contrasts.csv").records():
        sides = []
        for name in (row["arm"], row["minus"]):
            if "/" in name:
                own = [c for c in cells if " / ".join(c[k] for k in grid.CHOICES) == name]
            else:
                factor, level = name.split()
                own = [c for c in cells if c[factor] == level]
            sides.append(np.mean([[float(v) for v in c["by seed"].split()] for c in own], axis=0))
        gaps = sides[0] - sides[1]
        assert float(row["difference"]) == pytest.approx(gaps.mean(), abs=0.02)
        half = 4.3027 * gaps.std(ddof=1) / np.sqrt(3)
        assert float(row["high"]) - float(row["low"]) == pytest.approx(2 * half, abs=0.05)
        told = abs(gaps.mean()) > half and abs(gaps.mean()) > float(row["error of the images"])
        assert row["reading"].startswith("cannot tell") != told


def test_the_mean_mismatch_on_record_is_that_of_its_networks() -> None:
    found = mismatch.summary(read(RESULTS / "bireal-networks.csv"))
    assert found.rows == read(RESULTS / "bireal-mismatch.csv").rows
    records = read(RESULTS / "bireal-networks.csv").records()
    own = [
        float(r["cosine"])
        for r in records
        if (r["operand"], r["truth"], r["estimator"]) == ("weight", "flips", "dsq")
    ]
    row = next(
        r for r in found.records() if (r["operand"], r["truth"], r["estimator"]) == ("weight", "flips", "dsq")
    )
    assert (row["networks"], float(row["mean"])) == (str(len(own)), pytest.approx(np.mean(own), rel=1e-3))


def test_a_network_lost_in_noise_is_left_out_of_the_mean() -> None:
    rows = [
        ["weight", "noise", "dsq", c, "", "", g, 1.0, 36, s]
        for s, (c, g) in enumerate([(0.5, 2.0), ("", ""), (0.3, 4.0)])
    ]
    (row,) = mismatch.summary(Table.of(mismatch.COLUMNS, rows)).records()
    assert (row["networks"], row["mean"], row["gain"]) == ("2", "0.4", "3")


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--seeds", "0"], "seeds: required at least one, got"),
        (["--epochs", "0"], "epochs: required a whole number >= 1, got 0"),
        (["--pretraining", "2"], "pretraining: required at least 3 epochs for 'clip', got 2"),
        (["--blocks", "3"], "blocks: required even numbers"),
        (["--rules", "bnn", "bnn"], "rule: required at least one of"),
        (["--rules", "best"], "invalid choice"),
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
