"""`python -m analysis.pose`: do binary pose networks find joints, and which gradient estimator helps them?

SBPN or a small BHRNet, as we reconstruct them, learn drawn figures (analysis/pose/task.py) in full precision
and binary, all with one recipe. One arm and seed alone:

    python -m analysis.pose --arms "full precision" --seeds 1 --jobs 1 --photo-epochs 0

and the check on photographs alone, which takes no drawn figures:

    python -m analysis.pose --only-photographs --folder DATA
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from dataclasses import replace

from analysis.contrasts import contrasts
from analysis.experiment import Arms, Experiment, Trial
from analysis.pose import arms, photographs, task
from analysis.tables import Table
from bnn_ref.checks import require
from bnn_ref.train import Config, compare

QUESTION = "Do binary pose networks find joints, and which gradient estimator helps them?"

RECIPE = Config(4, 32, "adam", 0.004, loss="heatmap", estimator_lr=1e-3, estimator_schedule="bbc")
"""Step size falls by a cosine to 0; latent weights are clipped to [-1, 1]; what estimators train has the
optimizer of BBC's released code. BBC's MLP costs as much a step, whatever the batch: hence large ones.
`analysis.pose.reached` trains longer."""


PHOTOGRAPHS = 16
"""At most so many persons of them a step: there are few."""


def add(made: ArgumentParser) -> None:
    """The options of network and arms."""
    made.add_argument(
        "--arms", nargs="+", default=list(arms.ARMS), choices=list(arms.ARMS), help="what to train"
    )
    task.network(made)
    made.add_argument("--photo-epochs", type=int, default=40, help="on photographs; 0 leaves them out")
    made.add_argument(
        "--heart-epochs", type=int, default=400, help="on photographs, in full precision, unvaried"
    )
    made.add_argument("--only-photographs", action="store_true", help="leave the drawn figures out")


def chosen(options: Namespace) -> Arms:
    """The build options of every arm."""
    return {arm: arms.ARMS[arm] for arm in options.arms}


def tables(trial: Trial) -> Mapping[str, Table]:
    """Every table of this study by name."""
    drawn = {} if trial.options.only_photographs else _figures(trial)
    return drawn | _photographs(trial.options, trial.config)


def _figures(trial: Trial) -> dict[str, Table]:
    """The comparison, on the drawn set."""
    options, work = trial.options, task.drawn(trial.options)
    given = (work, options.network, trial.arms, trial.seeds, trial.config, task.shared(options), trial.jobs)
    result, suffix = compare(*given, on_run_end=trial.tell), _suffix(options)
    return {
        f"pose-arms{suffix}": arms.table(result),
        f"pose-contrasts{suffix}": contrasts(result, arms.CONTRASTS, None, "expected"),
    }


def _suffix(options: Namespace) -> str:
    """What the tables of another network than SBPN are told apart by."""
    return "" if options.network == "sbpn" else f"-{options.network.split('-')[0]}"


def _photographs(options: Namespace, config: Config) -> dict[str, Table]:
    """The check on photographs, where they are."""
    folder = photographs.found(options.folder)
    if options.photo_epochs == 0 or folder is None:
        why = "0 epochs" if folder else "no folder of them, neither by --folder nor in BNN_REF_DATA"
        require(not options.only_photographs, "only-photographs", "photographs to learn", why)
        print(f"photographs left out: {why}")
        return {}
    work, shared = photographs.task(folder, task.view(options)), task.shared(options)
    recipe = replace(config, epochs=options.photo_epochs, batch_size=min(config.batch_size, PHOTOGRAPHS))
    made = photographs.table(work, options.network, options.arms, recipe, shared)
    if options.heart_epochs:
        longer = replace(recipe, epochs=options.heart_epochs)
        made = Table.of(
            made.columns, [*made.rows, photographs.by_heart(work, options.network, longer, shared)]
        )
    return {f"pose-photographs{_suffix(options)}": made}


EXPERIMENT = Experiment("pose", QUESTION, RECIPE, add, chosen, tables, source=task.source)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the study into `--out`; returns 0, or ends with status 2 for wrong options."""
    return EXPERIMENT.main(argv)


if __name__ == "__main__":
    sys.exit(main())
