"""The arena of a static plan: the maps that live at once where everything is known before the first image.

Engines that plan (and microcontrollers above all) fold norms into convolutions, apply a layer's activation as they
write its output, pad as they read, and let a map go after its last use. No sum and no product works in place.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from triscale.costs.target import TargetPrecision
from triscale.errors import UsageError
from triscale.spec import Layer, Network, Resolved, resolve
from triscale.spec.dataflow import Activate, Node, Normalize, nodes_of

ELEMENT: Mapping[TargetPrecision, int] = MappingProxyType({"float32": 4, "float16": 2, "bfloat16": 2, "int8": 1})
"""Bytes of an element of a map, and of an image."""


def arena(network: Network | Resolved, batch: int = 1, precision: TargetPrecision = "float32") -> int:
    """The most bytes of images, maps and logits that live at once; weights are not among them.

    No plan that runs these steps in this order takes less; one that places its maps with gaps takes more.

    Args:
        network: spec or resolved network.
        batch: images at once.
        precision: of images and maps.

    Raises:
        UsageError: the batch is below 1.
    """
    if batch < 1:
        raise UsageError(f"the batch is {batch}; give at least 1.")
    resolved = network if isinstance(network, Resolved) else resolve(network)
    return ELEMENT[precision] * batch * peak(nodes_of(resolved))


def peak(nodes: Sequence[Node]) -> int:
    """The most elements that live while an operation runs; what it reads and makes included."""
    maps = _maps(nodes)
    last_use = {made: number for number, node in enumerate(nodes) for made in (maps[number], *_read(node, maps))}
    ending = [0] * len(nodes)
    for made, last in last_use.items():
        ending[last] += _elements(nodes[made])
    live = most = 0
    for number, node in enumerate(nodes):
        live += _elements(node) if maps[number] == number else 0
        most = max(most, live)
        live -= ending[number]
    return most


def _maps(nodes: Sequence[Node]) -> Sequence[int]:
    """The map of each node: its own, or where it folds into what wrote its input, that one's."""
    readers = Counter(number for node in nodes for number in node.inputs)
    maps: list[int] = []
    for number, node in enumerate(nodes):
        maps.append(maps[node.inputs[0]] if _folds(node, readers) else number)
    return maps


def _folds(node: Node, readers: Mapping[int, int]) -> bool:
    """Whether it is an activation, or a norm without one, that is all what becomes of its input."""
    match node.operation:
        case Activate() | Normalize(layer=Layer(activation=None)):
            return readers[node.inputs[0]] == 1
        case _:
            return False


def _read(node: Node, maps: Sequence[int]) -> Iterator[int]:
    return (maps[number] for number in node.inputs)


def _elements(node: Node) -> int:
    """Of its map, for one image."""
    return node.channels * node.size[0] * node.size[1]
