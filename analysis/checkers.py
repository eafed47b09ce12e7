"""What do generic gradient checkers say of a right straight-through estimator, and of a dead one?

The peers are optional. To obtain their rows, in an environment of its own:

    pip install torch==2.13.0 jax autograd && pip install --editable . && python -m analysis.checkers
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

from analysis.peers import PEERS, SEED, Peer, Verdict, clipped, dead, installed
from analysis.study import Study, run
from analysis.tables import Table

ABSENT = "not installed"
COLUMNS = (
    "checker", "version", "correct clipped STE", "it says of it", "backward returns zeros", "it says of that",
)  # fmt: skip


def row(peer: Peer) -> list[str]:
    """One checker's two verdicts; "not installed" where there is nothing to ask."""
    found = installed(peer.module)
    if found is None:
        return [peer.name, ABSENT, "", "", "", ""]
    module, version = found
    verdicts = peer.ask(module, clipped), peer.ask(module, dead)
    return [peer.name, version, *(text for verdict in verdicts for text in _words(verdict))]


def _words(verdict: Verdict) -> tuple[str, str]:
    return "accepts" if verdict.accepts else "rejects", verdict.says


def tables() -> Mapping[str, Table]:
    """The table of checkers."""
    return {"checkers": Table.of(COLUMNS, [row(peer) for peer in PEERS])}


STUDY = Study(
    "checkers",
    "Which gradient checkers accept a correct clipped STE, and which a backward that returns zeros?",
    tables,
    (SEED,),
)

if __name__ == "__main__":
    sys.exit(run(STUDY))
