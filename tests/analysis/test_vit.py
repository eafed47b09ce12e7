"""The study of vision transformers, at its smallest: what it trains, what it freezes, what it writes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis import vit
from analysis.tables import RESULTS, read
from bnn_ref import data

SMALL = ["--data", "digits", "--limit", "120", "--patch", "4", "--width", "8", "--heads", "2", "--depth", "1"]


def test_every_arm_on_a_few_digits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arms = ["binary", "frozen", "real", "both"]
    options = [*SMALL, "--epochs", "2", "--jobs", "1", "--out", str(tmp_path), "--arms", *arms]
    assert vit.main(options) == 0
    found = read(tmp_path / "vit-accuracy.csv").records()
    assert [record["arm"] for record in found] == arms
    assert {record["packed agrees"] for record in found} == {"100.00"}
    # 12 x 8 x 8 binary weights, of which real ones take 32 times as much; binary ones have 9 x 8 scales
    weights, scales = 12 * 8 * 8, (4 * 8 + 4 * 8 + 8) * 4
    size = {record["arm"]: int(record["packed bytes"]) for record in found}
    assert size["real"] == int(found[0]["float32 bytes"])
    assert size["binary"] == size["frozen"] == size["real"] - 4 * weights + weights // 8 + scales
    times = read(tmp_path / "vit-time.csv")
    assert [row[0] for row in times.rows] == arms
    assert min(times.numbers("minutes of one core")) >= 0
    said = capsys.readouterr().out
    assert all(f"{arm}, seed 0, epoch 1: test accuracy " in said for arm in arms)
    header = (tmp_path / "vit-accuracy.csv").read_text().splitlines()[1]
    assert "--arms binary frozen real both" in header
    assert "--jobs" not in header
    assert "--out" not in header


def test_arms_of_one_seed_start_alike_and_one_seed_is_one_result() -> None:
    options = vit.parser().parse_args([*SMALL, "--epochs", "1"])
    images = data.load("digits").take(120)
    first, again, other = (vit.train(images, options, "binary", seed) for seed in (0, 0, 1))
    assert (first.accuracy, first.train_accuracy) == (again.accuracy, again.train_accuracy)
    assert (first.accuracy, first.train_accuracy) != (other.accuracy, other.train_accuracy)
    assert first.cpu_minutes > 0


def test_wrong_options_end_with_a_reason(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        vit.main([*SMALL, "--patch", "3", "--jobs", "1"])
    assert ended.value.code == 2
    assert "input_shape: required H and W divisible by 3" in capsys.readouterr().err


def test_what_is_on_record() -> None:
    """The acceptance of the small network: accuracy, what its blocks learned, packed classes, time."""
    found = {
        (record["arm"], record["seed"]): record for record in read(RESULTS / "vit-accuracy.csv").records()
    }
    for seed in {seed for _, seed in found}:
        binary, frozen = (float(found[arm, seed]["test accuracy"]) for arm in ("binary", "frozen"))
        assert binary >= 87
        assert binary - frozen >= 2
    assert {record["packed agrees"] for record in found.values()} == {"100.00"}
    assert all(int(r["packed bytes"]) * 4 < int(r["float32 bytes"]) for r in found.values())
    minutes = np.array(read(RESULTS / "vit-time.csv").numbers("minutes of one core"))
    assert (minutes < 2 * 20).all()
