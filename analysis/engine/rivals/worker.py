"""Run by another Python: reads one JSON object a line, answers one.

{"do": "make", "rival", "file", "x", "answer", "out", "threads"} makes a network, writes what it answers to
`out`, and says the library's version and by how much the largest resident size grew ("memory", bytes).
{"do": "time"} says the seconds of its `turn`. "x", "answer" and "out" are .npy files.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from analysis.engine.rivals import numpy_nets, onnx_nets, torch_nets
from analysis.engine.rivals.turns import turn


def made(rival: str, path: Path, x: Any, answer: Any, threads: int) -> tuple[Callable[[], Any], Any]:
    """The call to be timed, and what reads its answer as an array (N, H, W, C) or (N, F)."""
    library, _, form = rival.partition(" ")
    if library == "numpy":
        return numpy_nets.run(path, x)
    if library == "onnxruntime":
        return onnx_nets.run(path, x, answer, threads, form)
    torch = import_module("torch")
    torch.set_num_threads(threads)
    return torch_nets.int8(path, x, answer) if form == "int8" else torch_nets.floats(path, x, form)


def peak(afresh: bool = False) -> int:
    """The largest resident size so far, in bytes, where Linux tells; `afresh`: from now on."""
    status = Path("/proc/self/status")
    if afresh and status.exists():
        Path("/proc/self/clear_refs").write_text("5")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)


def main() -> None:
    """Answer until the input ends."""
    call: Callable[[], Any] | None = None
    threads = 1
    for line in sys.stdin:
        asked = json.loads(line)
        if asked["do"] == "make":
            threads = asked["threads"]
            x, answer = np.load(asked["x"]), np.load(asked["answer"])
            import_module(asked["rival"].split()[0])
            idle = peak(afresh=True)
            call, read = made(asked["rival"], Path(asked["file"]), x, answer, threads)
            for _ in range(3):  # a library chooses its kernels in the first calls
                found = call()
            np.save(asked["out"], np.ascontiguousarray(read(found)))
            version = import_module(asked["rival"].split()[0]).__version__
            said: dict[str, float | str] = {"version": version, "memory": peak() - idle}
        else:
            assert call is not None
            said = {"seconds": turn(call, threads)}
        print(json.dumps(said), file=out, flush=True)


if __name__ == "__main__":
    out, sys.stdout = sys.stdout, sys.stderr  # what a library prints must not stand among the answers
    main()
