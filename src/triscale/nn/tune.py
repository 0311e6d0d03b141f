"""A short measurement of a model's parts on this machine, and the plan that follows from it."""

import copy
import math
import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from statistics import median
from typing import Literal

import torch
from torch import Tensor, nn

from triscale.nn import native, swap
from triscale.nn.blocks import MBConv
from triscale.nn.depthwise import use
from triscale.nn.device import device_of
from triscale.nn.inner import inner
from triscale.nn.layers import ConvUnit
from triscale.nn.plan import Plan, apply_plan

Precision = Literal["float32", "bfloat16"]

_VALUES, _ROUNDS, _GAIN = 1_000_000, 5, 1.05
"""Least values of a map in a measurement, if the batch has them: time goes with them, and with fewer the start of a
kernel weighs too much; rounds, of which the median counts; what a way must win to be taken."""


def tune(model: nn.Module, batch: int, resolution: tuple[int, int], precision: Precision, channels: int = 3) -> Plan:
    """The plan that is fastest for training a model here, with the threads that torch has now.

    Each distinct part (sizes, kernel, stride, activation) is timed forward and backward on random maps of its own size,
    the ways interleaved. The model is not changed, weights and statistics included. Compiling the kernels, once on a
    machine, takes about ten seconds more.

    Args:
        model: on the CPU; elsewhere the plan is empty, as torch's own ways are fast there.
        batch: pictures in a step.
        resolution: of the pictures, [h, w] in pixels.
        precision: `bfloat16` stands for training under autocast.
        channels: of the pictures.
    """
    if device_of(model).type != "cpu":
        return Plan()
    model = copy.deepcopy(model)
    apply_plan(model, Plan())
    bench = _Bench(model, batch, resolution, precision, channels)
    norms = (
        {one.norm: "native" for one in swap.pairs(model) if bench.norm(one) == "native"} if native.available() else {}
    )
    convolutions = {name: way for name in swap.convolutions(model) if (way := bench.convolution(name)) != "stock"}
    apply_plan(model, Plan(convolutions=convolutions, norms=norms))
    blocks = (
        {name: "inner" for name in swap.blocks(model) if bench.block(name) == "inner"} if native.available() else {}
    )
    plan = Plan(convolutions=convolutions, norms=norms, blocks=blocks)
    return Plan(
        convolutions=convolutions, norms=norms, blocks=blocks, build=native.build_digest() if plan.compiled else None
    )


class _Bench:
    """The parts of a model with the sizes of their maps; each distinct one is measured once."""

    def __init__(
        self, model: nn.Module, batch: int, resolution: tuple[int, int], precision: Precision, channels: int
    ) -> None:
        self.model, self.batch, self.bfloat16 = model, batch, precision == "bfloat16"
        names = [*swap.convolutions(model), *(pair.norm for pair in swap.pairs(model))]
        self.inputs = _inputs(model, names, torch.zeros(1, channels, *resolution))
        self.found: dict[Hashable, str] = {}

    def convolution(self, name: str) -> str:
        """The way of a depthwise convolution."""
        conv = self.model.get_submodule(name)
        assert isinstance(conv, nn.Conv2d)  # noqa: S101  as `swap` says
        ways: list[Literal["stock", "rewritten", "native"]] = ["stock", "rewritten"]
        if native.available():
            ways.append("native")
        made: dict[str, nn.Module] = {way: copy.deepcopy(conv) for way in ways}
        for way in ways:
            use(made[way], way)  # type: ignore[arg-type]
        key = ("convolution", type(conv), conv.kernel_size, conv.stride, conv.padding, self.inputs.get(name))
        return self._best(key, made, name)

    def norm(self, pair: swap.Pair) -> str:
        """The way of a norm and its activation."""
        norm = copy.deepcopy(self.model.get_submodule(pair.norm))
        act = self.model.get_submodule(pair.activation) if pair.activation else nn.Identity()
        stock = nn.Sequential(norm, copy.deepcopy(act)).train()
        joined = copy.deepcopy(stock)
        swap.join(joined, swap.Pair("0", "1" if pair.activation else ""))
        key = ("norm", type(norm), type(act), self.inputs.get(pair.norm))
        return self._best(key, {"stock": stock, "native": joined}, pair.norm)

    def block(self, name: str) -> str:
        """Whether an MBConv's inner layers are better one step than its parts as they are now."""
        of = copy.deepcopy(swap.block(self.model, name)).train()
        expands = isinstance(of.expand, ConvUnit)
        enters = f"{name}.expand.norm" if expands else f"{name}.depthwise.conv"
        key = ("block", of.depthwise.conv.kernel_size, of.depthwise.conv.stride, expands, self.inputs.get(enters))
        return self._best(key, {"stock": _Inner(of, fused=False), "inner": _Inner(of, fused=True)}, enters)

    def _best(self, key: Hashable, ways: Mapping[str, nn.Module], name: str) -> str:
        if name not in self.inputs:  # the model does not use it
            return "stock"
        if key not in self.found:
            dtype = torch.bfloat16 if self.bfloat16 else torch.float32
            pictures = min(self.batch, max(2, _VALUES // math.prod(self.inputs[name])))
            x = torch.randn(pictures, *self.inputs[name]).to(dtype).contiguous(memory_format=torch.channels_last)
            subjects = {way: partial(_step, module, x, self.bfloat16) for way, module in ways.items()}
            self.found[key] = _fastest(subjects)
        return self.found[key]


class _Inner(nn.Module):
    """The inner layers of an MBConv, in one step or layer by layer."""

    def __init__(self, block: MBConv, *, fused: bool) -> None:
        super().__init__()
        self.block, self.fused = block, fused

    def forward(self, x: Tensor) -> Tensor:
        """[n, c, h, w] -> [n, c, h', w']."""
        of = self.block
        before = of.expand if isinstance(of.expand, ConvUnit) else None
        if self.fused:
            return inner(x, before, of.depthwise, of.squeeze_excite)
        entered = x if before is None else before.activation(before.norm(x))
        y: Tensor = of.squeeze_excite(of.depthwise(entered))
        return y


def _step(module: nn.Module, x: Tensor, bfloat16: bool) -> None:
    x = x.detach().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        y = module(x)
    y.backward(y.detach())


def _fastest(subjects: Mapping[str, Callable[[], object]]) -> str:
    """The way with the least median, torch's own unless it is beaten clearly.

    What counts is the time of this process on its cores, not that of the clock: other programs may be running. The
    first round warms up; a way that takes twice as long as another in the second is not tried again.
    """
    seconds: dict[str, list[float]] = {name: [] for name in subjects}
    for index in range(_ROUNDS + 1):
        least = min((min(values, default=0.0) for values in seconds.values()), default=0.0)
        for name, subject in subjects.items():
            if index > 1 and seconds[name][0] > 2 * least:
                continue
            start = time.process_time()
            subject()
            if index:
                seconds[name].append(time.process_time() - start)
    medians = {name: median(values) for name, values in seconds.items()}
    best = min(medians, key=lambda name: medians[name])
    return best if medians[best] * _GAIN < medians["stock"] else "stock"


def _inputs(model: nn.Module, names: Sequence[str], pictures: Tensor) -> dict[str, tuple[int, ...]]:
    """The sizes [c, h, w] of what enters the modules of these names."""
    found: dict[str, tuple[int, ...]] = {}

    def note(name: str, given: tuple[Tensor, ...]) -> None:
        found[name] = tuple(given[0].shape[1:])

    hooks = [
        model.get_submodule(name).register_forward_pre_hook(lambda _, given, name=name: note(name, given))
        for name in names
    ]
    with torch.no_grad(), _evaluating(model):
        model(pictures)
    for hook in hooks:
        hook.remove()
    return found


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode
