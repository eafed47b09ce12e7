"""Memory and the first call of Bi-Real-18, each measured in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from analysis.engine import networks
from analysis.engine.rival import ROOT
from analysis.tables import Cell, Table

TIMES = """
import json, sys, time
laps = []
def lap():
    laps.append((time.perf_counter(), time.process_time()))
lap()
import numpy as np
from bnn_ref import load_packed
lap()
network = load_packed(sys.argv[1])
lap()
network(np.zeros((1, *network.input_shape), np.float32))
lap()
print(json.dumps([[b - a for a, b in zip(*pair)] for pair in zip(laps, laps[1:])]))
"""
"""[wall, own] seconds of import, load and first call."""

FIRST = """
import json, sys
import numpy as np
from bnn_ref import load_packed
from analysis.engine.rivals.worker import peak
idle = peak(afresh=True)
network = load_packed(sys.argv[1])
x = np.zeros((1, *network.input_shape), np.float32)
loaded = peak() - idle
idle = peak(afresh=True)
network(x)
print(json.dumps([loaded, peak() - idle]))
"""
"""Bytes of a load, plan and compiled code among them, and of the first call above what is there by then."""

MEMORY = """
import json, sys
import numpy as np
from bnn_ref.packed import PackedModel, container, document
from analysis.engine.rivals.worker import peak
described, arrays = container.read(sys.argv[1])
anywhere = PackedModel(document.restore(described, arrays))
x = np.zeros((1, *described["input_shape"]), np.float32)
idle = peak(afresh=True)
anywhere(x[:, :64, :64])
code, idle = peak() - idle, peak(afresh=True)
anywhere(x)
used = peak() - idle
print(json.dumps([code, used, anywhere.plans.take(x.shape[1:]).nbytes]))
"""
"""Bytes of compiled code, which a small image needs too; above that, of the whole one; the plan says."""


def probe(code: str, path: Path, cache: Path | None) -> Any:
    """What `code` says of the packed file at `path` in a fresh process; `cache` is for compiled code."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment |= {} if cache is None else {"NUMBA_CACHE_DIR": str(cache)}
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], env=environment, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def footprint(side: int = networks.SIDE) -> dict[str, Table]:
    """Time to the first answer without compiled code on disk (cold) and with (warm); memory."""
    rows: list[list[Cell]] = []
    with tempfile.TemporaryDirectory() as folder:
        _, path = networks.packed("bireal-18", side, Path(folder))
        cache = Path(folder) / "cache"
        for state in ("cold", "warm"):
            for what, spent in zip(("import", "load", "first call"), probe(TIMES, path, cache), strict=True):
                rows.append([state, what, *(float(f"{number:.3g}") for number in spent)])
        loaded, first = probe(FIRST, path, cache)
        code, used, plan = probe(MEMORY, path, cache)
        sizes = [
            ["load", loaded],
            ["first call after it", first],
            ["compiled code", code],
            ["first call", used],
            ["plan", plan],
            ["file", path.stat().st_size],
        ]
    return {
        "start": Table.of(["code on disk", "what", "seconds", "seconds of the process"], rows),
        "memory": Table.of(["what", "bytes"], sizes),
    }
