"""What a resolved network does to its maps, operation by operation, in the order of the data.

Whoever runs, writes or plans a network reads this and not its blocks: a new block is written here once.
"""

from itertools import groupby

from triscale.spec.dataflow.block_operations import write_block
from triscale.spec.dataflow.block_writer import BlockWriter
from triscale.spec.dataflow.cell_operations import write_cell
from triscale.spec.dataflow.operations import (
    Activate,
    Concatenate,
    Image,
    Mean,
    Node,
    Normalize,
    Operation,
    Pooling,
    Scale,
    Shift,
    Sum,
    Unit,
)
from triscale.spec.resolved import Resolved

__all__ = [
    "Activate",
    "Concatenate",
    "Image",
    "Mean",
    "Node",
    "Normalize",
    "Operation",
    "Pooling",
    "Scale",
    "Shift",
    "Sum",
    "Unit",
    "module_names",
    "nodes_of",
]


def nodes_of(resolved: Resolved) -> tuple[Node, ...]:
    """The operations from the image, node 0, to the logits, the last node; none comes before what it reads."""
    network = resolved.network
    nodes = [Node(Image(), (), network.input_channels, network.resolution, -1, "", "image")]
    x = previous = 0
    for number, ((_, block), module) in enumerate(zip(resolved.flat(), module_names(resolved), strict=True)):
        at = BlockWriter(nodes, number, module)
        if block.cell:
            x, previous = write_cell(at, block, x, previous), x
        else:
            x = previous = write_block(at, block, x)
    return tuple(nodes)


def module_names(resolved: Resolved) -> list[str]:
    """The module of each block in the built network, in the order of `flat()`; of a head, the root: empty."""
    names = {0: "stem", -1: ""}
    stages = [stage for stage, _ in resolved.flat()]
    return [
        names.get(stage, f"stages.{stage - 1}.{place}")
        for stage, blocks in groupby(stages)
        for place, _ in enumerate(blocks)
    ]
