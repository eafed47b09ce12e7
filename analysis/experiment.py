"""What training studies share: one command line for data, recipe and seeds, settings on record, progress."""

from __future__ import annotations

import shlex
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

from analysis.study import Study, carry_out, out_option
from analysis.tables import Table
from bnn_ref import data
from bnn_ref.optim import OPTIMIZERS
from bnn_ref.train import Config, Run

Arms: TypeAlias = Mapping[str, Mapping[str, Any]]

RECIPE: dict[str, tuple[str, dict[str, Any]]] = {
    "epochs": ("passes over the training images", {}),
    "batch_size": ("images a step", {}),
    "optimizer": ("rule of the steps", {"choices": list(OPTIMIZERS)}),
    "lr": ("first step size", {}),
    "weight_decay": ("factor of the latent weights in their gradient", {}),
}
"""The fields of a recipe that a command line sets: what they are, and what argparse must know."""


@dataclass(frozen=True)
class Trial:
    """One call of a study: what its command line asks for.

    Attributes
    ----------
    options : Namespace
        All of it; the study's own options among them.
    arms : mapping of str to mapping
        What distinguishes the networks, by label.
    config : Config
        How each is trained.
    seeds : range
    jobs : int
        Processes at a time.
    tell : callable
        To be called with each run when it is done.
    """

    options: Namespace
    arms: Arms
    config: Config
    seeds: range
    jobs: int
    tell: Callable[[Run], None]

    def images(self) -> data.Dataset:
        """The data set, as many training images of it as were asked for."""
        images = data.load(self.options.data, self.options.folder)
        return images if self.options.limit is None else images.take(self.options.limit)


def image_set(made: ArgumentParser) -> None:
    """The options of a data set of images."""
    made.add_argument("--data", default="digits", choices=data.names(), help="data set")
    made.add_argument("--folder", type=Path, help="where its files are")
    made.add_argument("--limit", type=int, help="use only so many training images")


@dataclass(frozen=True)
class Experiment:
    """A training study as a command.

    Attributes
    ----------
    name, question : str
        As in `Study`.
    config : Config
        The recipe of the small study; what the command line does not set is for every size.
    add : callable
        Adds the study's own options to a parser.
    arms : callable
        The arms that the options ask for.
    tables : callable
        Trains and answers.
    paper : mapping of str to str
        Fields of the recipe as in the paper, for the help.
    source : callable
        Adds what says which data: by default a data set of images, its folder and how many of it.
    """

    name: str
    question: str
    config: Config
    add: Callable[[ArgumentParser], None]
    arms: Callable[[Namespace], Arms]
    tables: Callable[[Trial], Mapping[str, Table]]
    paper: Mapping[str, str] = field(default_factory=dict)
    source: Callable[[ArgumentParser], None] = image_set

    def parser(self) -> ArgumentParser:
        """The command line; its defaults are the small study."""
        made = ArgumentParser(f"python -m analysis.{self.name}", description=self.question)
        self.source(made)
        self.add(made)
        for name, (what, more) in RECIPE.items():
            default, said = getattr(self.config, name), self.paper.get(name)
            words = what if said is None else f"{what}; {said} in the paper"
            kind = {"type": type(default), "default": default, "help": words}
            made.add_argument(f"--{name.replace('_', '-')}", **kind, **more)
        made.add_argument("--seeds", type=int, default=3, help="runs of each arm")
        made.add_argument("--jobs", type=int, default=2, help="processes at a time")
        out_option(made)
        return made

    def trial(self, options: Namespace) -> Trial:
        """What `options` ask for; ValueError where the recipe is none."""
        arms, seeds, done = self.arms(options), range(options.seeds), []

        def tell(run: Run) -> None:
            done.append(run)
            print(f"{len(done)} of {len(arms) * len(seeds)}: {run}", flush=True)

        config = replace(self.config, **{name: getattr(options, name) for name in RECIPE})
        return Trial(options, arms, config, seeds, options.jobs, tell)

    def main(self, argv: Sequence[str] | None = None) -> int:
        """Run the study into `--out`; returns 0, or ends with status 2 for wrong options."""
        parser = self.parser()
        options = parser.parse_args(argv)

        def answer() -> Mapping[str, Table]:
            return self.tables(self.trial(options))

        study = Study(self.name, self.question, answer, tuple(range(options.seeds)), settings(options))
        try:
            carry_out(study, options.out)
        except ValueError as reason:
            parser.error(str(reason))
        return 0


def settings(options: Namespace) -> str:
    """What of a command line decides the numbers, defaults spelled out, in the order of `parser`."""
    words: list[str] = []
    for name, value in vars(options).items():
        if name not in ("folder", "jobs", "out") and value is not None and value is not False:
            values = [] if value is True else value if isinstance(value, list) else [value]
            words += [f"--{name.replace('_', '-')}", *map(str, values)]
    return shlex.join(words)
