"""Gradient mismatch: what estimators say of the signs of a small trained network, and what its loss does.

The network is trained with ApproxSign and signs of its weights; then other estimators take ApproxSign's
place. All answer with the same signs, so that the loss is the same and only gradients differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from analysis.bireal.training import Work
from analysis.tables import Cell as Entry
from analysis.tables import Table
from bnn_ref.auditing import Site, agreement
from bnn_ref.auditing.fidelity import OPERANDS
from bnn_ref.data import Preprocessing
from bnn_ref.layers import SoftmaxCrossEntropy
from bnn_ref.layers.product import Product
from bnn_ref.models import Model
from bnn_ref.parameter import Array
from bnn_ref.train import carry_over, fit
from bnn_ref.train.processes import in_processes
from bnn_ref.train.statistics import interval

ESTIMATORS = (
    *("identity-ste", "clipped-ste", "approxsign", "swish-sign", "ede", "rbnn-activation"),
    *("reste", "dsq", "fda"),
)
"""At their defaults, as before the first epoch of a schedule."""

NETWORK: dict[str, Any] = {"width": 4, "blocks": (2, 2), "weight_estimator": "bnn-weight"}
"""Four binary convolutions: small enough for every sign to be flipped."""

PLACE = 2
"""Which of them is looked at: there are two more sets of signs behind it."""


@dataclass(frozen=True)
class Probing:
    """How the truth is found.

    Attributes
    ----------
    epochs : int
        For which the network is trained.
    images : int
        Of the batch whose loss is looked at.
    noise : float
        Deviation of the noise, as a share of the root mean square of what is in front of the signs.
    draws : int
        Of the noise.
    """

    epochs: int = 10
    images: int = 8
    noise: float = 0.5
    draws: int = 1000


def measure(work: Work, probing: Probing, seed: int) -> list[list[Entry]]:
    """The rows of one network: by operand, truth and estimator."""
    shared = replace(work, options=NETWORK)
    network = shared.build(seed, estimator="approxsign")
    preprocessing = Preprocessing.fit(work.images)
    config = replace(work.config, epochs=probing.epochs, seed=seed)
    fit(network, work.images, config, preprocessing)
    twins = {name: shared.build(seed, estimator=name) for name in ESTIMATORS}
    for twin in twins.values():
        carry_over(network, twin)
    count = probing.images
    batch = (preprocessing(work.images.train_images[:count]), work.images.train_labels[:count])
    places = [key for key, layer in network.layers() if isinstance(layer, Product) and layer.weight_bits == 1]
    rows = []
    for operand in OPERANDS:
        site = Site(network, SoftmaxCrossEntropy(), *batch, places[PLACE], operand)
        rows += [[operand, *row, seed] for row in _rows(site, twins, probing, seed)]
    return rows


def _rows(site: Site, twins: dict[str, Model], probing: Probing, seed: int) -> list[list[Entry]]:
    sigma = probing.noise * float(np.sqrt(np.mean(site.z**2)))
    smoothed = site.smoothed(sigma, probing.draws, np.random.default_rng(seed))
    truths: tuple[tuple[str, Array], ...] = (("flips", site.flips()), ("noise", smoothed))
    rows: list[list[Entry]] = []
    for name, twin in twins.items():
        gradients = site.gradients(twin)
        for (truth, true), gradient in zip(truths, gradients, strict=True):
            found = agreement(gradient, true, seed)
            bounds = ("", "") if truth == "flips" else (found.low, found.high)
            rows.append([truth, name, found.cosine, *bounds, found.gain, found.bias, site.z.size])
    return rows


COLUMNS = ("operand", "truth", "estimator", "cosine", "low", "high", "gain", "bias", "elements", "seed")


def networks(work: Work, probing: Probing, seeds: Sequence[int], jobs: int) -> Table:
    """Every network: cosine with its interval over draws of the noise, gain and bias."""
    tasks = [(work, probing, seed) for seed in seeds]
    rows = [row for found in in_processes(measure, tasks, jobs) for row in found]
    return Table.of(COLUMNS, [[_short(value) for value in row] for row in rows])


def _short(value: Entry) -> Entry:
    """Four digits: noise leaves no more."""
    return "" if value != value else f"{value:.4g}" if isinstance(value, float) else value


def summary(found: Table) -> Table:
    """Over networks: the mean cosine and its t interval (95 %), the mean gain and bias."""
    rows: list[list[Entry]] = []
    records = found.records()
    for key in dict.fromkeys((row["operand"], row["truth"], row["estimator"]) for row in records):
        own = [row for row in records if (row["operand"], row["truth"], row["estimator"]) == key]
        known = [row for row in own if row["cosine"]]
        means = [float(np.mean([float(row[name]) for row in known])) if known else np.nan
                 for name in ("cosine", "gain", "bias")]  # fmt: skip
        bounds = interval([float(row["cosine"]) for row in known]) if len(known) > 1 else None
        cells = (means[0], *(bounds or (np.nan, np.nan)), *means[1:])
        rows.append([*key, len(known), *map(_short, cells)])
    return Table.of(
        ("operand", "truth", "estimator", "networks", "mean", "low", "high", "gain", "bias"), rows
    )
