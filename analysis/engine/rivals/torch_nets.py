"""A packed file in torch: eager float32, in its own layout or channels last, and one layer in int8."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from analysis.engine.rivals.reading import Array, Step, filters, folded, read

Run = Callable[[], Any]


def _step(torch: Any, step: Step, lay: Callable[[Any], Any]) -> Callable[..., Any]:
    """One step on tensors (N, C, H, W): the calls that an eager torch network makes."""
    f, o = torch.nn.functional, step.options
    t = {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in step.tensors.items()}
    channels = {name: value.reshape(-1, 1, 1) for name, value in t.items() if value.ndim == 1}
    match step.kind:
        case "real_conv" | "binary_conv":
            weight, window = (
                lay(torch.from_numpy(filters(step))),
                {"stride": o["stride"], "padding": o["padding"]},
            )
            return lambda x: f.conv2d(x, weight, t.get("bias"), **window)
        case "affine":
            zero, one = torch.zeros(t["gain"].shape), torch.ones(t["gain"].shape)
            return lambda x: f.batch_norm(x, zero, one, t["gain"], t["shift"], eps=0.0)
        case "real_linear":
            weight = t["weight"].T.contiguous()
            return lambda x: f.linear(x, weight, t.get("bias"))
        case "pack_signs":
            one = torch.ones(())
            return lambda x: torch.where(x >= 0, one, -one)
        case "max_pool" | "avg_pool":
            pool = f.max_pool2d if step.kind == "max_pool" else f.avg_pool2d
            sizes, ceil = (o["kernel_size"], o["stride"], o["padding"]), o.get("ceil", False)
            return lambda x: pool(x, *sizes, ceil_mode=ceil)
        case "bias":
            return lambda x: x + (channels["bias"] if x.ndim == 4 else t["bias"])
        case "relu":
            return torch.relu_
        case "add":
            return lambda x, y: x.add_(y)
        case "global_mean":
            return lambda x: x.mean((2, 3))
    raise ValueError(f"{step.kind}: no call of torch is known for it")


def floats(path: Path, x: Array, layout: str) -> tuple[Run, Callable[[Any], Array]]:
    """The network on images x (N, H, W, C), layout "nchw" or "channels_last"; and its answer as an array."""
    torch = import_module("torch")
    form = torch.channels_last if layout == "channels_last" else torch.contiguous_format

    def lay(tensor: Any) -> Any:
        return tensor.contiguous(memory_format=form)

    steps, output = read(path)
    steps, moved = folded(steps, ("bias",))  # torch's layers add it, with or without norms behind
    output = moved.get(output, output)
    calls = [(step.number, step.inputs, _step(torch, step, lay)) for step in steps]
    last = {value: step.number for step in steps for value in step.inputs}
    images = lay(torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2))))

    def run() -> Any:
        values = {0: images}
        with torch.inference_mode():
            for number, inputs, call in calls:
                values[number] = call(*(values[value] for value in inputs))
                for value in inputs:
                    if last[value] == number:
                        values.pop(value, None)
        return values[output]

    return run, lambda y: y.numpy().transpose(0, 2, 3, 1) if y.ndim == 4 else y.numpy()


def int8(path: Path, x: Array, answer: Array) -> tuple[Run, Callable[[Any], Array]]:
    """One convolution of signs x, bytes in and out; the range of `answer` gives the scale of the latter."""
    torch = import_module("torch")
    (step,), _ = folded(read(path)[0])
    weight, bias = torch.from_numpy(filters(step)), torch.from_numpy(step.tensors["bias"])
    scales = weight.abs().amax((1, 2, 3)).double() / 127
    zeros = torch.zeros(len(scales), dtype=torch.int64)
    quantized = torch.quantize_per_channel(weight, scales, zeros, 0, torch.qint8)
    pair, one = [step.options["padding"]] * 2, [1, 1]
    packed = torch.ops.quantized.conv2d_prepack(quantized, bias, [step.options["stride"]] * 2, pair, one, 1)
    images = torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2)))
    q = torch.quantize_per_tensor(images, 1 / 64, 64, torch.quint8).contiguous(
        memory_format=torch.channels_last
    )
    scale, zero = float(answer.max() - answer.min()) / 255, 0
    zero = round(-float(answer.min()) / scale)
    return lambda: torch.ops.quantized.conv2d(
        q, packed, scale, zero
    ), lambda y: y.dequantize().numpy().transpose(0, 2, 3, 1)
