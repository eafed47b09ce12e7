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


class SoftmaxCrossEntropy(Layer):
    """mean_n of log(sum_k exp(z_nk)) - z_n,label; logits z (N, classes), labels (N,)."""

    def forward(self, logits: Array, labels: Array) -> tuple[Array, Any]:
        labels, rows = _labels(logits, labels), np.arange(len(logits))
        shifted = logits - decide(lambda: logits.real.max(axis=1, keepdims=True))
        log_sum = np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        log_p = shifted - log_sum
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
