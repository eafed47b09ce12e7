"""The study of proximal optimizers: what is on record is what is computed, and follows from theory."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from analysis import least_squares, proximal
from analysis.least_squares import METHODS, Method, Problems, wilson
from analysis.tables import RESULTS, Table, read
from bnn_ref import estimators

Compare = Callable[[Table, Table], None]


def test_the_toys_are_reproduced(same: Compare) -> None:
    same(proximal.sawtooth(), read(RESULTS / "proximal-sawtooth.csv"))
    same(proximal.strength(), read(RESULTS / "proximal-strength.csv"))


def test_the_least_squares_are_reproduced_where_chance_is_none(same: Compare) -> None:
    """The step size on record, on all reported problems: the counts, one method after another."""
    report = Problems(*least_squares.TEST)
    recorded = {row["method"]: row for row in read(RESULTS / "proximal-least-squares.csv").records()}
    assert list(recorded) == list(METHODS)
    for name, method in METHODS.items():
        rate = min(
            least_squares.RATES, key=lambda lr, name=name: abs(lr - float(recorded[name]["step size"]))
        )
        hits, excess = least_squares.solved(method, report, rate)
        # a sign may hang on the last bit of a sum: a few problems in hundreds
        assert hits / report.count == pytest.approx(float(recorded[name]["share solved"]), abs=0.011)
        assert excess == pytest.approx(float(recorded[name]["mean loss above the least"]), abs=0.02)


def test_the_sawtooth_tells_where_the_minimum_is() -> None:
    table = read(RESULTS / "proximal-sawtooth.csv")
    latent, mean = np.array(table.numbers("latent")), table.numbers("mean")[-1]
    steps = len(table.rows)
    after = latent[-1] - proximal.ETA * (np.sign(latent[-1]) - proximal.TARGET)
    assert mean - proximal.TARGET == pytest.approx((latent[0] - after) / (proximal.ETA * steps), abs=1e-9)


def test_only_a_growing_strength_gets_to_the_bottom() -> None:
    table = read(RESULTS / "proximal-strength.csv")
    assert table.numbers("growing")[-1] < 1e-11
    assert table.numbers("frozen")[-1] > 0.02
    assert min(table.numbers("growing") + table.numbers("frozen")) >= 0


def test_the_problems_are_least_squares_and_their_best_signs_known() -> None:
    problems = Problems(5, 3)
    a, b, start = problems.drawn
    for i in range(5):
        by_hand = min(
            sum(
                (b[i, m] - sum(a[i, m, d] * (1 if code >> d & 1 else -1) for d in range(8))) ** 2
                for m in range(12)
            )
            / 24
            for code in range(256)
        )
        assert problems.least[i] == pytest.approx(by_hand)
    h = 1e-6
    for d in range(8):
        step = h * np.eye(8)[d]
        slope = (problems.loss(start + step) - problems.loss(start - step)) / (2 * h)
        np.testing.assert_allclose(problems.gradient(start)[:, d], slope, atol=1e-7)


def test_all_problems_at_once_are_each_problem_alone() -> None:
    together = Problems(6, 4)
    for name in ("BNN++", "PC, rho slow", "rPC"):
        found = least_squares.solve(METHODS[name], together, 0.1)
        for i in range(6):
            alone = Problems(1, 0)
            alone.__dict__["drawn"] = tuple(part[i : i + 1] for part in together.drawn)
            np.testing.assert_array_equal(least_squares.solve(METHODS[name], alone, 0.1)[0], found[i])


def test_bc_and_bnn_are_one_under_clipping_and_every_share_is_within_its_interval() -> None:
    rows = {row["method"]: row for row in read(RESULTS / "proximal-least-squares.csv").records()}
    one, other = ([v for k, v in rows[name].items() if k != "method"] for name in ("BC", "BNN"))
    assert one == other
    for row in rows.values():
        assert float(row["low"]) < float(row["share solved"]) < float(row["high"])
        assert row["step sizes tried"] == "8"


def test_methods_that_harden_end_at_signs() -> None:
    """PQ's regulariser is strong enough in the end, whatever the step size; so are rho's laws."""
    from bnn_ref.parameter import Parameter

    seen = []

    class Watched(Parameter):
        def __init__(self, value: np.ndarray, name: str = "", *, latent: bool = False) -> None:
            super().__init__(value, name, latent=latent)
            seen.append(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(least_squares, "Parameter", Watched)
        for name in ("BC", "PC, rho slow", "PC, rho fast", "PQ"):
            least_squares.solve(METHODS[name], Problems(20, 5), 0.316)
    assert len(seen) == 4
    for weight in seen:
        assert set(np.abs(weight.value).ravel()) == {1.0}


def test_rounding_a_real_solution_is_what_post_training_does() -> None:
    """With an identity in the layer and enough steps: the signs of the box-constrained least squares."""
    from scipy.optimize import lsq_linear

    problems = Problems(8, 6)
    found = least_squares.solve(Method(estimators.get("identity-ste"), "post-training"), problems, 0.3)
    for a, b, signs in zip(*problems.drawn[:2], found, strict=True):
        box = lsq_linear(a, b, (-1, 1)).x
        clear = np.abs(box) > 0.02
        np.testing.assert_array_equal(signs[clear], np.sign(box[clear]))


def test_wilson_against_a_hand_computed_interval() -> None:
    """15 of 50: Wilson's interval solves (p - x)^2 = z^2 p (1 - p) / n."""
    for p in wilson(15, 50):
        assert (p - 0.3) ** 2 == pytest.approx(1.959964**2 * p * (1 - p) / 50)
    assert wilson(0, 10)[0] == pytest.approx(0)
