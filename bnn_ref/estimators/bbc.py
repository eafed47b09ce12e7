"""BBC, binarizing by classification: the gradient estimator is a classifier, and learned.

The body of the paper could not be obtained. What is said here to be "released code" was read in its authors'
published ImageNet code; what is marked as ours is a reading or an addition.
"""

from __future__ import annotations

from bnn_ref.binarizer import Binarizer, Compose, Curve, Detach, MeanAbs, Scaled, Sign
from bnn_ref.checks import require, require_whole
from bnn_ref.estimators.classifier import ACTIVATIONS, Classifier, Mix, Pointwise
from bnn_ref.estimators.irnet import Centre
from bnn_ref.estimators.lines import Affine, ClippedLines
from bnn_ref.estimators.ste import HardTanh


def for_weights(core: Binarizer) -> Binarizer:
    """alpha `core`(c), c = w - mean(w), alpha = mean abs(c) detached, filter by filter.

    The centring is a projection, so the gradient to every filter has mean 0.
    """
    scale = Detach(Compose((Centre(), MeanAbs())))
    rule = Scaled(scale, Compose((Centre(), core)))
    return Binarizer(rule, rule, Scaled(scale, Compose((Centre(), core.deployed))))


def _activation(name: str) -> Curve:
    known = isinstance(name, str) and name in ACTIVATIONS
    require(known, "activation", f"one of {', '.join(ACTIVATIONS)}", name)
    return ACTIVATIONS[name]


def mlp(
    depth: int = 2,
    hidden: int = 100,
    activation: str = "tanh",
    init: str = "default",
    shared: bool = True,
    zero: int = 1,
) -> Binarizer:
    """alpha sign(c), c = w - mean(w), alpha = mean abs(c), filter by filter; behind it the MLP's gradient.

    T(x) = alpha sum_k clip(f_k(c), -1, 1), k = 0, 1, alpha detached; f are the logits of an MLP of each
    number c, 1 -> hidden -> 2 without biases, trained through T by the same loss. T'(x) is 0 where
    abs(f_k) = 1. Nothing of the MLP is deployed.

    Parameters
    ----------
    depth : int
        Linear layers, at least 2; with one, it is the entry `bbc-linear`.
    hidden : int
        Width between them.
    activation : str
        Between them: "tanh" (as published), "relu" or "identity".
    init : str
        "default", under which the slope at 0 is negative in one case of two; "positive" is ours.
    shared : bool
        One MLP for the whole network, or (False, ours) one a layer.

    Source: bbc2023, released code (which has sign(0) = 0).
    """
    require_whole("depth", depth, 2)
    logits = Classifier(depth, hidden, _activation(activation), init, shared)
    surrogate = Pointwise(Compose((logits, HardTanh(inclusive=False), Mix((1.0, 1.0)))))
    return for_weights(Binarizer(Sign(zero), surrogate, Sign(zero)))


def linear(
    w0: float = 0.5, w1: float = 0.5, init: str = "default", shared: bool = True, zero: int = 1
) -> Binarizer:
    """alpha sign(c), c = w - mean(w), alpha = mean abs(c), filter by filter; behind it two clipped lines.

    T(x) = alpha sum_k clip(w_k c, -1, 1), k = 0, 1, alpha detached: as the entry `bbc`, without a hidden
    layer.

    Parameters
    ----------
    w0 : float
        The slope of the first logit, where `init` is "given".
    w1 : float
        That of the second one.
    init : str
        "default" draws them from U(-1, 1), "positive" (ours) takes their sizes.
    shared : bool
        One pair for the whole network, or (False, ours) one a layer.

    Source: bbc2023, released code (depth 1; which has sign(0) = 0).
    """
    return for_weights(Binarizer(Sign(zero), ClippedLines(w0, w1, init, shared), Sign(zero)))


def _argmax(split: tuple[float, float], logits: Classifier, zero: int) -> Binarizer:
    """F = 2 arg max_k f_k - 1, which is the sign of f_1 - f_0; T = sum_k split_k f_k."""
    decision = Compose((Pointwise(Compose((logits, Mix((-1.0, 1.0))))), Sign(zero)))
    return for_weights(Binarizer(decision, Pointwise(Compose((logits, Mix(split)))), decision))


def argmax(
    depth: int = 1, hidden: int = 100, activation: str = "tanh", shared: bool = True, zero: int = -1
) -> Binarizer:
    """alpha (2 arg max_k f_k(c) - 1), c and alpha as in `bbc`: the classifier answers itself; no gate.

    T(x) = 2 alpha (f_0(c) + f_1(c)): both logits receive the same gradient, so that with depth 1 their
    difference, which is the decision, is never trained (ours, by algebra).

    Parameters
    ----------
    depth : int
        Linear layers of the classifier.
    hidden : int
        Width between them.
    activation : str
        Between them: "tanh", "relu" or "identity".
    shared : bool
        One classifier for the whole network, or (False, ours) one a layer.

    In a tie of the logits the first one is the arg max: `zero` is -1.

    Source: bbc2023, released code (a class that the published model does not use).
    """
    logits = Classifier(depth, hidden, _activation(activation), shared=shared)
    return _argmax((2.0, 2.0), logits, zero)


def argmax_signed(
    depth: int = 1, hidden: int = 100, activation: str = "tanh", shared: bool = True, zero: int = -1
) -> Binarizer:
    """The same decision, with a gradient that trains it: +2g to logit 1, -2g to logit 0.

    T(x) = 2 alpha (f_1(c) - f_0(c)).

    Parameters
    ----------
    depth : int
        As in `bbc-argmax`.
    hidden : int
        As there.
    activation : str
        As there.
    shared : bool
        As there.

    Source: ours, after bbc2023.
    """
    logits = Classifier(depth, hidden, _activation(activation), shared=shared)
    return _argmax((-2.0, 2.0), logits, zero)


def affine(gain: float = 1.0, shift: float = 0.0, zero: int = 1) -> Binarizer:
    """sign(a x + b), a and b trained, one pair a channel: the threshold is -b / a.

    T(x) = clip(a x + b, -1, 1), T'(x) = a 1[abs(a x + b) < 1].

    Parameters
    ----------
    gain : float
        a at first.
    shift : float
        b at first.

    Source: ours, an extension of bbc2023, which has no biases.
    """
    core = Binarizer(Sign(zero), HardTanh(inclusive=False), Sign(zero))
    return core.behind(Affine(gain, shift))
