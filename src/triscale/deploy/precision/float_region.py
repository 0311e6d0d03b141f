"""What goes back to float32 with a layer: its maps are quantised at several places."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class GraphNode:
    """A node of a graph.

    Attributes:
        name: of the node.
        layer: whether it is a convolution or a linear layer.
        sources: the nodes whose maps it reads, by name; weights are none.
    """

    name: str
    layer: bool
    sources: tuple[str, ...]


def region_before(nodes: Sequence[GraphNode], kept: Collection[str]) -> frozenset[str]:
    """The nodes between some layers and the layers before them, and these too; the layers themselves are left out.

    With them what else reads a map there and nothing beside it, such as the mean of squeeze-excite.
    """
    known = {node.name: node for node in nodes}
    readers = defaultdict[str, list[GraphNode]](list)
    for node in nodes:
        for source in node.sources:
            readers[source].append(node)
    found, ahead = set[str](), [source for name in kept for source in known[name].sources]
    while ahead:
        name = ahead.pop()
        if name not in found and name in known:
            found.add(name)
            ahead += [] if known[name].layer else known[name].sources
    beside = [reader for name in found for reader in readers[name]]
    found.update(reader.name for reader in beside if not reader.layer and len(reader.sources) == 1)
    return frozenset(found)
