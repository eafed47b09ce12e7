"""A sweep is the same whatever runs it, and its statistics are those of other people's code."""

from __future__ import annotations

import json
import math
import re
import statistics
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from bnn_ref.data import Dataset
from bnn_ref.models import build
from bnn_ref.train import Comparison, Config, Epoch, History, Run, compare, fit, smallest_difference

CONFIG = Config(epochs=2, batch_size=65, lr=0.02)
OPTIONS = {"width": 16, "scale": "channel"}
ESTIMATORS = ("real", "approxsign", "bnn++")
ARMS: dict[str, dict[str, Any]] = {
    "ste": {"estimator": "clipped-ste"},
    "fda 5": {"estimator": "fda", "parameters": {"terms": 5}},
    "both": {"estimator": "fda", "parameters": {"terms": 5}, "weight_estimator": "fda"},
    "both 5": {
        "estimator": "fda",
        "parameters": {"terms": 5},
        "weight_estimator": "fda",
        "weight_parameters": {"terms": 5},
    },
    "scaled": {"estimator": "clipped-ste", "scale": "channel"},
    "wide": {"estimator": "clipped-ste", "width": 16},
}
"""Every one but the first differs from it in another argument of `build`, or in one more."""


@pytest.fixture(scope="module", autouse=True)
def workers() -> Iterator[None]:
    """The pool is kept between sweeps; after this module it would only hold memory."""
    yield
    from joblib.externals.loky import get_reusable_executor

    get_reusable_executor().shutdown(wait=True)


@pytest.fixture(scope="module")
def sweep(few: Dataset) -> Comparison:
    return compare(few, "cnn", ESTIMATORS, (0, 3), CONFIG, OPTIONS, jobs=2)


def test_the_result_does_not_depend_on_the_number_of_processes(few: Dataset, sweep: Comparison) -> None:
    # these convolutions have other last bits in a process whose BLAS has two threads
    assert compare(few, "cnn", ESTIMATORS, (0, 3), CONFIG, OPTIONS, jobs=1) == sweep


def test_a_run_does_not_depend_on_the_others(few: Dataset, sweep: Comparison) -> None:
    alone = compare(few, "cnn", ["bnn++"], [3], replace(CONFIG, seed=99), OPTIONS)
    assert alone.runs == sweep.runs[-1:]


def test_runs_come_in_order_and_differ(few: Dataset, sweep: Comparison) -> None:
    assert [(run.arm, run.seed) for run in sweep.runs] == [(e, s) for e in ESTIMATORS for s in (0, 3)]
    losses = [[epoch.loss for epoch in run.history] for run in sweep.runs]
    assert len({tuple(loss) for loss in losses}) == len(losses)


def test_a_seed_draws_the_first_weights(few: Dataset) -> None:
    """One batch of all images: its loss is that of the first weights, in whatever order."""
    config = Config(epochs=1, batch_size=130)
    result = compare(few, "mlp", ["tanh", "real"], [5, 6], config, {"width": 12})
    for run in result.runs:
        model = build("mlp", input_shape=few.shape, estimator=run.arm, width=12, seed=run.seed)
        assert run.history[0].loss == pytest.approx(fit(model, few, config)[0].loss, rel=1e-5)
    assert len({round(run.history[0].loss, 3) for run in result.runs}) == 4


def test_an_arm_is_trained_with_its_own_options(few: Dataset) -> None:
    """The oracle is the same training without a sweep; an arm's width overrides that of all."""
    config, shared = Config(epochs=2, batch_size=13, lr=0.02), {"width": 12, "depth": 4}
    result = compare(few, "mlp", ARMS, [2], config, shared, jobs=2)
    losses = {run.arm: run.history[-1].loss for run in result.runs}
    for label, arm in ARMS.items():
        model = build("mlp", **{**shared, **arm}, input_shape=few.shape, seed=2)
        assert losses[label] == pytest.approx(fit(model, few, replace(config, seed=2))[-1].loss, rel=1e-5)
    assert list(losses) == list(ARMS)
    assert len({round(loss, 4) for loss in losses.values()}) == len(ARMS)


def test_a_name_is_short_for_the_arm_with_that_estimator(few: Dataset) -> None:
    named = compare(few, "mlp", ["tanh", "real"], [1], CONFIG, {"width": 12})
    assert named.arms == {"tanh": {"estimator": "tanh"}, "real": {"estimator": "real"}}
    assert named == compare(few, "mlp", named.arms, [1], CONFIG, {"width": 12})


def test_what_was_compared_is_kept_as_it_was(few: Dataset) -> None:
    arms = {"a": {"estimator": "tanh"}}
    result = compare(few, "mlp", arms, [0], Config(epochs=1, batch_size=65), {"width": 12})
    arms["a"]["estimator"] = "real"
    assert result.to_dict()["arms"] == {"a": {"estimator": "tanh"}}


def test_the_callback_sees_every_run_in_order(few: Dataset, capfd: pytest.CaptureFixture[str]) -> None:
    seen: list[Run] = []
    result = compare(few, "mlp", ["tanh"], [1, 0], CONFIG, OPTIONS, jobs=2, on_run_end=seen.append)
    assert tuple(seen) == result.runs
    assert [run.seed for run in seen] == [1, 0]
    assert capfd.readouterr() == ("", "")


@pytest.fixture(scope="module")
def broken(few: Dataset) -> Comparison:
    """At this step size a ReLU network of no signs overflows in its second epoch; the others hold out."""
    config = Config(epochs=2, batch_size=43, optimizer="sgd", lr=1e3)
    return compare(few, "mlp", ["tanh", "real-relu", "real"], [4, 5], config, {"width": 12}, jobs=2)


def test_a_run_that_diverges_ends_alone(few: Dataset, broken: Comparison) -> None:
    assert [(run.arm, run.seed) for run in broken.diverged] == [("real-relu", 4), ("real-relu", 5)]
    assert [run.arm for run in broken.runs] == ["tanh", "tanh", "real-relu", "real-relu", "real", "real"]
    for run in broken.diverged:
        assert run.accuracy is None
        assert "required finite numbers, got NaN or infinity in epoch 1, step" in str(run.diverged)
        assert str(run).startswith(f"real-relu, seed {run.seed}: diverged: ")
        model = build("mlp", input_shape=few.shape, estimator=run.arm, width=12, seed=run.seed)
        first: list[Epoch] = []
        with pytest.raises(FloatingPointError, match=re.escape(str(run.diverged))):
            fit(model, few, replace(broken.config, seed=run.seed), on_epoch_end=first.append)
        assert len(run.history) == len(first) == 1
        assert run.history[0].loss == pytest.approx(first[0].loss, rel=1e-5)
    alone = compare(few, "mlp", ["tanh", "real"], [4, 5], broken.config, {"width": 12})
    assert alone.runs == broken.runs[:2] + broken.runs[4:]
    assert alone.diverged == ()


def test_an_arm_that_diverged_has_no_mean(broken: Comparison) -> None:
    names = [row.arm for row in broken.summaries if row.mean is None]
    assert names == ["real-relu"]
    row = broken.summaries[1]
    assert (row.values, row.deviation, row.low, row.high) == ((None, None), None, None, None)
    for gap in (broken.contrast("real-relu", "real"), broken.contrast("real", "real-relu")):
        assert (gap.mean, gap.low, gap.high, gap.smallest, gap.smallest_unpaired) == (None,) * 5
    assert broken.contrast("tanh", "real").mean is not None
    assert broken.ranking[-1].arm == "real-relu"
    values = json.loads(json.dumps(broken.to_dict(), allow_nan=False))
    assert [run["diverged"] is None for run in values["runs"]] == [True, True, False, False, True, True]
    assert values["runs"][2]["accuracy"] is None
    assert len(values["runs"][2]["history"]["epochs"]) == 1


def test_one_run_that_diverged_takes_the_mean_of_its_arm() -> None:
    """The three that are left would be chosen by how they ended; their accuracies are there."""
    result = invented(a=A, b=B, c=C)
    lost = replace(result.runs[5], diverged="loss: NaN", history=History())
    broken = replace(result, runs=(*result.runs[:5], lost, *result.runs[6:]))
    a, b, c = broken.summaries
    assert b.values == (B[0], None, *B[2:])
    assert (b.mean, b.deviation, b.low, b.high) == (None,) * 4
    assert (a, c) == (result.summaries[0], result.summaries[2])
    assert [gap.mean is None for gap in broken.differences] == [True, False]
    assert broken.differences[1] == result.differences[1]
    assert [row.arm for row in result.ranking] == ["a", "b", "c"]
    assert [row.arm for row in broken.ranking] == ["a", "c", "b"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"arms": []}, "arms: required at least one, each once: names, or a mapping .* got \\[\\]"),
        ({"arms": {}}, "arms: required at least one"),
        ({"arms": ["tanh", "tanh"]}, "arms: required at least one, each once: .* got \\['tanh', 'tanh'\\]"),
        ({"arms": "tanh"}, "arms: required at least one"),
        ({"arms": [{"estimator": "tanh"}]}, "arms: required at least one"),
        ({"arms": {5: {"estimator": "tanh"}}}, "arms: required at least one"),
        ({"arms": {"a": "tanh"}}, "arm 'a': required a mapping of build options, got 'tanh'"),
        ({"arms": ["tanh", "tang"]}, "arm 'tang': estimator: required one of .* got 'tang'"),
        (
            {"arms": {"a": {}, "b": {"wide": 3}}},
            "arm 'b': mlp: required options among width, depth; got wide",
        ),
        ({"arms": {"a": {"parameters": {"speed": 1}}}}, "arm 'a': approxsign: .* got speed"),
        (
            {"arms": {"a": {"estimator": "fda", "parameters": {"terms": 0}}}},
            "arm 'a': terms: required a whole",
        ),
        ({"arms": {"a": {"parameters": [5]}}}, "arm 'a': parameters: required"),
        ({"arms": {"a": {5: 3}}}, "arm 'a': .*keywords must be strings"),
        ({"arms": {"a": {}, "b": {"seed": 3}}}, "arm 'b': required none that a sweep .* got \\['seed'\\]"),
        ({"arms": {"a": {"input_shape": (8, 8, 1)}}}, "arm 'a': required none .* got \\['input_shape'\\]"),
        ({"arms": {"a": {"name": "cnn"}}}, "arm 'a': required none .* got \\['name'\\]"),
        ({"model": "resnet-1000"}, "model: required one of .* got 'resnet-1000'"),
        ({"seeds": []}, "seeds: required at least one, each once, got"),
        ({"seeds": [1, 1]}, "seeds: required at least one, each once, got"),
        ({"seeds": [0, -1]}, "seed: required a whole number >= 0, got -1"),
        ({"options": {"seed": 3}}, "options: required none that a sweep sets itself, got \\['seed'\\]"),
        ({"options": {"classes": 3}}, "options: required none that a sweep sets itself, got \\['classes'\\]"),
        ({"options": {"wide": 3}}, "mlp: required options among width, depth; got wide"),
        ({"jobs": 0}, "jobs: required a whole number >= 1, got 0"),
        ({"jobs": True}, "jobs: required a whole number >= 1, got True"),
        ({"reference": "real"}, "reference: required one of tanh, got 'real'"),
    ],
)
def test_a_bad_argument_is_named_before_any_run(
    few: Dataset, changes: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("joblib.Parallel.__call__", lambda *_: pytest.fail("work was done"))
    arguments: dict[str, Any] = {"model": "mlp", "arms": ["tanh"], "seeds": [0], "config": CONFIG}
    with pytest.raises(ValueError, match=message):
        compare(few, **arguments | changes)


def invented(**accuracies: list[float]) -> Comparison:
    """A sweep that nobody ran."""
    seeds = tuple(range(len(next(iter(accuracies.values())))))
    runs = tuple(
        Run(
            name,
            seed,
            History((Epoch(0, 0, 0.0, 0.1, 1.0, 0.5, 0.99, 1.0), Epoch(1, 9, 0.9, 0.1, 1.0, 0.5, v, 1.0))),
        )
        for name, values in accuracies.items()
        for seed, v in zip(seeds, values, strict=True)
    )
    arms = {name: {"estimator": name} for name in accuracies}
    return Comparison("none", "mlp", arms, {}, Config(epochs=2), next(iter(accuracies)), seeds, runs)


A, B, C = [0.91, 0.95, 0.93, 0.97], [0.90, 0.93, 0.93, 0.94], [0.5, 0.6, 0.4, 0.7]


def test_summaries_are_of_the_last_epochs() -> None:
    found = invented(a=A, b=B, c=C).summaries
    assert [(row.arm, list(row.values)) for row in found] == [("a", A), ("b", B), ("c", C)]
    for row in found:
        assert row.mean == pytest.approx(statistics.fmean(row.values))
        assert row.deviation == pytest.approx(statistics.stdev(row.values))
        bounds = stats.ttest_1samp(row.values, 0).confidence_interval()
        assert (row.low, row.high) == pytest.approx((bounds.low, bounds.high))


def test_differences_are_paired_and_against_the_reference() -> None:
    found = invented(a=A, b=B, c=C).differences
    assert [(gap.arm, gap.reference) for gap in found] == [("b", "a"), ("c", "a")]
    for gap, own in zip(found, (B, C), strict=True):
        bounds = stats.ttest_rel(own, A).confidence_interval()
        assert gap.mean == pytest.approx(statistics.fmean(own) - statistics.fmean(A))
        assert (gap.low, gap.high) == pytest.approx((bounds.low, bounds.high))
        spread = statistics.stdev(b - a for a, b in zip(A, own, strict=True))
        assert gap.smallest == pytest.approx(smallest_difference(spread, 4, paired=True))
        pooled = math.sqrt((statistics.variance(A) + statistics.variance(own)) / 2)
        assert gap.smallest_unpaired == pytest.approx(smallest_difference(pooled, 4, paired=False))


def test_any_two_arms_can_be_contrasted() -> None:
    result = invented(a=A, b=B, c=C)
    gap, back = result.contrast("b", "c"), result.contrast("c", "b")
    bounds = stats.ttest_rel(B, C).confidence_interval()
    assert (gap.arm, gap.reference) == ("b", "c")
    assert (gap.mean, gap.low, gap.high) == pytest.approx((np.mean(B) - np.mean(C), bounds.low, bounds.high))
    assert back.mean == pytest.approx(-gap.mean)
    assert (back.low, back.high) == pytest.approx((-bounds.high, -bounds.low))
    assert (back.smallest, back.smallest_unpaired) == pytest.approx((gap.smallest, gap.smallest_unpaired))


def test_partners_share_their_seed_in_whatever_order_the_runs_are() -> None:
    result = invented(a=A, b=B)
    shuffled = replace(result, runs=tuple(sorted(result.runs, key=lambda run: (run.seed * 3) % 4)))
    assert [run.seed for run in shuffled.runs[::2]] == [0, 3, 2, 1]
    assert [run.accuracy for run in shuffled.runs_of("b")] == B
    assert shuffled.contrast("b", "a") == result.contrast("b", "a")


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        (("d", "a"), "arm: required one of a, b, got 'd'"),
        (("a", "d"), "arm: required one of a, b, got 'd'"),
        (("b", "b"), "against: required another arm than b, got 'b'"),
    ],
)
def test_a_contrast_of_wrong_arms_is_refused(pair: tuple[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        invented(a=A, b=B).contrast(*pair)


def test_pairs_show_smaller_differences_where_seeds_move_both_alike() -> None:
    noise = np.random.default_rng(0).normal(0, 0.02, 6)
    gap = invented(a=list(0.9 + noise), b=list(0.91 + noise + [0, 1e-3, 0, -1e-3, 0, 1e-3])).differences[0]
    assert gap.smallest is not None
    assert gap.smallest_unpaired is not None
    assert gap.smallest < gap.smallest_unpaired / 5


def test_one_seed_says_nothing_about_spread() -> None:
    result = invented(a=[0.9], b=[0.8])
    row = result.summaries[0]
    assert (row.deviation, row.low, row.high) == (None, None, None)
    gap = result.differences[0]
    assert gap.mean == pytest.approx(-0.1)
    assert (gap.low, gap.high, gap.smallest, gap.smallest_unpaired) == (None, None, None, None)


def test_another_reference(few: Dataset) -> None:
    result = replace(invented(a=A, b=B), reference="b")
    assert [(gap.arm, gap.reference) for gap in result.differences] == [("a", "b")]
    assert result.differences[0].mean > 0


def test_json_holds_everything(sweep: Comparison) -> None:
    values = json.loads(json.dumps(sweep.to_dict(), allow_nan=False))
    assert Config.from_dict(values["config"]) == CONFIG
    assert (values["data"], values["model"], values["options"]) == ("digits", "cnn", OPTIONS)
    assert (values["reference"], values["seeds"]) == ("real", [0, 3])
    assert values["arms"] == {name: {"estimator": name} for name in ESTIMATORS}
    assert [row["arm"] for row in values["summaries"]] == list(ESTIMATORS)
    histories = [History.from_dict(run["history"]) for run in values["runs"]]
    assert histories == [run.history for run in sweep.runs]
    assert [run["accuracy"] for run in values["runs"]] == [history[-1].test_accuracy for history in histories]
    assert [row["mean"] for row in values["summaries"]] == [row.mean for row in sweep.summaries]
    assert [gap["low"] for gap in values["differences"]] == [gap.low for gap in sweep.differences]
