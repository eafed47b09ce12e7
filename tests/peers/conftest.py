"""Makes `scenes`, which draws annotation files and results, importable."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path += [str(Path(__file__).parents[1] / "pose"), str(Path(__file__).parent)]
