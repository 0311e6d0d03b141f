"""What the convolutions of a machine take beside tensors, measured where its instruction set is not known."""

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, replace
from itertools import product

import torch
from torch.profiler import ProfilerActivity, profile

from triscale.cost.onednn import Kernels, Scratch, workspace
from triscale.files import replacing
from triscale.machine import machine, threads
from triscale.nn import native
from triscale.spec import Layer

_FORMAT = "triscale scratch 1"
_BATCH = 4
_PROBES = (
    # channels, groups, kernel, side: dense, groups of one, eight and four channels, maps smaller than the kernel
    (64, 1, 3, 8), (64, 64, 5, 8), (64, 64, 3, 8), (64, 8, 3, 8), (64, 16, 3, 8), (64, 1, 1, 16), (128, 1, 3, 2),
    (64, 64, 3, 2),
)  # fmt: skip
_CHOICES = tuple(Scratch(*one) for one in product((4, 8, 16, 32, 64), (1, 2, 3, 4), (0, 1, 2, 4), (0, 1, 2)))


def kept_kernels(count: int | None = None) -> Kernels:
    """`measured_kernels` of this machine, measured once and kept in the cache with the machine's fingerprint.

    Args:
        count: threads of arithmetic; by default as many as torch takes.
    """
    here = machine()
    count = count or threads()
    key = json.dumps([_FORMAT, count, *(here[name] for name in ("cpu", "isa", "isa_limits", "torch"))])
    try:
        path = native.cache() / f"scratch-{hashlib.sha256(key.encode()).hexdigest()[:16]}.json"
    except native.Unavailable:
        return measured_kernels(count)
    with suppress(OSError, ValueError, TypeError, KeyError):
        return _read(json.loads(path.read_text(encoding="utf-8")))
    found = measured_kernels(count)
    with suppress(OSError), replacing(path) as file:
        file.write(json.dumps(asdict(found)).encode())
    return found


def measured_kernels(count: int, name: str = "measured") -> Kernels:
    """What fits the peaks of torch's allocator over a few convolutions on channels-last maps; takes some seconds.

    Args:
        count: threads of arithmetic.
        name: of the result.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        return Kernels(
            name=name, threads=count, float32=_fitted(torch.float32, count), bfloat16=_fitted(torch.bfloat16, count)
        )
    finally:
        torch.set_num_threads(before)


def _fitted(dtype: torch.dtype, count: int) -> Scratch | None:
    """The choice that comes nearest to what was measured; the first, plainest one of several."""
    item = dtype.itemsize
    layers = [_layer(*probe) for probe in _PROBES]
    found = [_backward_peak(layer, dtype) for layer in layers]
    blank = Kernels(name="", threads=count, float32=None, bfloat16=None)

    def off(choice: Scratch | None) -> float:
        of = replace(blank, float32=choice, bfloat16=choice)
        forecast = [workspace(layer, _BATCH, of, item, needs_gradient=True)[1] for layer in layers]
        return sum(abs(one / peak - 1) for one, peak in zip(forecast, found, strict=True))

    return min((None, *_CHOICES), key=off)


def _layer(channels: int, groups: int, kernel: int, side: int) -> Layer:
    size, pad = (side, side), kernel // 2
    return Layer(
        "probe", channels, channels, kernel, 1, groups,
        bias=False, norm=False, activation=None, input=size, output=size, pad=(pad, pad, pad, pad),
    )  # fmt: skip


def _backward_peak(layer: Layer, dtype: torch.dtype) -> int:
    """The most bytes that live during the backward pass of a convolution, its results included."""
    width = layer.in_channels // layer.groups
    x = torch.ones(_BATCH, layer.in_channels, *layer.input, dtype=dtype).contiguous(memory_format=torch.channels_last)
    weight = torch.ones(layer.out_channels, width, layer.kernel, layer.kernel, dtype=dtype)
    weight = weight.contiguous(memory_format=torch.channels_last)
    words = ([1, 1], list(layer.pad[::2]), [1, 1], False, [0, 0], layer.groups)
    y = torch.ops.aten.convolution(x, weight, None, *words)

    def backward() -> object:
        return torch.ops.aten.convolution_backward(y, x, weight, None, *words, [True, True, False])

    backward()
    return allocator_peak(backward)


def allocator_peak(work: Callable[[], object]) -> int:
    """Peak of the running total of torch's CPU allocator in bytes, from the profiler's events."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as found:
        kept = work()
    del kept
    if found.profiler is None:
        raise RuntimeError("the profiler recorded nothing")
    events = [one for one in found.profiler.kineto_results.events() if one.name() == "[memory]"]
    live = peak = 0
    for one in sorted(events, key=lambda event: int(event.start_ns())):
        live += one.nbytes()
        peak = max(peak, live)
    return peak


def _read(found: dict[str, object]) -> Kernels:
    scratch = {name: None if found[name] is None else Scratch(**found[name]) for name in ("float32", "bfloat16")}  # type: ignore[arg-type]
    return Kernels(name=str(found["name"]), threads=int(str(found["threads"])), **scratch)
