"""The studies reproduce what is committed, and say what they were asked."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from analysis import __main__ as everything
from analysis import areas, capability, checkers, claims, cost, pairs, peers, proximal, spectra
from analysis.checkers import ABSENT
from analysis.study import Study, run
from analysis.tables import RESULTS, Table, read

Compare = Callable[[Table, Table], None]


@pytest.fixture(scope="module")
def rerun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a fresh spectra study."""
    folder: Path = tmp_path_factory.mktemp("results") / "made"
    assert run(spectra.STUDY, ["--out", str(folder)]) == 0
    return folder


def test_spectra_are_reproduced(rerun: Path, same: Compare) -> None:
    files = sorted(path.name for path in rerun.iterdir())
    assert files == ["spectra-cases.csv", "spectra-gain.csv", "spectra-gibbs.csv", "spectra-harmonics.csv"]
    for name in files:
        same(read(rerun / name), read(RESULTS / name))


def test_a_rerun_writes_the_same_bytes(rerun: Path, tmp_path: Path) -> None:
    run(spectra.STUDY, ["--out", str(tmp_path)])
    for path in rerun.iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    "study",
    [module.STUDY for module in (spectra, areas, capability, checkers, claims, cost, pairs, proximal)],
    ids=lambda s: s.name,
)
def test_headers(study: Study) -> None:
    for path in RESULTS.glob(f"{study.name}*.csv"):
        lines = [line for line in path.read_text().splitlines() if line.startswith("#")]
        assert lines[:3] == [f"# {line}" for line in study.header()[:3]]
        assert re.fullmatch(r"# versions: bnn_ref \S+, numpy \S+, scipy \S+", lines[3])
        assert len(lines) == 4


def test_nothing_else_is_committed() -> None:
    stems = {"spectra-cases", "spectra-gain", "spectra-gibbs", "spectra-harmonics", "checkers", "claims"}
    stems |= {"areas-functions", "areas-sign", "cost"}
    stems |= {f"bireal-{part}" for part in ("cells", "real", "contrasts", "networks", "mismatch")}
    stems |= {"capability-bounds", "capability-counts", "capability-measured"}
    stems |= {"magnitude-equalities", "magnitude-ratios"}
    stems |= {f"proxconnect-{part}" for part in ("arms", "contrasts", "memory")}
    stems |= {"proximal-sawtooth", "proximal-strength", "proximal-least-squares"}
    stems |= {
        f"pairs-{part}" for part in ("quantizers", "gallery", "proximal", "swish", "swish-marks", "ede")
    }
    stems |= {"pairs-regularisers"}
    stems |= {
        f"fda-{part}" for part in ("functions", "dft", "arms", "contrasts", "terms", "schedules", "time")
    }
    stems |= {"vit-accuracy", "vit-time"}
    stems |= {"predictors-estimators", "predictors-rankings", "predictors-subsets"}
    stems |= {f"bbc-{part}" for part in ("starts", "areas", "toy", "toy-slopes", "frozen", "training")}
    stems |= {f"bbc-{part}" for part in ("contrasts", "slopes", "functions")}
    stems |= {f"engine-{part}" for part in ("machine", "shares", "start", "memory", "threads", "layers-1")}
    stems |= {"engine-networks-1", "engine-profile"}
    stems |= {f"pose-{part}" for part in ("arms", "contrasts", "photographs", "reached")}
    stems |= {f"pose-{part}-bhrnet" for part in ("arms", "contrasts", "photographs")}
    stems |= {"pose-reached-ApproxSign", "pose-reached-full-precision", "pose-shown"}
    stems |= {f"training_speed-{part}" for part in ("machine", "steps", "threads", "convolutions", "slopes")}
    assert {path.name for path in RESULTS.iterdir()} == {f"{stem}.csv" for stem in stems}


def test_what_the_spectra_say() -> None:
    """Facts that a reader of the tables relies on."""
    cases = {record["case"]: record for record in read(RESULTS / "spectra-cases.csv").records()}
    error = {key: float(record["energy error on 2 pi"]) for key, record in cases.items()}
    assert error["tanh-20"] < error["swish-sign-20"] < error["fda-20-lines"] < error["approxsign"]
    assert cases["identity-ste"]["spectrum"].startswith("none")
    assert cases["fda-20-lines"]["spectrum"] == "20 lines"
    harmonics = read(RESULTS / "spectra-harmonics.csv")
    lost = np.array(harmonics.numbers("fda-20-lines"))
    assert not lost[:40].any()
    np.testing.assert_allclose(lost[40::2], 4 / (np.pi * np.arange(41, 100, 2)), rtol=1e-9)
    assert np.isnan(read(RESULTS / "spectra-gain.csv").numbers("identity-ste")).all()


def test_checkers_are_reproduced_where_they_are_installed() -> None:
    found = {row[0]: row for row in checkers.tables()["checkers"].rows}
    recorded = {row[0]: row for row in read(RESULTS / "checkers.csv").rows}
    assert list(found) == list(recorded) == [peer.name for peer in peers.PEERS]
    assert found["scipy.optimize.check_grad"][1] != ABSENT
    for name, row in found.items():
        if row[1] == recorded[name][1]:  # the same version
            assert row == recorded[name]
        else:  # another version words its errors otherwise, and must say the same
            assert row[1] == ABSENT or row[2::2] == recorded[name][2::2]


def test_the_pitch_is_on_record() -> None:
    """Every generic checker has a version and both verdicts the wrong way round; the audit has them right."""
    *generic, ours = read(RESULTS / "checkers.csv").records()
    assert len(generic) == 4
    for row in generic:
        assert re.fullmatch(r"\d+\.\d+\.\d+", row["version"]), row
        assert (row["correct clipped STE"], row["backward returns zeros"]) == ("rejects", "accepts")
    assert (ours["correct clipped STE"], ours["backward returns zeros"]) == ("accepts", "rejects")


def test_a_missing_peer_leaves_no_stale_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "checkers.csv").write_bytes((RESULTS / "checkers.csv").read_bytes())
    monkeypatch.setattr(checkers, "installed", lambda name: None)
    assert run(checkers.STUDY, ["--out", str(tmp_path)]) == 0
    assert {row[1:] for row in read(tmp_path / "checkers.csv").rows} == {(ABSENT, "", "", "", "")}


def test_a_checker_that_lets_everything_pass_is_seen_to() -> None:
    peer = peers.Peer("yes.man", "scipy", lambda module, slope: peers.Verdict(True, "fine"))
    assert checkers.row(peer)[2:] == ["accepts", "fine", "accepts", "fine"]


def test_all_of_them_in_one_go(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The long ones are run by tests of their own; here they are only asked for."""
    asked = []

    def answered(name: str, out: list[str]) -> int:
        asked.append((name, out))
        for path in (*RESULTS.glob(f"{name}-*.csv"), *RESULTS.glob(f"{name}.csv")):
            (tmp_path / path.name).write_bytes(path.read_bytes())
        return 0

    trained = ("fda", "bireal", "proxconnect", "predictors", "vit", "bbc", "pose", "engine", "training_speed")
    long = ("capability", "proximal")

    def computes(study: Study, out: list[str]) -> int:
        return answered(study.name, out) if study.name in long else run(study, out)

    monkeypatch.setattr(everything, "run", computes)
    for name in trained:
        monkeypatch.setattr(getattr(everything, name), "main", partial(answered, name))
    assert everything.main(["--out", str(tmp_path)]) == 0
    assert asked == [(name, ["--out", str(tmp_path)]) for name in (*long, *trained)]
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in RESULTS.iterdir()}
    assert "cannot be tested here" in capsys.readouterr().out
