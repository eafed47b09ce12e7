"""A configuration is right from the start, or is not made."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, fields
from typing import Any

import pytest

from bnn_ref.train import Config

OTHER: dict[str, Any] = {
    "epochs": 3,
    "batch_size": 2,
    "optimizer": "prox-connect",
    "lr": 0.1,
    "momentum": 0.5,
    "nesterov": True,
    "weight_decay": 1e-4,
    "schedule": "linear",
    "clip": None,
    "glorot": True,
    "loss": "squared-hinge",
    "gamma": 1e-3,
    "threshold": 1e-6,
    "gamma_schedule": "decades",
    "penalty": "r2",
    "penalty_strength": 0.1,
    "rule": "sgd",
    "prox": "tanh",
    "prox_parameters": {"beta": 2.0},
    "harden": 2,
    "anneal": "step",
    "reestimate_norms": True,
    "estimator_lr": 0.002,
    "estimator_schedule": "bbc",
    "seed": 7,
    "frozen": ("blocks", "stem.parts.0"),
}


@pytest.mark.parametrize("config", [Config(), Config(**OTHER)])
def test_json_brings_the_same_configuration_back(config: Config) -> None:
    assert Config.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_every_field_reaches_the_dictionary() -> None:
    assert Config(**OTHER).to_dict() == OTHER
    assert all(OTHER[field.name] != getattr(Config(), field.name) for field in fields(Config))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *((field, value) for field in ("epochs", "batch_size") for value in (0, -1, 1.5, True, "3", None)),
        ("batch_size", 1),
        *(("optimizer", value) for value in ("rmsprop", "", None, ["adam"])),
        *(("schedule", value) for value in ("cosinus", None, {})),
        *(("loss", value) for value in ("hinge", 0)),
        *(("estimator_lr", value) for value in (0, -1.0, float("nan"), True, "fast")),
        *(("estimator_schedule", value) for value in ("falling", None)),
        *(("gamma_schedule", value) for value in ("falling", None)),
        *(("penalty", value) for value in ("r3", None)),
        *(("gamma", value) for value in (0, 1.1, float("nan"), "1", None)),
        *(
            (field, value)
            for field in ("threshold", "penalty_strength")
            for value in (-1e-9, float("inf"), None)
        ),
        *(("lr", value) for value in (0, -0.1, float("nan"), float("inf"), True, "0.1", None)),
        *(("momentum", value) for value in (1, -0.1, float("nan"), None, "0.9")),
        *(("nesterov", value) for value in (1, None, "yes")),
        *(("weight_decay", value) for value in (-1e-9, float("inf"), None)),
        *(("clip", value) for value in (0, -1, float("nan"), float("inf"), "1")),
        *(("glorot", value) for value in (1, None, "yes")),
        *(("seed", value) for value in (-1, 0.0, None, False)),
        *(("rule", value) for value in ("bop", "prox-quant", None)),
        *(("prox", value) for value in ("sign", None)),
        *(("prox_parameters", value) for value in (None, [])),
        *(("harden", value) for value in (0, 5)),  # without a proximal optimizer
        *(("anneal", value) for value in ("never", None)),
        *(("reestimate_norms", value) for value in (1, None)),
        *(("frozen", value) for value in ("blocks", None, ("",), (1,), {"blocks"})),
    ],
)
def test_a_bad_value_is_named_with_its_field(field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=rf"^{field}: required .*, got ") as error:
        Config(**{field: value})
    assert str(error.value).endswith(repr(value))


@pytest.mark.parametrize("others", [{"optimizer": "adam"}, {"optimizer": "sgd", "momentum": 0}])
def test_looking_ahead_needs_sgd_with_momentum(others: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="nesterov: required False without sgd and momentum > 0, got True"):
        Config(nesterov=True, **others)


@pytest.mark.parametrize("value", [-1, 1.5, True, "3"])
def test_hardening_begins_with_an_epoch(value: Any) -> None:
    assert Config(optimizer="prox-quant", harden=0).harden == 0
    with pytest.raises(ValueError, match=r"harden: required None, or .* a whole number >= 0, got"):
        Config(optimizer="prox-quant", harden=value)


def test_unknown_and_missing_keys_are_refused() -> None:
    values = Config().to_dict()
    with pytest.raises(ValueError, match=r"config: required the keys epochs, .* got .*dropout"):
        Config.from_dict(values | {"dropout": 0.5})
    del values["lr"]
    with pytest.raises(ValueError, match="config: required the keys"):
        Config.from_dict(values)


def test_it_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        Config().epochs = 3  # type: ignore[misc]
