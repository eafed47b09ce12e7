"""Random annotation files and results: crowds, unlabelled persons, doubles, equal scores, empty images."""

from __future__ import annotations

from typing import Any

import numpy as np

from bnn_ref.pose.joints import JOINTS

EDGES = (0.0, 31.9**2, 32.0**2, 96.0**2, 96.1**2)


def person(rng: np.random.Generator, key: int, image: int) -> dict[str, Any]:
    """One annotation: a third have few joints or none, a fifth are crowds, some areas are on a bound."""
    size = 2.0 ** rng.uniform(3, 8)
    points = np.round(rng.uniform(0, 400, 2) + size * rng.uniform(-1, 1, (17, 2)), rng.integers(0, 3))
    seen = rng.integers(0, 3, 17) * (rng.random(17) < rng.choice([0.0, 0.2, 1.0], p=[0.15, 0.15, 0.7]))
    points[seen == 0] = 0
    area = size**2 if rng.random() < 0.8 else float(rng.choice(EDGES))
    return {
        "id": key,
        "image_id": image,
        "category_id": 1,
        "iscrowd": int(rng.random() < 0.2),
        "keypoints": [float(v) for v in np.column_stack([points, seen]).ravel()],
        "num_keypoints": int((seen > 0).sum()),
        "bbox": [float(v) for v in [*points.min(axis=0), *np.ptp(points, axis=0)]],
        "area": area,
    }


def double(rng: np.random.Generator, one: dict[str, Any]) -> dict[str, Any]:
    """Somebody in the same place: the same joints, or fewer of them; perhaps a crowd of another area."""
    points = np.array(one["keypoints"]).reshape(17, 3)
    points *= rng.random((17, 1)) < rng.choice([0.5, 1.0])
    change = {"iscrowd": int(rng.random() < 0.4), "area": one["area"] * float(rng.choice([1.0, 1.5]))}
    seen = {"keypoints": points.ravel().tolist(), "num_keypoints": int((points[:, 2] > 0).sum())}
    return {**one, **change, **seen}


def found(rng: np.random.Generator, image: int, persons: list[dict[str, Any]], levels: int) -> dict[str, Any]:
    """One result: a person of the image, exact or moved about, or somebody who is not there."""
    if persons and rng.random() < 0.9:
        one = persons[rng.integers(len(persons))]
        near = np.array(one["keypoints"]).reshape(17, 3)[:, :2]
        points = near + rng.choice([0.0, 0.03, 0.1, 0.3]) * np.sqrt(one["area"]) * rng.normal(size=(17, 2))
    else:
        points = rng.uniform(0, 400, (17, 2))
    score = float(rng.integers(levels)) / levels if levels else float(rng.normal())
    keypoints = [float(v) for v in np.column_stack([points, rng.random(17)]).ravel()]
    return {"image_id": image, "category_id": 1, "keypoints": keypoints, "score": score}


def document(images: list[int], persons: list[dict[str, Any]]) -> dict[str, Any]:
    """An annotation file."""
    return {
        "images": [{"id": i, "file_name": f"{i}.jpg", "width": 400, "height": 400} for i in images],
        "categories": [{"id": 1, "name": "person", "keypoints": list(JOINTS)}],
        "annotations": persons,
    }


def scene(
    rng: np.random.Generator, largest: int = 8, doubles: float = 0.3
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """An annotation file and results for it, at least one; sometimes more than 20 in an image."""
    images = [int(i) for i in rng.choice(1000, rng.integers(1, 6), replace=False)]
    levels = int(rng.choice([0, 1, 3, 10]))
    persons: list[dict[str, Any]] = []
    results: list[dict[str, Any]] = []
    for image in images:
        own = [person(rng, 0, image) for _ in range(rng.integers(0, largest + 1))]
        own += [double(rng, one) for one in own if rng.random() < doubles]
        for one in own:
            one["id"] = len(persons) + 1
            persons.append(one)
        count = rng.choice([0, rng.integers(0, 10), rng.integers(15, 30)])
        results += [found(rng, image, own, levels) for _ in range(count)]
    results = results or [found(rng, images[0], [], levels)]
    return document(images, [persons[i] for i in rng.permutation(len(persons))]), [
        results[i] for i in rng.permutation(len(results))
    ]
