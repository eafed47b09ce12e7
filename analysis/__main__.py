"""`python -m analysis`: run every study; the trained ones take minutes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from analysis import areas, capability, checkers, claims, cost, magnitude, pairs, proximal, spectra, vit
from analysis.bbc import __main__ as bbc
from analysis.bireal import __main__ as bireal
from analysis.engine import __main__ as engine
from analysis.fda import __main__ as fda
from analysis.pose import __main__ as pose
from analysis.predictors import __main__ as predictors
from analysis.proxconnect import __main__ as proxconnect
from analysis.study import out_option, run
from analysis.training_speed import __main__ as training_speed


def main(argv: Sequence[str] | None = None) -> int:
    """Run every study into `--out`; the largest exit status."""
    parser = argparse.ArgumentParser("python -m analysis", description="Run every study.")
    out_option(parser)
    out = ["--out", str(parser.parse_args(argv).out)]
    modules = (spectra, areas, checkers, magnitude, capability, cost, pairs, proximal)
    studies = (fda, bireal, proxconnect, predictors, vit, bbc, pose, engine, training_speed)
    trained = (study.main(out) for study in studies)
    return max(*(run(module.STUDY, out) for module in modules), claims.main(out), *trained)


if __name__ == "__main__":
    sys.exit(main())
