"""Cells of two inputs (NASNet, AmoebaNet), built from a resolved cell's plan."""

import math
from collections import OrderedDict
from functools import reduce

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from triscale.nn.primitives import ConvUnit, StochasticDepth, activation, pads
from triscale.nn.recompute import recomputed
from triscale.spec import Block, Branch, Layer, Norm, Pool

State = Tensor | tuple[Tensor, Tensor]
"""What goes from stage to stage: a map, or after cells the current map and the one before it."""


def current(state: State) -> Tensor:
    """The current map."""
    return state[0] if isinstance(state, tuple) else state


def advance(stage: nn.Module, state: State, *, recompute: bool = False) -> State:
    """The state after a stage; cells take both maps, other blocks the current one.

    `recompute`: backward makes what is inside of each block again, see `recomputed`.
    """
    if isinstance(stage, CellStage):
        after: State = stage(state, recompute=recompute)
    elif recompute:
        after = reduce(lambda x, block: recomputed(block, x), stage.children(), current(state))
    else:
        after = stage(current(state))
    return after


class CellStage(nn.Sequential):
    """Cells in a row; each takes the output of the one before and of the one before that."""

    def forward(self, state: State, *, recompute: bool = False) -> tuple[Tensor, Tensor]:
        """(Current [n, c, h, w], previous), or the current map alone -> (output, the last cell's current map)."""
        x, previous = state if isinstance(state, tuple) else (state, state)
        for cell in self:
            x, previous = recomputed(cell, x, previous) if recompute else cell(x, previous), x
        return x, previous


class CellModule(nn.Module):
    """Operations on the states of a cell, each pair added to a new state; some states concatenated."""

    def __init__(self, block: Block, norm: Norm, drop_rate: float) -> None:
        super().__init__()
        plan = block.plan
        self.plan = plan
        self.activation = activation(block.activation, keeps_input=True)
        self.current = _fit(plan.current, block, norm)
        self.previous = _fit(plan.previous, block, norm)
        self.operations = nn.ModuleList(_operation(branch, block, norm, drop_rate) for branch in plan.operations)
        self.outputs = nn.ModuleList(_fit(branch, block, norm) for branch in plan.outputs)

    def forward(self, x: Tensor, previous: Tensor) -> Tensor:
        """Current [n, c, h, w] and previous [n, c', h', w'] -> [n, outputs x filters, h / stride, w / stride]."""
        before = self.activation(previous) if self.plan.previous.activated else previous
        states = [self.current(self.activation(x)), self.previous(before)]
        activated: dict[int, Tensor] = {}  # once a state, for all its operations
        for first in range(0, len(self.operations), 2):
            states.append(self._term(first, states, activated) + self._term(first + 1, states, activated))
        kept = (fit(states[branch.source]) for branch, fit in zip(self.plan.outputs, self.outputs, strict=True))
        return torch.cat(list(kept), 1)

    def _term(self, index: int, states: list[Tensor], activated: dict[int, Tensor]) -> Tensor:
        branch = self.plan.operations[index]
        source = branch.source
        if branch.activated and source not in activated:
            activated[source] = self.activation(states[source])
        term: Tensor = self.operations[index](activated[source] if branch.activated else states[source])
        return term


class FactorizedReduction(nn.Module):
    """Two 1x1 convolutions of stride 2, the second one pixel further down and right; one norm over both."""

    def __init__(self, even: Layer, odd: Layer, norm: Norm) -> None:
        super().__init__()
        self.even = nn.Conv2d(even.in_channels, even.out_channels, 1, even.stride, bias=False)
        self.odd = nn.Conv2d(odd.in_channels, odd.out_channels, 1, bias=False)
        self.norm = nn.BatchNorm2d(even.out_channels + odd.out_channels, norm.eps, norm.momentum)

    def forward(self, x: Tensor) -> Tensor:
        """[n, in, h, w] -> [n, out, ceil(h / 2), ceil(w / 2)]."""
        odd = F.pad(x[:, :, 1::2, 1::2], (0, x.shape[3] % 2, 0, x.shape[2] % 2))
        y: Tensor = self.norm(torch.cat([self.even(x), self.odd(odd)], 1))
        return y


class CellPool(nn.Module):
    """Max or average pooling; what is padded never wins and is not averaged."""

    def __init__(self, pool: Pool) -> None:
        super().__init__()
        self.pool = pool

    def forward(self, x: Tensor) -> Tensor:
        """[n, c, h, w] -> [n, c, h', w']."""
        _, kernel, stride, *_ = pool = self.pool
        (top, bottom), (left, right) = pads(x, kernel, stride, pool.padding)
        if stride == 1 and top != bottom:  # the 2x2 one alone
            x, top, left = F.pad(x, (left, right, top, bottom), value=-math.inf), 0, 0
        longer = (top, left) != (bottom, right)  # torch then reaches beyond the map by itself, without a copy of it
        if pool.kind == "max":
            return F.max_pool2d(x, kernel, stride, (top, left), ceil_mode=longer)
        return F.avg_pool2d(x, kernel, stride, (top, left), ceil_mode=longer, count_include_pad=False)

    def extra_repr(self) -> str:
        """Shown by print(model)."""
        return f"{self.pool.kind}, kernel={self.pool.kernel}, stride={self.pool.stride}"


def _fit(branch: Branch, block: Block, norm: Norm) -> nn.Module:
    if branch.reduces:
        even, odd, _ = branch.layers
        return FactorizedReduction(even, odd, norm)
    return ConvUnit(branch.layers[0], block.padding, norm) if branch.layers else nn.Identity()


def _operation(branch: Branch, block: Block, norm: Norm, drop_rate: float) -> nn.Sequential:
    """The pooling, the layers under their role's last word, stochastic depth for all but the identity."""
    parts = OrderedDict[str, nn.Module]()
    if branch.pool:
        parts["pool"] = CellPool(branch.pool)
    for layer in branch.layers:
        parts[layer.role.rpartition(".")[2]] = ConvUnit(layer, block.padding, norm)
    if branch.operation != "identity":
        parts["stochastic_depth"] = StochasticDepth(drop_rate)
    return nn.Sequential(parts)
