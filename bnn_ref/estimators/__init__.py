"""THE TABLE: every estimator is one class and one line here; everything else follows from it."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bnn_ref.annealing import Geometric, Law
from bnn_ref.binarizer import Binarizer, Curve, Map, Sign
from bnn_ref.estimators import abcnet, adaste, bbc, binaryconnect, dorefa, lab, proxconnect, proxquant
from bnn_ref.estimators.bireal import PiecewiseQuadratic
from bnn_ref.estimators.bireal_weight import (
    bireal_weight_caffe,
    bireal_weight_code,
    bireal_weight_paper,
    bnn_weight,
    xnor_weight,
    xnor_weight_exact,
)
from bnn_ref.estimators.dsq import SoftQuantizer
from bnn_ref.estimators.fda import FourierSeries, growing, growing_as_released, printed
from bnn_ref.estimators.irnet import EDE, LogSpaced, libra
from bnn_ref.estimators.lines import ClippedLines
from bnn_ref.estimators.noise import ReleasedFading, noisy
from bnn_ref.estimators.rbnn import ActivationLaw, Triangle, standardised
from bnn_ref.estimators.reactnet import shifted
from bnn_ref.estimators.reste import CosineRoot, PowerFunction, scaled
from bnn_ref.estimators.rotation import rotated
from bnn_ref.estimators.ste import GradientClip, HardTanh, Identity, Tanh, clip_activation
from bnn_ref.estimators.swish import SwishSign


@dataclass(frozen=True)
class Entry:
    """One line of the table: how the binarizer is made, whose it is, what it does."""

    make: Callable[..., Binarizer]
    paper: str
    about: str

    @property
    def parameters(self) -> dict[str, Any]:
        """The names of `make`'s parameters and their defaults."""
        return {p.name: p.default for p in inspect.signature(self.make).parameters.values()}


def hard(surrogate: type[Map], law: Law | None = None) -> Callable[..., Binarizer]:
    """F = sign, T = `surrogate`, annealed by `law`: trained and deployed with hard signs."""

    def make(zero: int = 1, **parameters: Any) -> Binarizer:
        return Binarizer(Sign(zero), surrogate(**parameters), Sign(zero), law)

    return _signed(make, surrogate)


def soft(surrogate: type[Curve], law: Law | None = None) -> Callable[..., Binarizer]:
    """F = T = `surrogate`, annealed by `law`: trained with soft values, deployed as sign."""

    def make(zero: int = 1, **parameters: Any) -> Binarizer:
        curve = surrogate(**parameters)
        return Binarizer(curve, curve, Sign(zero), law)

    return _signed(make, surrogate)


def _signed(make: Callable[..., Binarizer], surrogate: type[Map]) -> Callable[..., Binarizer]:
    own = inspect.signature(surrogate).parameters.values()
    zero = inspect.Parameter("zero", inspect.Parameter.KEYWORD_ONLY, default=1)
    keywords = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own]
    make.__signature__ = inspect.Signature([*keywords, zero])  # type: ignore[attr-defined]
    make.__doc__ = surrogate.__doc__
    return make


TABLE: dict[str, Entry] = {
    "identity-ste": Entry(hard(Identity), "bengio2013", "the gradient passes unchanged"),
    "clipped-ste": Entry(hard(HardTanh), "bnn2016", "the gradient passes where abs(x) <= 1"),
    "tanh": Entry(hard(Tanh), "fda2021", "a smooth step, fixed steepness"),
    "approxsign": Entry(hard(PiecewiseQuadratic), "bireal2018", "a triangle: the piecewise quadratic"),
    "fda": Entry(hard(FourierSeries), "fda2021", "the first N terms of the square wave's Fourier series"),
    "fda-growing": Entry(growing, "fda2021", "the series, its terms growing from 9 to 18"),
    "fda-noise": Entry(noisy(growing), "fda2021", "FDA-BNN: the growing series and the fading noise module"),
    "fda-noise-released": Entry(
        noisy(growing_as_released, ReleasedFading), "fda2021", "the same, with the laws of third-party code"
    ),
    "fda-eq15": Entry(printed, "fda2021", "Eq. 15-17 to the letter: no alpha in the module's gradient"),
    "swish-sign": Entry(hard(SwishSign), "bnnplus2018", "sign forward, sign-Swish backward (BNN+)"),
    "bnn++": Entry(
        soft(SwishSign, Geometric("beta", 2.0, 20.0)), "pcpp2023", "sign-Swish forward and backward"
    ),
    "dsq": Entry(
        hard(SoftQuantizer), "dsq2019", "a tanh scaled to reach 1 at the clip; alpha may be learned"
    ),
    "dsq-noise": Entry(noisy(hard(SoftQuantizer)), "fda2021", "DSQ with FDA-BNN's noise module"),
    "swish-sign-noise": Entry(noisy(hard(SwishSign)), "fda2021", "BNN+ with FDA-BNN's noise module"),
    "ede": Entry(hard(EDE, LogSpaced()), "irnet2020", "error decay: from near identity to near sign"),
    "rbnn": Entry(
        hard(Triangle, LogSpaced(t_min=0.01)), "rbnn2020", "a triangle that narrows; law for weights"
    ),
    "rbnn-activation": Entry(
        hard(Triangle, ActivationLaw()), "rbnn2020", "a triangle that narrows; law for activations"
    ),
    "rbnn-standardised": Entry(
        standardised, "rbnn2020", "the same for activations, each image standardised before its signs"
    ),
    "bnn-weight": Entry(bnn_weight, "bireal2018", "weights: signs, a strict mask; no magnitude"),
    "bireal-weight-paper": Entry(bireal_weight_paper, "bireal2018", "weights: alpha in both passes"),
    "bireal-weight-code": Entry(bireal_weight_code, "bireal2018", "weights: alpha in the forward alone"),
    "bireal-weight-caffe": Entry(
        bireal_weight_caffe, "bireal2018", "weights: alpha in the forward, no mask at all"
    ),
    "xnor-weight": Entry(xnor_weight, "xnornet2016", "weights: alpha in both passes, and 1/n for the sum"),
    "xnor-weight-exact": Entry(xnor_weight_exact, "xnornet2016", "weights: the whole product rule"),
    "reste": Entry(
        hard(PowerFunction, CosineRoot()), "reste2023", "a root, straight near 0; from line to sign"
    ),
    "rsign": Entry(shifted(hard(PiecewiseQuadratic)), "reactnet2020", "ApproxSign behind a learned shift"),
    "irnet-weight": Entry(
        libra, "irnet2020", "weights: standardised, EDE's sign, a scale that is a power of two"
    ),
    "rbnn-weight": Entry(
        rotated, "rbnn2020", "weights: standardised, rotated, the triangle's sign, a learned scale"
    ),
    "reste-weight": Entry(
        scaled, "reste2023", "weights: the root's sign times mean abs(W) of the layer, gradient through both"
    ),
    "gradient-clip": Entry(
        hard(GradientClip), "fda2021", "the STE as FDA-BNN prints it: the gradient clipped"
    ),
    "adaste": Entry(adaste.finite_difference, "adaste2022", "differences of an inner minimiser, across 0"),
    "adaste-code": Entry(adaste.as_released, "adaste2022", "the same, with the released code's asymmetry"),
    "binaryconnect": Entry(binaryconnect.deterministic, "binaryconnect2015", "weights H sign(W)"),
    "binaryconnect-stochastic": Entry(
        binaryconnect.stochastic, "binaryconnect2015", "weights +-H by chance; real ones when deployed"
    ),
    "abc-weight": Entry(abcnet.weight, "abcnet2017", "weights as a sum of M binary bases"),
    "abc-activation": Entry(abcnet.activation, "abcnet2017", "activations as a sum of N learned steps"),
    "dorefa-weight": Entry(dorefa.weight, "dorefa2016", "weights of one bit, one scale a layer"),
    "dorefa-activation": Entry(dorefa.activation, "dorefa2016", "activations of k bits in [0, 1]"),
    "dorefa-gradient": Entry(dorefa.gradient, "dorefa2016", "gradients of k bits, rounded by chance"),
    "clip-activation": Entry(clip_activation, "bnn2016", "real activations: the clip, deployed too"),
    "projected": Entry(proxquant.projected, "proxconnect2021", "none: real numbers, deployed projected"),
    "proxquant": Entry(proxquant.proxquant, "proxquant2019", "pulled to +-1, more so with every epoch"),
    "w-shape": Entry(proxquant.w_shape, "proxconnect2021", "pulled to +-1, by the sum of all step sizes"),
    "binary-relax": Entry(
        proxquant.binary_relax, "binaryrelax2018", "from the clip to the projection by jumps"
    ),
    "fp": Entry(proxconnect.full_precision, "pcpp2023", "full precision: no binarizer at all"),
    "hard-tanh": Entry(soft(HardTanh), "bnn2016", "the clip forward and backward"),
    "poly+": Entry(soft(PiecewiseQuadratic), "pcpp2023", "the piecewise quadratic forward and backward"),
    "ede+": Entry(soft(EDE, LogSpaced()), "pcpp2023", "error decay forward and backward"),
    "proxconnect": Entry(
        proxconnect.proxconnect, "proxconnect2021", "a quantizer that hardens, the gradient unchanged"
    ),
    "parq": Entry(proxconnect.parq, "parq2025", "steepening lines between levels, the gradient unchanged"),
    "tanh-proxconnect": Entry(
        proxconnect.through(Tanh), "pcpp2023", "tanh behind a quantizer that hardens, forward and backward"
    ),
    "bnn++-proxconnect": Entry(
        proxconnect.through(SwishSign, beta=2.0),  # beyond 2.399 its slope at +-1 is negative
        "pcpp2023",
        "sign-Swish behind a quantizer that hardens, forward and backward",
    ),
    "bbc": Entry(bbc.mlp, "bbc2023", "weights centred; the slope is that of an MLP trained with the network"),
    "bbc-linear": Entry(bbc.linear, "bbc2023", "the same without a hidden layer: two clipped lines, trained"),
    "bbc-activation": Entry(
        hard(ClippedLines), "bbc2023", "its two clipped lines, for activations (our reading)"
    ),
    "bbc-argmax": Entry(
        bbc.argmax, "bbc2023", "weights: the classifier decides, one gradient to both logits"
    ),
    "bbc-argmax-signed": Entry(
        bbc.argmax_signed, "bbc2023", "weights: the classifier decides, a gradient of either sign (ours)"
    ),
    "bbc-affine": Entry(
        bbc.affine, "bbc2023", "a clipped line with a learned slope and threshold a channel (ours)"
    ),
    "lab": Entry(lab.loss_aware, "lab2017", "weights with a scale weighed by curvature, one a layer"),
}

ALIASES: dict[str, str] = {
    "ste": "clipped-ste",
    "hardtanh": "clipped-ste",
    "bireal": "approxsign",
    "bnn+": "swish-sign",
    "bnn+-noise": "swish-sign-noise",
    "fourier": "fda",
    "fda-bnn": "fda-noise",
    "irnet": "ede",
    "bop": "identity-ste",
    "bc": "identity-ste",
    "bnn": "clipped-ste",
    "poly": "approxsign",
}


def names() -> list[str]:
    """The table's keys, in its order."""
    return list(TABLE)


def activations() -> list[str]:
    """The names of the entries that may binarize activations: the rest read a whole tensor at once."""
    return [name for name in TABLE if not get(name).reduces]


def curves() -> dict[str, Curve]:
    """The surrogates of entries that work element by element (F and T are curves), at default parameters."""
    made = {name: get(name) for name in activations()}
    return {
        name: b.surrogate
        for name, b in made.items()
        if isinstance(b.surrogate, Curve) and isinstance(b.forward, Curve)
    }


def entry(name: str) -> Entry:
    """The table's line for `name` or one of its aliases.

    Raises
    ------
    ValueError
        For an unknown name; the message lists the valid ones.
    """
    key = ALIASES.get(name, name)
    if key not in TABLE:
        valid = ", ".join([*TABLE, *ALIASES])
        raise ValueError(f"estimator: required one of {valid}; got {name!r}")
    return TABLE[key]


def get(name: str, **parameters: Any) -> Binarizer:
    """The binarizer of that name.

    Parameters
    ----------
    name : str
        A key of the table or an alias.
    **parameters
        Fields of its surrogate (`terms=10` ...) and `zero`, the value of sign(0): +1 (default) or -1.

    Raises
    ------
    ValueError
        For an unknown name or parameter (the message lists the valid ones), or a value out of range.
    """
    line = entry(name)
    unknown = set(parameters) - set(line.parameters)
    if unknown:
        valid = ", ".join(line.parameters)
        raise ValueError(f"{name}: required parameters among {valid}; got {', '.join(sorted(unknown))}")
    return dataclasses.replace(line.make(**parameters), name=ALIASES.get(name, name))
