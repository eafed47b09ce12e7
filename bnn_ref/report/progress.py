"""One line on the terminal that says what the report is waiting for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

from bnn_ref.report.findings import Plan


@contextmanager
def telling(plan: Plan) -> Iterator[Callable[[str], None]]:
    """A function that shows its text, on standard error, while the block lasts."""
    console = Console(stderr=True)
    with console.status(f"{plan.data}: starting") as status:

        def tell(text: str) -> None:
            status.update(text)
            if not console.is_terminal:
                console.print(text)

        yield tell
