"""The report as data and as tables: what is printed is what was counted, at any width."""

from __future__ import annotations

import dataclasses
import io
import json
import re

import numpy as np
import pytest
from bireal_nets import DEPTHS, IMAGE, BiReal
from packed_nets import build as small
from rich.console import Console

from bnn_ref import estimators, models
from bnn_ref.cost import CONVENTIONS, Cost, Counts, cost
from bnn_ref.cost.table import totals
from bnn_ref.layers import Activation, Conv2d, Linear, Sequential

CONTRACT = {
    *("real_weights", "binary_weights", "bias", "norm", "slope", "scale", "real_macs", "binary_macs"),
    *("ops", "memory_bits", "packed_bytes"),
}
FOUND = cost(models.build("cnn", scale="channel"), (1, 28, 28, 1))


def printed(report: Cost, width: int) -> str:
    out = io.StringIO()
    Console(file=out, width=width, color_system=None).print(report)
    return out.getvalue()


def counted(name: str, convention: str = "library") -> Cost:
    model = small(name)
    return cost(model, (1, *model.spec.input_shape), convention)


def test_to_dict_holds_the_contract() -> None:
    plain = FOUND.to_dict()
    assert json.loads(json.dumps(plain)) == plain
    for counts in (plain["total"], plain["full_precision"], plain["xnor"], *plain["layers"]):
        assert set(counts) >= CONTRACT
    assert plain["layers"][2] == {
        "name": "body.parts.2",
        "type": "Conv2d",
        "input_bits": 1,
        "output_shape": [28, 28, 32],
        **FOUND.layers[2].counts.to_dict(),
    }
    with pytest.raises(dataclasses.FrozenInstanceError):
        FOUND.layers = ()  # type: ignore[misc]


@pytest.mark.parametrize("name", models.names())
@pytest.mark.parametrize("convention", ["library", "larq"])
def test_totals_are_the_sums_of_the_layers(name: str, convention: str) -> None:
    plain = counted(name, convention).to_dict()
    unpacked = {"packed_bytes"} if plain["unpacked"] else set()
    for key in CONTRACT - unpacked:
        assert plain["total"][key] == sum(row[key] for row in plain["layers"])
    for key in unpacked:
        assert {plain["total"][key], *(row[key] for row in plain["layers"])} == {None}
    assert plain["convention"] == convention


def test_what_belongs_to_no_layer_is_in_the_total_alone() -> None:
    plain = cost(BiReal(DEPTHS[18]), IMAGE, "paper").to_dict()
    beside = plain["total"]["memory_bits"] - sum(row["memory_bits"] for row in plain["layers"])
    assert beside == 32 * 12_520
    for key in CONTRACT - {"memory_bits"}:
        assert plain["total"][key] == sum(row[key] for row in plain["layers"])


def test_ratios() -> None:
    plain = FOUND.to_dict()
    assert plain["memory_saving"] == plain["full_precision"]["memory_bits"] / plain["total"]["memory_bits"]
    assert plain["speedup"] == plain["full_precision"]["ops"] / plain["total"]["ops"]
    assert plain["parameters"] == 429_056 + 288 + 1_290 + 512


def test_a_network_of_nothing_saves_nothing() -> None:
    report = cost(Activation(estimators.get("clipped-ste").surrogate), (1, 4))
    assert (report.memory_saving, report.speedup) == (1, 1)
    assert report.total == Counts()
    assert "total" in str(report)


@pytest.mark.parametrize("width", [30, 80, 300])
@pytest.mark.parametrize("name", models.names())
def test_no_digit_is_lost_at_any_width(name: str, width: int) -> None:
    """Narrow columns fold: read column by column, every number of the last layer and the total is there."""
    report = counted(name)
    text = printed(report, width)
    assert "\N{HORIZONTAL ELLIPSIS}" not in text
    assert max(map(len, text.splitlines())) <= width
    digits = re.sub(r"\D", "", text)
    wide = re.sub(r"\D", "", printed(report, 1000))
    assert sorted(digits) == sorted(wide)


def test_a_real_network_has_no_column_of_xnor_net() -> None:
    table = totals(cost(small("resnet-18"), (1, 28, 28, 1)))
    assert [column.header for column in table.columns] == ["altogether", "here", "in float32", "saving"]
    assert len(totals(FOUND).columns) == 5


def test_the_first_table() -> None:
    lines = str(FOUND).splitlines()
    head, total = " ".join(lines[:2]), next(line for line in lines if line.startswith("total"))
    for title in ("layer", "in", "output", "weights", "numbers", "KiB", "MACs M", "packed"):
        assert title in head
    conv = next(line for line in lines if line.startswith("body.2 Conv2d")).split()
    #  1-bit input, output, 9 * 32 * 32 weights, 32 scales, KiB, M binary MACs, bytes of 9,216 bits
    assert conv[2:] == ["1", "28x28x32", "9,216", "32", "1.25", "7.23", "1,152"]
    own = FOUND.total
    assert total.split()[1:3] == [f"{own.binary_weights:,}", f"{own.real_numbers:,}"]
    assert total.split()[-1] == f"{own.packed_bytes:,}"
    assert float(total.split()[3].replace(",", "")) == pytest.approx(own.memory_bits / 8192, abs=0.005)
    assert not any("MaxPool2d" in line for line in lines)
    assert lines[-1].startswith("not shown: layers without numbers and multiplications (3), and 'parts.' in")


@pytest.mark.parametrize(
    ("classes", "shown"), [(40, "<0.01"), (78, "<0.01"), (79, "0.01"), (235, "0.02"), (234, "0.01")]
)
def test_few_multiplications_among_millions_are_not_none(classes: int, shown: str) -> None:
    """64 each: 4,992 of them would be printed as 0.00 millions, 5,056 as 0.01."""
    report = cost(models.build("bireal-20", classes=classes), (1, 28, 28, 1))
    head = next(line for line in str(report).splitlines() if line.startswith("head Linear"))
    assert head.split()[-2] == shown


def test_names_are_short_and_still_tell_layers_apart() -> None:
    """Only what every sequence calls its layers is left out; at 80 columns a small network needs no fold."""
    report = cost(models.build("bireal-50", input_shape=(64, 64, 3)), (1, 64, 64, 3))
    names = [line.split(" ")[0] for line in str(report).split("total")[0].splitlines()[2:]]
    costs = [row.name for row in report.layers if row.counts.parameters or row.counts.macs]
    assert len(set(names)) == len(names) == len(costs)
    assert names[6] == "body.0.expand.branch.0"
    assert costs[6] == "body.parts.0.expand.branch.parts.0"
    lines = printed(FOUND, 80).splitlines()
    assert sum(" Conv2d" in line or " BatchNorm" in line or " Linear" in line for line in lines) == 9


def test_few_multiplications_are_printed_one_by_one() -> None:
    report = cost(models.build("mlp"), (1, 28, 28, 1))
    text = str(report)
    assert "MACs M" not in text
    assert f"{report.total.binary_macs:,}" in text


def test_a_column_of_zeros_is_left_out() -> None:
    real = cost(models.build("cnn", estimator="real"), (1, 28, 28, 1))
    assert "1-bit" not in str(real).split("altogether")[0]
    assert "XNOR" not in str(real)


def test_the_second_table() -> None:
    report = cost(BiReal(DEPTHS[18]), IMAGE)
    text = str(report)
    rows = [re.split(r"\s{2,}", line.strip()) for line in text[text.index("altogether") :].splitlines()]
    assert rows[:8] == [
        ["altogether", "here", "in float32", "saving", "as XNOR-Net"],
        ["parameters", "11,689,512", "11,689,512"],
        ["memory, Mbit", "33.515", "374.064", "11.16x", "33.638"],
        ["memory, MiB", "3.995", "44.592", "11.16x", "4.010"],
        ["MACs", "1,814,073,344", "1,814,073,344"],
        ["of them 1-bit", "92.40%"],
        ["operations", "163,985,408", "1,814,073,344", "11.06x", "166,995,968"],
        ["packed, bytes", f"{report.total.packed_bytes:,}", "46,758,048", "11.16x"],
    ]


@pytest.mark.parametrize("convention", ["library", "larq"])
def test_the_convention_is_named_and_explained(convention: str) -> None:
    text = str(cost(models.build("cnn"), (1, 28, 28, 1), convention))
    assert f"memory ({convention}): {CONVENTIONS[convention].about}" in " ".join(text.split())


def test_why_there_are_no_packed_bytes() -> None:
    rng = np.random.default_rng(0)
    model = Sequential(Linear(4, 4, rng=rng), Activation(estimators.get("tanh").surrogate))
    text = " ".join(str(cost(model, (1, 4))).split())
    assert "no packed bytes: pack: parts.1 (Activation): required an activation" in text
    assert "packed, bytes" not in text


def test_markdown_is_two_tables_and_a_list() -> None:
    text = FOUND.to_markdown()
    first, second, notes = (part.splitlines() for part in text.split("\n\n"))
    for table in (first, second):
        assert {line.count("|") for line in table} == {table[0].count("|")}
        assert all(line.startswith("|") and line.endswith("|") for line in table)
        assert set(table[1]) <= set("|-:")
    assert [cell.strip() for cell in first[-1].split("|")][1] == "total"
    assert len(first) == 2 + sum(any(row.counts.to_dict()[k] for k in CONTRACT) for row in FOUND.layers) + 1
    assert all(line.startswith("- ") for line in notes)


def test_a_name_in_brackets_is_no_markup() -> None:
    class Named(Sequential):
        def __init__(self) -> None:
            rng = np.random.default_rng(0)
            self.named = {"[red]": Conv2d(1, 1, 1, rng=rng)}

        def compute(self, x: object) -> object:
            return self.named["[red]"](x)

    assert "named.[red] Conv2d" in str(cost(Named(), (1, 2, 2, 1)))
