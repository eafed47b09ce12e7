"""JSON records from outside, checked: what is wrong is refused with the record's place, and its id if any."""

from __future__ import annotations

import json
import reprlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import Any
from unicodedata import category

LARGEST = 2**29
"""Bytes of JSON that are read at most: twice COCO's largest keypoint file."""

BLOCK = 2**20
"""Bytes that are read at a time: whoever says how many there are may be wrong."""

BREAKS = ("Cc", "Zl", "Zp")
"""Unicode's kinds of characters that control a terminal or end a line."""

LONGEST = 400
"""Digits of a whole number: no record takes one as long, and Python reads 4,300 of them."""

NUMBER = "a finite number of at most 1e100"


def read_json(path: str | PathLike[str]) -> Any:
    """The document in a JSON file, or in whatever else can be read by that name.

    Whole numbers of `LONGEST` digits and more become infinity: whoever asks for one can name its record.

    Raises
    ------
    OSError
        If it cannot be read.
    ValueError
        If it is longer than `LARGEST`, cut short, nested without end, no JSON, or gives a key twice.
    MemoryError
        If memory does not hold it; names the file too.
    """
    try:
        with Path(path).open("rb") as file:
            content = b"".join(islice(iter(partial(file.read, BLOCK), b""), LARGEST // BLOCK + 1))
        if len(content) > LARGEST:
            raise _TooMuch(f"required at most {LARGEST:,} bytes of JSON, got more")
        return json.loads(content.decode("utf-8"), object_pairs_hook=_once, parse_int=_parsed)
    except (_TooMuch, _Twice) as reason:
        raise ValueError(f"{path}: {reason}") from None
    except (ValueError, RecursionError) as reason:
        raise ValueError(
            f"{path}: required JSON, got a file that is none or is cut short ({reason})"
        ) from None
    except MemoryError:
        raise MemoryError(f"{path}: required memory for what it holds, got too little") from None


class _TooMuch(ValueError):
    """A file is longer than anybody's annotations."""


class _Twice(ValueError):
    """A key stands twice in one record."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        name = f" (id {_short(values['id'])})" if _is_whole(values.get("id")) else ""
        raise _Twice(f"record{name}: {_short(twice)}: required once, got {keys.count(twice)} times")
    return values


def _parsed(digits: str) -> int | float:
    return int(digits) if len(digits.lstrip("-")) < LONGEST else float(digits)


@dataclass(frozen=True)
class Record:
    """One JSON object of a list, which knows where it stands.

    Parameters
    ----------
    place : str
        Where it was found, such as "annotations[3]"; every error begins with it.
    values : mapping
        What it holds.
    """

    place: str
    values: Mapping[str, Any]

    def refuse(self, key: str, wanted: str, got: Any) -> ValueError:
        """The error that names this record, one key of it, what was required and what came."""
        return self._error(key, wanted, _short(got))

    def _error(self, key: str, wanted: str, got: str) -> ValueError:
        name = (
            f" (id {_short(self.values['id'])})" if _is_whole(self.values.get("id")) and key != "id" else ""
        )
        return ValueError(f"{self.place}{name}: {key}: required {wanted}, got {got}")

    def take(self, key: str) -> Any:
        """The value under `key`; ValueError if there is none."""
        if key not in self.values:
            raise self.refuse(key, "a value", None)
        return self.values[key]

    def whole(self, key: str, least: int = 0) -> int:
        """A whole number of at least `least` that 64 bits hold."""
        value = self.take(key)
        if not _is_whole(value) or not least <= value < 2**63:
            raise self.refuse(key, f"a whole number >= {least}", value)
        return int(value)

    def number(self, key: str) -> float:
        """A finite number."""
        value = self.take(key)
        if not _is_number(value):
            raise self.refuse(key, NUMBER, value)
        return float(value)

    def text(self, key: str) -> str:
        """A text with something in it, on one line."""
        value = self.take(key)
        if not isinstance(value, str) or not value or any(category(c) in BREAKS for c in value):
            raise self.refuse(key, "a text without control characters", value)
        return value

    def numbers(self, key: str, count: int) -> list[float]:
        """A list of `count` finite numbers."""
        value = self.take(key)
        if not isinstance(value, list) or len(value) != count:
            got = f"{len(value)} values" if isinstance(value, list) else _short(value)
            raise self._error(key, f"a list of {count} numbers", got)
        wrong = next((i for i, one in enumerate(value) if not _is_number(one)), None)
        if wrong is not None:
            raise self.refuse(f"{key}[{wrong}]", NUMBER, value[wrong])
        return value


def _short(value: Any) -> str:
    text = reprlib.repr(value)
    return text if len(text) <= 100 else f"{text[:97]}..."


def _is_whole(value: Any) -> bool:
    return type(value) is int  # JSON has no other whole numbers, and true is none


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and type(value) is not bool and -1e100 <= value <= 1e100


def records(name: str, listed: Any) -> Iterator[Record]:
    """Each object of a list, with its place; ValueError where the list or one of its items is none."""
    if not isinstance(listed, Sequence) or isinstance(listed, str):
        raise ValueError(f"{name}: required a list of records, got {_short(listed)}")
    for i, values in enumerate(listed):
        if not isinstance(values, Mapping):
            raise ValueError(f"{name}[{i}]: required a record, got {_short(values)}")
        yield Record(f"{name}[{i}]", values)
