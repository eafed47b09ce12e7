"""`python -m analysis.engine`: how near the packed engine comes to a C loop, and to other libraries."""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from analysis.engine import against, networks
from analysis.engine.footprint import footprint
from analysis.engine.profile import profile
from analysis.engine.shares import shares
from analysis.engine.yardstick import NoYardstick, compiled, features
from analysis.study import Study
from analysis.tables import Table

QUESTION = "How near does the packed engine come to what the machine can do, and what does a user gain?"
WANTED = ("avx2", "avx512f", "avx512_vpopcntdq", "avx512_vnni", "amx_int8")


def processor() -> str:
    """Name and vector features of the CPU, as far as the system tells."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    name = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "")
    have = ", ".join(feature for feature in WANTED if feature in features())
    return f"{name or platform.machine()} ({have or 'no vector features known'})"


def measured(options: argparse.Namespace) -> Iterator[tuple[str, Table]]:
    """The tables by name, each as soon as it is there."""
    with tempfile.TemporaryDirectory() as folder:
        yield "profile", profile(networks.SIDE, 20 * options.pairs, Path(folder))
    if not options.profile:
        yield from compared(options)


def compared(options: argparse.Namespace) -> Iterator[tuple[str, Table]]:
    """All but the profile."""
    yield "machine", Table.of(["what", "value"], [["processor", processor()]])
    try:
        compiled()
        yield "shares", shares(options.pairs)
    except NoYardstick as reason:
        print(f"no yardstick: {reason}")
    yield from footprint().items()
    with tempfile.TemporaryDirectory() as folder:
        yield "threads", networks.threads(networks.SIDE, options.pairs, Path(folder))
    if options.python is None:
        print("no other libraries: --python names the interpreter of an environment that has them")
        return
    with tempfile.TemporaryDirectory() as folder:
        for images in options.images:
            more = (options.pairs, images, options.threads)
            harness = against.Harness(options.python, Path(folder), *more)
            if options.threads == 1:
                yield f"layers-{images}", against.layers(harness)
            yield f"networks-{images}", against.whole(harness)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and save where a folder is given; returns 0."""
    parser = argparse.ArgumentParser("python -m analysis.engine", description=QUESTION)
    parser.add_argument("--pairs", type=int, default=51, help="interleaved pairs")
    parser.add_argument("--python", metavar="FILE", help="interpreter that has the other libraries")
    parser.add_argument("--images", type=int, nargs="+", default=[1, 8], help="images a call")
    parser.add_argument("--threads", type=int, default=1, help="of whole networks; layers have one")
    parser.add_argument("--profile", action="store_true", help="only the time of each pass of Bi-Real-18")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="save the tables there")
    options = parser.parse_args(argv)
    given = (
        f"--pairs {options.pairs} --images {' '.join(map(str, options.images))} --threads {options.threads}"
    )
    given += " --python FILE" * (options.python is not None) + " --profile" * options.profile
    study = Study("engine", QUESTION, dict, (0, 1), given)
    print(f"{processor()}; medians of {options.pairs} pairs, with quartiles")
    suffix = "" if options.threads == 1 else f"-threads-{options.threads}"
    for name, table in measured(options):
        tell(name, table)
        if options.out is not None:
            study.save({f"engine-{name}{suffix}": table}, options.out)
    return 0


def tell(name: str, table: Table) -> None:
    """Print a table in columns."""
    rows = [table.columns, *table.rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(table.columns))]
    print(f"\n{name}")
    for row in rows:
        print(
            "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip(), flush=True
        )


if __name__ == "__main__":
    sys.exit(main())
