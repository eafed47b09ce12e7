"""COCO's files: what is read from good ones, and what is said of bad ones."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scenes import document, found, person, scene

from bnn_ref.pose import records
from bnn_ref.pose.annotations import result_records, unlabelled
from bnn_ref.pose.reading import parse_annotations, parse_boxes, parse_results, read_annotations, read_results

Change = Callable[[Any], Any]


@pytest.fixture
def good() -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Two images, three persons with the ids 7, 8, 9 and four results."""
    rng = np.random.default_rng(3)
    persons = [person(rng, key, 1 + key % 2) for key in (7, 8, 9)]
    truth = document([1, 2], persons)
    truth["categories"].append({"id": 4, "name": "bear"})
    return truth, [found(rng, image, persons, 0) for image in (2, 1, 1, 2)]


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    for seed in range(20):
        truth, results = scene(np.random.default_rng(seed))
        for name, content in (("truth", truth), ("results", results)):
            (tmp_path / name).write_text(json.dumps(content))
        read = read_annotations(tmp_path / "truth")
        assert {key: (i.file_name, i.width, i.height) for key, i in read.images.items()} == {
            i["id"]: (i["file_name"], i["width"], i["height"]) for i in truth["images"]
        }
        for i, one in enumerate(truth["annotations"]):
            assert (read.ids[i], read.image_ids[i]) == (one["id"], one["image_id"])
            assert read.keypoints[i].ravel().tolist() == one["keypoints"]
            assert (read.boxes[i].tolist(), read.areas[i]) == (one["bbox"], one["area"])
            assert (read.crowd[i], read.labelled[i].sum()) == (one["iscrowd"], one["num_keypoints"])
        back = read_results(tmp_path / "results", read)
        poses = [np.array(r["keypoints"]).reshape(17, 3) for r in results]
        np.testing.assert_array_equal(back.keypoints, np.array(poses)[:, :, :2])
        again = result_records(read, back.image_ids.tolist(), np.array(poses), back.scores)
        assert json.loads(json.dumps(again)) == results


def test_other_categories_are_left_out_before_anything_is_asked_of_them(good: Any) -> None:
    truth, results = good
    truth["annotations"].insert(0, {"id": 7, "image_id": 1, "category_id": 4})
    results.insert(0, {"image_id": 1, "category_id": 4, "bbox": [1, 2, 3, 4], "score": 1})
    read = parse_annotations(truth)
    assert read.ids.tolist() == [7, 8, 9]
    assert parse_results(results, read).image_ids.tolist() == [2, 1, 1, 2]


def test_files_may_be_empty_of_persons(good: Any) -> None:
    read = parse_annotations({**good[0], "annotations": []})
    assert (read.keypoints.shape, read.boxes.shape, read.labelled.shape) == ((0, 17, 3), (0, 4), (0, 17))
    assert parse_results([], read).keypoints.shape == (0, 17, 2)


def put(*path: Any, value: Any) -> Change:
    def change(content: Any) -> Any:
        reduce(getitem, path[:-1], content)[path[-1]] = value
        return content

    return change


def drop(*path: Any) -> Change:
    def change(content: Any) -> Any:
        del reduce(getitem, path[:-1], content)[path[-1]]
        return content

    return change


def first(key: str, value: Any, *inner: Any) -> Change:
    """Put a value into the second annotation, whose id is 8."""
    return put("annotations", 1, key, *inner, value=value)


BAD_TRUTH: dict[str, tuple[Change, str]] = {
    "no dictionary": (lambda c: [c], r"document\[0\]: required a record, got \["),
    "no images": (drop("images"), r"document\[0\]: images: required a value, got None"),
    "no annotations": (drop("annotations"), r"document\[0\]: annotations: required a value"),
    "no categories": (drop("categories"), r"document\[0\]: categories: required a value"),
    "images no list": (put("images", value="all"), "images: required a list of records, got 'all'"),
    "image no record": (put("images", 1, value=5), r"images\[1\]: required a record, got 5"),
    "image lacks width": (drop("images", 1, "width"), r"images\[1\] \(id 2\): width: required a value"),
    "flat image": (
        put("images", 1, "width", value=0),
        r"images\[1\] \(id 2\): width: required .* >= 1, got 0",
    ),
    "no name": (
        put("images", 0, "file_name", value=""),
        r"images\[0\] \(id 1\): file_name: .* text .*, got ''",
    ),
    "name of two lines": (
        put("images", 0, "file_name", value="a\nb.jpg"),
        r"images\[0\] \(id 1\): file_name: required a text without control characters, got 'a\\nb\.jpg'$",
    ),
    "image twice": (put("images", 1, "id", value=1), r"images\[1\]: id: .* no other record has, got 1"),
    "no person": (put("categories", 0, "name", value="cat"), "categories: required one .*'person', got 0"),
    "two persons": (put("categories", 1, "name", value="person"), "categories: required one .*, got 2"),
    "category twice": (
        put("categories", 1, "id", value=1),
        r"categories\[1\]: id: required one that no other record has, got 1",
    ),
    "images without end": (
        put("images", 0, "height", value=10**400),
        r"images\[0\] \(id 1\): height: required a whole number >= 1, got 1000",
    ),
    "width of half pixels": (
        put("images", 1, "width", value=400.5),
        r"images\[1\] \(id 2\): width: required a whole number >= 1, got 400\.5",
    ),
    "other joints": (
        put("categories", 0, "keypoints", value=["nose"]),
        r"categories\[0\] \(id 1\): keypoints: required COCO's 17 names in their order, got \['nose'\]",
    ),
    "no id": (drop("annotations", 1, "id"), r"annotations\[1\]: id: required a value"),
    "id of text": (first("id", "8"), r"annotations\[1\]: id: required a whole number >= 0, got '8'"),
    "huge id": (first("id", 2**63), r"annotations\[1\]: id: required a whole number >= 0"),
    "id twice": (first("id", 7), r"annotations\[1\]: id: required one that no other record has, got 7"),
}
BAD_ANNOTATION: dict[str, tuple[Change, str]] = {
    **{
        f"no {key}": (drop("annotations", 1, key), f"{key}: required a value, got None")
        for key in ("image_id", "category_id", "keypoints", "num_keypoints", "bbox", "area", "iscrowd")
    },
    "unknown image": (first("image_id", 3), "image_id: required one that the annotation file lists, got 3"),
    "unknown category": (first("category_id", 2), "category_id: required one that .* lists, got 2"),
    "true is no id": (first("image_id", True), "image_id: required a whole number >= 0, got True"),
    "50 numbers": (
        drop("annotations", 1, "keypoints", 50),
        "keypoints: .* list of 51 numbers, got 50 values",
    ),
    "null": (first("keypoints", None), "keypoints: required a list of 51 numbers, got None"),
    "NaN": (first("keypoints", float("nan"), 4), r"keypoints\[4\]: required a finite number .*, got nan"),
    "infinity": (first("bbox", float("inf"), 0), r"bbox\[0\]: required a finite number .*, got inf"),
    "huge number": (first("bbox", 10**400, 0), r"bbox\[0\]: required a finite number of at most 1e100"),
    "text for a number": (
        first("keypoints", "5", 0),
        r"keypoints\[0\]: required a finite number .*, got '5'",
    ),
    "true for a number": (first("keypoints", True, 0), r"keypoints\[0\]: .* number .*, got True"),
    "visibility 3": (first("keypoints", 3, 2), "keypoints: required visibilities of 0, 1 or 2, got "),
    "wrong count": (first("num_keypoints", 3), r"num_keypoints: required \d+, the joints .*, got 3"),
    "negative width": (first("bbox", -1, 2), r"bbox: required a width and a height >= 0, got \["),
    "negative height": (first("bbox", -0.5, 3), "bbox: required a width and a height >= 0"),
    "short box": (drop("annotations", 1, "bbox", 3), "bbox: required a list of 4 numbers, got 3 values"),
    "negative area": (first("area", -1), "area: required a number >= 0, got -1"),
    "area NaN": (first("area", float("nan")), "area: required a finite number .*, got nan"),
    "crowd 2": (first("iscrowd", 2), "iscrowd: required 0 or 1, got 2"),
}
BAD_TRUTH |= {
    key: (change, rf"annotations\[1\] \(id 8\): {said}") for key, (change, said) in BAD_ANNOTATION.items()
}
BAD_RESULTS: dict[str, tuple[Change, str]] = {
    "no list": (lambda c: {"results": c}, "results: required a list of records, got {"),
    "no record": (put(1, value=[]), r"results\[1\]: required a record, got \[\]"),
    "unknown image": (put(1, "image_id", value=99), r"results\[1\]: image_id: .* lists, got 99"),
    "unknown category": (put(1, "category_id", value=2), r"results\[1\]: category_id: .* lists, got 2"),
    "no score": (drop(1, "score"), r"results\[1\]: score: required a value"),
    "score NaN": (
        put(1, "score", value=float("nan")),
        r"results\[1\]: score: required a finite number .*, got nan",
    ),
    "score of text": (put(1, "score", value="high"), r"results\[1\]: score: required a finite number"),
    "short": (drop(1, "keypoints", 0), r"results\[1\]: keypoints: required a list of 51 numbers, got 50 v"),
    "NaN": (
        put(1, "keypoints", 50, value=float("nan")),
        r"results\[1\]: keypoints\[50\]: required a finite number",
    ),
    "no keypoints": (drop(1, "keypoints"), r"results\[1\]: keypoints: required a value"),
}


BOX = {"image_id": 2, "category_id": 1, "bbox": [1.5, -2, 30, 0], "score": 0.5}
BAD_BOXES: dict[str, tuple[Change, str]] = {
    "no list": (lambda c: {"boxes": c}, "boxes: required a list of records, got {"),
    "unknown image": (put(1, "image_id", value=99), r"boxes\[1\]: image_id: .* lists, got 99"),
    "unknown category": (put(1, "category_id", value=2), r"boxes\[1\]: category_id: .* lists, got 2"),
    "no box": (drop(1, "bbox"), r"boxes\[1\]: bbox: required a value"),
    "short box": (drop(1, "bbox", 0), r"boxes\[1\]: bbox: required a list of 4 numbers, got 3 values"),
    "NaN": (put(1, "bbox", 2, value=float("nan")), r"boxes\[1\]: bbox\[2\]: required a finite number"),
    "negative": (put(1, "bbox", 3, value=-1), r"boxes\[1\]: bbox: required a width and a height >= 0"),
    "of no size": (put(1, "bbox", 2, value=0), r"boxes\[1\]: bbox: .*, one of them >= 0.001, got \[1\.5"),
    "of next to no size": (put(1, "bbox", 2, value=5e-324), r"boxes\[1\]: bbox: .* >= 0.001, got \[1\.5"),
    "score of text": (put(1, "score", value="1"), r"boxes\[1\]: score: required a finite number"),
}


def test_boxes_are_read_as_they_stand(good: Any) -> None:
    truth = parse_annotations(good[0])
    bear = {"image_id": 1, "category_id": 4}  # nothing is asked of what is no person
    read = parse_boxes([BOX, bear, {**BOX, "image_id": 1, "score": 2}], truth)
    assert read.image_ids.tolist() == [2, 1]
    assert read.boxes.tolist() == [BOX["bbox"]] * 2
    assert read.scores.tolist() == [0.5, 2]
    assert parse_boxes([], truth).boxes.shape == (0, 4)


@pytest.mark.parametrize(("change", "said"), BAD_BOXES.values(), ids=BAD_BOXES.keys())
def test_bad_boxes_are_refused_by_name(good: Any, change: Change, said: str) -> None:
    boxes = [copy.deepcopy(BOX) for _ in range(2)]
    parse_boxes(copy.deepcopy(boxes), parse_annotations(good[0]))
    with pytest.raises(ValueError, match="^" + said):
        parse_boxes(change(boxes), parse_annotations(good[0]))


def test_some_of_the_images_with_their_persons(good: Any) -> None:
    truth = parse_annotations(good[0])
    part = truth.take([2])
    assert (list(part.images), part.ids.tolist(), part.category) == ([2], [7, 9], 1)
    np.testing.assert_array_equal(part.keypoints, truth.keypoints[[0, 2]])
    assert part.other_categories == truth.other_categories
    bare = unlabelled(part.images)
    assert (bare.images, len(bare.ids), bare.labelled.shape) == (part.images, 0, (0, 17))


@pytest.mark.parametrize(("change", "said"), BAD_TRUTH.values(), ids=BAD_TRUTH.keys())
def test_bad_annotations_are_refused_by_name(good: Any, change: Change, said: str) -> None:
    parse_annotations(copy.deepcopy(good[0]))
    with pytest.raises(ValueError, match="^" + said) as refusal:
        parse_annotations(change(good[0]))
    assert len(str(refusal.value)) < 250


@pytest.mark.parametrize(("change", "said"), BAD_RESULTS.values(), ids=BAD_RESULTS.keys())
def test_bad_results_are_refused_by_name(good: Any, change: Change, said: str) -> None:
    truth = parse_annotations(good[0])
    parse_results(copy.deepcopy(good[1]), truth)
    with pytest.raises(ValueError, match="^" + said) as refusal:
        parse_results(change(good[1]), truth)
    assert len(str(refusal.value)) < 250


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"images": [{"id": 1',
        b"[" * 200_000,
        b"\xff\xfe\x00",
        b"not json",
    ],
    ids=["empty", "cut short", "nested", "no text", "words"],
)
def test_files_that_are_no_json_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "truth.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"truth\.json: required JSON, got a file that is none"):
        read_annotations(path)


def test_the_file_and_the_record_are_named(tmp_path: Path, good: Any) -> None:
    truth, results = good
    (tmp_path / "results.json").write_text(json.dumps(put(1, "score", value="?")(results)))
    with pytest.raises(ValueError, match=r"results\.json: results\[1\]: score: "):
        read_results(tmp_path / "results.json", parse_annotations(truth))
    text = json.dumps(first("area", "AREA")(truth))
    for value in ("9" * 5000, "1e400", "-1"):
        (tmp_path / "truth.json").write_text(text.replace('"AREA"', value))
        with pytest.raises(ValueError, match=r"truth\.json: annotations\[1\] \(id 8\): area: required"):
            read_annotations(tmp_path / "truth.json")


def test_names_may_have_any_letters(good: Any) -> None:
    good[0]["images"][0]["file_name"] = "\u5199\u771f\u3000\u00a0\u00e9.jpg"
    assert parse_annotations(good[0]).images[1].file_name.endswith("\u00e9.jpg")


def test_a_key_stands_once_in_a_record(tmp_path: Path, good: Any) -> None:
    path = tmp_path / "truth.json"
    path.write_text(json.dumps(first("area", "AREA")(good[0])).replace('"AREA"', '-1, "area": 50'))
    with pytest.raises(ValueError, match=r"truth\.json: record \(id 8\): 'area': required once, got 2 times"):
        read_annotations(path)


def test_huge_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "truth.json"
    path.write_text("[" * 1001)
    monkeypatch.setattr(records, "LARGEST", 1000)
    with pytest.raises(ValueError, match=r"truth\.json: required at most 1,000 bytes of JSON, got more"):
        read_annotations(path)


def test_a_file_that_memory_does_not_hold_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "truth.json").write_text("[]")

    def full(text: str, **options: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr(json, "loads", full)
    with pytest.raises(MemoryError, match=r"truth\.json: required memory for what it holds, got too little"):
        read_annotations(tmp_path / "truth.json")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        read_annotations(tmp_path / "nowhere.json")
