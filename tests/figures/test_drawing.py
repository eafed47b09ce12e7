"""All pictures together: one command, drawn from tables alone, and clear words where a table is missing."""

from __future__ import annotations

import ast
import re
import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from analysis.tables import RESULTS
from figures import (
    ablation,
    bbc_functions,
    bbc_slopes,
    bireal_estimators,
    capability,
    cost,
    drawing,
    engine,
    fda,
    magnitude,
    mismatch,
    pose,
    pose_shown,
    predictors,
    proxconnect,
    spectra,
    training_speed,
)
from figures.drawing import Draw, counted, run

Drawn = Callable[[Draw, Path], Figure]
Apart = Callable[[Figure], None]
ROOT = Path(__file__).parents[2]
PICTURES = {
    "spectra": spectra.draw,
    "bireal-estimators": bireal_estimators.draw,
    "capability": capability.draw,
    **fda.PICTURES,
    "magnitude": magnitude.draw,
    **proxconnect.PICTURES,
    "cost": cost.draw,
    "engine": engine.draw,
    "ablation": ablation.draw,
    "mismatch": mismatch.draw,
    "predictors": predictors.draw,
    "bbc-slopes": bbc_slopes.draw,
    "bbc-functions": bbc_functions.draw,
    "pose": pose.draw,
    "pose-shown": pose_shown.draw,
    "training-speed": training_speed.draw,
}
NEEDS = {
    "spectra": {"spectra-gain", "spectra-harmonics", "spectra-cases"},
    "bireal-estimators": {"areas-functions", "areas-sign"},
    "capability": {"capability-bounds", "capability-measured"},
    "fda-functions": {"fda-functions", "fda-dft"},
    "fda-passes": set(),
    "fda-terms": {"fda-time", "fda-terms"},
    "fda-schedules": {"fda-schedules"},
    "magnitude": {"magnitude-ratios", "magnitude-equalities"},
    "proxconnect-quantizers": {"pairs-quantizers"},
    "proxconnect-gallery": {"pairs-gallery"},
    "proxconnect-swish": {"pairs-swish", "pairs-swish-marks"},
    "proxconnect-ede": {"pairs-ede"},
    "proxconnect-regularisers": {"pairs-regularisers"},
    "proxconnect-proximal": {"pairs-proximal"},
    "proxconnect-pipeline": set(),
    "proxconnect-sawtooth": {"proximal-sawtooth"},
    "proxconnect-strength": {"proximal-strength"},
    "cost": {"cost"},
    "engine": {"engine-networks-1", "engine-shares", "engine-memory", "engine-machine"},
    "ablation": {"bireal-cells", "bireal-contrasts"},
    "mismatch": {"bireal-mismatch", "bireal-networks"},
    "predictors": {"predictors-estimators", "predictors-rankings"},
    "bbc-slopes": {"bbc-toy-slopes", "bbc-slopes"},
    "bbc-functions": {"bbc-functions"},
    "pose": set(),
    "pose-shown": {"pose-shown"},
    "training-speed": {f"training_speed-{part}" for part in ("machine", "steps", "convolutions", "slopes")},
}
"""The tables that each picture is drawn from."""
DRAWN = ("pose.py", "pose_shown.py")
"""They show pictures of the drawn set, which is made anew."""

COMMITTED = {path.stem for path in RESULTS.glob("*.csv")}


@pytest.mark.parametrize("program", ["figures", "figures.fda", "figures.proxconnect"])
def test_all_pictures_are_drawn_by_one_command(
    program: str, results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files of their own are made of the parts; that all of them can be drawn is tested below."""
    out = tmp_path / "a" / "b"
    monkeypatch.setattr(sys, "argv", [program, "--results", str(results), "--out", str(out)])
    if program == "figures":
        monkeypatch.setattr(drawing, "save", lambda picture, path: path.touch())
    with pytest.raises(SystemExit, match=r"^0$"):
        runpy.run_module(program, run_name="__main__")
    names = {
        "figures": PICTURES, "figures.fda": fda.PICTURES, "figures.proxconnect": proxconnect.PICTURES,
    }[program]  # fmt: skip
    assert set(NEEDS) == set(PICTURES)
    assert {path.name for path in out.iterdir()} == {
        f"{name}.{kind}" for name in names for kind in ("png", "svg")
    }


@pytest.mark.parametrize("name", sorted(set().union(*NEEDS.values())))
def test_a_missing_result_names_its_command(name: str, results: Path) -> None:
    (results / f"{name}.csv").unlink()
    study = {"pose-shown": "pose.shown MODEL"}.get(name, name.split("-")[0])
    wanted = f"{name}.csv is missing; make it with: python -m analysis.{study} --out {results}"
    for picture in (picture for picture, tables in NEEDS.items() if name in tables):
        with pytest.raises(FileNotFoundError, match=f"^{re.escape(wanted)}$"):
            PICTURES[picture](results)


@pytest.mark.parametrize("picture", NEEDS)
def test_no_other_result_is_needed(picture: str, results: Path) -> None:
    for path in results.iterdir():
        if path.stem not in NEEDS[picture]:
            path.unlink()
    assert PICTURES[picture](results).get_axes()


@pytest.mark.parametrize("picture", [name for name, tables in NEEDS.items() if tables <= COMMITTED])
def test_what_is_on_record_is_drawn_with_its_names_apart(picture: str, drawn: Drawn, apart: Apart) -> None:
    apart(drawn(PICTURES[picture], RESULTS))


def test_without_its_result_no_picture_is_begun(
    results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (results / "fda-terms.csv").unlink()
    out, draw = tmp_path / "out", {"fda-terms": PICTURES["fda-terms"]}
    assert run("figures", draw, ["--results", str(results), "--out", str(out)]) == 1
    assert capsys.readouterr().err.startswith(
        "fda-terms.csv is missing; make it with: python -m analysis.fda"
    )
    assert not out.exists()


def test_pictures_compute_nothing() -> None:
    """They may import the tables and the style, not the estimators or the spectra."""
    paths = sorted((ROOT / "figures").rglob("*.py"))
    assert ROOT / "figures" / "fda" / "panels.py" in paths
    for path in paths:
        modules = [
            node.module for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)
        ]
        own = {module for module in modules if module and module.split(".")[0] in ("bnn_ref", "analysis")}
        shown = {"bnn_ref", "analysis.pose.task"} if path.name in DRAWN else set()  # a set, no result
        assert own <= {"analysis.tables", "bnn_ref.plot", "bnn_ref.parameter"} | shown, path


def test_runs_are_counted() -> None:
    assert counted(["5", "5"]) == "5 runs"
    assert counted(["5", "10", "3"]) == "3 to 10 runs"
