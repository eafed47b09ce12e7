"""COCO's two kinds of files: what is true of the persons in a set of images, and what somebody found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnn_ref.parameter import Array
from bnn_ref.pose.joints import COUNT, JOINTS
from bnn_ref.pose.records import Record, read_json, records


@dataclass(frozen=True)
class Image:
    """One image: its file's name, width and height in pixels."""

    file_name: str
    width: int
    height: int


@dataclass(frozen=True, eq=False)
class Annotations:
    """The images of a set, and the N persons in them.

    Attributes
    ----------
    images : dict of int to Image
        By image id.
    category : int
        The id that means a person.
    other_categories : frozenset of int
        Ids that mean something else; results may hold them, and they are left out.
    ids, image_ids : int64 (N,)
        In the order of the file.
    keypoints : float64 (N, 17, 3)
        x, y in pixels and visibility: 0 unlabelled, 1 hidden, 2 visible.
    boxes : float64 (N, 4)
        x, y of the upper left corner, width and height.
    areas : float64 (N,)
        Of the person's segment, in square pixels.
    crowd : bool (N,)
        Whether the box holds a crowd that nobody took apart.
    """

    images: dict[int, Image]
    category: int
    other_categories: frozenset[int]
    ids: NDArray[np.int64]
    image_ids: NDArray[np.int64]
    keypoints: Array
    boxes: Array
    areas: Array
    crowd: NDArray[np.bool_]

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """Which joints have a place, bool (N, 17)."""
        return np.asarray(self.keypoints[:, :, 2] > 0)


@dataclass(frozen=True, eq=False)
class Results:
    """M persons that somebody found.

    Attributes
    ----------
    image_ids : int64 (M,)
        In the order of the file, which decides between equal scores.
    keypoints : float64 (M, 17, 2)
        x, y in pixels; whether a joint is visible is not judged.
    scores : float64 (M,)
        Higher is surer.
    """

    image_ids: NDArray[np.int64]
    keypoints: Array
    scores: Array


def read_annotations(path: str | PathLike[str]) -> Annotations:
    """The annotations in a JSON file in COCO's keypoint format.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is no such file; says which record is wrong, what was required and what came.

    Source: coco2014 (the format).
    """
    return parse_annotations(read_json(path))


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
    return parse_results(read_json(path), truth)


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


def result_records(
    truth: Annotations, image_ids: Sequence[int], keypoints: Array, scores: Array
) -> list[Any]:
    """What a results file holds, one record a person, ready for `json.dump`.

    Parameters
    ----------
    truth : Annotations
        Says which category is the person.
    image_ids : whole numbers (M,)
    keypoints : array (M, 17, 3)
        x, y in pixels and the joint's score.
    scores : array (M,)
    """
    return [
        {
            "image_id": int(image),
            "category_id": truth.category,
            "keypoints": [float(v) for v in points.ravel()],
            "score": float(score),
        }
        for image, points, score in zip(image_ids, keypoints, scores, strict=True)
    ]
