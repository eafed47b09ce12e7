"""Makes `scenes`, which draws annotation files and results, importable; finds the real ones."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from bnn_ref.data import search

PLACES = (search.given(), Path(__file__).parents[2].parent / "shared" / "data")
FOUND = next((base / "pose" for base in PLACES if base is not None and (base / "pose").is_dir()), None)


@pytest.fixture
def real() -> Path:
    """The folder of COCO's photographs and their annotations."""
    if FOUND is None:
        pytest.skip("no folder `pose` of COCO files, in BNN_REF_DATA or in shared/data beside the checkout")
    return FOUND
