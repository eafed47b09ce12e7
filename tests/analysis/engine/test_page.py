"""docs/engine.md says what is on record: its tables are those of the results, alike tasks together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from analysis.tables import RESULTS, read

PAGE_FILE = Path(__file__).parents[3] / "docs" / "engine.md"
PAGE = PAGE_FILE.read_text(encoding="utf-8")
WORDS = " ".join(PAGE.split())
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if "|" in line]

WANTED = {f"product {shape}": 0.90 for shape in ("3136 x 64 x 576", "784 x 128 x 1152", "196 x 256 x 2304")}
WANTED |= {"product 48 x 512 x 4608": 0.90, "layer 56 x 56 x 64": 0.75, "layer 28 x 28 x 128": 0.85}
WANTED |= {"layer 14 x 14 x 256": 0.90, "layer 7 x 7 x 512": 0.90}
"""What is aimed at."""


def test_the_profile() -> None:
    found: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for row in read(RESULTS / "engine-profile.csv").records():
        numbers = float(row["ms"]), float(row["share"])
        found.setdefault((row["kind"], row["output"]), []).append(numbers)
    expected = []
    for (kind, output), own in found.items():
        ms, share = map(sum, zip(*own, strict=True))
        expected.append([kind, output, str(len(own)), f"{ms:.2f}", f"{100 * share:.1f} %"])
    start = next(i for i, cells in enumerate(ROWS) if cells[:2] == ["kind", "output"])
    assert ROWS[start + 2 : start + 2 + len(expected)] == expected
    total = sum(float(row[3]) for row in expected)
    assert f"{total:.1f} ms in all" in PAGE


def spread(row: Mapping[str, str], value: str = "ratio", digits: int | None = None) -> str:
    """A median with its quartiles, as the page writes it."""
    numbers = [
        row[key] if digits is None else f"{float(row[key]):.{digits}f}" for key in (value, "low", "high")
    ]
    return f"{numbers[0]} ({numbers[1]} to {numbers[2]})"


def test_shares_of_the_c_loop() -> None:
    table = {row["what"]: row for row in read(RESULTS / "engine-shares.csv").records()}
    assert len(table) == 8
    for what, row in table.items():
        name = what.replace("product", "matrices")
        (said,) = (cells for cells in ROWS if cells[0].partition(",")[0] == name)
        assert said[1] == spread(row, "share", 2)
        assert said[3] == f"{float(row['GMAC/s']):.0f}e9"
        assert f"{float(said[2]):.2f}" == f"{WANTED[what]:.2f}"


RIVALS = {
    "torch float32, channels last": "torch channels_last",
    "torch float32, NCHW": "torch nchw",
    "onnxruntime float32": "onnxruntime floats",
    "torch int8": "torch int8",
    "onnxruntime int8": "onnxruntime int8",
    "NumPy": "numpy floats",
}


def test_layers_and_networks_against_others() -> None:
    layers = read(RESULTS / "engine-layers-1.csv").records()
    means = {(row["what"][0], row["rival"]): row for row in layers if row["what"].endswith("geometric mean")}
    for name, rival in RIVALS.items():
        (said,) = (cells for cells in ROWS if cells[0] == name and len(cells) == 4)
        assert said[1:3] == [spread(means[kind, rival]) for kind in "AB"]
    networks = read(RESULTS / "engine-networks-1.csv").records()
    said_of = {cells[0]: cells[1] for cells in ROWS if len(cells) == 3}
    names = {"torch channels_last": "torch channels last", "torch nchw": "torch NCHW"}
    names |= {"onnxruntime floats": "onnxruntime float32", "onnxruntime int8": "onnxruntime int8"}
    assert len(networks) == 6
    for row in networks:
        other = row["what"].rpartition(" ")[2]
        assert said_of[f"{other}, {names[row['rival']]}"] == spread(row)


def test_memory_threads_and_the_first_answer() -> None:
    sizes = {row["what"]: float(row["bytes"]) / 1e6 for row in read(RESULTS / "engine-memory.csv").records()}
    said = {
        "plan": "the plan says {} MB",
        "first call": "making and using it takes {} MB",
        "compiled code": "that code takes {} MB",
        "load": "A load takes {} MB",
        "first call after it": "a first call after it {} MB",
    }
    for what, words in said.items():
        assert words.format(f"{sizes[what]:.1f}") in WORDS, what
    for row in read(RESULTS / "engine-threads.csv").records():
        assert spread(row, "times as fast").replace(" (", " times as fast as one (", 1) in WORDS
    start = read(RESULTS / "engine-start.csv").records()
    for state, name in (("cold", "no compiled code on disk"), ("warm", "compiled code on disk")):
        own = {row["what"]: float(row["seconds"]) for row in start if row["code on disk"] == state}
        (said,) = (cells for cells in ROWS if cells[0] == name)
        assert said[1] == f"{own['load'] + own['first call']:.1f}"


def test_how_many_properties_a_night_has() -> None:
    tests = PAGE_FILE.parents[1] / "tests"
    found = sum(
        file.read_text().count("\n@given(")
        for folder in ("kernels", "packed")
        for file in (tests / folder).rglob("test_*.py")
    )
    assert f"2,000 examples for each of {found} properties" in WORDS
    assert f"some {2000 * found:,} cases" in WORDS
