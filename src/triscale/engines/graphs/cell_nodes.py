"""The nodes of a cell of two inputs (NASNet, AmoebaNet)."""

from dataclasses import dataclass, field

import numpy as np

from triscale.engines.graphs.graph_draft import GraphDraft
from triscale.engines.graphs.layer_nodes import LayerWriter
from triscale.spec import Block, Branch, Layer


def write_cell(at: LayerWriter, block: Block, current: str, previous: str) -> str:
    """Operations on the states of a cell, each pair added to a new state; some states concatenated."""
    plan = block.plan
    writer = _CellWriter(at, block)
    states = [writer.fit(plan.current, current, "current"), writer.fit(plan.previous, previous, "previous")]
    for first in range(0, len(plan.operations), 2):
        terms = [writer.term(index, plan.operations[index], states) for index in (first, first + 1)]
        states.append(at.draft.add("Add", at.name(f"state{len(states)}", "sum"), *terms))
    kept = [writer.fit(branch, states[branch.source], f"outputs.{n}") for n, branch in enumerate(plan.outputs)]
    return at.draft.add("Concat", at.name("cell", "outputs"), *kept, axis=1)


@dataclass(frozen=True)
class _CellWriter:
    """`activated` has the maps that an activation has been written for: once a state, for all its operations."""

    at: LayerWriter
    block: Block
    activated: dict[str, str] = field(default_factory=dict)

    def fit(self, branch: Branch, x: str, module: str) -> str:
        """What gives a map the size and channels of a state."""
        if branch.activated:
            x = self._activate(x)
        if branch.reduces:
            return self._reduction(branch, x, module)
        return self.at.unit(x, branch.layers[0], module) if branch.layers else x

    def term(self, index: int, branch: Branch, states: list[str]) -> str:
        """One operation on a state."""
        x = states[branch.source]
        if branch.activated:
            x = self._activate(x)
        if pool := branch.pool:
            x = self.at.pool(x, f"operation{index}", pool.kind, pool.kernel, pool.stride, pool.pad)
        for layer in branch.layers:
            x = self.at.unit(x, layer, f"operations.{index}.{layer.role.rpartition('.')[2]}")
        return x

    def _activate(self, x: str) -> str:
        if x not in self.activated:
            role = f"entry{len(self.activated)}"
            self.activated[x] = self.at.activation(x, role, self.block.activation)
        return self.activated[x]

    def _reduction(self, branch: Branch, x: str, module: str) -> str:
        """Two 1x1 convolutions of stride 2, the second one pixel further down and right; one norm over both."""
        even, odd, norm = branch.layers
        y = self.at.layer(x, even, conv=self.at.path(module, "even"))
        shifted = _every_second(self.at, x, odd)
        plain = odd._replace(stride=1, pad=(0, 0, 0, 0), input=odd.output)
        z = self.at.layer(shifted, plain, conv=self.at.path(module, "odd"))
        both = self.at.draft.add("Concat", self.at.name(norm.role, "both"), y, z, axis=1)
        return self.at.norm(both, norm, self.at.path(module, "norm"))


def _every_second(at: LayerWriter, x: str, layer: Layer) -> str:
    """Pixels 1, 3, 5, ... of rows and columns; zeros follow those of an odd side."""
    limits = {"starts": (1, 1), "ends": (1 << 30, 1 << 30), "axes": (2, 3), "steps": (2, 2)}
    y = at.draft.add("Slice", at.name(layer.role, "slice"), x, *(_whole(at.draft, k, v) for k, v in limits.items()))
    _, bottom, _, right = layer.pad
    if not bottom and not right:
        return y
    return at.draft.add(
        "Pad", at.name(layer.role, "pad"), y, _whole(at.draft, f"pad{bottom}{right}", (0, 0, 0, 0, 0, 0, bottom, right))
    )


def _whole(draft: GraphDraft, name: str, values: tuple[int, ...]) -> str:
    return draft.constant(f"slice.{name}", np.array(values, dtype=np.int64))
