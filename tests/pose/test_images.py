"""Pixels from files: what comes is what was stored, and what is wrong is refused with the file's name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from bnn_ref.pose import Folder, Stack, listed, read_image
from bnn_ref.pose.annotations import Image

PIXELS = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    PIL.Image.fromarray(PIXELS).save(tmp_path / "b.png")
    PIL.Image.fromarray(PIXELS[:, :, 0]).save(tmp_path / "a.PNG", "PNG")
    (tmp_path / "words.txt").write_text("no image")
    return tmp_path


def test_colours_come_in_their_order_and_grey_as_three_equal_ones(folder: Path) -> None:
    np.testing.assert_array_equal(read_image(folder / "b.png", (7, 5)), PIXELS)
    np.testing.assert_array_equal(read_image(folder / "a.PNG"), np.stack([PIXELS[:, :, 0]] * 3, axis=2))
    np.testing.assert_array_equal(read_image(folder / "a.PNG", grey=True), PIXELS[:, :, :1])


def test_a_palette_is_looked_up(tmp_path: Path) -> None:
    file = PIL.Image.new("P", (2, 1))
    file.putpalette([10, 20, 30, 200, 100, 50])
    file.putdata([1, 0])
    file.save(tmp_path / "p.png")
    np.testing.assert_array_equal(read_image(tmp_path / "p.png"), [[[200, 100, 50], [10, 20, 30]]])


def test_a_folder_is_listed_by_name(folder: Path) -> None:
    assert listed(folder) == {1: Image("a.PNG", 7, 5), 2: Image("b.png", 7, 5)}
    np.testing.assert_array_equal(Folder(folder, listed(folder))(2), PIXELS)


def test_a_stack_counts_from_one() -> None:
    stack = Stack(np.stack([PIXELS, PIXELS + 1]))
    np.testing.assert_array_equal(stack(2), PIXELS + 1)


@pytest.mark.parametrize(
    "content", [b"", b"not an image", b"\x89PNG\r\n\x1a\n"], ids=["empty", "words", "head"]
)
def test_damaged_files_are_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.png").write_bytes(content)
    with pytest.raises(ValueError, match=r"x\.png: required a complete image, got "):
        read_image(tmp_path / "x.png")


def test_files_cut_short_are_named(folder: Path) -> None:
    content = (folder / "b.png").read_bytes()
    (folder / "b.png").write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match=r"b\.png: required a complete image"):
        read_image(folder / "b.png")


def test_images_too_large_to_decode_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both kinds: those that the decoder only warns of, and those that it refuses itself."""
    for most in (20, 10):
        monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", most)
        with pytest.raises(ValueError, match=r"b\.png: required a complete image, got .*exceeds limit"):
            read_image(folder / "b.png")


def test_another_size_than_annotated_is_refused(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"b\.png: required 5 x 7 pixels, got 7 x 5"):
        Folder(folder, {9: Image("b.png", 5, 7)})(9)


def test_missing_files_are_named_before_any_work(folder: Path) -> None:
    images = {3: Image("b.png", 7, 5), 4: Image("c.png", 7, 5)}
    Folder(folder, images).check([3, 3])
    with pytest.raises(ValueError, match=r"b\.png: required 5 x 7 pixels, got 7 x 5"):
        Folder(folder, {9: Image("b.png", 5, 7)}).check([9])
    with pytest.raises(ValueError, match=r"words\.txt: required a complete image"):
        Folder(folder, {9: Image("words.txt", 5, 7)}).check([9])
    with pytest.raises(FileNotFoundError, match=r"c\.png: required the file of image 4, got none"):
        Folder(folder, images).check([3, 4])
    with pytest.raises(FileNotFoundError, match="nowhere: required a folder of images"):
        listed(folder / "nowhere")
    (folder / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match=r"empty: required images \(.*\.png"):
        listed(folder / "empty")
    with pytest.raises(FileNotFoundError, match=r"gone\.png: required an image, got no file"):
        read_image(folder / "gone.png")
