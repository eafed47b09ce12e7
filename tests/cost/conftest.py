"""Makes `bireal_nets` importable: the tests are imported without a search path."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
