"""The two tables of a cost report, for terminals of any width and in Markdown."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from rich.box import MARKDOWN, Box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from bnn_ref.cost.counts import Counts

if TYPE_CHECKING:
    from bnn_ref.cost.report import Cost

EXACT = 10**7
"""More multiplications than this are printed in millions."""
LEAST = 5_000
"""Fewer than this would be 0.00 millions."""
WIDE = 120
"""Columns of a report that is printed without asking the terminal."""


def layers(cost: Cost, box: Box | None = None) -> Table:
    """A row for every layer that has weights or multiplies, and the total; columns of zeros are left out."""
    columns = _columns(cost)
    made = Table(box=box, padding=(0, 1, 0, 0), pad_edge=False, show_footer=box is None)
    made.add_column("layer", "total", overflow="fold")
    made.add_column("in\nbit" if box is None else "input bit", justify="right", overflow="fold")
    made.add_column("output", overflow="fold")
    for title, text in columns.items():
        lines = title if box is None else title.replace("\n", " ")
        made.add_column(lines, text(cost.total), justify="right", overflow="fold")
    for row in (row for row in cost.layers if _costs(row.counts)):
        shape = "x".join(map(str, row.output_shape))
        numbers = (text(row.counts) for text in columns.values())
        made.add_row(Text(f"{_short(row.name)} {row.type}"), str(row.input_bits or ""), shape, *numbers)
    if box is not None:
        made.add_row("total", "", "", *(text(cost.total) for text in columns.values()))
    return made


def _short(name: str) -> str:
    """`name` without the word of every sequence: "body.parts.3.branch.parts.0" is body.3.branch.0."""
    return ".".join(part for part in name.split(".") if part != "parts")


def _costs(counts: Counts) -> bool:
    return bool(counts.parameters or counts.scale or counts.macs)


def _columns(cost: Cost) -> dict[str, Callable[[Counts], str]]:
    """What is printed of every layer's counts, by the title of the column."""
    millions = max(cost.total.real_macs, cost.total.binary_macs) > EXACT

    def macs(count: int) -> str:
        if millions and 0 < count < LEAST:
            return "<0.01"
        return _blank(f"{count / 1e6:,.2f}" if millions else f"{count:,}", count)

    unit = " M" if millions else ""
    found: dict[str, Callable[[Counts], str]] = {
        "1-bit\nweights": lambda c: _blank(f"{c.binary_weights:,}", c.binary_weights),
        "32-bit\nnumbers": lambda c: _blank(f"{c.real_numbers:,}", c.real_numbers),
        "memory\nKiB": lambda c: f"{c.memory_bits / 8192:,.2f}",
        f"1-bit\nMACs{unit}": lambda c: macs(c.binary_macs),
        f"32-bit\nMACs{unit}": lambda c: macs(c.real_macs),
        "packed\nbytes": lambda c: _blank(f"{c.packed_bytes or 0:,}", c.packed_bytes),
    }
    return {title: text for title, text in found.items() if text(cost.total)}


def _blank(text: str, count: int | None) -> str:
    return text if count else ""


def totals(cost: Cost, box: Box | None = None) -> Table:
    """The network, its full-precision twin, what is saved, and the network scaled as XNOR-Net does it."""
    own, full, xnor = cost.total, cost.full_precision, cost.xnor
    made = Table(box=box, padding=(0, 2, 0, 0), pad_edge=False)
    made.add_column("altogether", overflow="fold")
    titles = ("here", "in float32", "saving", "as XNOR-Net")[: 4 if own.binary_macs else 3]
    for title in titles:
        made.add_column(title, justify="right", overflow="fold")
    made.add_row("parameters", f"{own.parameters:,}", f"{full.parameters:,}")
    saving = f"{cost.memory_saving:.2f}x"
    for unit, bits in (("Mbit", 10**6), ("MiB", 2**23)):
        here, there, scaled = (f"{counts.memory_bits / bits:,.3f}" for counts in (own, full, xnor))
        made.add_row(f"memory, {unit}", *(here, there, saving, scaled)[: len(titles)])
    made.add_row("MACs", f"{own.macs:,}", f"{full.macs:,}")
    made.add_row("  of them 1-bit", f"{own.binary_macs / max(own.macs, 1):.2%}")
    here, there, scaled = (f"{counts.ops:,.0f}" for counts in (own, full, xnor))
    made.add_row("operations", *(here, there, f"{cost.speedup:.2f}x", scaled)[: len(titles)])
    if own.packed_bytes:
        real = full.memory_bits // 8
        saving = f"{real / own.packed_bytes:.2f}x"
        made.add_row("packed, bytes", f"{own.packed_bytes:,}", f"{real:,}", saving)
    return made


def notes(cost: Cost) -> Iterator[str]:
    """What the tables mean, and what they leave out."""
    yield f"memory ({cost.convention.name}): {cost.convention.about}; 1 Mbit = 10^6 bit"
    yield "operations: real MACs + 1-bit MACs / 64, not a time"
    if hidden := sum(not _costs(row.counts) for row in cost.layers):
        yield f"not shown: layers without numbers and multiplications ({hidden}), and 'parts.' in names"
    if cost.unpacked is not None:
        yield f"no packed bytes: {cost.unpacked}"


def both(cost: Cost) -> Group:
    """The two tables and the notes below them."""
    return Group(layers(cost), "", totals(cost), "", *map(Text, notes(cost)))


def text(cost: Cost) -> str:
    """Both tables as plain text, folded at 120 columns."""
    return _rendered(both(cost), WIDE)


def markdown(cost: Cost) -> str:
    """Both tables in Markdown."""
    tables = (_rendered(make(cost, MARKDOWN), 10_000) for make in (layers, totals))
    return "\n\n".join((*tables, "\n".join(f"- {note}" for note in notes(cost))))


def _rendered(what: RenderableType, width: int) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    with console.capture() as captured:
        console.print(what)
    return "\n".join(line.rstrip() for line in captured.get().splitlines()).strip("\n")
