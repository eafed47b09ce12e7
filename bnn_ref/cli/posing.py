"""`pose train`, `predict`, `evaluate`: joints of persons, by COCO's files and numbers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from bnn_ref import models, packed, plot, pose
from bnn_ref import train as training
from bnn_ref.checks import require, require_whole
from bnn_ref.cli.common import console, print_json, refusing, taking
from bnn_ref.cli.deployment import loaded
from bnn_ref.cli.training import learn
from bnn_ref.data import Preprocessing
from bnn_ref.files import destination, replacing
from bnn_ref.parameter import Array

app = typer.Typer(no_args_is_help=True, help="Human poses: joints of persons in images.")
AsJson = Annotated[bool, typer.Option("--json", help="The ten numbers by name.")]
HELD_OUT = 10
"""One image of so many is kept for the test where nobody names a test part."""


@app.callback()
def _pose() -> None:
    """Human poses: joints of persons in images."""


@app.command()
@refusing
def evaluate(
    truth: Annotated[Path, typer.Argument(metavar="GT.json", help="Annotations, COCO's keypoint format.")],
    results: Annotated[Path, typer.Argument(metavar="RESULTS.json", help="Results, COCO's keypoint format.")],
    as_json: AsJson = False,
) -> None:
    """Average precision and recall of results, as COCO's keypoint evaluation counts them."""
    annotations = pose.read_annotations(truth)
    found = pose.evaluate(annotations, pose.read_results(results, annotations))
    if as_json:
        print_json(found.to_dict())
    else:
        typer.echo(str(found))


@app.command(
    epilog=f"Of {', '.join(models.reconstructed())} only names are published: they are our reconstructions."
)
@refusing
@taking(learn, model="sbpn", lr=1e-3, batch_size=32)
def train(
    truth: Annotated[
        Path | None, typer.Argument(metavar="GT.json", help="Annotations, COCO's keypoint format.")
    ] = None,
    images: Annotated[Path | None, typer.Argument(metavar="IMAGES", help="Folder of their images.")] = None,
    val: Annotated[Path | None, typer.Option(help="Annotations to test by; else every tenth image.")] = None,
    val_images: Annotated[Path | None, typer.Option(help="Folder of their images, if another.")] = None,
    generated: Annotated[int | None, typer.Option(help="So many drawn pictures of figures instead.")] = None,
    tested: Annotated[int, typer.Option(help="Drawn pictures to test by.")] = 500,
    data_seed: Annotated[
        int, typer.Option(help="Of the drawn pictures; those to test by take the next.")
    ] = 0,
    difficulty: Annotated[
        str, typer.Option(help=f"Of the drawn pictures: {', '.join(pose.figures.DIFFICULTIES)}.")
    ] = "default",
    size: Annotated[str, typer.Option(help="Of the network's input, WIDTHxHEIGHT in pixels.")] = "192x256",
    sigma: Annotated[
        float | None, typer.Option(help="Of the Gaussians, in pixels of the maps; else a 96th of WIDTH.")
    ] = None,
    augment: Annotated[
        str, typer.Option(help=f"One of {', '.join(pose.AUGMENTATIONS)}.")
    ] = "simple-baseline",
    exact: Annotated[
        bool, typer.Option("--exact", help="Gaussians stand where joints are, not on whole pixels (ours).")
    ] = False,
    **recipe: Any,
) -> None:
    """Train a network to find joints; its file is what `pose predict` and `pack` read."""
    view = _view(size, sigma, augment, exact)
    drawn = generated is not None or difficulty == "default"
    require(drawn, "difficulty", "--generated N beside it", difficulty)
    if generated is not None:
        require(truth is None and val is None, "generated", "no annotation file beside it", generated)
        make: Callable[[], training.Task] = partial(_drawn, generated, tested, data_seed, view, difficulty)
    elif truth is None or images is None:
        raise ValueError("train: required GT.json and IMAGES, or --generated N")
    else:
        make = partial(_photographed, truth, images, val, val_images, view)
    learn(make, "heatmap", **recipe)


def _view(size: str, sigma: float | None, augment: str, exact: bool) -> pose.View:
    sides = size.split("x")
    good = len(sides) == 2 and all(side.isdecimal() for side in sides)
    require(good, "size", "WIDTHxHEIGHT, as 192x256", size)
    require(augment in pose.AUGMENTATIONS, "augment", f"one of {', '.join(pose.AUGMENTATIONS)}", augment)
    width, height = map(int, sides)
    spread = width / 96 if sigma is None else sigma
    return pose.View((width, height), spread, pose.AUGMENTATIONS[augment], exact)


def _drawn(count: int, tested: int, seed: int, view: pose.View, difficulty: str) -> training.Task:
    known = pose.figures.DIFFICULTIES
    require(difficulty in known, "difficulty", f"one of {', '.join(known)}", difficulty)
    for name, value, least in (("generated", count, 2), ("tested", tested, 1), ("data-seed", seed, 0)):
        require_whole(name, value, least)
    return training.Poses.drawn(count, tested, seed, view, difficulty=known[difficulty])


def _photographed(
    truth: Path, images: Path, val: Path | None, val_images: Path | None, view: pose.View
) -> training.Task:
    known = pose.read_annotations(truth)
    if val is None:
        ids = list(known.images)
        held = known.take(ids[::HELD_OUT])
        known = known.take([key for key in ids if key not in held.images])
    else:
        held = pose.read_annotations(val)
    parts = _persons(known, images), _persons(held, val_images or images)
    return training.Poses(truth.name, *parts, view)


def _persons(truth: pose.Annotations, images: Path) -> pose.Persons:
    folder = pose.Folder(images, truth.images)
    persons = pose.Persons(truth, folder)
    folder.check(truth.image_ids[persons.rows].tolist())
    return persons


@app.command()
@refusing
def predict(
    file: Annotated[Path, typer.Argument(metavar="MODEL", help="A file that `pose train` or `pack` wrote.")],
    images: Annotated[Path, typer.Argument(metavar="IMAGES", help="Folder of images.")],
    out: Annotated[Path, typer.Option(help="The results to write, COCO's keypoint format (.json).")],
    truth: Annotated[
        Path | None,
        typer.Option(help="Annotations that name the images; their persons' boxes are looked at."),
    ] = None,
    boxes: Annotated[
        Path | None, typer.Option(help="Boxes instead, COCO's detection results for those images.")
    ] = None,
    flip: Annotated[bool, typer.Option(help="Average with the mirrored image.")] = True,
    exact: Annotated[
        bool | None,
        typer.Option(
            help="How peaks are read, of a file that does not say how it was trained; else by quarters."
        ),
    ] = None,
    draw: Annotated[
        Path | None, typer.Option(help="Draw the skeletons, one picture an image, there.")
    ] = None,
) -> None:
    """Joints of the persons in images.

    Without annotations the images are numbered 1, 2, 3 ... by file name, and each is taken to show one person
    who fills it.
    """
    destination(out)
    if draw is not None and not draw.is_dir():
        require(not destination(draw).exists(), "draw", "a folder", str(draw))
    network, preprocessing, trained = _network(file)
    exactly = _reading(trained.get("exact"), exact)
    require(boxes is None or truth is not None, "boxes", "--truth beside it, which names the images", boxes)
    known = pose.unlabelled(pose.listed(images)) if truth is None else pose.read_annotations(truth)
    candidates = _candidates(known, truth is not None, boxes)
    pictures = pose.Folder(images, known.images)
    pictures.check(candidates.image_ids.tolist())
    drawings = {} if draw is None else _drawings(pictures, candidates.image_ids.tolist(), draw)
    found = pose.find(network, candidates, pictures, preprocessing, flip=flip, exact=exactly)
    records = pose.result_records(known, found.image_ids.tolist(), found.keypoints, found.scores)
    with replacing(out) as temporary:
        temporary.write_text(json.dumps(records, allow_nan=False))
    if draw is not None:
        draw.mkdir(exist_ok=True)
    for key, drawing in drawings.items():
        plot.save(plot.poses(pictures(key), found.keypoints[found.image_ids == key]), drawing)
    console.print(f"{len(records)} persons in {len(set(found.image_ids.tolist()))} images")
    console.print(f"wrote {out}", highlight=False, soft_wrap=True)


def _candidates(known: pose.Annotations, annotated: bool, boxes: Path | None) -> pose.Boxes:
    if boxes is not None:
        return pose.read_boxes(boxes, known)
    return pose.true_boxes(known) if annotated else pose.whole_images(known)


def _reading(trained: bool | None, asked: bool | None) -> bool:
    """Whether peaks are read exactly: as the file says, else as is asked for."""
    wanted = "none, or what the file says: it was trained " + ("with it" if trained else "without it")
    require(trained is None or asked in (None, trained), "exact", wanted, asked)
    return bool(asked if trained is None else trained)


def _network(file: Path) -> tuple[Callable[[Array], Array], Preprocessing, Mapping[str, Any]]:
    """What answers crops with maps, how crops are made ready for it, and what it was trained on."""
    network = loaded(file)
    if isinstance(network, packed.PackedModel):
        preprocessing = network.preprocessing
        require(preprocessing is not None, "model", "one that was packed with preprocessing", None)
        assert preprocessing is not None
        return network, preprocessing, network.data
    return network.model, network.preprocessing, network.data


def _drawings(pictures: pose.Folder, image_ids: list[int], folder: Path) -> dict[int, Path]:
    """Where each image is drawn; ValueError for a folder with images, or where two would be drawn."""
    files = {key: pictures.path / image.file_name for key, image in pictures.images.items()}
    taken = {pictures.path.resolve(), *(file.parent.resolve() for file in files.values())}
    require(folder.resolve() not in taken, "draw", "a folder without these images", str(folder))
    drawn: dict[Path, int] = {}
    for key in image_ids:
        drawing = folder / files[key].with_suffix(".png").name
        other = drawn.setdefault(drawing, key)
        wanted = f"images with names of their own, image {other} being drawn there"
        require(other == key, "draw", wanted, f"{drawing} for image {key} too")
    return {key: drawing for drawing, key in drawn.items()}
