"""The operations of a cell of two inputs (NASNet, AmoebaNet)."""

from dataclasses import dataclass, field

from triscale.spec.cell_layers import Branch
from triscale.spec.dataflow.block_writer import BlockWriter
from triscale.spec.dataflow.operations import Pooling, Shift
from triscale.spec.layers import Block


def write_cell(at: BlockWriter, block: Block, current: int, previous: int) -> int:
    """Operations on the states of a cell, each pair added to a new state; some states concatenated."""
    plan = block.plan
    writer = _CellWriter(at, block)
    states = [writer.fit(plan.current, current, "current"), writer.fit(plan.previous, previous, "previous")]
    for first in range(0, len(plan.operations), 2):
        kept, branch = (writer.term(index, plan.operations[index], states) for index in (first, first + 1))
        states.append(at.sum(kept, branch, f"state{len(states)}"))
    outputs = [writer.fit(branch, states[branch.source], f"outputs.{n}") for n, branch in enumerate(plan.outputs)]
    return at.concatenate(tuple(outputs), "cell")


@dataclass(frozen=True)
class _CellWriter:
    """`activated` has the maps that an activation has been written for: once a state, for all its operations."""

    at: BlockWriter
    block: Block
    activated: dict[int, int] = field(default_factory=dict)

    def fit(self, branch: Branch, x: int, module: str) -> int:
        """What gives a map the size and channels of a state."""
        if branch.activated:
            x = self._activate(x)
        if branch.reduces:
            return self._reduction(branch, x, module)
        return self.at.unit(x, branch.layers[0], module) if branch.layers else x

    def term(self, index: int, branch: Branch, states: list[int]) -> int:
        """One operation on a state."""
        x = states[branch.source]
        if branch.activated:
            x = self._activate(x)
        if pool := branch.pool:
            pooling = Pooling(pool.kind, pool.kernel, pool.stride, pool.pad)
            x = self.at.pool(x, pooling, f"operation{index}", pool.output)
        for layer in branch.layers:
            x = self.at.unit(x, layer, f"operations.{index}.{layer.role.rpartition('.')[2]}")
        return x

    def _activate(self, x: int) -> int:
        if x not in self.activated:
            self.activated[x] = self.at.activation(x, f"entry{len(self.activated)}", self.block.activation)
        return self.activated[x]

    def _reduction(self, branch: Branch, x: int, module: str) -> int:
        """Two 1x1 convolutions of stride 2, the second one pixel further down and right; one norm over both."""
        even, odd, norm = branch.layers
        y = self.at.layer(x, even, self.at.path(module, "even"))
        shifted = self.at.add(Shift(odd.pad), (x,), odd.role, odd.in_channels, odd.output)
        plain = odd._replace(stride=1, pad=(0, 0, 0, 0), input=odd.output)
        z = self.at.layer(shifted, plain, self.at.path(module, "odd"))
        return self.at.norm(self.at.concatenate((y, z), norm.role), norm, self.at.path(module, "norm"))
