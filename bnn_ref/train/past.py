"""A stage of training that is over: how a network's first weights came about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from bnn_ref.models import Spec
from bnn_ref.train.config import Config
from bnn_ref.train.history import History


@dataclass(frozen=True)
class Past:
    """Which network was trained, how, and what happened.

    Attributes
    ----------
    model : Spec or None
        None for a network that `models.build` did not make.
    config : Config
    history : History
        All epochs of the stage.
    """

    model: Spec | None
    config: Config
    history: History

    def to_dict(self) -> dict[str, Any]:
        """The three as plain values, as JSON writes them."""
        spec = None if self.model is None else asdict(self.model)
        return {"model": spec, "config": self.config.to_dict(), "history": self.history.to_dict()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Past:
        """The stage that `to_dict` wrote.

        Raises
        ------
        ValueError
            If a key is missing or unknown, or a value is not one that the field allows.
        """
        try:
            spec = None if values["model"] is None else Spec(**values["model"])
            parts = values["config"], values["history"]
        except (KeyError, TypeError) as error:
            raise ValueError(f"before: required stages as to_dict writes them, got {error}") from error
        return cls(spec, Config.from_dict(parts[0]), History.from_dict(parts[1]))
