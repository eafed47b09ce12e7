"""What `make bench` keeps a history of: cases of each kind compute; no time is looked at here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis import history
from analysis.engine import networks
from bnn_ref.packed.product import Product

SMALL = [
    name
    for name in history.MADE
    if name.startswith(("binary product", "backward pass", "step of cnn")) or "(128, 32, 16)" in name
]


@pytest.mark.parametrize("name", SMALL)
def test_it_computes_again_and_again(name: str, tmp_path: Path) -> None:
    call = history.MADE[name](tmp_path)
    for _ in range(2):
        found = np.asarray(call(), float)
        assert found.size
        assert np.isfinite(found).all()


def test_layers_check_themselves(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Before their first pass, which says nothing."""
    name = "fused layer 7 x 7 x 512"
    history.MADE[name](tmp_path)()
    monkeypatch.setattr(Product, "__call__", lambda self, count: None)
    with pytest.raises(ValueError, match="as the steps give"):
        history.MADE[name](tmp_path)


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
