"""Appends the operations of one block."""

from dataclasses import dataclass

from triscale.spec.dataflow.operations import (
    Activate,
    Concatenate,
    Mean,
    Node,
    Normalize,
    Operation,
    Pooling,
    Scale,
    Sum,
    Unit,
)
from triscale.spec.layer import Layer
from triscale.spec.network import Activation
from triscale.spec.rounding import Size


@dataclass(frozen=True)
class BlockWriter:
    """Maps are known by the number of the node that makes them.

    Attributes:
        nodes: what is written, of all blocks.
        block, module: as in `Node`.
    """

    nodes: list[Node]
    block: int
    module: str

    def path(self, *names: str) -> str:
        """Of a module inside of the block's."""
        return ".".join(name for name in (self.module, *names) if name)

    def add(self, operation: Operation, inputs: tuple[int, ...], role: str, channels: int, size: Size) -> int:
        """Append an operation; the number of its map."""
        self.nodes.append(Node(operation, inputs, channels, size, self.block, self.module, role))
        return len(self.nodes) - 1

    def unit(self, x: int, layer: Layer, unit: str) -> int:
        """Convolution, norm, activation: a `ConvUnit` called `unit`."""
        return self.layer(x, layer, self.path(unit, "conv"), self.path(unit, "norm"))

    def layer(self, x: int, layer: Layer, conv: str, norm: str = "") -> int:
        """A convolution or linear layer with what follows it."""
        return self.add(Unit(layer, conv, norm), (x,), layer.role, layer.out_channels, layer.output)

    def norm(self, x: int, layer: Layer, module: str) -> int:
        """A norm that stands alone."""
        return self._alike(Normalize(layer, module), (x,), layer.role)

    def activation(self, x: int, role: str, kind: Activation) -> int:
        """An activation that stands alone."""
        return self._alike(Activate(kind), (x,), role)

    def mean(self, x: int, role: str, *, flat: bool) -> int:
        """The mean of each channel."""
        return self.add(Mean(flat), (x,), role, self.nodes[x].channels, (1, 1))

    def pool(self, x: int, pooling: Pooling, role: str, size: Size) -> int:
        """A pooling that leaves a map of this size."""
        return self.add(pooling, (x,), role, self.nodes[x].channels, size)

    def scale(self, x: int, gate: int, role: str) -> int:
        """A map times a gate."""
        return self._alike(Scale(), (x, gate), role)

    def sum(self, kept: int, branch: int, role: str) -> int:
        """The sum of two maps."""
        return self._alike(Sum(), (kept, branch), role)

    def concatenate(self, maps: tuple[int, ...], role: str) -> int:
        """All channels."""
        return self.add(Concatenate(), maps, role, sum(self.nodes[x].channels for x in maps), self.nodes[maps[0]].size)

    def _alike(self, operation: Operation, inputs: tuple[int, ...], role: str) -> int:
        """What makes a map like the one that it reads."""
        made = self.nodes[inputs[0]]
        return self.add(operation, inputs, role, made.channels, made.size)
