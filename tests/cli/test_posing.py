"""`bnn-ref pose`: the numbers of a small file worked out by hand, and one line for each kind of bad use."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bnn_ref.cli import app
from bnn_ref.pose.joints import JOINTS


def run(*arguments: str | Path) -> Any:
    return CliRunner().invoke(app, ["pose", *map(str, arguments)])


def pose(shift: float) -> list[float]:
    return [v for j in range(17) for v in (10.0 * j + shift, 7.0 * j, 2)]


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Two medium persons in two images; one is found exactly, surest is somebody who is not there."""
    person = {"category_id": 1, "iscrowd": 0, "num_keypoints": 17, "bbox": [0, 0, 160, 112], "area": 5000}
    truth = {
        "images": [{"id": i, "file_name": f"{i}.jpg", "width": 200, "height": 200} for i in (1, 2)],
        "categories": [{"id": 1, "name": "person", "keypoints": list(JOINTS)}],
        "annotations": [{**person, "id": i, "image_id": i, "keypoints": pose(0)} for i in (1, 2)],
    }
    results = [
        {"image_id": 1, "category_id": 1, "keypoints": pose(0), "score": 0.5},
        {"image_id": 1, "category_id": 1, "keypoints": pose(1000), "score": 0.9},
    ]
    paths = tmp_path / "truth.json", tmp_path / "results.json"
    for path, content in zip(paths, (truth, results)):
        path.write_text(json.dumps(content))
    return paths


def test_the_ten_numbers_by_name(files: tuple[Path, Path]) -> None:
    """Half of the persons are found, one wrong answer before the right one: precision 1/2 up to recall 1/2.

    The wrong one has an area of 17,920: too large to count among the medium ones.
    """
    done = run("evaluate", *files, "--json")
    assert done.exit_code == 0, done.output
    half, all_right = 51 / 101 / 2, 51 / 101
    wanted = {"AP": half, "AP50": half, "AP75": half, "AP(M)": all_right, "AP(L)": -1}
    wanted |= {"AR": 0.5, "AR50": 0.5, "AR75": 0.5, "AR(M)": 0.5, "AR(L)": -1}
    assert json.loads(done.stdout) == pytest.approx(wanted, rel=1e-12)
    assert list(json.loads(done.stdout)) == list(wanted)


def test_the_table_is_that_of_pycocotools(files: tuple[Path, Path]) -> None:
    done = run("evaluate", *files)
    assert done.exit_code == 0, done.output
    numbers = ["0.252"] * 3 + ["0.505", "-1.000"] + ["0.500"] * 4 + ["-1.000"]
    kinds = ["Average Precision  (AP)"] * 5 + ["Average Recall     (AR)"] * 5
    at = ["0.50:0.95", "0.50     ", "0.75     ", "0.50:0.95", "0.50:0.95"] * 2
    areas = ["   all", "   all", "   all", "medium", " large"] * 2
    assert done.stdout.splitlines() == [
        f" {kind} @[ IoU={threshold} | area={area} | maxDets= 20 ] = {number}"
        for kind, threshold, area, number in zip(kinds, at, areas, numbers, strict=True)
    ]


@pytest.mark.parametrize(
    ("which", "content", "said"),
    [
        (0, '{"images": [', "truth.json: required JSON"),
        (0, "[]", "document[0]: required a record, got []"),
        (1, '[{"image_id": 3, "category_id": 1}]', "results[0]: image_id: required one that"),
        (
            1,
            '[{"image_id": 1, "category_id": 1, "keypoints": [NaN]}]',
            "results[0]: keypoints: required a list",
        ),
    ],
)
def test_bad_files_end_with_one_line_and_status_2(
    files: tuple[Path, Path], which: int, content: str, said: str
) -> None:
    files[which].write_text(content)
    done = run("evaluate", *files)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_missing_file_and_a_missing_argument(files: tuple[Path, Path]) -> None:
    done = run("evaluate", files[0], "nowhere.json")
    assert done.exit_code == 2
    assert "nowhere.json" in done.stderr
    assert run("evaluate", files[0]).exit_code == 2
    assert "evaluate" in run("--help").output
