"""The file: read back as it was written, and refused in every other state."""

from __future__ import annotations

import copy
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packed_nets import chains, networks, perturb
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from bnn_ref import models
from bnn_ref.data import Preprocessing
from bnn_ref.layers import Layer
from bnn_ref.packed import PackedModel, container, load_packed, pack
from bnn_ref.packed.document import describe
from bnn_ref.packed.steps.base import stored
from bnn_ref.parameter import Array

CONSTANTS = Preprocessing(255, (0.1,), (0.3,), (8, 8, 1))


def small(name: str = "cnn") -> PackedModel:
    model = models.build(name, input_shape=(8, 8, 1), classes=3, width=5)
    perturb(model, np.random.default_rng(0))
    return pack(model, CONSTANTS)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    small().save(tmp_path / "net.safetensors")
    return tmp_path / "net.safetensors"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(drawn=st.one_of(networks(), chains()))
def test_round_trip(drawn: tuple[Layer, Array], tmp_path: Path) -> None:
    model, x = drawn
    packed, path = pack(model), tmp_path / "net.safetensors"
    packed.save(path)
    again = load_packed(path)
    np.testing.assert_array_equal(again(x), packed(x))
    assert again.to_dict() == packed.to_dict()
    assert packed.payload_bytes == sum(tensor.nbytes for tensor in load_file(path).values())
    again.save(tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()


def test_preprocessing_travels(saved: Path) -> None:
    packed, again = small(), load_packed(saved)
    pixels = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 1), dtype=np.uint8)
    assert again.preprocessing == CONSTANTS
    assert again.input_shape == (8, 8, 1)
    np.testing.assert_array_equal(again.predict(pixels), packed.predict(pixels))
    np.testing.assert_array_equal(again(CONSTANTS(pixels)), packed(CONSTANTS(pixels)))


def test_what_it_was_trained_on_travels_and_may_be_missing(saved: Path, tmp_path: Path) -> None:
    """A file that says nothing of it is as files were before there was such a key."""
    assert "data" not in container.read(saved)[0]
    assert load_packed(saved).data == {}
    data = {"name": "figures-0", "exact": True, "augmentation": {"flip": 0.5}}
    packed = pack(models.build("cnn", input_shape=(8, 8, 1), width=5), CONSTANTS, data)
    packed.save(tmp_path / "new.safetensors")
    assert load_packed(tmp_path / "new.safetensors").data == packed.to_dict()["data"] == data
    document, arrays = container.read(saved)
    container.write(saved, container.encode({**document, "data": [1]}, arrays))
    refused(saved, "data: required a JSON object, got [1]")


READY = """
import sys
import numpy as np
from numba.core import event
from bnn_ref import load_packed

with event.install_recorder("numba:compile") as load:
    packed = load_packed(sys.argv[1])
with event.install_recorder("numba:compile") as call:
    packed(np.zeros((1, *packed.input_shape), np.float32))
print(len(load.buffer), len(call.buffer), len(packed.plans))
"""


def test_a_loaded_network_is_ready(saved: Path, tmp_path: Path) -> None:
    """Without machine code on disk: the load compiles, the first call does not; both have one plan."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    command = [sys.executable, "-c", READY, str(saved)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    load, call, plans = map(int, done.stdout.split())
    assert load > 3
    assert (call, plans) == (0, 1)


def test_a_loaded_network_can_be_copied_and_sent(saved: Path) -> None:
    packed, x = load_packed(saved), np.ones((2, 8, 8, 1), np.float32)
    for other in (copy.deepcopy(packed), pickle.loads(pickle.dumps(packed))):
        assert "plans" not in vars(other)
        np.testing.assert_array_equal(other(x), packed(x))


def test_nothing_is_made_ready_for_inputs_that_nobody_knows(saved: Path) -> None:
    anywhere = PackedModel(load_packed(saved).graph)
    anywhere.prepare()
    assert len(anywhere.plans) == 0


def test_payload_is_the_end_of_the_file(saved: Path) -> None:
    content = saved.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    assert start % 8 == 0
    assert len(content) - start == small().payload_bytes


def test_weights_take_one_bit(saved: Path) -> None:
    """(F, K, K, C) end to end, padded once: 5 * 3 * 3 * 5 = 225 bits are 29 bytes, not 45 rows of words."""
    with safe_open(saved, framework="numpy") as file:
        assert file.get_tensor("body.parts.2.weight").shape == (29,)
    described = json.loads(_header(saved)["__metadata__"]["graph"])["tensors"]["body.parts.2.weight"]
    assert described["encoding"] == "bits"
    assert described["shape"] == [5, 3, 3, 5]


def test_direction_takes_one_bit(saved: Path) -> None:
    tensors = load_file(saved)
    assert tensors["body.parts.4.threshold"].dtype == np.int32
    assert tensors["body.parts.4.rising"].nbytes == 1


def test_saving_replaces_and_leaves_nothing_behind(saved: Path) -> None:
    saved.write_bytes(b"something else")
    small("cnn").save(saved)
    load_packed(saved)
    assert [path.name for path in saved.parent.iterdir()] == [saved.name]


def test_a_failed_save_keeps_the_old_file(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = saved.read_bytes()

    def full(self: Path, content: bytes) -> int:
        with open(self, "wb") as file:
            file.write(content[:100])
        raise OSError("disk full")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="disk full"):
        small().save(saved)
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == [saved.name]


def _header(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    return json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])


def refused(path: Path, *words: str) -> None:
    with pytest.raises(ValueError, match=path.name) as caught:
        load_packed(path)
    for word in words:
        assert word in str(caught.value)


def test_truncated_anywhere(saved: Path) -> None:
    content = saved.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    lengths = {*range(12), *range(start - 9, start + 9), *range(0, len(content), 101), len(content) - 1}
    for length in sorted(lengths):
        saved.write_bytes(content[:length])
        refused(saved, "truncated")
    saved.write_bytes(content + b"\0")
    refused(saved)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=400)
@given(st.data(), st.integers(1, 255))
def test_one_wrong_byte_anywhere(saved: Path, data: st.DataObject, change: int) -> None:
    small().save(saved)
    content = bytearray(saved.read_bytes())
    start = 8 + int.from_bytes(content[:8], "little")
    region = data.draw(
        st.sampled_from([(0, 8), (8, 400), (8, start), (start - 400, start), (start, len(content))])
    )
    position = data.draw(st.integers(region[0], region[1] - 1))
    space = position < start and content[position:start].isspace()  # after the header's last brace
    content[position] ^= change
    saved.write_bytes(content)
    if space and content[position] in b"\t\n\r":
        load_packed(saved)
    else:
        refused(saved)


def test_foreign_files(tmp_path: Path) -> None:
    path = tmp_path / "foreign.safetensors"
    path.write_text("a text, and no network at all")
    refused(path, "truncated, or not a safetensors file")
    save_file({"a": np.zeros(3, np.float32)}, path)
    refused(path, "not a packed network", "bnn_ref.packed", "None")
    save_file({"a": np.zeros(3, np.float32)}, path, {"format": "pt"})
    refused(path, "not a packed network", "'pt'")
    with pytest.raises(FileNotFoundError):
        load_packed(tmp_path / "nowhere.safetensors")
    with pytest.raises(IsADirectoryError, match=tmp_path.name):
        load_packed(tmp_path)


def test_another_version(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as later:
        later.setattr(container, "VERSION", "2")
        small().save(saved)
    refused(saved, "required version '1', got '2'")


def document() -> tuple[dict[str, Any], dict[str, Array]]:
    """What `save` writes, to be changed."""
    packed = small()
    arrays = {name: stored(tensor) for name, tensor in packed.graph.tensors().items()}
    return {"input_shape": [8, 8, 1], "preprocessing": None, **describe(packed.graph)}, arrays


def drop_tensor(graph: Any, arrays: Any) -> None:
    del arrays["head.bias"]


def add_tensor(graph: Any, arrays: Any) -> None:
    arrays["stowaway"] = np.zeros(1, np.float32)


def change_tensor(graph: Any, arrays: Any) -> None:
    arrays["head.bias"] = arrays["head.bias"] + 1


def swap_dtype(graph: Any, arrays: Any) -> None:
    arrays["head.bias"] = arrays["head.bias"].view(np.int32)


def shorten_bits(graph: Any, arrays: Any) -> None:
    arrays["body.parts.2.weight"] = arrays["body.parts.2.weight"][:-1]
    graph["tensors"]["body.parts.2.weight"]["sha256"] = container.digest(
        arrays["body.parts.2.weight"].tobytes()
    )


def read_the_future(graph: Any, arrays: Any) -> None:
    graph["nodes"][3]["inputs"] = [4]


def invent_a_kind(graph: Any, arrays: Any) -> None:
    graph["nodes"][3]["kind"] = "transform"


def forget_a_field(graph: Any, arrays: Any) -> None:
    graph["nodes"][0]["options"].pop("stride")


def mistype_a_field(graph: Any, arrays: Any) -> None:
    graph["nodes"][0]["options"]["stride"] = "2"


def swap_bits_for_floats(graph: Any, arrays: Any) -> None:
    graph["nodes"][3]["tensors"]["weight"] = "head.bias"


def lose_the_output(graph: Any, arrays: Any) -> None:
    graph["output"] = 99


def lose_a_key(graph: Any, arrays: Any) -> None:
    del graph["nodes"]


def wrong_constants(graph: Any, arrays: Any) -> None:
    graph["preprocessing"] = {"peak": 255}


def stand_still(graph: Any, arrays: Any) -> None:
    graph["nodes"][0]["options"]["stride"] = 0


def step_by_truth(graph: Any, arrays: Any) -> None:
    graph["nodes"][0]["options"]["stride"] = True


def read_nothing(graph: Any, arrays: Any) -> None:
    graph["nodes"][1]["inputs"] = []


def read_a_float(graph: Any, arrays: Any) -> None:
    graph["nodes"][1]["inputs"] = [1.0]


def answer_by_truth(graph: Any, arrays: Any) -> None:
    graph["output"] = True


def number_a_layer(graph: Any, arrays: Any) -> None:
    graph["nodes"][0]["layer"] = 3


def misname_the_shape(graph: Any, arrays: Any) -> None:
    graph["input_shape"] = "abc"


def take_flat_images(graph: Any, arrays: Any) -> None:
    graph["input_shape"] = [8, 0, 1]


def take_colours(graph: Any, arrays: Any) -> None:
    graph["input_shape"] = [8, 8, 3]


def add_whole_numbers(graph: Any, arrays: Any) -> None:
    arrays["head.bias"] = np.array([1, 2, 3], np.int32)
    entry = {"encoding": "int32", "sha256": container.digest(arrays["head.bias"].tobytes())}
    graph["tensors"]["head.bias"] |= entry


def answer_with_signs(graph: Any, arrays: Any) -> None:
    kinds = [node["kind"] for node in graph["nodes"]]
    graph["output"] = 1 + kinds.index("threshold")


def add_to_signs(graph: Any, arrays: Any) -> None:
    kinds = [node["kind"] for node in graph["nodes"]]
    graph["nodes"][kinds.index("bias")]["inputs"] = [1 + kinds.index("threshold")]


def miscount_channels(graph: Any, arrays: Any) -> None:
    (node,) = (node for node in graph["nodes"] if node["kind"] == "flatten_signs")
    node["options"]["channels"] -= 1


def pool_nothing(graph: Any, arrays: Any) -> None:
    node = next(node for node in graph["nodes"] if node["kind"] == "max_pool")
    node["options"]["padding"] = node["options"]["kernel_size"]


def poison(graph: Any, arrays: Any) -> None:
    arrays["head.bias"][1] = np.nan
    graph["tensors"]["head.bias"]["sha256"] = container.digest(arrays["head.bias"].tobytes())


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (stand_still, "body.parts.0 (real_conv): output_size: kernel and stride must be at least 1"),
        (step_by_truth, "stride: required another type, got bool"),
        (read_nothing, "node 1 (affine): required 1 inputs, got 0"),
        (read_a_float, "node 1: required inputs among 0 to 1, got (1.0,)"),
        (answer_by_truth, "output: required one of the values 0 to"),
        (number_a_layer, "layer: required a name, got 3"),
        (misname_the_shape, "input_shape: required a list of sizes, got 'abc'"),
        (take_flat_images, "input_shape: required a whole number >= 1, got 0"),
        (take_colours, "(real_conv): "),
        (add_whole_numbers, "(bias): bias: required float32, got int32"),
        (answer_with_signs, "output: required numbers, got signs"),
        (add_to_signs, "(bias): required numbers, got signs"),
        (miscount_channels, "(flatten_signs): required"),
        (pool_nothing, "(max_pool): padding: required less than 2, got 2"),
        (poison, "head.bias: required finite numbers"),
        (drop_tensor, "'head.bias', which is missing"),
        (add_tensor, "'stowaway', which the graph does not know"),
        (change_tensor, "head.bias: damaged, its checksum"),
        (swap_dtype, "head.bias: required float32 (3,), got int32 (3,)"),
        (shorten_bits, "29 bytes"),
        (read_the_future, "node 3: required inputs among 0 to 3, got (4,)"),
        (invent_a_kind, "required one of pack_signs, threshold"),
        (forget_a_field, "'stride', 'weight'], got ['padding', 'weight']"),
        (mistype_a_field, "stride: required another type, got str"),
        (swap_bits_for_floats, "weight: required another type, got ndarray"),
        (lose_the_output, "output: required one of the values 0 to"),
        (lose_a_key, "malformed"),
        (wrong_constants, "constants"),
    ],
)
def test_graphs_that_are_none(change: Callable[[Any, Any], None], reason: str, tmp_path: Path) -> None:
    graph, arrays = document()
    path = tmp_path / "net.safetensors"
    container.write(path, container.encode(graph, arrays))
    load_packed(path)
    change(graph, arrays)
    container.write(path, container.encode(graph, arrays))
    refused(path, reason)


def test_same_network_same_file() -> None:
    graph, arrays = document()
    backwards = dict(reversed(arrays.items()))
    assert container.encode(graph, arrays) == container.encode(graph, backwards)
