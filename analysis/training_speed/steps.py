"""Steps of two libraries in turns, each in a process of its own, one thread each."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any, NamedTuple

import numpy as np

from analysis.training_speed.networks import CASES
from bnn_ref.timing import Pairing, interleaved

ONE = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS", "NUMBA")}
KEPT = ", kept"
"""Behind the name of torch's side: what it frees stays with its process too, which is not torch's habit."""

WARM = 3
"""Steps that are not timed: the first compiles."""


class Answer(NamedTuple):
    """Seconds of a step, the loss before it, and the most memory so far, in bytes."""

    seconds: float
    loss: float
    memory: int


class Process:
    """A worker: called, it takes one step. Ours takes `threads` for its kernels; BLAS has one."""

    def __init__(self, *arguments: str, threads: int = 1) -> None:
        command = [sys.executable, "-m", "analysis.training_speed.worker", *arguments]
        env = {**os.environ, **ONE, "NUMBA_NUM_THREADS": str(threads)}
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env
        )

    def __call__(self) -> Answer:
        stdin, stdout = self.process.stdin, self.process.stdout
        if stdin is None or stdout is None:
            raise RuntimeError("process: required pipes, got none")
        stdin.write("step\n")
        stdin.flush()
        seconds, loss, memory = stdout.readline().split()
        return Answer(float(seconds), float(loss), int(memory))

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *error: Any) -> None:
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        self.process.wait()


class Comparison(NamedTuple):
    """How many times faster ours is (median and quartiles), and its memory over theirs."""

    ratio: float
    low: float
    high: float
    seconds: float
    memory: float


def compare(case: str, estimator: str, layout: str, pairs: int) -> Comparison:
    """Theirs, ours, theirs and so on; ValueError when the first losses differ by more than they may."""
    with Process("ours", case, estimator) as ours, Process(layout, case, estimator) as theirs:
        first, other = ours(), theirs()
        if not abs(first.loss - other.loss) <= CASES[case].tolerance * abs(other.loss):
            raise ValueError(f"{case}: required equal losses, got {first.loss} and {other.loss}")
        for _ in range(WARM):
            ours(), theirs()
        before, ratios, times = theirs(), [], []
        for _ in range(pairs):
            mine, after = ours(), theirs()
            ratios.append((before.seconds + after.seconds) / 2 / mine.seconds)
            times.append(mine.seconds)
            before = after
    low, median, high = np.percentile(ratios, [25, 50, 75])
    memory = mine.memory / after.memory
    return Comparison(float(median), float(low), float(high), float(np.median(times)), memory)


def scaled(case: str, estimator: str, threads: int, pairs: int) -> Pairing:
    """How many times as fast our step is on `threads` as on one; ValueError when the losses differ."""
    with Process("ours", case, estimator) as alone, Process("ours", case, estimator, threads=threads) as many:
        for _ in range(WARM):
            first, other = alone().loss, many().loss
            if first != other:
                raise ValueError(f"{case}: required one loss, got {first} and {other}")
        return interleaved(lambda: many().seconds, lambda: alone().seconds, pairs)
