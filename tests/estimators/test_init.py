"""The table: names, aliases, refusals, citations."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from bnn_ref import estimators
from bnn_ref.binarizer import Binarizer, Compose, Map, Scaled, Sign, factored
from bnn_ref.papers import PAPERS

NAMES = estimators.names()


def last(deployed: Map) -> Map:
    """What a deployed rule ends in, but for its scale."""
    if isinstance(deployed, Compose):
        return last(deployed.maps[-1])
    return last(deployed.inner) if isinstance(deployed, Scaled) else deployed


SIGNS = [name for name in NAMES if isinstance(last(estimators.get(name).deployed), Sign)]
OTHERS = {
    "fp",
    "clip-activation",
    "binaryconnect-stochastic",
    "abc-weight",
    "abc-activation",
    "dorefa-activation",
    "dorefa-gradient",
}
"""Deployed as something else than one sign an element."""


def test_what_is_not_deployed_as_a_sign_is_known() -> None:
    assert set(NAMES) - set(SIGNS) == OTHERS
    assert all(estimators.get(name).deployed.levels == (-1, 1) for name in SIGNS)


def test_the_names_that_users_rely_on() -> None:
    """A name once given stays: this list grows, it never shrinks."""
    promised = {
        *("identity-ste", "clipped-ste", "tanh", "approxsign", "fda", "swish-sign", "bnn++", "dsq", "ede"),
        *("rbnn", "rbnn-activation", "reste"),
    }
    assert promised <= set(NAMES)


@pytest.mark.parametrize("name", [*NAMES, *estimators.ALIASES])
def test_names_are_lower_case_words(name: str) -> None:
    assert re.fullmatch(r"[a-z0-9+-]+", name)


@pytest.mark.parametrize("name", NAMES)
def test_every_entry_makes_a_binarizer_of_its_name(name: str) -> None:
    b = estimators.get(name)
    assert isinstance(b, Binarizer)
    assert b.name == name


@pytest.mark.parametrize(("alias", "name"), estimators.ALIASES.items())
def test_aliases_are_the_entry_itself(alias: str, name: str) -> None:
    assert alias not in NAMES
    assert estimators.entry(alias) is estimators.entry(name)
    assert estimators.get(alias) == estimators.get(name)
    assert estimators.get(alias).name == name


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("ste", "clipped-ste"),
        ("bireal", "approxsign"),
        ("bnn+", "swish-sign"),
        ("irnet", "ede"),
        ("bc", "identity-ste"),
        ("bnn", "clipped-ste"),
        ("poly", "approxsign"),
    ],
)
def test_the_aliases_that_papers_use(alias: str, name: str) -> None:
    assert estimators.get(alias).name == name


def test_no_two_entries_are_the_same_method() -> None:
    """A method known under two names is declared once; entries of one curve differ in law or in forward."""
    seen = [(e.paper, e.about, str(estimators.get(n))) for n, e in estimators.TABLE.items()]
    assert len(set(seen)) == len(seen)


def test_an_unknown_name_lists_every_valid_one() -> None:
    with pytest.raises(ValueError, match="estimator: required one of") as caught:
        estimators.get("no-such")
    for name in [*NAMES, *estimators.ALIASES, "'no-such'"]:
        assert name in str(caught.value)


@pytest.mark.parametrize("name", NAMES)
def test_unknown_parameters_are_listed_with_the_valid_ones(name: str) -> None:
    with pytest.raises(ValueError, match=f"{re.escape(name)}: required parameters among") as caught:
        estimators.get(name, zzz=1, nonsense=2)
    assert str(caught.value).endswith("got nonsense, zzz")
    for parameter in estimators.entry(name).parameters:
        assert parameter in str(caught.value)


@pytest.mark.parametrize("name", NAMES)
def test_spelling_the_defaults_changes_nothing(name: str) -> None:
    assert estimators.get(name, **estimators.entry(name).parameters) == estimators.get(name)


LOWER = {"fda-eq15", "bbc-argmax", "bbc-argmax-signed"}
"""sign(0) = -1: fda2021's Eq. 1 to the letter, and the first of two equal logits."""


@pytest.mark.parametrize("name", SIGNS)
def test_sign_of_zero(name: str) -> None:
    """+1 unless asked; -1 on request, -0.0 alike; never 0. Soft forwards keep theirs. Scales do not count.

    Where it is -1 the method itself says so.
    """
    zeros = np.array([0.0, -0.0])
    for zero in (1, -1):
        b = estimators.get(name, zero=zero).bind((2,), -1, np.random.default_rng(0))
        assert isinstance(b, Binarizer)
        np.testing.assert_array_equal(factored(b.deployed, zeros)[0], [zero, zero])
        if isinstance(b.forward, Sign):
            np.testing.assert_array_equal(b(zeros), [zero, zero])
    deployed = estimators.get(name).bind((2,), -1, np.random.default_rng(0)).deploy()
    np.testing.assert_array_equal(factored(deployed, zeros)[0], -1 if name in LOWER else 1)


@pytest.mark.parametrize("name", [n for n in NAMES if "zero" in estimators.entry(n).parameters])
@pytest.mark.parametrize("zero", [0, 2])
def test_sign_of_zero_is_a_sign(name: str, zero: Any) -> None:
    with pytest.raises(ValueError, match="zero: required -1 or"):
        estimators.get(name, zero=zero)


@pytest.mark.parametrize("name", NAMES)
def test_every_entry_cites_a_paper_that_exists(name: str) -> None:
    line = estimators.entry(name)
    assert line.paper in PAPERS
    assert line.about


@pytest.mark.parametrize("name", NAMES)
def test_every_docstring_gives_formula_parameters_and_source(name: str) -> None:
    line = estimators.entry(name)
    text = line.make.__doc__ or ""
    assert re.search(r"T\(x\) =|T'\(x\) =" if not estimators.get(name).nonlinear() else "dx =", text)
    sources = re.findall(r"Source: (.*?)\.(?:\s|$)", text, re.DOTALL)
    assert sources
    for source in sources:  # one for each part of a sum
        keys = set(re.findall(r"[a-z+]+\d{4}", source))
        assert keys, f"{name}: {source!r} cites no paper"
        assert keys <= set(PAPERS)
    for parameter in set(line.parameters) - {"zero"}:
        assert re.search(rf"^ *{parameter} : ", text, re.MULTILINE), f"{parameter} is not documented"


@pytest.mark.parametrize("name", [n for n in NAMES if estimators.get(n).law is not None])
@pytest.mark.parametrize("progress", [-0.1, 1.1, np.nan])
def test_progress_lies_between_0_and_1(name: str, progress: float) -> None:
    with pytest.raises(ValueError, match="progress: required a number in"):
        estimators.get(name).at(progress)


OTHER: dict[str, Any] = {
    "shortcut": "line",
    "activation": "relu",
    "init": "positive",
    "depth": 3,
    "hidden": 3,
    "window": 0.7,
    "inclusive": None,
    "learn": True,
    "zero": -1,
    "start": 3,
    "stop": 30,
    "terms": 4,
    "ratio": 7,
    "rounds": 2,
    "o": 5.0,
    "bits": 3,
    "bases": 2,
    "offsets": (0.1, 0.2),
    "levels": (-1.0, 0.0, 1.0),
}
"""A value that no entry has by default, of the parameters that are no plain positive numbers."""


@pytest.mark.parametrize(
    ("name", "parameter"), [(n, p) for n in NAMES for p in estimators.entry(n).parameters]
)
def test_every_parameter_reaches_the_binarizer(name: str, parameter: str) -> None:
    default = estimators.entry(name).parameters[parameter]
    value = 1.5 if (name, parameter) == ("reste", "o") else OTHER.get(parameter, 0.37)
    if isinstance(default, bool):
        value = not default
    elif value == default:
        value = -value  # zero
    assert estimators.get(name, **{parameter: value}) != estimators.get(name)
