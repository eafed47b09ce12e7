"""Evaluation is eval mode, in chunks, and leaves no trace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bnn_ref import models
from bnn_ref.data import Dataset, Preprocessing
from bnn_ref.layers import Layer
from bnn_ref.train import Config, evaluate, fit, predict_classes

Build = Callable[..., models.Model]


class Scores(Layer):
    """Gives the pixel values of an image as its scores."""

    def forward(self, x: Any) -> tuple[Any, Any]:
        assert not self.training
        return x.reshape(len(x), -1), None


IMAGES = np.array([[3, 9, 1], [5, 5, 5], [0, 7, 7], [2, 0, 1]], np.uint8).reshape(4, 1, 3, 1)
PLAIN = Preprocessing(peak=9, mean=(0.0,), std=(1.0,), shape=(1, 3, 1))


@pytest.mark.parametrize("batch", [1, 2, 3, 4, 100])
def test_the_first_of_the_highest_scores_wins(batch: int) -> None:
    np.testing.assert_array_equal(predict_classes(Scores(), IMAGES, PLAIN, batch), [1, 0, 1, 0])


def test_accuracy_is_the_share_of_right_answers() -> None:
    result = evaluate(Scores(), IMAGES, np.array([1, 0, 2, 2]), PLAIN)
    assert result.accuracy == 0.5
    np.testing.assert_array_equal(result.predictions, [1, 0, 1, 0])
    assert result.predictions.dtype == np.int64


def test_no_images_have_no_classes_and_no_accuracy() -> None:
    assert predict_classes(Scores(), IMAGES[:0], PLAIN).shape == (0,)
    with pytest.raises(ValueError, match="labels: required one an image, of 0 > 0 images"):
        evaluate(Scores(), IMAGES[:0], np.zeros(0, np.int64), PLAIN)


def test_an_answer_does_not_depend_on_the_images_beside_it(few: Dataset, tiny: Build) -> None:
    model, preprocessing = tiny(), Preprocessing.fit(few)
    fit(model, few, Config(epochs=2, batch_size=43, lr=0.02))
    together = predict_classes(model, few.test_images, preprocessing)
    np.testing.assert_array_equal(predict_classes(model, few.test_images, preprocessing, batch=1), together)
    np.testing.assert_array_equal(
        predict_classes(model, few.test_images[::-1], preprocessing), together[::-1]
    )


def test_every_layer_is_left_in_its_own_mode_and_state(few: Dataset, tiny: Build) -> None:
    model = tiny()
    model.train()
    model.stem.eval()  # a frozen part of a network in training
    modes = {name: layer.training for name, layer in model.layers()}
    state = model.state_dict()
    evaluate(model, few.test_images, few.test_labels, Preprocessing.fit(few))
    assert {name: layer.training for name, layer in model.layers()} == modes
    assert set(modes.values()) == {True, False}
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value, state[name])


def test_modes_come_back_after_an_error() -> None:
    model = Scores()
    with pytest.raises(ValueError, match="images: required uint8"):
        predict_classes(model, IMAGES.astype(np.float32), PLAIN)  # type: ignore[arg-type]
    assert model.training


def test_bad_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="batch: required at least 1 image, got 0"):
        predict_classes(Scores(), IMAGES, PLAIN, 0)
    with pytest.raises(ValueError, match=r"labels: required one an image, of 4 > 0 images, got shape \(3,\)"):
        evaluate(Scores(), IMAGES, np.zeros(3, np.int64), PLAIN)
