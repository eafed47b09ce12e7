"""Which found person is which true one: image by image, for every area range and threshold at once.

An image's answer depends on its own persons alone, so images with equally many true persons are worked on
together: loops run over the ranks of the found ones, arrays over images, ranges, thresholds and true persons.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bnn_ref.parameter import Array
from bnn_ref.pose.annotations import Annotations, Results
from bnn_ref.pose.oks import oks

MOST = 20
"""Found persons of an image that count, best scores first."""

THRESHOLDS = np.linspace(0.5, 0.95, 10)
RANGES = {"all": (0.0, 1e10), "medium": (32.0**2, 96.0**2), "large": (96.0**2, 1e10)}
"""Areas in square pixels, bounds inclusive."""

PAIRS = 2**15
"""Pairs of a found and a true person that are worked on together: few enough for the cache."""


@dataclass(frozen=True, eq=False)
class Matches:
    """What became of M found persons, in the order of image ids and falling scores within one.

    Attributes
    ----------
    scores : float64 (M,)
    right, ignored : bool (3, 10, M)
        For each range and threshold: matched with a true person; not to be counted at all.
    persons : int64 (3,)
        True persons to be found, for each range.
    """

    scores: Array
    right: NDArray[np.bool_]
    ignored: NDArray[np.bool_]
    persons: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Group:
    """n images with G true persons each and up to D found ones: rows of both, rank < count where real."""

    found: NDArray[np.int64]  # (n, D), padded with the row 0
    counts: NDArray[np.int64]  # (n,)
    true: NDArray[np.int64]  # (n, G)


def match(truth: Annotations, results: Results) -> Matches:
    """Match found persons with true ones, greedily from the best score down.

    Each takes the true person that it is most like (the later of equals), if the similarity reaches the
    threshold and nobody took that person before; a crowd may be taken again and again. Persons that are
    ignored (crowds, no labelled joint, area out of range) are second choice. Who takes an ignored person, or
    nobody while its own area is out of range, is ignored.

    Source: coco2014 (the public evaluation code).
    """
    ordered = _best_first(results)
    found = Results(results.image_ids[ordered], results.keypoints[ordered], results.scores[ordered])
    spare = _spare(truth)
    shape = (len(RANGES), len(THRESHOLDS), len(ordered))
    right, ignored = np.zeros(shape, bool), np.zeros(shape, bool)
    for group in _groups(truth, found):
        real = np.arange(group.found.shape[1]) < group.counts[:, None]
        taken, second = _assign(_similarities(truth, found, group), group.counts, spare, truth, group)
        right[:, :, group.found[real]] = np.moveaxis(taken, (0, 1), (2, 3))[real].transpose(1, 2, 0)
        ignored[:, :, group.found[real]] = np.moveaxis(second, (0, 1), (2, 3))[real].transpose(1, 2, 0)
    beyond = _out_of_range(np.prod(np.ptp(found.keypoints, axis=1), axis=1))
    return Matches(found.scores, right, ignored | (~right & beyond[:, None]), (~spare).sum(axis=1))


def _best_first(results: Results) -> NDArray[np.int64]:
    """Rows by image id, falling score, file order; of each image the first `MOST`."""
    order = np.lexsort((-results.scores, results.image_ids))
    images = results.image_ids[order]
    return np.asarray(order[np.arange(len(order)) - np.searchsorted(images, images) < MOST])


def _out_of_range(areas: Array) -> NDArray[np.bool_]:
    """(3, N)."""
    return np.array([(areas < low) | (areas > high) for low, high in RANGES.values()])


def _spare(truth: Annotations) -> NDArray[np.bool_]:
    """Which true persons need not be found, for each range: (3, N)."""
    return np.asarray(truth.crowd | ~truth.labelled.any(axis=1) | _out_of_range(truth.areas))


def _groups(truth: Annotations, found: Results) -> Iterator[_Group]:
    """Images with found and true persons, by the number of true ones; rows of `found` are in image order."""
    images, first, counts = np.unique(found.image_ids, return_index=True, return_counts=True)
    order = np.argsort(truth.image_ids, kind="stable")
    begin, end = (np.searchsorted(truth.image_ids[order], images, side) for side in ("left", "right"))
    for persons in np.unique(end - begin):
        (those,) = np.nonzero(end - begin == persons)
        step = max(1, PAIRS // (MOST * max(1, persons)))
        for part in (those[i : i + step] for i in range(0, len(those) if persons else 0, step)):
            ranks = np.arange(counts[part].max())
            rows = np.where(ranks < counts[part, None], first[part, None] + ranks, 0)
            yield _Group(rows, counts[part], order[begin[part, None] + np.arange(persons)])


def _similarities(truth: Annotations, found: Results, group: _Group) -> Array:
    """OKS of each found with each true person of its image, (n, D, G)."""
    true = group.true[:, None, :]
    poses = found.keypoints[group.found][:, :, None]
    return oks(poses, truth.keypoints[true], truth.boxes[true], truth.areas[true])


def _assign(
    similar: Array, counts: NDArray[np.int64], spare: Array, truth: Annotations, group: _Group
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Who takes somebody, and who takes somebody ignored: two of (3, 10, n, D)."""
    n, ranks, persons = similar.shape
    second = spare[:, None, group.true]  # (3, 1, n, G)
    crowd = truth.crowd[group.true]
    free = np.ones((len(RANGES), len(THRESHOLDS), n, persons), bool)
    took = np.zeros((*free.shape[:2], n, ranks), bool)
    took_second = took.copy()
    for rank in range(ranks):
        alike = similar[:, rank]
        open_to = free & (alike >= THRESHOLDS[:, None, None]) & (rank < counts)[:, None]
        first_choice = open_to & ~second
        any_first = np.asarray(first_choice.any(axis=-1))
        choice = np.where(any_first[..., None], first_choice, open_to)
        best = persons - 1 - np.argmax(np.where(choice, alike, -1.0)[..., ::-1], axis=-1)
        took[..., rank] = choice.any(axis=-1)
        took_second[..., rank] = took[..., rank] & ~any_first
        free &= (np.arange(persons) != best[..., None]) | ~took[..., rank, None] | crowd
    return took, took_second
