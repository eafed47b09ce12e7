"""A packed file of real numbers in onnxruntime: float32, and int8 as its static quantization makes it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from analysis.engine.rivals.reading import Array, Step, filters, folded, read

Run = Callable[[], Any]


def _node(helper: Any, step: Step, arrays: dict[str, Array]) -> list[Any]:
    """The ONNX nodes of one step; `arrays` takes its tensors."""
    o, source, target = step.options, [f"v{value}" for value in step.inputs], [f"v{step.number}"]
    window = {"strides": [o.get("stride", 1)] * 2, "pads": [o.get("padding", 0)] * 4}
    match step.kind:
        case "real_conv":
            kernel = [step.tensors["weight"].shape[0]] * 2
            names = _name(step, arrays, filters(step))
            return [helper.make_node("Conv", source + names, target, kernel_shape=kernel, **window)]
        case "real_linear":
            names = _name(step, arrays, np.ascontiguousarray(step.tensors["weight"]))
            return [helper.make_node("Gemm", source + names, target)]
        case "max_pool" | "avg_pool":
            kind = "MaxPool" if step.kind == "max_pool" else "AveragePool"
            more = {"ceil_mode": int(o.get("ceil", False)), "kernel_shape": [o["kernel_size"]] * 2}
            return [helper.make_node(kind, source, target, **window, **more)]
        case "relu" | "add":
            return [helper.make_node(step.kind.capitalize(), source, target)]
        case "global_mean":
            middle = [f"m{step.number}"]
            return [
                helper.make_node("GlobalAveragePool", source, middle),
                helper.make_node("Flatten", middle, target),
            ]
    raise ValueError(f"{step.kind}: no node of ONNX is known for it")


def _name(step: Step, arrays: dict[str, Array], weight: Array) -> list[str]:
    names = [f"w{step.number}", f"b{step.number}"]
    bias = step.tensors.get("bias", np.zeros(step.tensors["weight"].shape[-1], np.float32))
    arrays.update(zip(names, (weight, bias), strict=True))
    return names


def model(path: Path, x: Array, y: Array) -> Any:
    """The network in `path` for images x (N, C, H, W), as an ONNX model that answers like y."""
    onnx = import_module("onnx")
    helper, number = onnx.helper, onnx.TensorProto.FLOAT
    steps, output = read(path)
    left, moved = folded(steps)
    arrays: dict[str, Array] = {}
    nodes = [node for step in left for node in _node(helper, step, arrays)]
    source = helper.make_tensor_value_info("v0", number, x.shape)
    target = helper.make_tensor_value_info(f"v{moved.get(output, output)}", number, y.shape)
    tensors = [onnx.numpy_helper.from_array(array, name) for name, array in arrays.items()]
    graph = helper.make_graph(nodes, "net", [source], [target], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def run(path: Path, x: Array, answer: Array, threads: int, kind: str) -> tuple[Run, Callable[[Any], Array]]:
    """The network on images x (N, H, W, C): "floats", or "int8" calibrated on x.

    Where the network is one layer, int8 takes and answers bytes: what a network of such layers runs.
    """
    ort = import_module("onnxruntime")
    images = np.ascontiguousarray(x.transpose(0, 3, 1, 2))
    made = model(path, images, answer.transpose(0, 3, 1, 2) if answer.ndim == 4 else answer)
    scale: tuple[float, int] | None = None
    if kind == "int8":
        made = _quantized(made, images)
        if answer.ndim == 4:
            made, images, scale = _bytes(made, images)
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = ort.InferenceSession(made.SerializeToString(), options, providers=["CPUExecutionProvider"])

    def read_answer(y: list[Array]) -> Array:
        real = y[0] if scale is None else (y[0].astype(np.float32) - scale[1]) * np.float32(scale[0])
        return real.transpose(0, 2, 3, 1) if real.ndim == 4 else real

    return lambda: session.run(None, {"v0": images}), read_answer


def _quantized(made: Any, images: Array) -> Any:
    """Static quantization in the QDQ form: bytes in, signed bytes a channel for weights."""
    onnx, tool = import_module("onnx"), import_module("onnxruntime.quantization")

    class Once(tool.CalibrationDataReader):  # type: ignore[name-defined, misc]
        left = iter([{"v0": images}])

        def get_next(self) -> dict[str, Array] | None:
            return next(self.left, None)

    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "floats.onnx", Path(folder) / "int8.onnx"
        onnx.save(made, source)
        kinds = {"activation_type": tool.QuantType.QUInt8, "weight_type": tool.QuantType.QInt8}
        tool.quantize_static(source, target, Once(), tool.QuantFormat.QDQ, per_channel=True, **kinds)
        return onnx.load(target)


def _bytes(made: Any, images: Array) -> tuple[Any, Array, tuple[float, int]]:
    """The model between its conversions from and to reals; its input as bytes, the scale of its answer."""
    onnx = import_module("onnx")
    graph = made.graph
    arrays = {one.name: onnx.numpy_helper.to_array(one) for one in graph.initializer}
    first = next(node for node in graph.node if node.op_type == "QuantizeLinear" and node.input[0] == "v0")
    last = next(node for node in graph.node if node.output[0] == graph.output[0].name)
    scale, zero = (arrays[name] for name in first.input[1:])
    taken = np.clip(np.rint(images / scale) + zero, 0, 255).astype(np.uint8)
    shapes = [
        [d.dim_value for d in one.type.tensor_type.shape.dim] for one in (graph.input[0], graph.output[0])
    ]
    for node in graph.node:
        node.input[:] = ["v0" if name == first.output[0] else name for name in node.input]
    answer = last.input[0]
    out = float(arrays[last.input[1]]), int(arrays[last.input[2]])
    graph.node.remove(first)
    graph.node.remove(last)
    for place, name, shape in ((graph.input, "v0", shapes[0]), (graph.output, answer, shapes[1])):
        del place[:]
        place.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.UINT8, shape))
    return made, taken, out
