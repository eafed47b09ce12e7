"""What batch norm leaves of magnitude: the study is reproduced, and says what the page says."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from analysis import magnitude
from analysis.tables import RESULTS, Table, read

Compare = Callable[[Table, Table], None]


def test_the_study_is_reproduced(same: Compare) -> None:
    for name, table in magnitude.tables().items():
        same(table, read(RESULTS / f"{name}.csv"))


def test_at_eps_0_the_three_rules_are_one() -> None:
    rows = [row for row in read(RESULTS / "magnitude-equalities.csv").records() if row["eps"] == "0"]
    assert len(rows) == 3 * len(magnitude.MAGNITUDES)
    assert {row["most"] for row in rows} == {"0"}


def test_eps_matters_the_more_the_smaller_the_weights() -> None:
    """Harmless at ordinary sizes; where the released code starts it is most of the gradient."""
    rows = read(RESULTS / "magnitude-equalities.csv").records()
    gap = {
        float(row["weights up to"]): float(row["median"])
        for row in rows
        if (row["eps"], row["comparison"]) == ("1e-05", "paper - bnn")
    }
    sizes = sorted(gap)
    assert [gap[size] for size in sizes] == sorted(gap.values(), reverse=True)
    assert gap[1.2] < 1e-5 < 0.5 < gap[6e-4]


def test_the_code_steps_by_the_inverse_of_the_magnitude() -> None:
    table = read(RESULTS / "magnitude-ratios.csv")
    np.testing.assert_allclose(table.numbers("code over bnn"), table.numbers("1/alpha"), rtol=1e-9)
    np.testing.assert_allclose(table.numbers("paper over bnn"), 1, rtol=1e-9)
    assert max(table.numbers("1/alpha")) / min(table.numbers("1/alpha")) > 100


def test_a_scale_in_the_weights_reaches_the_layer() -> None:
    weight, _ = magnitude.weight_gradient("bnn-weight", 0, magnitude=np.arange(1.0, 8))
    whole, _ = magnitude.weight_gradient("bnn-weight", 0)
    np.testing.assert_allclose(weight, whole * np.arange(1.0, 8), rtol=1e-15)
