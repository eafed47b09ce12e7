"""Makes `bireal_nets` and `packed_nets` importable: the tests are imported without a search path."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path += [str(Path(__file__).parent), str(Path(__file__).parents[1] / "packed")]
