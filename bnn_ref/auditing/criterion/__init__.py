"""The decomposition criterion: is a forward/backward pair F = T(P), B = T'(P) for a proximal map P?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bnn_ref.auditing.criterion.decomposition import Decomposition
from bnn_ref.auditing.criterion.mesh import mesh
from bnn_ref.auditing.criterion.pair import objection, pair
from bnn_ref.auditing.criterion.potential import potential
from bnn_ref.auditing.criterion.synthesis import synthesize
from bnn_ref.auditing.criterion.table import table
from bnn_ref.auditing.criterion.witness import Witness
from bnn_ref.binarizer import Binarizer
from bnn_ref.checks import is_number, require, require_whole
from bnn_ref.parameter import Array

__all__ = ["Decomposition", "Witness", "decompose", "judge", "objection", "synthesize"]


def decompose(
    F: str | Binarizer | Callable[[Array], Array],
    B: Callable[[Array], Array] | None = None,
    *,
    window: tuple[float, float] | None = None,
    cells: int = 2048,
) -> Decomposition:
    """Does a forward/backward pair decompose through a proximal map?

    It does if F = T(P) and B = T'(P) for a proximal map P, one that never falls and has a closed graph, and a
    T that is continuous, with T' its slope (at a kink of T, that of one side). Then a step with forward F and
    backward B (dx = B(x) * dy) is one of ProxConnect on the loss behind T, and what is proved of that holds.

    Parameters
    ----------
    F : str, Binarizer or callable
        A name of the table or a binarizer, whose forward is F and whose surrogate's slope is B; or F itself,
        vectorised, (n,) -> (n,), float64.
    B : callable, optional
        B itself, likewise; or a Curve or other Map, which is a surrogate, and B its slope.
    window : (float, float), optional
        The x that are searched; [-3, 3], wider where declared kinks lie further out.
    cells : int
        How many cells the window has: its width over that is the resolution.

    Returns
    -------
    Decomposition
        `.holds`, `.witness`, `.resolution`, and P and T. Declared curves are cut at their exact kinks,
        functions from outside at jumps found by bisection.

    Raises
    ------
    TypeError
        When F or B is no function.
    ValueError
        For an unknown name, a window or number of cells out of range, values that are not finite or not one
        for each x, or a binarizer that is no pair of functions of one number (`objection`).

    Source: pcpp2023 proves a criterion; this form of it and the table that decides it are ours.
    """
    require_whole("cells", cells, 2)
    subject = pair(F, B)
    window = _window(window, subject.kinks)
    sampled = mesh(subject, window, cells)
    rows = table(subject, sampled)
    x, p, f, b = potential(sampled, rows)
    worst = max(rows.witnesses, key=lambda witness: witness.width, default=None)
    return Decomposition(worst, sampled.resolution, window, x, p + _shift(x, p), f, b)


def judge(binarizer: Binarizer) -> dict[str, Any]:
    """What `decompose` says of `binarizer`, as plain data, or why it does not apply.

    Returns
    -------
    dict
        "applies", "holds" (None where it does not apply), "verdict" in words, and the rest of the report.
    """
    reason = objection(binarizer)
    if reason:
        return {"applies": False, "holds": None, "verdict": f"does not apply: {reason}"}
    return {"applies": True, **decompose(binarizer).to_dict()}


def _window(window: tuple[float, float] | None, kinks: tuple[float, ...]) -> tuple[float, float]:
    if window is None:
        reach = max(3.0, *(1.5 * abs(kink) for kink in kinks)) if kinks else 3.0
        return -reach, reach
    good = np.shape(window) == (2,) and all(map(is_number, window)) and window[0] < window[1]
    require(good, "window", "two numbers, the first smaller", window)
    return float(window[0]), float(window[1])


def _shift(x: Array, p: Array) -> float:
    """What P has to be moved by to be c at c, in the mean of both sides, with c = 0 or the end next to it."""
    centre = float(np.clip(0, x[0], x[-1]))
    below, above = np.interp(centre + 1e-9 * (x[-1] - x[0]) * np.array([-1, 1]), x, p)
    return float(np.nan_to_num(centre - (below + above) / 2))
