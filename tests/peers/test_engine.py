"""The benchmark's rivals compute what the packed file says: torch in two layouts, onnxruntime, both int8."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from analysis.engine import against, networks
from analysis.engine.layers import Alone
from analysis.engine.rival import Rival


@pytest.mark.parametrize("name", [*against.FLOATS, *against.QUANTIZED])
def test_a_layer(name: str, tmp_path: Path) -> None:
    case = Alone(6, 32, 2).case(tmp_path)
    with Rival(sys.executable, tmp_path) as rival:
        answer, said = rival.make(name, case)
        against.agree(name, answer, case.answer)
        tolerance = 0.01 * np.abs(case.answer).max() if name.endswith("int8") else 1e-4
        np.testing.assert_allclose(answer, case.answer, rtol=0, atol=tolerance)
        assert rival.seconds() > 0
    assert said["version"]


@pytest.mark.parametrize(
    ("network", "names"),
    [("bireal-18", against.FLOATS[:2]), ("resnet-18", (*against.FLOATS, "onnxruntime int8"))],
)
def test_a_network(network: str, names: tuple[str, ...], tmp_path: Path) -> None:
    _, case = networks.case(network, 64, 2, tmp_path)
    for name in names:
        with Rival(sys.executable, tmp_path) as rival:
            against.agree(name, rival.make(name, case)[0], case.answer)
