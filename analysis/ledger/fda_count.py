"""FDA-BNN's n: the number of terms, or one less?"""

from __future__ import annotations

from functools import partial

import numpy as np

from analysis.ledger.claim import Finding, claim, collected, near
from bnn_ref.parameter import Array
from bnn_ref.spectra import dft

PAPER = "fda2021"
PERIOD = 2 * np.pi


def as_printed(n: int, t: Array) -> Array:
    """Eq. 9 to the letter, omega = 1: the sum over i = 0 .. n."""
    return np.asarray(4 / np.pi * sum(np.sin((2 * i + 1) * t) / (2 * i + 1) for i in range(n + 1)))


def _present(n: int) -> Array:
    """The harmonics that Eq. 9 has at n."""
    return 1 + np.flatnonzero(np.abs(dft(partial(as_printed, n), PERIOD, 256)) > 1e-12)


@claim("fda-n-is-the-count", PAPER, "its n; Eq. 9-10", "P", "n is the number of sine terms of Eq. 9.")
def n_is_the_count() -> Finding:
    return near(len(_present(20)), 20, 0, "sine terms of Eq. 9 at n = 20: it sums i = 0 .. n")


@claim(
    "fda-figure-has-20-terms", PAPER, "Fig. 1, pixels of the bottom row", "F",
    "Fig. 1's Sin_20, whose first missing odd harmonic is 41, is Eq. 9 at n = 19: 20 terms.",
)  # fmt: skip
def figure_has_20_terms() -> Finding:
    missing = int(_present(19).max()) + 2
    return near(missing, 41, 0, "first odd harmonic that Eq. 9 misses at n = 19; at n = 20 it is 43")


CLAIMS = collected(globals())
