"""`python -m analysis`: run every study."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from analysis import areas, capability, checkers, claims, spectra
from analysis.study import out_option, run


def main(argv: Sequence[str] | None = None) -> int:
    """Run every study into `--out`; the largest exit status."""
    parser = argparse.ArgumentParser("python -m analysis", description="Run every study.")
    out_option(parser)
    out = ["--out", str(parser.parse_args(argv).out)]
    studies = (spectra.STUDY, areas.STUDY, capability.STUDY, checkers.STUDY)
    return max(*(run(study, out) for study in studies), claims.main(out))


if __name__ == "__main__":
    sys.exit(main())
