"""Files are complete or not there."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from bnn_ref.files import destination, replacing


def test_a_finished_block_leaves_the_new_file_alone_in_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with replacing(path) as temporary:
        assert temporary.parent == tmp_path
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]
    assert stat.S_IMODE(path.stat().st_mode) & 0o600 == 0o600


def test_an_error_leaves_the_old_file_and_nothing_new(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail() -> None:
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError("crash")

    with pytest.raises(RuntimeError, match="crash"):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_destinations_are_refused_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="required an existing folder"):
        destination(tmp_path / "no" / "a.txt")
    with pytest.raises(IsADirectoryError, match="required a file's name"):
        destination(tmp_path)
