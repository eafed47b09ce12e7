"""Losses: means over the batch. Each is a layer of (prediction, target); labels get no gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from bnn_ref.basepoint import decide
from bnn_ref.layers.base import Layer
from bnn_ref.parameter import Array


def _labels(logits: Array, labels: Array) -> Array:
    """`labels` checked: whole numbers (N,) in [0, classes), N > 0."""
    labels = np.asarray(labels)
    if logits.ndim != 2 or not len(logits):
        raise ValueError(f"logits: required shape (N, classes) with N > 0, got {logits.shape}")
    n, classes = logits.shape
    if labels.shape != (n,) or labels.dtype.kind not in "iu":
        raise ValueError(f"labels: required {n} whole numbers, got {labels.dtype} of shape {labels.shape}")
    if labels.size and not (labels.min() >= 0 and labels.max() < classes):
        raise ValueError(f"labels: required 0 <= label < {classes}, got {labels.min()} to {labels.max()}")
    return labels


def _log_softmax(logits: Array) -> Array:
    """log(exp(z_nk) / sum_k exp(z_nk)), without overflow."""
    shifted = logits - decide(lambda: logits.real.max(axis=1, keepdims=True))
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


class SoftmaxCrossEntropy(Layer):
    """mean_n of log(sum_k exp(z_nk)) - z_n,label; logits z (N, classes), labels (N,)."""

    def forward(self, logits: Array, labels: Array) -> tuple[Array, Any]:
        labels, rows = _labels(logits, labels), np.arange(len(logits))
        log_p = _log_softmax(logits)
        return np.asarray(-log_p[rows, labels].mean()), (log_p, labels)

    def backward(self, dy: Array, cache: Any) -> tuple[Array, None]:
        """dz = (softmax(z) - onehot) dy / N."""
        log_p, labels = cache
        dz = np.exp(log_p)
        dz[np.arange(len(dz)), labels] -= 1
        return dz * (dy / len(dz)), None


class SquaredHinge(Layer):
    """mean over all entries of max(0, 1 - t z)^2 with t = +1 at the label, -1 elsewhere. Source: bnn2016."""

    def forward(self, logits: Array, labels: Array) -> tuple[Array, Any]:
        labels = _labels(logits, labels)
        target = np.full(logits.shape, -1, logits.real.dtype)
        target[np.arange(len(logits)), labels] = 1
        margin = 1 - target * logits
        active = decide(lambda: margin.real > 0, lambda: int((margin == 0).sum()))
        slack = np.where(active, margin, 0)
        return np.asarray((slack * slack).mean()), (slack, target)

    def backward(self, dy: Array, cache: Any) -> tuple[Array, None]:
        """dz = -2 t max(0, 1 - t z) dy / (N classes)."""
        slack, target = cache
        return -2 * target * slack * (dy / slack.size), None


class MeanSquaredError(Layer):
    """mean over all entries of (y - t)^2; the target t has the shape of y, and a gradient."""

    def forward(self, y: Array, target: Array) -> tuple[Array, Any]:
        if y.shape != target.shape:
            raise ValueError(f"target: required the shape of y, {y.shape}, got {target.shape}")
        error = y - target
        return np.asarray((error * error).mean()), error

    def backward(self, dy: Array, cache: Any) -> tuple[Array, Array]:
        """2 (y - t) dy / size to y, its negative to t."""
        grad = 2 * cache * (dy / cache.size)
        return grad, -grad


class HeatmapLoss(Layer):
    """1/J sum_j of 1/2 mean_nhw of (w_nj (y_nhwj - t_nhwj))^2; maps y and t (N, H, W, J), weights w (N, J).

    Source: simplebaseline2018 (released code).
    """

    def forward(self, y: Array, target: Array, weight: Array) -> tuple[Array, Any]:
        if y.ndim != 4 or not y.size or target.shape != y.shape:
            raise ValueError(f"maps: required two of one shape (N, H, W, J), got {y.shape}, {target.shape}")
        if weight.shape != (len(y), y.shape[3]):
            raise ValueError(f"weight: required one a map, {(len(y), y.shape[3])}, got {weight.shape}")
        error, weight = y - target, weight[:, None, None]
        weighted = weight * error
        return np.asarray((weighted * weighted).mean() / 2), (error, weight)

    def backward(self, dy: Array, cache: Any) -> tuple[Array, Array, Array]:
        """w^2 (y - t) dy / (N H W J) to y, its negative to t; w sum_hw of (y - t)^2 dy / (N H W J) to w."""
        error, weight = cache
        each = dy / error.size
        grad = weight * weight * error * each
        return grad, -grad, (weight * error * error * each).sum(axis=(1, 2))


class DistributionLoss(Layer):
    """mean_n of -sum_k p_nk log q_nk: p the teacher's softmax, q the student's; logits s and t (N, classes).

    The Kullback-Leibler divergence from q to p and the entropy of p, which the student cannot change.
    Source: reactnet2020 (released code; it takes the place of the loss on labels).
    """

    def forward(self, s: Array, t: Array) -> tuple[Array, Any]:
        if s.shape != t.shape or s.ndim != 2 or not len(s):
            raise ValueError(
                f"logits: required two of one shape (N, classes), N > 0, got {s.shape}, {t.shape}"
            )
        log_q, log_p = _log_softmax(s), _log_softmax(t)
        return np.asarray(-(np.exp(log_p) * log_q).sum(axis=1).mean()), (log_q, log_p)

    def backward(self, dy: Array, cache: Any) -> tuple[Array, Array]:
        """ds = (q - p) dy / N; with c = -log q, dt = p (c - sum_k p c) dy / N."""
        log_q, log_p = cache
        p, each = np.exp(log_p), dy / len(log_q)
        beyond = (p * log_q).sum(axis=1, keepdims=True) - log_q
        return (np.exp(log_q) - p) * each, p * beyond * each


class AttentionLoss(Layer):
    """mean_n of ||u_n - v_n||^2, u = a / ||a||, a = sum_c A^2, v of B: where do they look?

    A and B are activations of student and teacher, (N, H, W, C), each with its own C; zeros stay zeros.

    Source: after realtobinary2020 (its authors released no code). The mean over images, the l2 norm and the
    zeros are ours.
    """

    def forward(self, a: Array, b: Array) -> tuple[Array, Any]:
        if a.ndim != 4 or a.shape[:3] != b.shape[:3] or not len(a):
            raise ValueError(
                f"activations: required (N, H, W, C), one N, H, W, N > 0, got {a.shape}, {b.shape}"
            )
        maps = [self._normalised(x) for x in (a, b)]
        apart = maps[0][0] - maps[1][0]
        return np.asarray((apart * apart).sum() / len(a)), (a, b, maps)

    @staticmethod
    def _normalised(x: Array) -> tuple[Array, Array]:
        """q / ||q|| and ||q||, q = sum_c x^2: (N, H, W, 1) and (N, 1, 1, 1)."""
        q = (x * x).sum(axis=3, keepdims=True)
        power = (q * q).sum(axis=(1, 2), keepdims=True)
        silent = decide(lambda: power.real == 0, lambda: int((power == 0).sum()))
        norm = np.sqrt(np.where(silent, 1, power))
        return q / norm, norm

    def backward(self, dy: Array, cache: Any) -> tuple[Array, Array]:
        """With u = a / ||a||, v likewise: da = (g - u <u, g>) / ||a||, g = 2 (u - v) dy / N; dA = 2 A da."""
        a, b, ((u, norm_a), (v, norm_b)) = cache
        g = 2 * (u - v) * (dy / len(a))
        grads = []
        for x, unit, norm, out in ((a, u, norm_a, g), (b, v, norm_b, -g)):
            along = (unit * out).sum(axis=(1, 2), keepdims=True)
            grads.append(2 * x * ((out - unit * along) / norm))
        return grads[0], grads[1]
