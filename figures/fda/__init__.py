"""FDA-BNN's four figures, redrawn from the results of `python -m analysis.fda`.

python -m figures.fda
"""

from __future__ import annotations

from collections.abc import Mapping

from figures.drawing import Draw
from figures.fda import panels, passes, schedules, terms

PICTURES: Mapping[str, Draw] = {
    "fda-functions": panels.draw,
    "fda-passes": passes.draw,
    "fda-terms": terms.draw,
    "fda-schedules": schedules.draw,
}
"""By name, in the paper's order."""
