"""The generated set, its difficulty and how it is shown: fixed, so that all numbers are of one set.

The difficulty is that of a task which a small network can learn in minutes: one figure a picture, turned
away by 60 degrees at most, so that left and right can be told by the face; up to four limbs of nobody in the
background; grain of four levels. Gaussians stand where joints are and are read there (`exact`, ours):
perfect maps of 96 x 128 pixels then decode to AP 1.00, on whole pixels, four of the input, to 0.91.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Any

from bnn_ref import pose
from bnn_ref.checks import require_whole
from bnn_ref.models.sbpn import HEADS
from bnn_ref.train import Poses

DIFFICULTY = pose.figures.DIFFICULTIES["easy"]
DATA_SEED = 0
"""Of the pictures to learn from; those to test by are drawn by the next."""

SIDE = 128
"""Pixels of a picture each way."""

SIGMA = 1.5
AUGMENTATION = pose.SLIGHT


def source(made: ArgumentParser) -> None:
    """The options of the set and of the photographs."""
    made.add_argument("--figures", type=int, default=4000, help="pictures to learn from")
    made.add_argument("--tested", type=int, default=500, help="pictures to test by")
    made.add_argument("--height", type=int, default=128, help="of the network's input, in pixels")
    made.add_argument("--width", type=int, default=96, help="of the network's input")
    made.add_argument("--folder", help="where the photographs are, a folder `pose`; else BNN_REF_DATA")


def _sbpn(options: Namespace) -> dict[str, Any]:
    return {"width": options.channels, "head": options.head}


def _bhrnet(options: Namespace) -> dict[str, Any]:
    """One module a stage in place of 1, 4, 3, two blocks a branch in place of four, a narrow stem."""
    return {"width": options.channels, "first": 2 * options.channels, "modules": (1, 1, 1), "depth": 2}


NETWORKS = {"sbpn": _sbpn, "bhrnet-w32": _bhrnet}
"""Build options that all arms share."""


def network(made: ArgumentParser) -> None:
    """The options of the network."""
    made.add_argument("--network", default="sbpn", choices=list(NETWORKS), help="what learns")
    made.add_argument("--channels", type=int, default=16, help="of SBPN's stem, or BHRNet's first branch")
    made.add_argument("--head", default="deconv", choices=list(HEADS), help="of SBPN")


def shared(options: Namespace) -> dict[str, Any]:
    """Build options of every arm."""
    return NETWORKS[options.network](options)


def view(options: Namespace) -> pose.View:
    """How persons are shown."""
    return pose.View((options.width, options.height), SIGMA, AUGMENTATION, exact=True)


def drawn(options: Namespace) -> Poses:
    """The generated set; ValueError for a number of pictures that is none."""
    require_whole("figures", options.figures, 2)
    require_whole("tested", options.tested, 1)
    return Poses.drawn(options.figures, options.tested, DATA_SEED, view(options), SIDE, DIFFICULTY)
