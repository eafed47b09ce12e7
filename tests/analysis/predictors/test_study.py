"""The study from end to end, small, and what its committed answer says."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.predictors import __main__ as study
from analysis.predictors import training
from analysis.predictors.measures import MEASURES
from analysis.predictors.subsets import distinct, subsets
from analysis.tables import RESULTS, read

FEW = {name: training.ESTIMATORS[name] for name in ("identity STE", "clipped STE", "ApproxSign", "tanh")}
ARGUMENTS = ("--model", "resnet-20", "--width", "2", "--limit", "64", "--epochs", "1", "--seeds", "1")


def test_end_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "ESTIMATORS", FEW)
    assert study.main([*ARGUMENTS, "--jobs", "1", "--out", str(tmp_path)]) == 0
    rows = read(tmp_path / "predictors-estimators.csv").records()
    assert [row["estimator"] for row in rows] == [
        *FEW,
        *training.OWN["activation"],
        *FEW,
        *training.OWN["weight"],
    ]
    clipped = next(row for row in rows if row["estimator"] == "clipped STE")
    assert float(clipped["error to sign"]) == 1
    assert 0 < float(clipped["saturation"]) < 1
    assert float(clipped["saturation"]) + float(clipped["mean slope"]) == pytest.approx(1, abs=1e-3)
    rankings = read(tmp_path / "predictors-rankings.csv").records()
    assert [row["measure"] for row in rankings] == [*MEASURES] * 2
    assert [row["estimators"] for row in rankings] == ["6"] * 6 + ["8"] * 6
    assert read(tmp_path / "predictors-subsets.csv").column("estimators") == ("5",) * 6 + ("7",) * 6


def test_every_arm_differs_in_one_operand() -> None:
    for label, options in training.arms().items():
        operand = label.split(":")[0]
        kept = training.FIXED[operand]
        assert kept.items() <= options.items()
        varied = set(options) - set(kept) - {"scale"}
        assert varied in ({"estimator", "parameters"}, {"weight_estimator", "weight_parameters"})
        assert ("scale" in options) == ("BBC" in label and operand == "weight")


def test_rows_that_differ_in_a_name_alone_count_once() -> None:
    rows = [
        {"estimator": name, "mean": mean} for name, mean in (("a", "1"), ("b", "2"), ("c", "1"), ("d", "3"))
    ]
    assert [row["estimator"] for row in distinct(rows)] == ["a", "b", "d"]


def test_the_committed_subsets_are_what_the_other_table_gives() -> None:
    """Of weights one of two equal runs goes, then BBC's three; of activations BBC's one."""
    made = subsets(read(RESULTS / "predictors-estimators.csv"))
    assert made == read(RESULTS / "predictors-subsets.csv")
    counts = {row["left out"]: (row["operand"], row["estimators"]) for row in made.records()}
    assert counts == {
        "BBC-linear": ("activation", "13"),
        "clipped STE": ("weight", "15"),
        "clipped STE, BBC-linear, BBC-MLP, BBC-MLP as published": ("weight", "12"),
    }


def test_the_committed_ranks_follow_from_the_committed_accuracies() -> None:
    """The strongest statement of the docs, recomputed from the other table."""
    rows = read(RESULTS / "predictors-estimators.csv").records()
    for line in read(RESULTS / "predictors-rankings.csv").records():
        own = [row for row in rows if row["operand"] == line["operand"] and row["mean"]]
        assert len(own) == int(line["estimators"])
        if not line["rho"]:
            assert len({row[line["measure"]] for row in own}) == 1
            continue
        pairs = [(float(row[line["measure"]]), float(row["mean"])) for row in own]
        up = sum((a > b) - (a < b) == (c > d) - (c < d) for a, c in pairs for b, d in pairs if a != b)
        down = sum((a > b) - (a < b) == (c < d) - (c > d) for a, c in pairs for b, d in pairs if a != b)
        if abs(float(line["rho"])) > 0.3:
            assert (up > down) == (float(line["rho"]) > 0), line
