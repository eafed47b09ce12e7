"""The ledger is complete, its verdicts are computed, and a false claim is found false."""

from __future__ import annotations

import importlib
import math
import pkgutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from analysis import claims, ledger
from analysis.ledger import LEDGER
from analysis.ledger.claim import (
    EVIDENCE,
    FAILS,
    HOLDS,
    UNTESTED,
    VERDICTS,
    Claim,
    Finding,
    Ruling,
    claim,
    near,
)
from analysis.tables import RESULTS, Table, read
from bnn_ref.estimators.fda import FourierSeries
from bnn_ref.estimators.ste import HardTanh
from bnn_ref.estimators.swish import SwishSign
from bnn_ref.papers import PAPERS
from bnn_ref.parameter import Array
from bnn_ref.spectra import distance_to_sign

Compare = Callable[[Table, Table], None]

FALSE = {
    "clip-as-printed", "fda-series-at-zero", "fda-series-domain", "fda-slope-series", "fda-n-is-the-count",
    "fda-printed-gradient",
    "fda-module-unbiased", "fda-lipschitz-smooth", "fda-smaller-error", "bireal-magnitude-aware",
    "bireal-capability-count-n",
    "bireal-formula-and-code", "irnet-end-reached", "pcpp-pair-bnn+", "pcpp-pair-poly", "pcpp-pair-ede",
    "pcpp-pair-inverted",
}  # fmt: skip
TRUE = {
    "checkers-inverted", "audit-right", "clip-filter", "fda-mse-vanishes", "fda-mse-trigamma", "fda-gibbs",
    "fda-series-lossless", "fda-slope-distribution", "fda-low-frequencies-kept", "fda-others-disturb",
    "fda-energy-is-low", "fda-residual-mean", "fda-module-mean", "fda-window-disturbs",
    "fda-corrected-gradient",
    "fda-clip-is-a-limit", "fda-clip-is-no-member", "fda-clip-disturbs", "fda-total-tanh-20",
    "fda-total-series-20", "bireal-tighter", "bireal-is-rbnn", "bireal-paper-is-plain",
    "bireal-dropped-term", "bireal-paper-is-exact", "bireal-code-is-plain", "bireal-norm-first",
    "bireal-capability-conv", "bireal-capability-norm", "bireal-capability-sign", "bireal-capability-bits",
    "bireal-capability-corner", "bireal-capability-border",
    "swish-turns", "swish-overshoot", "swish-sign-kept",
    "pcpp-pair-bnn", "pcpp-pair-bnn++", "pcpp-one-consistent", "pcpp-bnn-worked", "pcpp-signs-kept",
    "irnet-unit-slope", "rbnn-distance", "reste-distance", "dsq-to-clip", "bbc-error-fourier-9",
}  # fmt: skip
NUMBERS = {
    "fda-mse-vanishes": 0.00202640679,
    "fda-gibbs": 0.0894898722,
    "fda-energy-is-low": 0.8105695,
    "fda-energy-in-ten": 0.9797526,
    "fda-n-is-the-count": 21,
    "fda-figure-has-20-terms": 41,
    "fda-printed-gradient": 10,
    "fda-clip-scale": 0.0785,
    "fda-window-negative": 0.096,
    "fda-total-tanh-20": 0.006148,
    "fda-total-swish-sign-20": 0.006843,
    "fda-tanh-worst": 0.0117680,
    "fda-swish-zero": 17.04,
    "bireal-tighter": 2 / 3,
    "bireal-values-equal": 577,
    "swish-overshoot": 1.19967864,
    "swish-inverts": -0.195,
    "bbc-error-tanh-1": 1.13244,
    "bbc-error-fourier-3": 0.32674,
}
"""As the specifications print them."""


def test_every_row_is_complete(rulings: dict[str, Ruling]) -> None:
    assert len(rulings) == len(LEDGER) >= 40, "keys must be unique"
    for ruling in rulings.values():
        row = ruling.claim
        assert row.paper in PAPERS
        assert row.evidence in EVIDENCE
        assert row.source
        assert row.statement.endswith("."), row.key
        assert ruling.means
        assert ruling.verdict in VERDICTS
        assert math.isnan(ruling.number) == (ruling.verdict == UNTESTED), row.key
        assert not math.isinf(ruling.number)


@pytest.mark.parametrize("key", ["fda2021", "bireal2018", "bnnplus2018", "pcpp2023", "irnet2020", "rbnn2020",
                                 "reste2023", "dsq2019", "bbc2023", "bnn2016", "bengio2013"])  # fmt: skip
def test_every_paper_of_the_estimators_is_in_it(key: str) -> None:
    assert any(row.paper == key for row in LEDGER)


def test_no_module_is_forgotten() -> None:
    modules = [
        importlib.import_module(f"analysis.ledger.{m.name}") for m in pkgutil.iter_modules(ledger.__path__)
    ]
    listed = {row.key for module in modules for row in getattr(module, "CLAIMS", ())}
    assert listed == {row.key for row in LEDGER}


@pytest.mark.parametrize("row", [row for row in LEDGER if row.check], ids=lambda row: row.key)
def test_where_names_a_computation(row: Claim) -> None:
    module, name = row.where.rsplit(".", 1)
    found = getattr(importlib.import_module(module), name)
    assert callable(found) or found is row


def test_which_claims_fail(rulings: dict[str, Ruling]) -> None:
    assert {key for key, ruling in rulings.items() if ruling.verdict == FAILS} == FALSE


def test_which_claims_the_project_rests_on(rulings: dict[str, Ruling]) -> None:
    assert {key for key in TRUE if rulings[key].verdict != HOLDS} == set()


def test_the_readme_counts_the_verdicts(rulings: dict[str, Ruling]) -> None:
    readme = " ".join((Path(__file__).parents[2] / "README.md").read_text().split())
    n = Counter(ruling.verdict for ruling in rulings.values())
    said = f"{n[HOLDS]} hold, {n[FAILS]} fail, {n[UNTESTED]} cannot be tested at this size"
    assert f"lists {n.total()} statements of the papers with what we found: {said}" in readme


def test_accuracies_are_not_claimed_to_be_tested(rulings: dict[str, Ruling]) -> None:
    trained = {key for key in rulings if key.startswith("acc-")} - {"acc-fda-module-alone"}
    assert {key for key, ruling in rulings.items() if ruling.verdict == UNTESTED} == trained | {
        "fda-same-optimum",
        "fda-shortcut-helps",
    }


@pytest.mark.parametrize(("key", "number"), NUMBERS.items())
def test_numbers_are_those_in_print(key: str, number: float, rulings: dict[str, Ruling]) -> None:
    digits = len(f"{number:.9g}".split(".")[-1])
    assert rulings[key].number == pytest.approx(number, abs=0.51 * 10.0**-digits)


def test_rulings_are_those_on_record(rulings: dict[str, Ruling], same: Compare) -> None:
    same(claims.table(rulings.values()), read(RESULTS / "claims.csv"))


def false_claim() -> Claim:
    @claim("approxsign-as-far", "bireal2018", "nowhere", "R", "ApproxSign is as far from sign as the clip.")
    def check() -> Finding:
        return near(distance_to_sign("approxsign").l1, 1.0, 1e-9, "its L1 distance")

    assert isinstance(check, Claim)
    return check


def test_a_false_claim_fails() -> None:
    ruling = false_claim().rule()
    assert ruling.verdict == FAILS
    assert ruling.number == pytest.approx(2 / 3)


def _one_percent_more(self: HardTanh, x: Array) -> Array:
    return 1.01 * (np.abs(x) <= self.clip)


def _slower(self: SwishSign, x: Array) -> Array:
    return 1.01 * np.asarray(
        self.beta * (1 - self.beta / 2 * x * np.tanh(self.beta / 2 * x)) / np.cosh(x * self.beta / 2) ** 2
    )


@pytest.mark.parametrize(
    "key", ["bireal-area", "clip-filter", "pcpp-consistent-hardtanh", "fda-clip-is-a-limit", "audit-right"]
)
def test_a_clip_that_is_one_percent_off_is_noticed(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    row = next(row for row in LEDGER if row.key == key)
    assert row.rule().verdict == HOLDS
    monkeypatch.setattr(HardTanh, "slope", _one_percent_more)
    assert row.rule().verdict == FAILS


@pytest.mark.parametrize(
    "key", ["swish-area", "swish-inverts", "swish-lobe", "swish-curvature", "pcpp-consistent-bnn++"]
)
def test_a_swish_that_is_one_percent_off_is_noticed(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SwishSign, "slope", _slower)
    assert next(row for row in LEDGER if row.key == key).rule().verdict == FAILS


@pytest.mark.parametrize(
    ("method", "keys"),
    [
        (
            "series",
            "fda-series-lossless fda-mse-vanishes fda-low-frequencies-kept fda-energy-in-ten "
            "fda-mse-trigamma fda-mse-bounds fda-gibbs-rate fda-first-minimum fda-dirichlet "
            "fda-total-series-20",
        ),
        (
            "slope",
            "fda-slope-distribution fda-low-frequencies-kept fda-peak-slope fda-curvature fda-slope-energy "
            "fda-main-lobe fda-tail-envelope fda-clip-is-a-limit fda-clip-scale",
        ),
    ],
)
def test_a_series_that_is_one_percent_off_is_noticed(
    method: str, keys: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = getattr(FourierSeries, method)
    monkeypatch.setattr(FourierSeries, method, lambda self, x: 1.01 * right(self, x))
    rows = {row.key: row for row in LEDGER}
    assert [key for key in keys.split() if rows[key].rule().verdict == HOLDS] == []


@pytest.mark.parametrize("arguments", [{"evidence": "hearsay", "reason": "none"}, {"evidence": "D"}])
def test_a_claim_needs_a_known_tag_and_a_check_or_a_reason(arguments: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="required"):
        Claim("key", "fda2021", "ours", statement="It rains.", **arguments)


def test_a_changed_verdict_is_an_error_until_it_is_accepted(tmp_path: Path) -> None:
    old = claims.table([Ruling(false_claim(), HOLDS, 1.0, "before")])
    new = claims.table([false_claim().rule()])
    recorded = tmp_path / "claims.csv"
    assert claims.settle(old, tmp_path, accept=False, recorded=recorded) == []
    assert claims.settle(new, tmp_path, accept=False, recorded=recorded) == [
        "approxsign-as-far: was holds, is fails"
    ]
    assert read(recorded) == old
    assert claims.settle(new, tmp_path, accept=True, recorded=recorded) == []
    assert read(recorded) == new


def test_the_command_returns_1_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = "fda-gibbs"
    row = next(row for row in LEDGER if row.key == key)
    monkeypatch.setattr(claims, "rule_all", lambda: (Ruling(row, FAILS, 0.0, "a lie"),))
    assert claims.main(["--out", str(tmp_path)]) == 1
    assert read(tmp_path / "claims.csv").column("verdict") == (FAILS,)
