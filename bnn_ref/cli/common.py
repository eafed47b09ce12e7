"""What the commands share: how bad use ends, how options are read, how JSON is printed."""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Callable, Iterable
from typing import Any, ParamSpec, TypeVar

import typer
from rich.console import Console

P = ParamSpec("P")
R = TypeVar("R")
console = Console()
errors = Console(stderr=True)


def refusing(command: Callable[P, R]) -> Callable[P, R]:
    """What ends a command early is told in one line on standard error.

    The exit status is 2 for wrong input, and 1 where training diverged.
    """

    @functools.wraps(command)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except (ValueError, TypeError, OSError, MemoryError, FloatingPointError) as reason:
            errors.print(f"error: {reason}", style="red", highlight=False, soft_wrap=True, markup=False)
            raise typer.Exit(1 if isinstance(reason, FloatingPointError) else 2) from reason

    return guarded


def taking(shared: Callable[..., Any], **instead: Any) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a command whose last parameter is `**recipe` take the options of `shared` there, each told once.

    Parameters
    ----------
    shared : callable
        Those of its parameters that are annotated as options are taken.
    **instead
        Other defaults than those of `shared`.
    """

    def decorate(command: Callable[P, R]) -> Callable[P, R]:
        *own, _ = inspect.signature(command, eval_str=True).parameters.values()
        every = inspect.signature(shared, eval_str=True).parameters.values()
        taken = [part for part in every if hasattr(part.annotation, "__metadata__")]
        own += [part.replace(default=instead.get(part.name, part.default)) for part in taken]
        keyword = [part.replace(kind=inspect.Parameter.KEYWORD_ONLY) for part in own]
        command.__signature__ = inspect.Signature(keyword)  # type: ignore[attr-defined]
        return command

    return decorate


def values(pairs: Iterable[str]) -> dict[str, Any]:
    """`["terms=10", "window=null"]` as {"terms": 10, "window": None}: JSON where it parses, else text.

    Raises
    ------
    ValueError
        For a pair without "=".
    """
    found: dict[str, Any] = {}
    for pair in pairs:
        key, separator, text = pair.partition("=")
        if not separator or not key:
            raise ValueError(f"required NAME=VALUE, got {pair!r}")
        try:
            found[key] = json.loads(text)
        except json.JSONDecodeError:
            found[key] = text
    return found


def print_json(content: Any) -> None:
    """One JSON document on standard output."""
    typer.echo(json.dumps(content, indent=2, allow_nan=False))
