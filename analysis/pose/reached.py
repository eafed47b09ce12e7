"""`python -m analysis.pose.reached`: what can a small pose network reach, real and binary, in half an hour?

SBPN, as we reconstruct it, on the drawn set of `task`. One arm alone has a table of its own:

    python -m analysis.pose.reached --seeds 1 --arms "full precision" --epochs 40
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence

from analysis.contrasts import by_seed, points
from analysis.experiment import Arms, Experiment, Trial
from analysis.pose import arms, task
from analysis.tables import Cell, Table
from bnn_ref.train import Comparison, Config, compare

QUESTION = "What AP do small pose networks reach, real and binary, with half an hour of one core?"

RECIPE = Config(28, 16, "adam", 0.003, loss="heatmap")
"""Step size falls by a cosine to 0; latent weights are clipped to [-1, 1]."""

WANTED = {"full precision": 0.80, "ApproxSign": 0.60}
"""The AP that each should reach."""


def add(made: ArgumentParser) -> None:
    """The options of network and arms."""
    task.network(made)
    made.add_argument("--arms", nargs="+", default=list(WANTED), choices=list(WANTED), help="what to train")


def chosen(options: Namespace) -> Arms:
    """The build options of every arm."""
    return {arm: arms.ARMS[arm] for arm in options.arms}


def tables(trial: Trial) -> Mapping[str, Table]:
    """The table of this study."""
    options, work = trial.options, task.drawn(trial.options)
    given = (work, options.network, trial.arms, trial.seeds, trial.config, task.shared(options), trial.jobs)
    alone = "" if len(trial.arms) > 1 else f"-{options.arms[0].replace(' ', '-')}"
    return {f"pose-reached{alone}": table(compare(*given, on_run_end=trial.tell))}


def table(result: Comparison) -> Table:
    """AP of the figures to test by and what was wanted (both in %), and the longest run."""
    rows: list[list[Cell]] = []
    for summary in result.summaries:
        runs = [run.history for run in result.runs if run.arm == summary.arm and len(run.history)]
        if summary.mean is None:
            continue
        verdict = "reached" if summary.mean >= WANTED[summary.arm] else "not reached"
        near = " ".join(str(points(history[-1].train_accuracy)) for history in runs)
        minutes = max(sum(epoch.seconds for epoch in history) for history in runs) / 60
        row = [summary.arm, by_seed(summary), points(summary.mean), points(WANTED[summary.arm]), verdict]
        rows.append([*row, near, f"{minutes:.1f}"])
    columns = (
        "arm",
        "by seed",
        "mean",
        "wanted",
        "verdict",
        "joints near, in training",
        "longest run, minutes",
    )
    return Table.of(columns, rows)


EXPERIMENT = Experiment("pose.reached", QUESTION, RECIPE, add, chosen, tables, source=task.source)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the study into `--out`; returns 0, or ends with status 2 for wrong options."""
    return EXPERIMENT.main(argv)


if __name__ == "__main__":
    sys.exit(main())
