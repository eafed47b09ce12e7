"""What `make bench` keeps a history of: every case is made and computes; no time is looked at here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis import history
from analysis.engine import networks

SMALL = [name for name in history.MADE if name.startswith(("binary product", "fused layer", "backward pass"))]


@pytest.mark.parametrize("name", SMALL)
def test_it_computes_again_and_again(name: str, tmp_path: Path) -> None:
    call = history.MADE[name](tmp_path)
    for _ in range(2):
        assert np.isfinite(np.asarray(call(), float)).all()


def test_one_case_is_not_another() -> None:
    """A loop's variable is not the last one's for all."""
    products = [history.MADE[name](Path())() for name in SMALL if name.startswith("binary product")]
    assert [np.shape(z) for z in products] == [(3136, 64), (784, 128), (196, 256), (48, 512)]


def test_whole_networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks, "SIDE", 32)
    for images in (1, 8):
        assert np.shape(history.MADE[f"Bi-Real-18, images {images}"](tmp_path)()) == (
            images,
            networks.CLASSES,
        )


def test_what_is_kept_of_training() -> None:
    assert sum(name.startswith("step of") for name in history.MADE) == 4
    assert sum(name.startswith("float") for name in history.MADE) == 6
