"""The IDX reader against files written by hand: whole ones are read, all others are one clear ValueError."""

from __future__ import annotations

import gzip
import hashlib
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref.data import idx

# Two images of 2 x 3 pixels.
CONTENT = bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3]) + bytes(range(250, 256)) + bytes(range(6))
ARRAY = np.array([[[250, 251, 252], [253, 254, 255]], [[0, 1, 2], [3, 4, 5]]], np.uint8)


def written(folder: Path, content: bytes, name: str = "images") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("name", ["images", "images.gz"])
@pytest.mark.parametrize("content", [CONTENT, gzip.compress(CONTENT)], ids=["plain", "compressed"])
def test_the_content_not_the_name_tells_the_compression(tmp_path: Path, content: bytes, name: str) -> None:
    array = idx.read(written(tmp_path, content, name), 3)
    assert array.dtype == np.uint8
    np.testing.assert_array_equal(array, ARRAY)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.integers(0, 2**32), st.booleans())
def test_reading_undoes_writing(shape: list[int], seed: int, compressed: bool) -> None:
    array = np.random.default_rng(seed).integers(0, 256, shape, np.uint8)
    content = idx.header(array) + array.tobytes()
    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder), gzip.compress(content, 1) if compressed else content)
        np.testing.assert_array_equal(idx.read(path, array.ndim), array)
    assert idx.digest(array) == hashlib.md5(content).hexdigest()


def test_the_digest_is_that_of_the_file_whatever_the_memory_order() -> None:
    md5 = hashlib.md5(CONTENT).hexdigest()
    assert idx.digest(ARRAY) == idx.digest(np.asfortranarray(ARRAY)) == md5
    assert idx.digest(ARRAY[::-1]) != md5
    assert idx.digest(ARRAY.reshape(2, 3, 2)) != md5


@pytest.mark.parametrize(
    ("content", "came"),
    [
        (b"", r"first bytes \(none\)"),
        (b"<html><body>404 Not Found</body></html>", "first bytes 3c 68 74 6d instead of 00 00 08 03"),
        (CONTENT[:3], "first bytes 00 00 08 instead of"),
        (b"\1" + CONTENT[1:], "first bytes 01 00 08 03"),
        (CONTENT[:2] + b"\x0d" + CONTENT[3:], "first bytes 00 00 0d 03"),
        (CONTENT[:3] + b"\1" + CONTENT[4:], "first bytes 00 00 08 01"),
        (CONTENT[:12], "header of 12 bytes instead of 16"),
        (CONTENT[:-1], r"11 bytes of data for the dimensions \(2, 2, 3\)"),
        (CONTENT + b"\0", r"13 bytes of data for the dimensions \(2, 2, 3\)"),
        (CONTENT[:7] + b"\3" + CONTENT[8:], r"12 bytes of data for the dimensions \(3, 2, 3\)"),
        (CONTENT[:4] + bytes(12), r"0 bytes of data for the dimensions \(0, 0, 0\)"),
        # The product is 2**64, which is 0 to a computer that is not careful.
        (CONTENT[:4] + bytes([128, 0, 0, 0, 128, 0, 0, 0, 0, 0, 0, 4]), "0 bytes of data for the dimensions"),
        (CONTENT[:4] + b"\xff" * 12 + CONTENT[16:], r"12 bytes of data for the dimensions \(4294967295,"),
    ],
)
@pytest.mark.parametrize("compressed", [False, True])
def test_a_lie_is_named_with_the_file(tmp_path: Path, content: bytes, came: str, compressed: bool) -> None:
    path = written(tmp_path, gzip.compress(content) if compressed else content)
    required = "required an IDX file of unsigned bytes with 3 dimensions"
    with pytest.raises(ValueError, match=f"(?s)images: {required}.* got .*{came}") as caught:
        idx.read(path, 3)
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize("compressed", [False, True])
def test_a_file_cut_anywhere_is_refused(tmp_path: Path, compressed: bool) -> None:
    content = gzip.compress(CONTENT) if compressed else CONTENT
    for length in range(len(content)):
        with pytest.raises(ValueError, match="images: required an IDX file"):
            idx.read(written(tmp_path, content[:length]), 3)


def test_a_damaged_byte_of_a_compressed_file_never_changes_the_array(tmp_path: Path) -> None:
    content, refused = gzip.compress(CONTENT), 0
    for place in range(len(content)):
        damaged = bytearray(content)
        damaged[place] ^= 0xFF
        try:
            array = idx.read(written(tmp_path, bytes(damaged)), 3)
        except ValueError:
            refused += 1
        else:  # the time stamp and its neighbours in the gzip header carry nothing
            np.testing.assert_array_equal(array, ARRAY)
    assert refused >= len(content) - 10


def test_a_file_that_is_not_there_is_no_damaged_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        idx.read(tmp_path / "images", 3)
