"""The table: names, what is no name, one line for a new set, and no network before `load`."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bnn_ref import data

if TYPE_CHECKING:  # at run time the name conftest may be another folder's
    from conftest import Toy


def test_names_are_the_table() -> None:
    assert data.names() == ["digits", "fashion-mnist", "mnist"]
    assert all(re.fullmatch(r"[a-z0-9+-]+", name) for name in data.names())


def test_a_set_knows_the_name_it_is_loaded_by() -> None:
    assert data.load("digits").name == "digits"


@pytest.mark.parametrize("name", ["imagenet", "Digits", "fashion_mnist", ""])
def test_another_name_is_refused_with_the_valid_ones(name: str) -> None:
    with pytest.raises(ValueError, match=f"name: required one of digits, fashion-mnist, mnist, got '{name}'"):
        data.load(name)


def test_a_new_set_is_one_line(
    toy: Toy, tmp_path: Path, bare_machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(data.TABLE, "toy", toy.row.load)
    assert "toy" in data.names()
    assert data.load("toy", toy.write(tmp_path)).shape == (5, 4, 1)
    with pytest.raises(ValueError, match="digits, fashion-mnist, mnist, toy"):
        data.load("imagenet")


@pytest.mark.parametrize("name", ["fashion-mnist", "mnist"])
def test_the_folder_is_passed_on(name: str, tmp_path: Path, bare_machine: Path) -> None:
    with pytest.raises(FileNotFoundError, match=f"{name}: .*") as caught:
        data.load(name, tmp_path / "mine")
    assert str(tmp_path / "mine") in str(caught.value)


def test_importing_reads_and_downloads_nothing() -> None:
    program = """
import sys
def watch(event, args):
    reads = event == "open" and "digits.csv" in str(args[0])
    if reads or event in ("socket.connect", "socket.getaddrinfo"):
        raise RuntimeError(event)
sys.addaudithook(watch)
import bnn_ref.data
try:
    bnn_ref.data.load("digits")
except RuntimeError as error:
    print("the watch works:", error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "the watch works: open\n"
