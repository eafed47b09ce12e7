"""The order of the search, and a download that is kept only if it is what was asked for."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pooch
import pytest

from bnn_ref.data import search

URL = "https://example.invalid/toy/file.gz"
CONTENT = b"what the server should send"
MD5 = hashlib.md5(CONTENT).hexdigest()


def test_the_system_comes_last_and_subfolders_first(bare_machine: Path) -> None:
    assert search.folders("toy") == [bare_machine / "toy"]
    assert search.folders("toy", "data") == [Path("data/toy"), Path("data"), bare_machine / "toy"]


def test_the_argument_goes_before_the_environment(
    bare_machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BNN_REF_DATA", "from-env")
    assert search.folders("toy")[0] == Path("from-env/toy")
    assert Path("from-env") not in search.folders("toy", "named")
    assert search.given(Path("named")) == Path("named")


def test_an_empty_variable_is_none_and_a_tilde_is_home(
    bare_machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BNN_REF_DATA", "")
    assert search.given() is None
    monkeypatch.setenv("BNN_REF_DATA", "~/data")
    assert search.given() == Path.home() / "data"


def serve(monkeypatch: pytest.MonkeyPatch, content: bytes) -> list[str]:
    """Let pooch's own downloader hand out `content`; returns the addresses that it is asked for."""
    asked = []

    def download(self: Any, url: str, output_file: str, *_: object, **__: object) -> None:
        asked.append(url)
        Path(output_file).write_bytes(content)

    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", download)
    return asked


def test_a_download_is_made_once(bare_machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = serve(monkeypatch, CONTENT)
    paths = [search.download(URL, MD5, "toy") for _ in range(2)]
    assert paths == [search.cache("toy") / "file.gz"] * 2
    assert paths[0].read_bytes() == CONTENT
    assert asked == [URL]


def test_a_foreign_download_is_not_kept(bare_machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, b"log in to use this network")
    with pytest.raises(ValueError, match=MD5):
        search.download(URL, MD5, "toy")
    assert list(search.cache("toy").iterdir()) == []


def test_a_damaged_file_in_the_cache_is_fetched_anew(
    bare_machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    search.cache("toy").mkdir(parents=True)
    (search.cache("toy") / "file.gz").write_bytes(CONTENT[:-1])
    asked = serve(monkeypatch, CONTENT)
    assert search.download(URL, MD5, "toy").read_bytes() == CONTENT
    assert asked == [URL]


def test_without_a_network_the_error_is_an_os_error(bare_machine: Path) -> None:
    with pytest.raises(OSError, match="no network in tests"):
        search.download(URL, MD5, "toy")


def test_the_message_names_three_places_and_every_command(bare_machine: Path) -> None:
    message = str(search.not_found("toy", "mine", ["first", "second"], OSError("cable cut")))
    for fact in (
        "toy:",
        "BNN_REF_DATA: mine",
        str(bare_machine / "toy"),
        str(search.cache("toy")),
        "cable cut",
    ):
        assert fact in message
    assert message.endswith("Get it with: first  or  second")
    assert "neither is set" in str(search.not_found("toy", None, [], OSError()))
