"""`python -m figures.fda`: draw the four figures."""

from __future__ import annotations

import sys

from figures.drawing import run
from figures.fda import PICTURES

if __name__ == "__main__":
    sys.exit(run("figures.fda", PICTURES))
