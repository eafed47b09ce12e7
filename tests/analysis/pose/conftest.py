"""Where the photographs are, as the tests of poses find them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bnn_ref.data import search

PLACES = (search.given(), Path(__file__).parents[3].parent / "shared" / "data")
FOUND = next((base / "pose" for base in PLACES if base is not None and (base / "pose").is_dir()), None)


@pytest.fixture
def real() -> Path:
    """The folder of COCO's photographs and their annotations."""
    if FOUND is None:
        pytest.skip("no folder `pose` of COCO files, in BNN_REF_DATA or in shared/data beside the checkout")
    return FOUND
