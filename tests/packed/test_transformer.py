"""Packed vision transformers: eval mode's scores to the bit, through a file too, at the bytes counted."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from packed_nets import either, inputs, perturb

from bnn_ref import models
from bnn_ref.cost import cost
from bnn_ref.layers import Layer
from bnn_ref.packed import load_packed, pack

SHAPE = (12, 8, 1)


def net(**options: Any) -> Layer:
    given = {"width": 24, "heads": 3, "depth": 2, "patch": 4, "input_shape": SHAPE, **options}
    model, rng = models.build("vit-tiny", **given), np.random.default_rng(0)
    perturb(model, rng)
    for layer, name in ((model.embedding.first, "token"), (model.embedding.position, "embedding")):
        parameter = getattr(layer, name)
        parameter.value = either(rng, np.zeros(parameter.value.shape), rng.normal(size=parameter.value.shape))
    return model.eval()


@pytest.mark.parametrize("ends", ["real", "binary"])
@pytest.mark.parametrize("scale", ["none", "channel", "tensor"])
@pytest.mark.parametrize("estimator", ["none", "approxsign", "rsign"])
def test_scores_are_eval_mode_s_and_bytes_are_those_counted(
    estimator: str, scale: str, ends: str, tmp_path: Path
) -> None:
    model = net(estimator=estimator, scale=scale, ends=ends)
    x = inputs(np.random.default_rng(1), (9, *SHAPE))
    packed = pack(model)
    np.testing.assert_array_equal(packed(x), model(x))
    np.testing.assert_array_equal(packed(x[:2], naive=True), model(x[:2]))
    packed.save(tmp_path / "vit")
    loaded = load_packed(tmp_path / "vit")
    np.testing.assert_array_equal(loaded(x), model(x))
    assert packed.payload_bytes == loaded.payload_bytes == cost(model, (1, *SHAPE)).total.packed_bytes


def test_with_real_activations_every_matrix_of_a_block_is_bits_in_front_of_floats() -> None:
    graph = pack(net(estimator="none")).graph
    kinds = Counter(node.step.kind for node in graph.nodes)
    assert kinds["sign_weight_linear"] == 2 * 6
    assert (kinds["real_conv"], kinds["real_linear"]) == (1, 1)
    assert (kinds["layer_norm"], kinds["attention"], kinds["gelu"]) == (5, 2, 2)
    assert not {"pack_signs", "threshold", "binary_linear"} & set(kinds)
    both = Counter(node.step.kind for node in pack(net(estimator="none", ends="binary")).graph.nodes)
    assert both["sign_weight_linear"] == kinds["sign_weight_linear"] + 1
    assert (both["sign_weight_conv"], both["real_conv"], both["real_linear"]) == (1, 0, 0)


def test_query_key_and_value_share_the_signs_that_they_read() -> None:
    kinds = Counter(node.step.kind for node in pack(net(estimator="approxsign", scale="channel")).graph.nodes)
    assert kinds["binary_linear"] == 2 * 6
    # of each block: those behind the two norms, behind attention, and behind GELU (here a threshold)
    assert kinds["pack_signs"] + kinds["threshold"] == 2 * 4


def test_the_sign_of_gelu_where_it_underflows_is_that_of_zero() -> None:
    """Far left x Phi(x) is -0.0 in float32, whose sign is +1: no threshold, the float path."""
    model = net(estimator="approxsign", width=240, depth=1)
    expand = model.blocks.parts[0].expand
    expand.bias.value[:] = -30
    model.blocks.parts[0].norm2.beta.value[:] = 0.5
    graph = pack(model).graph
    assert not any(node.step.kind == "threshold" for node in graph.nodes)
    x = inputs(np.random.default_rng(1), (9, *SHAPE))
    np.testing.assert_array_equal(pack(model)(x), model(x))


@pytest.mark.parametrize(
    "key", ["norm.gamma", "norm.beta", "embedding.first.token", "embedding.position.embedding"]
)
def test_a_number_that_is_none_is_named(key: str) -> None:
    model = net()
    model.named_parameters()[key].value[..., 0] = np.nan
    with pytest.raises(ValueError, match=f"pack: {key}: required finite numbers, got nan"):
        pack(model)
