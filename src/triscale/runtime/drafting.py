"""From a network's operations to the runtime's steps, in the order of the data; what can be done on the way is."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, NoReturn

from triscale.errors import InputError
from triscale.runtime.steps import Combine, Convolve, Depthwise, Enter, Leave, Map, MaxPool, Mean, Step
from triscale.spec import Activation, Network, dataflow, resolve
from triscale.spec.dataflow import Node, Unit


class Steps(NamedTuple):
    """The steps of a network and the maps that they name by number."""

    steps: tuple[Step, ...]
    maps: tuple[Map, ...]


def steps_of(network: Network) -> Steps:
    """The steps that compute a network's logits from one image.

    Raises:
        InputError: there are blocks that the runtime does not know, which are named.
    """
    nodes = dataflow.nodes_of(resolve(network))
    draft, maps = _Draft(network.name, Counter(number for node in nodes for number in node.inputs)), list[int]()
    for node in nodes:
        maps.append(draft.write(node, [maps[number] for number in node.inputs]))
    draft.steps.append(Leave(name="logits", x=maps[-1]))
    return Steps(tuple(draft.steps), tuple(draft.maps))


@dataclass(frozen=True)
class _Draft:
    """The lists while they grow.

    Attributes:
        network: its name.
        readers: how many nodes read the map of each.
    """

    network: str
    readers: Mapping[int, int]
    steps: list[Step] = field(default_factory=list)
    maps: list[Map] = field(default_factory=list)

    def write(self, node: Node, x: Sequence[int]) -> int:
        """Append the steps of a node that reads these maps; the map that it makes."""
        match node.operation:
            case dataflow.Image():
                y = self._new(node, planes=True)
                self.steps.append(Enter(name=node.role, y=y))
            case dataflow.Unit() as unit:
                y = self._unit(node, unit, x[0])
            case dataflow.Normalize(layer, module):
                y = self._combine(node, x[0], norm=module, layer=layer, activation=layer.activation)
            case dataflow.Activate(kind):
                y = self._activated(node, x[0], kind)
            case dataflow.Mean():
                y = self._mean(node, x[0])
            case dataflow.Pooling("max", kernel, stride, pad):
                y = self._new(node)
                self.steps.append(MaxPool(name=_name(node), x=x[0], y=y, kernel=kernel, stride=stride, pad=pad))
            case dataflow.Scale():
                y = self._combine(node, x[0], gate=x[1])
            case dataflow.Sum():
                y = self._sum(node, *x)
            case _:
                self._refuse(node)
        return y

    def _refuse(self, node: Node) -> NoReturn:
        what = type(node.operation).__name__
        raise InputError(
            f"{self.network} cannot be compiled: {node.module} has a step that the runtime does not know, {what}.\n"
            "Export it to .onnx."
        )

    def _new(self, node: Node, *, planes: bool = False) -> int:
        self.maps.append(Map(_name(node), node.channels, node.size, planes))
        return len(self.maps) - 1

    def _unit(self, node: Node, unit: Unit, x: int) -> int:
        y, layer, name = self._new(node), unit.layer, unit.conv.removesuffix(".conv")
        if layer.groups == layer.in_channels == layer.out_channels > 1:
            self.steps.append(Depthwise(name=name, x=x, y=y, layer=layer, conv=unit.conv, norm=unit.norm))
        else:
            activation = layer.activation
            self.steps.append(
                Convolve(name=name, x=x, y=y, layer=layer, conv=unit.conv, norm=unit.norm, activation=activation)
            )
        return y

    def _combine(self, node: Node, x: int, **parts: Any) -> int:
        y = self._new(node)
        self.steps.append(Combine(name=_name(node), x=x, y=y, **parts))
        return y

    def _mean(self, node: Node, x: int) -> int:
        """A depthwise convolution in front of it takes it on the way."""
        y, last = self._new(node), self.steps[-1]
        if isinstance(last, Depthwise) and last.y == x:
            self.steps[-1] = replace(last, mean=y)
        else:
            self.steps.append(Mean(name=_name(node), x=x, y=y))
        return y

    def _sum(self, node: Node, kept: int, branch: int) -> int:
        """At the end of the step that made one of the maps, if it was the last and nobody else reads that map."""
        last = self.steps[-1]
        for number, own, other in zip(node.inputs, (kept, branch), (branch, kept), strict=True):
            if isinstance(last, Convolve | Combine) and last.y == own and self.readers[number] == 1 and _is_open(last):
                self.steps[-1] = replace(last, residual=other)
                return own
        return self._combine(node, branch, residual=kept)

    def _activated(self, node: Node, x: int, kind: Activation) -> int:
        """At the end of the step that made the map, as a sum is."""
        last = self.steps[-1]
        if (
            isinstance(last, Convolve | Combine) and last.y == x and last.activation is None
            and self.readers[node.inputs[0]] == 1
        ):  # fmt: skip
            self.steps[-1] = replace(last, activation=kind)
            return x
        return self._combine(node, x, activation=kind)


def _is_open(step: Convolve | Combine) -> bool:
    """Whether a map can be added to what the step makes."""
    return step.residual is None and step.activation is None and (isinstance(step, Convolve) or step.norm is None)


def _name(node: Node) -> str:
    return ".".join(part for part in (node.module, node.role) if part)
