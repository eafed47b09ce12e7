"""A chain of networks: each starts where the one before ended; interrupted, it goes on bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnn_ref import models
from bnn_ref.data import Dataset, Preprocessing
from bnn_ref.layers import BatchNorm, Flatten, Layer, Linear, Sequential
from bnn_ref.train import Config, Epoch, Past, Stage, carry_over, fit, fit_stages, load_model, save_model

Build = Callable[..., models.Model]
Bits = Callable[[Layer], Any]
CHAIN = ("real-relu", "real-leaky-clip", "real", "dsq")
CONFIG = Config(epochs=2, batch_size=43, lr=0.02)
CONFIGS = (replace(CONFIG, epochs=3), CONFIG, replace(CONFIG, lr=0.01), CONFIG)


@pytest.fixture
def chain(tiny: Build) -> Callable[[], list[Stage]]:
    """Fresh networks; DSQ's alpha is learned, so that the last one has parameters of its own."""

    def stages() -> list[Stage]:
        own: list[dict[str, Any]] = [{"estimator": name} for name in CHAIN]
        own[-1]["parameters"] = {"learn": True}
        return [Stage(tiny(**one), config) for one, config in zip(own, CONFIGS, strict=True)]

    return stages


def test_a_chain_is_fit_after_fit(few: Dataset, chain: Callable[[], list[Stage]], bits: Bits) -> None:
    """By hand: train, copy every tensor of a name that both have, train on."""
    together, apart = chain(), chain()
    past = fit_stages(together, few)
    state: dict[str, Any] = {}
    for stage, then in zip(apart, past, strict=True):
        state = {**stage.model.state_dict(), **state}
        stage.model.load_state_dict({key: state[key] for key in stage.model.state_dict()})
        assert fit(stage.model, few, stage.config) == then.history
        state = stage.model.state_dict()
        assert (then.model, then.config) == (getattr(stage.model, "spec"), stage.config)  # noqa: B009
    for one, other in zip(together, apart, strict=True):
        assert bits(one.model) == bits(other.model)
        assert not any(layer.training for _, layer in one.model.layers())


def test_one_stage_is_fit(few: Dataset, tiny: Build, bits: Bits) -> None:
    one, other = tiny(), tiny()
    (past,) = fit_stages([Stage(one, CONFIG)], few)
    assert past.history == fit(other, few, CONFIG)
    assert bits(one) == bits(other)


def test_first_weights_matter_in_the_first_stage_only(
    few: Dataset, chain: Callable[[], list[Stage]], bits: Bits
) -> None:
    first, second = chain(), chain()
    for stage in second[1:]:
        own = {name: p for name, p in stage.model.named_parameters().items() if "alpha" not in name}
        for parameter in own.values():
            parameter.value = parameter.value + 1
    fit_stages(first, few)
    fit_stages(second, few)
    assert bits(first[-1].model) == bits(second[-1].model)


def test_what_only_the_target_has_keeps_its_values(tiny: Build, bits: Bits) -> None:
    source, target = tiny("real", seed=1), tiny("dsq", parameters={"learn": True, "alpha": 0.3})
    source.train()(np.random.default_rng(0).normal(size=(4, 8, 8, 1)).astype(np.float32))
    kept = carry_over(source, target)
    alphas = [name for name in target.state_dict() if name.endswith("activation.alpha")]
    assert list(kept) == alphas
    assert len(alphas) == 2
    for name, value in target.state_dict().items():
        wanted = 0.3 if name in alphas else source.state_dict()[name]
        np.testing.assert_array_equal(value, np.float32(wanted))
    before = bits(source)
    assert carry_over(target, source) == ()  # what the source lacks is left behind
    assert bits(source) == before


def test_networks_that_do_not_fit_are_refused_and_left_alone(tiny: Build, bits: Bits) -> None:
    target = tiny()
    before = bits(target)
    with pytest.raises(ValueError, match=r"required shape \(64, 12\), got \(64, 13\)"):
        carry_over(tiny(width=13), target)
    with pytest.raises(ValueError, match="target: required a network with tensors of the source's names"):
        carry_over(Linear(2, 2, rng=np.random.default_rng(0)), target)
    assert bits(target) == before


class Interrupted(Exception):
    """Stands for a power cut."""


def interrupt(after: int) -> Callable[[Epoch], None]:
    """Stop after so many epochs of the whole chain."""
    left = [None] * after

    def check(epoch: Epoch) -> None:
        left.pop()
        if not left:
            raise Interrupted

    return check


@pytest.mark.parametrize("after", range(1, 9))
def test_a_resumed_chain_is_uninterrupted(
    few: Dataset, chain: Callable[[], list[Stage]], bits: Bits, tmp_path: Path, after: int
) -> None:
    """After any epoch: in the middle of a stage, and between two."""
    path, whole, first, second = tmp_path / "run", chain(), chain(), chain()
    past = fit_stages(whole, few)
    with pytest.raises(Interrupted):
        fit_stages(first, few, checkpoint=path, on_epoch_end=interrupt(after))
    for stage in second:
        for parameter in stage.model.parameters():
            if after > 3:  # past the first stage; what is not restored shows
                parameter.value = parameter.value + (not parameter.name.startswith("alpha"))
    seen = list[Epoch]()
    assert fit_stages(second, few, resume=path, checkpoint=path, on_epoch_end=seen.append) == past
    assert bits(second[-1].model) == bits(whole[-1].model)
    assert len(seen) == 9 - after


def test_a_checkpoint_of_other_stages_is_refused(
    few: Dataset, chain: Callable[[], list[Stage]], tiny: Build, tmp_path: Path
) -> None:
    path = tmp_path / "run"
    with pytest.raises(Interrupted):
        fit_stages(chain(), few, checkpoint=path, on_epoch_end=interrupt(6))
    other = chain()
    other[0] = replace(other[0], config=replace(other[0].config, lr=0.5))
    with pytest.raises(ValueError, match=r"the checkpoint of another run: its before is"):
        fit_stages(other, few, resume=path)
    with pytest.raises(ValueError, match=r"resume: required a checkpoint of 2 stages, got 'one of stage 3'"):
        fit_stages(chain()[:2], few, resume=path)
    with pytest.raises(ValueError, match=r"the checkpoint of another run: its before is"):
        fit(chain()[2].model, few, CONFIGS[2], resume=path)


def test_bad_stages_are_refused_before_training(few: Dataset, tiny: Build, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="stages: required at least one, got 0"):
        fit_stages([], few)
    epochs = list[Epoch]()
    stages = [Stage(tiny(), CONFIG), Stage(tiny(width=13), CONFIG)]
    with pytest.raises(ValueError, match=r"required shape \(64, 13\), got \(64, 12\)"):
        fit_stages(stages, few, on_epoch_end=epochs.append)
    with pytest.raises(FileNotFoundError, match="required an existing folder"):
        fit_stages(stages[:1], few, checkpoint=tmp_path / "nowhere" / "run", on_epoch_end=epochs.append)
    assert epochs == []


def test_a_stage_that_diverges_is_named(few: Dataset, tiny: Build) -> None:
    stages = [Stage(tiny("real"), CONFIG), Stage(tiny(), replace(CONFIG, optimizer="sgd", lr=1e30))]
    with pytest.raises(FloatingPointError, match=r"^stage 2: .*step size 1e\+30 may be too large"):
        fit_stages(stages, few)


def test_any_layer_may_be_a_stage(few: Dataset) -> None:
    def plain() -> Layer:
        rng = np.random.default_rng(0)
        return Sequential(Flatten(), BatchNorm(64), Linear(64, 10, rng=rng))

    past = fit_stages([Stage(plain(), CONFIG), Stage(plain(), CONFIG)], few)
    assert [then.model for then in past] == [None, None]
    assert past[1].history[0].loss < past[0].history[-1].loss


def test_a_model_file_tells_where_its_weights_came_from(
    few: Dataset, chain: Callable[[], list[Stage]], tmp_path: Path
) -> None:
    stages, preprocessing = chain(), Preprocessing.fit(few)
    *before, last = fit_stages(stages, few, preprocessing)
    model = stages[-1].model
    assert isinstance(model, models.Model)
    path = tmp_path / "model.safetensors"
    save_model(path, model, preprocessing, few.classes, last.history, last.config, before)
    loaded = load_model(path)
    assert loaded.before == tuple(before)
    assert [past.model.options["estimator"] for past in loaded.before if past.model] == list(CHAIN[:3])


@pytest.mark.parametrize("broken", [{}, {"model": None, "config": {}}, {"model": {"nome": 1}, "config": 1}])
def test_a_past_that_is_damaged_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="before: required stages as to_dict writes them"):
        Past.from_dict(broken)
