"""`bnn-ref pose`: the numbers of a small file worked out by hand, and one line for each kind of bad use."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from typer.testing import CliRunner

from bnn_ref import models, packed, pose
from bnn_ref.cli import app
from bnn_ref.pose import figures
from bnn_ref.pose.joints import JOINTS
from bnn_ref.train import load_model


def run(*arguments: str | Path) -> Any:
    return CliRunner().invoke(app, ["pose", *map(str, arguments)])


def joints(shift: float) -> list[float]:
    return [v for j in range(17) for v in (10.0 * j + shift, 7.0 * j, 2)]


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Two medium persons in two images; one is found exactly, surest is somebody who is not there."""
    person = {"category_id": 1, "iscrowd": 0, "num_keypoints": 17, "bbox": [0, 0, 160, 112], "area": 5000}
    truth = {
        "images": [{"id": i, "file_name": f"{i}.jpg", "width": 200, "height": 200} for i in (1, 2)],
        "categories": [{"id": 1, "name": "person", "keypoints": list(JOINTS)}],
        "annotations": [{**person, "id": i, "image_id": i, "keypoints": joints(0)} for i in (1, 2)],
    }
    results = [
        {"image_id": 1, "category_id": 1, "keypoints": joints(0), "score": 0.5},
        {"image_id": 1, "category_id": 1, "keypoints": joints(1000), "score": 0.9},
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


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight drawn figures as files: `truth.json` and a folder `images`; a network trained on them; packed."""
    folder: Path = tmp_path_factory.mktemp("drawn")
    pixels, document = figures.generate(8, seed=3, size=(48, 48))
    (folder / "images").mkdir()
    for image, one in zip(pixels, document["images"], strict=True):
        PIL.Image.fromarray(image).save(folder / "images" / one["file_name"])
    (folder / "truth.json").write_text(json.dumps(document))
    place = ("--size", "32x32", "--option", "width=1", "--epochs", "1", "--batch-size", "4")
    trained = run(
        "train", folder / "truth.json", folder / "images", *place, "--out", folder / "net.safetensors"
    )
    assert trained.exit_code == 0, trained.output
    assert "approxsign: test AP 0.00% after 1 epoch" in trained.output
    packed = CliRunner().invoke(
        app, ["pack", str(folder / "net.safetensors"), "--out", str(folder / "bits.safetensors")]
    )
    assert packed.exit_code == 0, packed.output
    return folder


def predicted(folder: Path, out: Path, *more: str | Path, file: str = "net") -> list[dict[str, Any]]:
    done = run("predict", folder / f"{file}.safetensors", folder / "images", "--out", out, *more)
    assert done.exit_code == 0, done.output
    return list(json.loads(out.read_text()))


def test_a_tenth_of_the_images_is_kept_for_the_test(drawn: Path) -> None:
    trained = load_model(drawn / "net.safetensors")
    persons = len(pose.trainable(pose.read_annotations(drawn / "truth.json"))[0])
    assert trained.data["train"] + trained.data["test"] == persons
    assert trained.data["test"] in (1, 2)  # those of one image
    assert trained.config.loss == "heatmap"
    assert (trained.model.spec.name, trained.preprocessing.shape) == ("sbpn", (32, 32, 3))
    assert trained.data["sigma"] == pytest.approx(32 / 96)


def test_results_are_what_evaluate_reads_and_the_same_packed(drawn: Path, tmp_path: Path) -> None:
    truth = pose.read_annotations(drawn / "truth.json")
    rows, _ = pose.trainable(truth)
    results = predicted(drawn, tmp_path / "r.json", "--truth", drawn / "truth.json")
    assert [one["image_id"] for one in results] == truth.image_ids[rows].tolist()
    done = run("evaluate", drawn / "truth.json", tmp_path / "r.json", "--json")
    assert done.exit_code == 0, done.output
    packed = predicted(drawn, tmp_path / "p.json", "--truth", drawn / "truth.json", file="bits")
    assert packed == results
    plain = predicted(drawn, tmp_path / "n.json", "--truth", drawn / "truth.json", "--no-flip")
    assert plain != results


@pytest.fixture(scope="module")
def either(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Path]:
    """A network trained with and without `--exact`, each packed too."""
    folder = tmp_path_factory.mktemp("either")
    given = "--generated 4 --tested 1 --size 32x32 --option width=1 --epochs 1 --batch-size 4".split()
    found = {}
    for exact in (False, True):
        found[exact] = folder / f"{exact}.safetensors"
        done = run("train", *given, *["--exact"] * exact, "--out", found[exact])
        assert done.exit_code == 0, done.output
        trained = load_model(found[exact])
        packed.pack(trained.model, trained.preprocessing).save(folder / f"{exact}-old.safetensors")
        bits = ["pack", str(found[exact]), "--out", str(folder / f"{exact}-bits.safetensors")]
        assert CliRunner().invoke(app, bits).exit_code == 0
    return found


@pytest.mark.parametrize("trained", [False, True])
def test_peaks_are_read_as_the_file_says(
    drawn: Path, either: dict[bool, Path], tmp_path: Path, trained: bool
) -> None:
    """A trained file and a packed one decide alone; an older packed one leaves it to the flag."""
    folder, flags = either[trained].parent, {True: "--exact", False: "--no-exact"}

    def results(kind: str, *flag: str) -> Any:
        file, out = folder / f"{trained}{kind}.safetensors", tmp_path / "r.json"
        done = run("predict", file, drawn / "images", "--out", out, *flag)
        return json.loads(out.read_text()) if done.exit_code == 0 else done

    old = {flag: results("-old", flags[flag]) for flag in flags}
    assert old[True] != old[False] == results("-old")
    for kind in ("", "-bits"):
        assert results(kind) == results(kind, flags[trained]) == old[trained]
        refused = results(kind, flags[not trained])
        assert refused.exit_code == 2
        how = "with" if trained else "without"
        said = (
            f"error: exact: required none, or what the file says: it was trained {how} it, got {not trained}"
        )
        assert refused.stderr == f"{said}\n"


def test_boxes_of_a_detector_and_no_annotations_at_all(drawn: Path, tmp_path: Path) -> None:
    boxes = [{"image_id": 5, "category_id": 1, "bbox": [4, 5, 30, 40], "score": s} for s in (0.25, 0.5)]
    (tmp_path / "boxes.json").write_text(json.dumps([boxes[0], {**boxes[1], "bbox": [1, 2, 20, 44]}]))
    given = ("--truth", drawn / "truth.json", "--boxes", tmp_path / "boxes.json")
    results = predicted(drawn, tmp_path / "r.json", *given)
    assert {one["image_id"] for one in results} == {5}
    joints = np.array(results[-1]["keypoints"]).reshape(17, 3)[:, 2]
    counted = joints[joints > 0.2]
    scores = {0.25, 0.5} if len(counted) else {0.0}
    assert any(np.isclose(results[-1]["score"], s * counted.mean() if len(counted) else s) for s in scores)
    whole = predicted(drawn, tmp_path / "w.json", "--draw", tmp_path / "pictures")
    assert [one["image_id"] for one in whole] == list(range(1, 9))
    assert sorted(p.name for p in (tmp_path / "pictures").iterdir()) == [f"{i:06d}.png" for i in range(1, 9)]
    assert pose.read_image(tmp_path / "pictures" / "000001.png").shape == (480, 480, 3)


def test_no_drawing_takes_the_place_of_an_image_or_of_another(drawn: Path, tmp_path: Path) -> None:
    images = tmp_path / "images"
    shutil.copytree(drawn / "images", images)
    before = {file: file.read_bytes() for file in images.iterdir()}
    given = (drawn / "net.safetensors", images, "--out", tmp_path / "r.json", "--draw")
    done = run("predict", *given, images)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "draw: required a folder without these images, got" in done.stderr
    one = {"image_id": 1, "category_id": 1, "bbox": [1, 2, 20, 44], "score": 0.5}
    (tmp_path / "boxes.json").write_text(json.dumps([one]))  # nobody is looked for in the other images
    boxes = ("--truth", drawn / "truth.json", "--boxes", tmp_path / "boxes.json")
    assert "draw: required a folder without these images" in run("predict", *given, images, *boxes).stderr
    (images / "000001.png").rename(images / "000002.jpg")
    done = run("predict", *given, tmp_path / "pictures")
    assert done.exit_code == 2
    assert "draw: required images with names of their own, image 1 being drawn there, got" in done.stderr
    assert not (tmp_path / "pictures").exists()
    assert not (tmp_path / "r.json").exists()
    assert sorted(file.read_bytes() for file in images.iterdir()) == sorted(before.values())


def test_training_on_drawn_figures(tmp_path: Path) -> None:
    given = ("--generated", 4, "--tested", 2, "--data-seed", 3, "--size", "32x32", "--sigma", 1.5)
    more = ("--augment", "none", "--option", "width=1", "--epochs", 1, "--batch-size", 4, "--json")
    done = run("train", *map(str, (*given, *more)), "--out", tmp_path / "f.safetensors")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["epochs"][0]["measure"] == "AP"
    said = load_model(tmp_path / "f.safetensors").data
    assert (said["name"], said["sigma"], said["augmentation"]["flip"]) == ("figures-3", 1.5, 0)
    assert "difficulty" not in said


def test_the_set_of_the_study_by_its_names_and_bbc_on_weights(tmp_path: Path) -> None:
    """One figure a picture, slightly varied; the MLP's slope begins above 0 and is trained."""
    given = (
        "--generated",
        4,
        "--tested",
        2,
        "--difficulty",
        "easy",
        "--augment",
        "slight",
        "--size",
        "32x32",
    )
    rule = ("--option", "weight_estimator=bbc", "--option", 'weight_parameters={"init": "positive"}')
    more = ("--option", "width=1", "--epochs", 2, "--batch-size", 4, "--estimator-lr", "1e-3")
    done = run("train", *map(str, (*given, *rule, *more)), "--out", tmp_path / "f.safetensors")
    assert done.exit_code == 0, done.output
    trained = load_model(tmp_path / "f.safetensors")
    easy = {"company": 0.0, "clutter": 4, "noise": 4.0, "turn": 60.0}
    assert (trained.data["difficulty"], trained.data["test"]) == (easy, 2)
    assert (trained.data["augmentation"]["scale"], trained.data["augmentation"]["flip"]) == (0.1, 0.5)
    first, last = (list(epoch.slopes.values()) for epoch in trained.history)
    assert len(first) == len(last) == 1
    assert first[0] != last[0]
    assert min(first + last) > 0


BAD_TRAIN: dict[str, tuple[list[str], str]] = {
    "nothing": ([], "train: required GT.json and IMAGES, or --generated N"),
    "no images": (["{drawn}/truth.json"], "train: required GT.json and IMAGES"),
    "both": (
        ["{drawn}/truth.json", "{drawn}/images", "--generated", "4"],
        "generated: required no annotation",
    ),
    "size": (["--generated", "4", "--size", "32"], "size: required WIDTHxHEIGHT, as 192x256, got '32'"),
    "odd size": (["--generated", "4", "--size", "30x32"], "size: required multiples of 4"),
    "augment": (["--generated", "4", "--augment", "much"], "augment: required one of none, simple-baseline"),
    "difficulty": (
        ["--generated", "4", "--difficulty", "much"],
        "difficulty: required one of default, easy, got 'much'",
    ),
    "photographs": (
        ["{drawn}/truth.json", "{drawn}/images", "--difficulty", "easy"],
        "difficulty: required --generated N beside it, got 'easy'",
    ),
    "one figure": (["--generated", "1"], "generated: required a whole number >= 2, got 1"),
    "missing image": (
        ["{drawn}/truth.json", "{drawn}"],
        "000002.png: required the file of image 2, got none",
    ),
    "missing file": (["{drawn}/none.json", "{drawn}/images"], "none.json"),
    "loss": (
        ["--generated", "4", "--model", "mlp"],
        "model: required one that answers with maps (8, 8, 17), got (17,)",
    ),
}


@pytest.mark.parametrize(("arguments", "said"), BAD_TRAIN.values(), ids=BAD_TRAIN.keys())
def test_bad_training_ends_with_one_line_and_nothing_left(
    drawn: Path, tmp_path: Path, arguments: list[str], said: str
) -> None:
    given = [one.format(drawn=drawn) for one in arguments]
    size = [] if "--size" in given else ["--size", "32x32"]
    done = run("train", *given, *size, "--tested", "1", "--epochs", "1", "--out", tmp_path / "x.safetensors")
    assert (done.exit_code, done.stdout) == (2, "")
    assert said in done.stderr
    assert done.stderr.strip().count("error: ") == 1
    assert not list(tmp_path.iterdir())


BAD_PREDICT: dict[str, tuple[list[str], str]] = {
    "no folder": (["{drawn}/none"], "none: required a folder of images, got none"),
    "boxes alone": (["{drawn}/images", "--boxes", "b.json"], "boxes: required --truth beside it"),
    "no such file": (["{drawn}/images", "--truth", "none.json"], "none.json"),
    "other images": (
        ["{drawn}", "--truth", "{drawn}/truth.json"],
        "000001.png: required the file of image 1",
    ),
    "damaged": (["{here}"], "broken.png: required a complete image"),
    "a file to draw into": (
        ["{drawn}/images", "--draw", "{drawn}/truth.json"],
        "draw: required a folder, got",
    ),
}


@pytest.mark.parametrize(("arguments", "said"), BAD_PREDICT.values(), ids=BAD_PREDICT.keys())
def test_bad_prediction_ends_with_one_line_and_nothing_left(
    drawn: Path, tmp_path: Path, arguments: list[str], said: str
) -> None:
    (tmp_path / "broken.png").write_bytes(b"no image")
    given = [one.format(drawn=drawn, here=tmp_path) for one in arguments]
    done = run("predict", drawn / "net.safetensors", *given, "--out", tmp_path / "r.json")
    assert (done.exit_code, done.stdout) == (2, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["broken.png"]


def test_a_classifier_finds_no_joints_and_joints_are_no_classes(drawn: Path, tmp_path: Path) -> None:
    mlp = models.build("mlp", input_shape=(32, 32, 3), classes=17, width=4).eval()
    packed.pack(mlp, pose.normalisation((32, 32))).save(tmp_path / "mlp.safetensors")
    done = run("predict", tmp_path / "mlp.safetensors", drawn / "images", "--out", tmp_path / "r.json")
    assert done.exit_code == 2
    assert "network: required one that answers with maps (8, 8, 8, 17), got (8, 17)" in done.stderr
    pixels = np.zeros((2, 32, 32, 3), np.uint8)
    np.save(tmp_path / "x.npy", pixels)
    for file in ("net", "bits"):
        given = ["predict", str(drawn / f"{file}.safetensors"), "--images", str(tmp_path / "x.npy")]
        done = CliRunner().invoke(app, given)
        assert done.exit_code == 2
        assert (
            "file: required a network that answers with a score a class, got 'answers (2, 8, " in done.stderr
        )
