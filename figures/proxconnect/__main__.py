"""`python -m figures.proxconnect`: draw them all."""

from __future__ import annotations

import sys

from figures.drawing import run
from figures.proxconnect import PICTURES

if __name__ == "__main__":
    sys.exit(run("figures.proxconnect", PICTURES))
