"""Histories compare to the bit, but for the seconds, and survive JSON so."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref.annealing import Moment
from bnn_ref.train import Epoch, History

FINITE = st.floats(allow_nan=False, allow_infinity=False)
EPOCH = Epoch(0, 0, 0.0, 0.1, 2.3, 0.1, 0.2, 1.5)


@given(st.lists(st.tuples(*[FINITE] * 6), max_size=4))
def test_json_brings_the_same_history_back(rows: list[tuple[float, ...]]) -> None:
    epochs = (Epoch(i, 7 * i, *row) for i, row in enumerate(rows))
    history = History(tuple(epochs))
    again = History.from_dict(json.loads(json.dumps(history.to_dict())))
    assert again == history
    assert [epoch.seconds for epoch in again] == [epoch.seconds for epoch in history]


def test_seconds_alone_do_not_tell_histories_apart() -> None:
    assert History((EPOCH,)) == History((replace(EPOCH, seconds=99.0),))
    for field in ("lr_sum", "lr", "loss", "train_accuracy", "test_accuracy"):
        assert History((EPOCH,)) != History((replace(EPOCH, **{field: 0.3}),))


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"epochs": 3},
        {"epochs": [{"epoch": 0}]},
        {"epochs": [{**History((EPOCH,)).to_dict()["epochs"][0], "more": 1}]},
        {"epochs": [None]},
        History((replace(EPOCH, epoch=1),)).to_dict(),
        History((EPOCH, EPOCH)).to_dict(),
    ],
)
def test_what_is_no_history_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="history: required epochs"):
        History.from_dict(values)


def test_the_moment_is_that_of_the_last_epoch() -> None:
    history = History((EPOCH, replace(EPOCH, epoch=1, step=5, lr_sum=0.4)))
    assert history.moment(5) == Moment(progress=0.25, fraction=0.2, step=5, lr_sum=0.4, epochs=5, lr=0.1)
    after = History((EPOCH, replace(EPOCH, epoch=1, end_step=10, end_lr_sum=0.7, end_lr=0.05)))
    assert after.moment(5, "step") == Moment.of_step(10, 25, 5, 0.7, 0.05)
    assert history.moment(2).progress == 1
    with pytest.raises(ValueError, match="history: required 1 to 1 epochs, got 2"):
        history.moment(1)
    with pytest.raises(ValueError, match="history: required 1 to 9 epochs, got 0"):
        History().moment(9)


def test_an_epoch_is_one_readable_line() -> None:
    assert str(EPOCH) == "epoch 0: loss 2.3000, test accuracy 20.0%"
