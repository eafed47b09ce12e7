"""COCO's kinds of files, annotations, results and boxes: read, and refused by the record that is wrong."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from typing import Any, TypeVar

import numpy as np

from bnn_ref.parameter import Array
from bnn_ref.pose.annotations import Annotations, Boxes, Image, Results
from bnn_ref.pose.joints import COUNT, JOINTS
from bnn_ref.pose.records import Record, read_json, records

SMALLEST = 1e-3
"""Pixels that a box must have one way: a crop of much less has no scale that floats can hold."""

Parsed = TypeVar("Parsed", Annotations, Results, Boxes)


def read_annotations(path: str | PathLike[str]) -> Annotations:
    """The annotations in a JSON file in COCO's keypoint format.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is no such file; says which record of which file is wrong, what was required and what came.

    Source: coco2014 (the format).
    """
    return _named(path, parse_annotations)


def read_results(path: str | PathLike[str], truth: Annotations) -> Results:
    """The results in a JSON file in COCO's keypoint format, for the images of `truth`.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is no such file, or has an image or a category that `truth` does not know.

    Source: coco2014 (the format).
    """
    return _named(path, parse_results, truth)


def read_boxes(path: str | PathLike[str], truth: Annotations) -> Boxes:
    """The boxes of persons in a JSON file of COCO's detection results, for the images of `truth`.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is no such file, or has an image or a category that `truth` does not know.

    Source: coco2014 (the format).
    """
    return _named(path, parse_boxes, truth)


def _named(path: str | PathLike[str], parse: Callable[..., Parsed], *more: Annotations) -> Parsed:
    """What a document says; errors begin with its file, since a command may read two."""
    document = read_json(path)
    try:
        return parse(document, *more)
    except ValueError as reason:
        raise ValueError(f"{path}: {reason}") from None


def parse_annotations(document: Any) -> Annotations:
    """The same from a document that is already read: a dictionary of images, categories and annotations."""
    (whole,) = records("document", [document])
    images = _by_id(
        "images",
        whole.take("images"),
        lambda r: Image(r.text("file_name"), r.whole("width", 1), r.whole("height", 1)),
    )
    categories = _by_id("categories", whole.take("categories"), _category)
    persons = [key for key, is_person in categories.items() if is_person]
    if len(persons) != 1:
        raise ValueError(f"categories: required one with the name 'person', got {len(persons)}")
    kept: dict[int, tuple[Any, ...]] = {}
    for record in records("annotations", whole.take("annotations")):
        if _known(record, "category_id", categories) == persons[0]:
            _add(kept, record, _person(record, images))
    return Annotations(images, persons[0], frozenset(categories) - {persons[0]}, *_columns(kept))


def parse_results(document: Any, truth: Annotations) -> Results:
    """The same from a list of records that is already read."""
    rows = []
    known = {truth.category, *truth.other_categories}
    for record in records("results", document):
        if _known(record, "category_id", known) == truth.category:
            row = _known(record, "image_id", truth.images), record.numbers("keypoints", 3 * COUNT)
            rows.append((*row, record.number("score")))
    found = np.array([row[1] for row in rows], float).reshape(-1, COUNT, 3)
    image_ids, scores = (np.array([row[i] for row in rows], kind) for i, kind in ((0, np.int64), (2, float)))
    return Results(image_ids, found[:, :, :2], scores)


def parse_boxes(document: Any, truth: Annotations) -> Boxes:
    """The same from a list of records that is already read."""
    rows = []
    known = {truth.category, *truth.other_categories}
    for record in records("boxes", document):
        if _known(record, "category_id", known) == truth.category:
            box = record.numbers("bbox", 4)
            if min(box[2:]) < 0 or max(box[2:]) < SMALLEST:
                raise record.refuse("bbox", f"a width and a height >= 0, one of them >= {SMALLEST}", box)
            rows.append((_known(record, "image_id", truth.images), box, record.number("score")))
    image_ids, boxes, scores = zip(*rows) if rows else ((),) * 3
    shaped = np.array(boxes, float).reshape(-1, 4)
    return Boxes(np.array(image_ids, np.int64), shaped, np.array(scores, float))


def _by_id(name: str, listed: Any, make: Any) -> dict[int, Any]:
    found: dict[int, Any] = {}
    for record in records(name, listed):
        _add(found, record, make(record))
    return found


def _add(found: dict[int, Any], record: Record, made: Any) -> None:
    key = record.whole("id")
    if key in found:
        raise record.refuse("id", "one that no other record has", key)
    found[key] = made


def _category(record: Record) -> bool:
    """Whether this is the person, whose joints must then be COCO's."""
    if record.text("name") != "person":
        return False
    named = record.values.get("keypoints", list(JOINTS))
    if named != list(JOINTS):
        raise record.refuse("keypoints", "COCO's 17 names in their order", named)
    return True


def _known(record: Record, key: str, those: Any) -> int:
    value = record.whole(key)
    if value not in those:
        raise record.refuse(key, "one that the annotation file lists", value)
    return value


def _person(record: Record, images: dict[int, Image]) -> tuple[Any, ...]:
    """Image, keypoints, box, area, crowd of one annotation, each checked."""
    image = _known(record, "image_id", images)
    keypoints = record.numbers("keypoints", 3 * COUNT)
    if not set(keypoints[2::3]) <= {0, 1, 2}:
        raise record.refuse("keypoints", "visibilities of 0, 1 or 2", keypoints[2::3])
    labelled, stated = sum(v > 0 for v in keypoints[2::3]), record.whole("num_keypoints")
    if stated != labelled:
        raise record.refuse("num_keypoints", f"{labelled}, the joints with a visibility above 0", stated)
    box, area, crowd = record.numbers("bbox", 4), record.number("area"), record.whole("iscrowd")
    if min(box[2:]) < 0:
        raise record.refuse("bbox", "a width and a height >= 0", box)
    if area < 0:
        raise record.refuse("area", "a number >= 0", area)
    if crowd > 1:
        raise record.refuse("iscrowd", "0 or 1", crowd)
    return image, keypoints, box, area, crowd


def _columns(kept: dict[int, tuple[Any, ...]]) -> tuple[Array, ...]:
    """Ids, image ids, keypoints, boxes, areas and crowds as arrays."""
    image, keypoints, box, area, crowd = zip(*kept.values()) if kept else ((),) * 5
    return (
        np.array(list(kept), np.int64),
        np.array(image, np.int64),
        np.array(keypoints, float).reshape(-1, COUNT, 3),
        np.array(box, float).reshape(-1, 4),
        np.array(area, float),
        np.array(crowd, bool),
    )
