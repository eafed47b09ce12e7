"""Another library in a process of its own: it is given a packed file and an input, and told when to run."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from analysis.engine.rivals.reading import read
from bnn_ref.parameter import Array

WORKER = "analysis.engine.rivals.worker"
ROOT = Path(__file__).parents[2]
POOLS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class NoRival(RuntimeError):
    """The other process ended: a library is missing there, or cannot do what was asked."""


@dataclass(frozen=True)
class Case:
    """What a rival computes.

    Attributes
    ----------
    file : path
        A packed network that says what to compute.
    x, answer : float32
        Its input, and what must come out.
    """

    file: Path
    x: Array
    answer: Array

    @property
    def signs(self) -> bool:
        """Whether signs are taken on the way."""
        return any(step.kind == "pack_signs" for step in read(self.file)[0])


class Rival:
    """A process that computes with another library; a context, which ends it.

    Parameters
    ----------
    python : str
        The interpreter of the environment where the library is.
    folder : path
        Where arrays are exchanged.
    threads : int
        Of every pool there.
    """

    def __init__(self, python: str, folder: Path, threads: int = 1) -> None:
        self.folder, self.threads = folder, threads
        environment = {**os.environ, **dict.fromkeys(POOLS, str(threads)), "PYTHONPATH": str(ROOT)}
        self.errors = folder / "errors.txt"
        with self.errors.open("w") as errors:
            self.process = subprocess.Popen(
                [python, "-m", WORKER],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=environment,
            )

    def make(self, name: str, case: Case) -> tuple[Array, dict[str, Any]]:
        """Have `name` ready to be timed: what it answers, and its version and memory (bytes above idle).

        Raises
        ------
        NoRival
            Where that cannot be done there; says why.
        """
        paths = {key: self.folder / f"{key}.npy" for key in ("x", "answer", "out")}
        np.save(paths["x"], case.x)
        np.save(paths["answer"], case.answer)
        said = self._ask(
            do="make",
            rival=name,
            file=str(case.file),
            threads=self.threads,
            **{k: str(v) for k, v in paths.items()},
        )
        return np.load(paths["out"]), said

    def seconds(self) -> float:
        """Its turn: how long a call takes, by its own clock."""
        return float(self._ask(do="time")["seconds"])

    def _ask(self, **question: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(json.dumps(question) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise NoRival((self.errors.read_text().strip().splitlines() or ["no reason given"])[-1])
        said: dict[str, Any] = json.loads(line)
        return said

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(BrokenPipeError):
            self.process.communicate()
