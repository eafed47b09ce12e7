"""FDA-BNN: sign is a square wave; its truncated Fourier series learns for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import polygamma

from bnn_ref.binarizer import Curve, Piece
from bnn_ref.checks import is_number, require, require_positive, require_whole
from bnn_ref.parameter import Array


@dataclass(frozen=True)
class FourierSeries(Curve):
    """T(x) = 4/pi sum_{i<N} sin((2i+1) omega x) / (2i+1); T'(x) = 4 omega/pi sum_{i<N} cos((2i+1) omega x).

    With a window c, T is that series at clip(x, -c, c): its slope is 0 for abs(x) > c and kept at c itself.

    Parameters
    ----------
    terms : int
        N, the number of sine terms summed. The paper's index n counts i = 0..n, so N = n + 1.
    omega : float
        Angular frequency, 2 pi / T. The paper gives no value; 0.1 is that of a third party's code.
    window : float or None
        c. None is the paper as written: no window, a periodic slope with negative lobes.

    Source: fda2021, Eq. 9-10; the window is not in the paper (third-party code).
    """

    terms: int = 10
    omega: float = 0.1
    window: float | None = 1.0

    def __post_init__(self) -> None:
        require_whole("terms", self.terms, 1)
        require_positive("omega", self.omega)
        good = self.window is None or (is_number(self.window) and self.window > 0)
        require(good, "window", "a positive number or None", self.window)

    @property
    def frequencies(self) -> Array:
        """(2i+1) omega for i < N, shape (N,)."""
        return (2 * np.arange(self.terms) + 1) * self.omega

    @property
    def kinks(self) -> tuple[float, ...]:
        return () if self.window is None else (-self.window, self.window)

    @property
    def owners(self) -> tuple[str, ...]:
        return () if self.window is None else ("right", "left")

    @property
    def monotone(self) -> bool:
        """The main lobe of the slope ends at abs(x) = pi / (2 N omega)."""
        return self.window is not None and 2 * self.terms * self.omega * self.window <= np.pi

    @property
    def support(self) -> float:
        return np.inf if self.window is None else self.window

    @property
    def peak(self) -> float:
        return 4 * self.omega * self.terms / np.pi

    @property
    def area(self) -> float | None:
        return None if self.window is None else 2 * float(self.series(np.array(self.window)))

    @property
    def period(self) -> float | None:
        return 2 * np.pi / self.omega if self.window is None else None

    def series(self, x: Array) -> Array:
        """The sum of sines, without the window."""
        total = np.zeros_like(x)
        for i in range(self.terms):
            total = total + np.sin((2 * i + 1) * self.omega * x) / (2 * i + 1)
        return 4 / np.pi * total

    def pieces(self) -> tuple[Piece, ...]:
        if self.window is None:
            return (self.series,)
        plateau = float(self.series(np.array(self.window)))
        return (-plateau, self.series, plateau)

    def slope(self, x: Array) -> Array:
        total = np.zeros_like(x)
        for i in range(self.terms):
            total = total + np.cos((2 * i + 1) * self.omega * x)
        total = 4 * self.omega / np.pi * total
        return total if self.window is None else total * (np.abs(x) <= self.window)

    def gain(self, w: Array) -> Array | None:
        """With a window: H(w) = 2 omega/pi sum_i [sin((a_i-w)c)/(a_i-w) + sin((a_i+w)c)/(a_i+w)]."""
        if self.window is None:
            return None
        c, a = self.window, self.frequencies
        w = np.asarray(w, np.float64)[..., None]
        lobes = np.sinc((a - w) * c / np.pi) + np.sinc((a + w) * c / np.pi)
        return np.asarray(2 * self.omega / np.pi * c * lobes.sum(axis=-1))

    def energy(self, period: float) -> float | None:
        """2/pi^2 psi_1(N + 1/2), psi_1 the trigamma function: without window, on its own period."""
        if self.period is None or not np.isclose(period, self.period, rtol=1e-15, atol=0):
            return None
        return float(2 / np.pi**2 * polygamma(1, self.terms + 0.5))
