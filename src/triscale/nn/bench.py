"""The parts of a model on maps of their own size, and its whole steps, timed one way beside another."""

import copy
import math
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor, nn

from triscale.cost import Precision
from triscale.nn import native, swap
from triscale.nn.blocks import MBConv
from triscale.nn.contest import STOCK, Comparison, Measure, compare, fastest
from triscale.nn.depthwise import use
from triscale.nn.inner import inner
from triscale.nn.layers import ConvUnit
from triscale.nn.load import Load
from triscale.nn.plan import apply_plan
from triscale.speed_plan import SpeedPlan

_VALUES, _IN_STEPS = 1_000_000, 16
"""Least values of a map in a measurement of a part, if the batch has them: time goes with them, and with fewer the
start of a kernel weighs too much; how many times as many the largest map of a whole step has, if the batch has them."""
_PART, _STEP, _IN_A_CROWD = 1.05, 1.02, 2.0
"""How many times faster a part, and the whole step, must be to be taken; and either where others take the cores. Caches
and memory then slow one way more than the other, in every round: ways that lose alone were seen to win by half."""


class Bench:
    """The parts of a model with the sizes of their maps; each distinct one is measured once."""

    def __init__(
        self,
        model: nn.Module,
        batch: int,
        resolution: tuple[int, int],
        precision: Precision,
        channels: int,
        measure: Measure,
        load: Callable[[], Load],
    ) -> None:
        self.model, self.batch, self.bfloat16 = model, batch, precision == "bfloat16"
        self.measure, self.load = measure, load
        self.pictures = (channels, *resolution)
        names = [*swap.convolutions(model), *(pair.norm for pair in swap.pairs(model))]
        self.inputs = _inputs(model, names, torch.zeros(1, *self.pictures))
        self.found: dict[Hashable, str] = {}

    def suggested(self) -> SpeedPlan:
        """The ways that win, part by part; blocks beside their parts as these are then."""
        compiled = native.available()
        norms = {one.norm: "native" for one in swap.pairs(self.model) if compiled and self.norm(one) != STOCK}
        convolutions = {name: way for name in swap.convolutions(self.model) if (way := self.convolution(name)) != STOCK}
        apply_plan(self.model, SpeedPlan(convolutions=convolutions, norms=norms))
        blocks = {name: "inner" for name in swap.blocks(self.model) if compiled and self.block(name) != STOCK}
        apply_plan(self.model, SpeedPlan())
        plan = SpeedPlan(convolutions=convolutions, norms=norms, blocks=blocks)
        build = native.build_digest() if plan.compiled else None
        return SpeedPlan(convolutions=convolutions, norms=norms, blocks=blocks, build=build)

    def step(self, plan: SpeedPlan, measure: Measure) -> Comparison:
        """Whole steps, forward and backward, with a plan and without it."""
        largest = max(math.prod(sizes) for sizes in self.inputs.values())
        x = torch.randn(min(self.batch, max(2, _IN_STEPS * _VALUES // largest)), *self.pictures)
        x = x.contiguous(memory_format=torch.channels_last)
        shared: dict[int, Any] = {id(one): one for one in self.model.parameters()}
        planned = copy.deepcopy(self.model, shared).train()  # with the same weights in the same memory
        apply_plan(planned, plan)
        models = {STOCK: self.model.train(), "plan": planned}
        subjects = {name: partial(_whole_step, one, x, self.bfloat16) for name, one in models.items()}
        return compare(subjects, measure, lambda: _IN_A_CROWD if self.load().crowded else _STEP)["plan"]

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
            return STOCK
        if key not in self.found:
            dtype = torch.bfloat16 if self.bfloat16 else torch.float32
            pictures = min(self.batch, max(2, _VALUES // math.prod(self.inputs[name])))
            x = torch.randn(pictures, *self.inputs[name]).to(dtype).contiguous(memory_format=torch.channels_last)
            subjects = {way: partial(_step, module, x, self.bfloat16) for way, module in ways.items()}
            results = compare(subjects, self.measure, lambda: _IN_A_CROWD if self.load().crowded else _PART)
            self.found[key] = fastest(results)
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


def _whole_step(model: nn.Module, x: Tensor, bfloat16: bool) -> None:
    model.zero_grad(set_to_none=True)
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        y = model(x)
    outputs = [y] if isinstance(y, Tensor) else [one for one in y if isinstance(one, Tensor)]
    torch.autograd.backward(outputs, [one.detach() for one in outputs])


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
