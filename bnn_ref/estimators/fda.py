"""FDA-BNN: sign is a square wave; its truncated Fourier series learns for it, with a fading noise module.

The paper's parts in its order: the series and its slope (Eq. 9-10), how the number of terms grows, the noise
module that is added (`noise.py`), and the gradient as Eq. 15-17 print it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import polygamma

from bnn_ref.annealing import Moment
from bnn_ref.binarizer import Binarizer, Curve, Faded, Piece, ReLU, Sign, Sum
from bnn_ref.checks import is_number, require, require_positive, require_whole
from bnn_ref.estimators.noise import Fading, NoiseModule, eta_named
from bnn_ref.kernels import fourier_slope
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
        """The sum of sines, without the window, in double precision.

        It is an integral of the slope's closed form and has none itself: Clenshaw's recurrence takes N steps
        with one sine, in Reinsch's form, which loses nothing near multiples of pi/2.
        """
        turns = np.asarray(x).astype(np.result_type(x, np.float64)) * (self.omega / np.pi)
        whole = np.rint(turns.real)
        with np.errstate(invalid="ignore"):  # at infinity: NaN in silence, as in the slope
            angle = np.pi * (turns - whole)
        sine, cosine = np.sin(angle), np.cos(angle)
        near = np.where(np.abs(turns.real - whole) <= 0.25, 1.0, -1.0)
        factor = 4 * np.where(near > 0, -sine * sine, cosine * cosine)  # 2 cos(2 angle) = factor + 2 near
        d, b, after = np.zeros_like(angle), np.zeros_like(angle), np.zeros_like(angle)
        for i in reversed(range(self.terms)):
            d = 1 / (2 * i + 1) + factor * b + near * d
            b, after = d + near * b, b
        return 4 / np.pi * (1 - 2 * (whole % 2)) * sine * (b + after)

    def pieces(self) -> tuple[Piece, ...]:
        if self.window is None:
            return (self.series,)
        plateau = float(self.series(np.array(self.window)))
        return (-plateau, self.series, plateau)

    def slope(self, x: Array) -> Array:
        return self.slope_times(x, np.ones_like(x))

    def slope_times(self, x: Array, dy: Array) -> Array:
        """In closed form, 2 omega/pi sin(2N omega x) / sin(omega x), whatever N: see the kernel."""
        if x.dtype != dy.dtype:
            return super().slope_times(x, dy)
        return fourier_slope(x, dy, self.terms, self.omega, np.inf if self.window is None else self.window)

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


@dataclass(frozen=True)
class Growing:
    """N = start + floor((stop - start) progress): `stop` terms in the last epoch.

    Parameters
    ----------
    start, stop : int
        N at first and at last; the paper's settings are (N, N), (1, N) and (9, 18).

    Source: fda2021, Section 4.1 for the ends (read as counts of terms); the law in between is ours.
    """

    start: int = 9
    stop: int = 18

    def __post_init__(self) -> None:
        require_whole("start", self.start, 1)
        require_whole("stop", self.stop, self.start)

    def __call__(self, moment: Moment) -> Mapping[str, int]:
        """The number of terms, the field `terms`."""
        return {"terms": self._after(moment.progress)}

    def _after(self, share: float) -> int:
        # epoch / (epochs - 1) may lie one rounding below the fraction that it stands for
        return self.start + int(np.floor((self.stop - self.start) * share + 1e-9))


@dataclass(frozen=True)
class ReleasedGrowing(Growing):
    """n = start + floor((stop - start) epoch / epochs) and N = n + 1 terms, n < `stop`: from 10 to 18.

    Source: third-party code, which takes n from 9 towards 18 and sums i = 0..n.
    """

    def __call__(self, moment: Moment) -> Mapping[str, int]:
        """The number of terms, the field `terms`."""
        below = max(self.start, self.stop - 1)  # a bare progress of 1 is no epoch of this law
        return {"terms": min(self._after(moment.fraction), below) + 1}


def growing(
    *, start: int = 9, stop: int = 18, omega: float = 0.1, window: float | None = 1.0, zero: int = 1
) -> Binarizer:
    """T(x) = the series, its number of terms N growing from `start` to `stop` while training runs; F = sign.

    Parameters
    ----------
    start : int
        N in the first epoch.
    stop : int
        N in the last; `start` again is a fixed N.
    omega : float
        As in the series.
    window : float or None
        As in the series.

    Source: fda2021, Section 4.1 and Fig. 4; the law between the ends is ours.
    """
    law = Growing(start, stop)
    return Binarizer(Sign(zero), FourierSeries(start, omega, window), Sign(zero), law)


def growing_as_released(
    *, start: int = 9, stop: int = 18, omega: float = 0.1, window: float | None = 1.0, zero: int = 1
) -> Binarizer:
    """T(x) = the series of N = n + 1 terms, n = start + floor((stop - start) epoch / epochs); F = sign.

    Parameters
    ----------
    start : int
        n in the first epoch.
    stop : int
        What n never reaches.
    omega : float
        As in the series.
    window : float or None
        As in the series.

    Source: third-party code for fda2021.
    """
    law = ReleasedGrowing(start, stop)
    return Binarizer(Sign(zero), FourierSeries(start + 1, omega, window), Sign(zero), law)


def printed(
    *,
    terms: int = 10,
    omega: float = 0.1,
    shortcut: str = "sine",
    amplitude: float = 0.1,
    ratio: int = 64,
    hidden: int | None = None,
    strength: float = 0.1,
    zero: int = -1,
) -> Binarizer:
    """T(x) = series(x) + e(x), F(x) = sign(x) + alpha e(x): the gradient of Eq. 15-17 to the letter.

    The printed equations drop the factor alpha that follows from Eq. 14, so that the module's gradient does
    not fade with it; relu's slope is 1(h >= 0), there is no window, and sign(0) = -1 (Eq. 1). For comparison:
    `fda-noise` has the corrected gradient.

    Parameters
    ----------
    terms : int
        N, as in the series.
    omega : float
        As in the series.
    shortcut : str
        eta of the noise module: "sine", "line" or "none".
    amplitude : float
        a of eta.
    ratio : int
        k: the module's hidden width is max(1, floor(d / k)).
    hidden : int or None
        That width itself.
    strength : float
        alpha in the first epoch.

    Source: fda2021, Eq. 1, 13 and 15-17.
    """
    module = NoiseModule(eta_named(shortcut), amplitude, ratio, hidden, ReLU(at_zero=1))
    forward = Sum((Sign(zero), Faded(strength, module)))
    surrogate = Sum((FourierSeries(terms, omega, window=None), module))
    return Binarizer(forward, surrogate, Sign(zero), Fading(strength))
