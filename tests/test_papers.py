"""The bibliography: every key once, every link a link, and every citation in the code found there."""

from __future__ import annotations

import ast
import inspect
import re
from datetime import date
from pathlib import Path

import pytest

import bnn_ref
from bnn_ref import estimators, papers
from bnn_ref.papers import PAPERS, Paper

EACH = pytest.mark.parametrize(("key", "paper"), PAPERS.items(), ids=PAPERS.keys())


def test_keys_are_written_once() -> None:
    """A literal with a key twice keeps the second entry and says nothing: count them in the source."""
    tree = ast.parse(inspect.getsource(papers))
    (table,) = (
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.AnnAssign) and node.target.id == "PAPERS"
    )
    written = [key.value for key in table.keys]
    assert sorted(written) == sorted(set(written)) == sorted(PAPERS)


def test_papers_are_written_once() -> None:
    assert len({paper.link for paper in PAPERS.values()}) == len(PAPERS)
    assert len({paper.title.lower() for paper in PAPERS.values()}) == len(PAPERS)


@EACH
def test_the_key_ends_in_the_year(key: str, paper: Paper) -> None:
    assert re.fullmatch(r"[a-z+]+(\d{4})", key)
    assert int(key[-4:]) == paper.year
    assert 1950 <= paper.year <= date.today().year


@EACH
def test_links_are_links_and_no_older_than_the_paper_allows(key: str, paper: Paper) -> None:
    assert re.fullmatch(r"https://[a-z0-9.-]+\.[a-z]+/\S+", paper.link)
    number = re.fullmatch(r"https://arxiv\.org/abs/(.*)", paper.link)
    if number:
        stamp = re.fullmatch(r"(\d\d)(\d\d)\.(\d{4,5})", number[1])
        assert stamp, f"{key}: {number[1]} is no arXiv number"
        year, month = 2000 + int(stamp[1]), int(stamp[2])
        assert 1 <= month <= 12
        assert len(stamp[3]) == (5 if year >= 2015 else 4)
        assert paper.year - 3 <= year <= paper.year + 1


@EACH
def test_every_field_is_filled(key: str, paper: Paper) -> None:
    for field in (paper.authors, paper.title, paper.venue):
        assert field == field.strip() != ""
        assert "  " not in field
    assert not paper.title.endswith(".")
    assert re.match(r"[A-Z]\.(-?[A-Z]\.| )*\S+", paper.authors), "initials, then the family name"


def test_a_paper_prints_as_one_line() -> None:
    paper = Paper("A. Author, B. Other", "A Title", "ICLR", 2015, "https://example.org/1")
    assert str(paper) == "A. Author, B. Other. A Title. ICLR, 2015."


def test_the_table_cites_papers_that_are_here() -> None:
    assert {estimators.entry(name).paper for name in estimators.names()} <= set(PAPERS)


def test_every_source_line_of_the_code_cites_a_paper_that_is_here() -> None:
    cited = set()
    for file in Path(bnn_ref.__file__).parent.rglob("*.py"):
        for source in re.findall(
            r"Source: ([^\n]*(?:\n[^\n]+)*?)(?:\.\s|\"\"\"|\n\n)", file.read_text("utf-8")
        ):
            cited |= {(key, file.name) for key in re.findall(r"\b[a-z+]{2,}(?:19|20)\d\d\b", source)}
    assert {key for key, _ in cited} >= {"xnornet2016", "bireal2018", "adam2015", "fda2021"}
    assert {(key, file) for key, file in cited if key not in PAPERS} == set()
