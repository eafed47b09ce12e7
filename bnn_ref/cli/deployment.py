"""`pack`, `predict`, `bench`: the network as bits, its answers, its speed."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from bnn_ref import data, models, packed
from bnn_ref import train as training
from bnn_ref.checks import require
from bnn_ref.cli.common import console, print_json, refusing
from bnn_ref.cli.pixels import KINDS, pixels
from bnn_ref.files import destination, replacing
from bnn_ref.layers import deployed_state
from bnn_ref.parameter import Array
from bnn_ref.timing import paired

AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable.")]
SMALL_IMAGES = "mlp,cnn,bireal-small,resnet-20,vgg-small"
"""The networks that are made for images of 28 x 28 pixels."""

FILES = f"Images instead: {KINDS}."


@refusing
def pack(
    model: Annotated[Path, typer.Argument(help="A model file that `train` wrote.")],
    out: Annotated[Path, typer.Option(help="The packed file to write (.safetensors).")],
    as_json: AsJson = False,
) -> None:
    """Turn a trained network into bits: XNOR and popcount, batch norm as integer thresholds."""
    destination(out)
    trained = training.load_model(model)
    bits = packed.pack(trained.model, trained.preprocessing, trained.data)
    bits.save(out)
    latent = sum(value.nbytes for value in deployed_state(trained.model).values())
    sizes = {"payload_bytes": bits.payload_bytes, "float_bytes": latent, "file_bytes": out.stat().st_size}
    if as_json:
        print_json({"file": str(out), **sizes})
        return
    console.print(f"wrote {out}", highlight=False, soft_wrap=True)
    console.print(f"{bits.payload_bytes:,} bytes of tensors; as float32 they were {latent:,}")


@refusing
def predict(
    file: Annotated[Path, typer.Argument(help="A file that `train` or `pack` wrote.")],
    data_set: Annotated[str | None, typer.Option("--data", help="Test images of a data set.")] = None,
    images: Annotated[Path | None, typer.Option(help=FILES)] = None,
    folder: Annotated[Path | None, typer.Option(help="Where the data set's files are.")] = None,
    threads: Annotated[
        int, typer.Option(help="A packed network divides images, or one image's pixels, among so many.")
    ] = 1,
    out: Annotated[Path | None, typer.Option(help="Write the classes there, one a line.")] = None,
    as_json: AsJson = False,
) -> None:
    """Classes of images, by a trained or a packed network."""
    if (data_set is None) == (images is None):
        raise ValueError("predict: required --data NAME or --images FILE (or a folder), one of them")
    if out is not None:
        destination(out)
    network = loaded(file)
    answer, labels = _predictor(network, threads), None
    if data_set is not None:
        test = data.load(data_set, folder)
        classes, labels = answer(test.test_images), test.test_labels
    else:
        assert images is not None
        if network.preprocessing is None:
            raise ValueError(f"{file}: required a network that was packed with preprocessing, got none")
        classes = np.concatenate([answer(part) for part in pixels(images, network.preprocessing.shape)])
    wanted = "a network that answers with a score a class"
    require(classes.ndim == 1, "file", wanted, f"answers {classes.shape}")
    if out is not None:
        with replacing(out) as temporary:
            temporary.write_text("".join(f"{k}\n" for k in classes))
    _tell(classes, labels, as_json)


def _tell(classes: Array, labels: Array | None, as_json: bool) -> None:
    accuracy = None if labels is None else float((classes == labels).mean())
    if as_json:
        print_json({"classes": [int(k) for k in classes], "accuracy": accuracy})
        return
    console.print(
        f"{len(classes)} images: {' '.join(map(str, classes[:20]))}{' ...' if len(classes) > 20 else ''}"
    )
    if accuracy is not None:
        console.print(f"accuracy {accuracy:.2%}")


def _predictor(network: packed.PackedModel | training.TrainedModel, threads: int) -> Any:
    """What gives images their classes."""
    if isinstance(network, packed.PackedModel):
        return partial(network.predict, threads=threads)
    require(threads == 1, "threads", "1 for a network that is not packed", threads)
    return lambda pixels: training.predict_classes(network.model, pixels, network.preprocessing)


def loaded(file: Path) -> packed.PackedModel | training.TrainedModel:
    """The packed network in `file`, or the trained one; the packed reader's reason if it is neither."""
    try:
        return packed.load_packed(file)
    except ValueError as neither:
        try:
            return training.load_model(file)
        except ValueError:
            raise neither from None


@refusing
def bench(
    pairs: Annotated[int, typer.Option(help="Measured pairs.")] = 15,
    batch: Annotated[int, typer.Option(help="Images a call.")] = 32,
    names: Annotated[str, typer.Option("--models", help="Networks, with commas between.")] = SMALL_IMAGES,
    as_json: AsJson = False,
) -> None:
    """Packed against eval mode (the same network in floats), outputs checked equal, timed in turns."""
    if batch < 1:
        raise ValueError(f"batch: required at least 1 image, got {batch}")
    rows = {}
    for name in names.split(","):
        model = models.build(name, input_shape=(28, 28, 1)).eval()
        bits = packed.pack(model)
        x = np.random.default_rng(0).normal(size=(batch, 28, 28, 1)).astype(np.float32)
        rows[name] = paired(lambda: bits(x), lambda: model(x), pairs)  # noqa: B023 - called at once
    if as_json:
        print_json({name: row.to_dict() for name, row in rows.items()})
        return
    for name, row in rows.items():
        console.print(
            f"{name}: packed is {row.ratio:.2f} times as fast as eval mode "
            f"(quartiles {row.low:.2f} to {row.high:.2f}, {row.pairs} pairs, batch {batch})",
            highlight=False,
        )
