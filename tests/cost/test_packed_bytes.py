"""Packed bytes are those of the file, whatever is scaled or shifted; what cannot be packed says why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from bnn_ref import estimators, models
from bnn_ref.binarizer import Scaled
from bnn_ref.cost import cost
from bnn_ref.layers import CHANNEL_SCALE, Conv2d, Layer, OutputScale, Sequential, XnorConv2d
from bnn_ref.models import Operands, ReActBlock, ReActMobileBlock, RealToBinaryBlock, ResNetBlock
from bnn_ref.packed import pack

RNG = np.random.default_rng(0)
HARD = estimators.get("clipped-ste")
OPERANDS = Operands(HARD, HARD, CHANNEL_SCALE, RNG)
RULES = [name for name in estimators.names() if estimators.get(name).reduces or "weight" in name]
REFUSED = {"abc-weight"}
"""The rules for weights that are no signs when deployed, and so are real there."""


def stored(model: Layer, path: Path) -> int:
    """The bytes of all tensors in the file."""
    pack(model).save(path)
    return sum(tensor.nbytes for tensor in load_file(path).values())


def small(rule: str, scale: str = "none") -> models.Model:
    """Three binary convolutions, of 225, 405 and 729 weights in 5, 9 and 9 filters."""
    own: dict[str, Any] = {"widths": (5, 9), "blocks": (1, 2)}
    return models.build("bireal-small", weight_estimator=rule, scale=scale, **own)


@pytest.mark.parametrize("rule", sorted(set(RULES) - REFUSED))
def test_rules_for_weights(rule: str, tmp_path: Path) -> None:
    """One bit a weight, and 4 bytes for each scale of the rule's own: one a filter, or one a layer."""
    found = cost(small(rule), (1, 28, 28, 1)).total
    assert found.packed_bytes == stored(small(rule), tmp_path / "net.safetensors")
    assert found.binary_weights == 225 + 405 + 729
    bare = cost(small("bnn-weight"), (1, 28, 28, 1)).total
    assert found.packed_bytes - bare.packed_bytes == 4 * found.scale
    assert found.scale in ((5 + 9 + 9, 3) if isinstance(estimators.get(rule).deploy(), Scaled) else (0,))
    if found.scale:
        assert cost(small(rule, "folded"), (1, 28, 28, 1)).total == bare


@pytest.mark.parametrize("rule", sorted(REFUSED))
def test_rules_that_are_no_signs(rule: str) -> None:
    found = cost(small(rule), (1, 28, 28, 1))
    assert (found.total.packed_bytes, found.total.binary_weights) == (None, 0)
    assert "required weights deployed as signs, with at most one scale" in str(found.unpacked)


BLOCKS: dict[str, tuple[Layer, int]] = {
    "output scale": (Sequential(OPERANDS.conv(3, 4, 3, padding=1), OutputScale(4, case=1)), 3),
    "ReAct": (ReActBlock(OPERANDS, 3, 4, 2), 3),
    "ReAct, two branches": (ReActMobileBlock(OPERANDS, 3, 6, 2), 3),
    "ResNet": (ResNetBlock(OPERANDS, 4, 8, 2), 4),
}


@pytest.mark.parametrize("name", BLOCKS)
def test_blocks(name: str, tmp_path: Path) -> None:
    block, channels = BLOCKS[name]
    found = cost(block, (1, 7, 5, channels))
    assert found.total.packed_bytes == stored(block, tmp_path / "block.safetensors")
    assert found.total.packed_bytes == sum(row.counts.packed_bytes or 0 for row in found.layers)


@pytest.mark.parametrize(
    ("block", "scales", "reason"),
    [
        (
            XnorConv2d(OPERANDS.conv(3, 4, 3, padding=1)),
            4,
            r"scale\.size \(ChannelMeanAbs\): required one of",
        ),
        (RealToBinaryBlock(OPERANDS, 3, 4), 4, r"gate\.sigmoid \(Activation\): required an activation"),
        *(
            (
                Sequential(Conv2d(3, 4, 3, padding=1, rng=RNG), OutputScale(4, (7, 5), case=case)),
                scales,
                rf"parts\.1 \(OutputScale\): required one number a channel, case 1, got case {case}",
            )
            for case, scales in ((2, 7 * 5 * 4), (3, 7 * 5 + 4), (4, 7 + 5 + 4))
        ),
    ],
)
def test_what_cannot_be_packed_says_why_and_is_counted(block: Layer, scales: int, reason: str) -> None:
    """XNOR-Net's K, Real-to-Binary's gate, and output scales that differ from pixel to pixel."""
    found = cost(block, (1, 7, 5, 3))
    assert found.total.packed_bytes is None
    assert found.total.scale == scales
    with pytest.raises(ValueError, match=f"^pack: {reason}"):
        pack(block)
    assert f"no packed bytes: {found.unpacked}" in " ".join(str(found).split())
