"""A set of four IDX files is found in every place and form, in order, and only if it is the right one."""

from __future__ import annotations

import gzip
import io
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from bnn_ref.data import Dataset, search
from bnn_ref.data.idx_set import FILES

if TYPE_CHECKING:  # at run time the name conftest may be another folder's
    from conftest import Toy

FORMS = ["plain", "gz", "npz"]
ARCHIVE = "toy.npz: required a NumPy archive of uint8 arrays"


def check(dataset: Dataset, toy: Toy) -> None:
    assert (dataset.name, dataset.classes, dataset.source) == ("toy", ("a", "b", "c"), "ours")
    assert (dataset.shape, dataset.peak) == ((5, 4, 1), 255)
    np.testing.assert_array_equal(dataset.train_images[..., 0], toy.arrays["x_train"])
    np.testing.assert_array_equal(dataset.test_images[..., 0], toy.arrays["x_test"])
    np.testing.assert_array_equal(dataset.train_labels, toy.arrays["y_train"])
    np.testing.assert_array_equal(dataset.test_labels, toy.arrays["y_test"])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("inner", ["", "toy"], ids=["flat", "subfolder"])
@pytest.mark.parametrize("way", ["argument", "environment"])
def test_a_named_folder_is_read(
    toy: Toy,
    tmp_path: Path,
    bare_machine: Path,
    monkeypatch: pytest.MonkeyPatch,
    form: str,
    inner: str,
    way: str,
) -> None:
    toy.write(tmp_path / "data" / inner, form)
    if way == "argument":
        check(toy.row.load(tmp_path / "data"), toy)
    else:
        monkeypatch.setenv("BNN_REF_DATA", str(tmp_path / "data"))
        check(toy.row.load(), toy)


@pytest.mark.parametrize("form", FORMS)
def test_the_system_is_read(toy: Toy, bare_machine: Path, form: str) -> None:
    toy.write(bare_machine / "toy", form)
    check(toy.row.load(), toy)


def test_plain_and_compressed_files_mix(toy: Toy, tmp_path: Path, bare_machine: Path) -> None:
    toy.write(tmp_path / "data")
    plain = tmp_path / "data" / FILES[0][0]
    plain.with_name(f"{plain.name}.gz").write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()
    check(toy.row.load(tmp_path / "data"), toy)


def test_the_first_place_that_has_it_is_the_one(
    toy: Toy, tmp_path: Path, bare_machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A spoilt copy shows which place is read: loading fails with its name, whatever later places hold."""
    named, environment = tmp_path / "named", tmp_path / "environment"
    monkeypatch.setenv("BNN_REF_DATA", str(environment))
    for argument, place in (
        (None, bare_machine / "toy"),
        (None, environment),
        (None, environment / "toy"),
        (named, named),
        (named, named / "toy"),
    ):
        spoilt = toy.spoil(place)
        with pytest.raises(ValueError, match="required the toy content") as caught:
            toy.row.load(argument)
        assert str(caught.value).startswith(f"{spoilt}:")
        toy.write(place)
        check(toy.row.load(argument), toy)
        toy.spoil(place)


@pytest.mark.parametrize("absent", [file for file, _, _ in FILES])
def test_an_incomplete_folder_is_passed_over(
    toy: Toy, tmp_path: Path, bare_machine: Path, absent: str
) -> None:
    (toy.spoil(tmp_path / "data").parent / absent).unlink()
    toy.write(bare_machine / "toy")
    check(toy.row.load(tmp_path / "data"), toy)


def test_a_folder_that_does_not_exist_is_passed_over(toy: Toy, tmp_path: Path, bare_machine: Path) -> None:
    toy.write(bare_machine / "toy")
    check(toy.row.load(tmp_path / "nowhere"), toy)


def test_the_network_comes_last_with_address_and_hash(
    toy: Toy, tmp_path: Path, bare_machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, asked = toy.write(tmp_path / "server", "gz"), []

    def download(url: str, md5: str, name: str) -> Path:
        asked.append((url, md5, name))
        return server / url.rsplit("/", 1)[-1]

    monkeypatch.setattr(search, "download", download)
    check(toy.row.load(tmp_path), toy)
    assert asked == [
        (f"https://example.invalid/toy/{file}.gz", md5, "toy")
        for (file, _, _), md5 in zip(FILES, toy.row.compressed, strict=True)
    ]
    toy.write(bare_machine / "toy")
    check(toy.row.load(), toy)
    assert len(asked) == 4, "what is on the machine must not be downloaded"


def test_a_filled_cache_needs_no_network(toy: Toy, bare_machine: Path) -> None:
    toy.write(search.cache("toy"), "gz")
    check(toy.row.load(), toy)


def test_found_nowhere_names_the_places_and_the_commands(
    toy: Toy, tmp_path: Path, bare_machine: Path
) -> None:
    with pytest.raises(FileNotFoundError, match="toy: required in one of three places") as caught:
        toy.row.load(tmp_path / "mine")
    message, cache = str(caught.value), search.cache("toy")
    for fact in (str(tmp_path / "mine"), str(bare_machine / "toy"), str(cache), "no network in tests"):
        assert fact in message
    assert "apt-get install dataset-toy  or  curl " in message
    assert f"--output-dir {cache} https://example.invalid/toy/train-images-idx3-ubyte.gz" in message
    assert isinstance(caught.value.__cause__, ConnectionError)


def test_a_set_without_a_package_has_one_command(toy: Toy, bare_machine: Path) -> None:
    with pytest.raises(FileNotFoundError, match="Get it with: curl") as caught:
        replace(toy.row, package="").load()
    assert "apt-get" not in str(caught.value)


def test_training_and_test_files_must_not_be_exchanged(toy: Toy, tmp_path: Path, bare_machine: Path) -> None:
    toy.write(tmp_path)
    train, test = tmp_path / FILES[0][0], tmp_path / FILES[2][0]
    test.replace(tmp_path / "aside")
    train.replace(test)
    (tmp_path / "aside").replace(train)
    came, wanted = toy.row.content[2], toy.row.content[0]
    with pytest.raises(ValueError, match=f"{FILES[0][0]}: required .* {wanted}, got MD5 {came}"):
        toy.row.load(tmp_path)


def archive(folder: Path, **arrays: Any) -> Path:
    np.savez(folder / "toy.npz", **arrays)
    return folder


def test_an_archive_with_another_pixel_is_refused_by_key(
    toy: Toy, tmp_path: Path, bare_machine: Path
) -> None:
    changed = toy.arrays["x_test"] ^ np.eye(5, 4, dtype=np.uint8)
    with pytest.raises(ValueError, match=f"toy.npz, x_test: required .* MD5 {toy.row.content[2]}, got MD5"):
        toy.row.load(archive(tmp_path, **toy.arrays | {"x_test": changed}))


@pytest.mark.parametrize("key", [key for _, key, _ in FILES])
def test_an_archive_needs_every_key_with_its_type(
    toy: Toy, tmp_path: Path, bare_machine: Path, key: str
) -> None:
    rest = {name: array for name, array in toy.arrays.items() if name != key}
    with pytest.raises(ValueError, match=f"(?s){ARCHIVE}.* got KeyError.*{key}"):
        toy.row.load(archive(tmp_path, **rest))
    with pytest.raises(ValueError, match=rf"{ARCHIVE}.* got {key} of int64"):
        toy.row.load(archive(tmp_path, **rest, **{key: toy.arrays[key].astype(np.int64)}))
    with pytest.raises(ValueError, match=rf"{ARCHIVE}.* got {key} of uint8"):
        toy.row.load(archive(tmp_path, **rest, **{key: toy.arrays[key][np.newaxis]}))


class Intruder:
    """Runs a command if it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def test_nothing_is_unpickled(toy: Toy, tmp_path: Path, bare_machine: Path) -> None:
    hidden = np.array([Intruder(tmp_path / "ran")], dtype=object)
    with pytest.raises(ValueError, match=f"(?s){ARCHIVE}.* allow_pickle=False"):
        toy.row.load(archive(tmp_path, **toy.arrays | {"x_train": hidden}))
    assert not (tmp_path / "ran").exists()


def test_an_array_file_is_no_archive(toy: Toy, tmp_path: Path, bare_machine: Path) -> None:
    array = io.BytesIO()
    np.save(array, toy.arrays["x_train"])
    (tmp_path / "toy.npz").write_bytes(array.getvalue())
    with pytest.raises(ValueError, match=f"(?s){ARCHIVE}.* got BadZipFile"):
        toy.row.load(tmp_path)


def test_a_damaged_archive_is_refused_or_right(toy: Toy, tmp_path: Path, bare_machine: Path) -> None:
    path = toy.write(tmp_path, "npz") / "toy.npz"
    content, rng, refused, whole = path.read_bytes(), np.random.default_rng(11), 0, 0
    for attempt in range(300):
        damaged = bytearray(content)
        if attempt % 4 == 0:
            del damaged[rng.integers(len(content)) :]
        else:
            damaged[rng.integers(len(content))] ^= rng.integers(1, 256)
        path.write_bytes(damaged)
        try:
            check(toy.row.load(tmp_path), toy)
        except ValueError as error:
            refused += str(error).startswith(str(path))
        else:
            whole += 1
    assert refused == 300 - whole
    assert refused > 150
