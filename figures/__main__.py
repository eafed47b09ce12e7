"""`python -m figures`: draw every picture."""

from __future__ import annotations

import sys

from figures import fda, magnitude, spectra
from figures.drawing import run

if __name__ == "__main__":
    sys.exit(run("figures", {"spectra": spectra.draw, **fda.PICTURES, "magnitude": magnitude.draw}))
