"""What an engine's own profile says, and which kernel of the predictor each of its nodes belongs to."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import mean
from typing import NamedTuple

from triscale.engines.graphs import OUTPUT
from triscale.latency.predictor.block_kernels import HEAD, POOL, SILU, SQUEEZE, last_layer
from triscale.spec import Block, Resolved

Place = tuple[int, str]
"""The number of a block, and the role of a kernel in it."""

_TAG = re.compile(r"(\d+)\.((?:(?:operation\d+|current|previous)\.)?\w+)\.(\w+)")
"""Number of a block, role of a layer (those of cells have two words), what it is there."""

_TOLERANCE, _FAST = 1.15, 8
"""Runs above so many times the fast ones were disturbed; fast is the first of so many."""

_HEAD_ROLES = ("pooled", "hidden", "classifier")


class NodeTimes(NamedTuple):
    """One node of an engine's graph: microseconds of each run."""

    name: str
    operation: str
    microseconds: tuple[float, ...]


def lowest(microseconds: Sequence[float], grain: float) -> float:
    """The time of a node in milliseconds: the mean of the faster half of its undisturbed runs.

    Where single runs are known to a coarse grain alone, of all undisturbed ones: the fastest are then wrong, not fast.
    """
    values = sorted(microseconds)
    calm = [value for value in values if value <= values[len(values) // _FAST] * _TOLERANCE + grain]
    return mean(calm[: max(1, len(calm) // 2)] if grain <= 1 else calm) / 1e3


def pooled(passes: Iterable[Sequence[NodeTimes]]) -> tuple[NodeTimes, ...]:
    """The runs of all passes by node; the first run of each pass warms up and does not count."""
    found = dict[tuple[str, str], list[float]]()
    for nodes in passes:
        for node in nodes:
            found.setdefault((node.name, node.operation), []).extend(node.microseconds[1:])
    return tuple(NodeTimes(*key, tuple(values)) for key, values in found.items() if values)


def kernel_times(resolved: Resolved, nodes: Iterable[NodeTimes], grain: float) -> Mapping[Place, float]:
    """Milliseconds of each kernel, by the number of its block and its role.

    A node that the engine added, such as a change of layout, has no name of ours: it counts for the named node that
    it prepares (a reorder to plain layout) or follows. `grain` is how exactly a run is known, in microseconds.
    """
    blocks = [block for _, block in resolved.flat()]
    found = defaultdict[Place, float](float)
    before, waiting = (0, blocks[0].layers[-1].role), 0.0
    for node in nodes:
        place = _place(node, blocks)
        if place is not None:
            found[place] += lowest(node.microseconds, grain) + waiting
            before, waiting = place, 0.0
        elif node.operation == "ReorderOutput":
            waiting += lowest(node.microseconds, grain)
        else:
            found[before] += lowest(node.microseconds, grain)
    found[before] += waiting
    return found


def _place(node: NodeTimes, blocks: Sequence[Block]) -> Place | None:
    if node.name.startswith(OUTPUT):
        return len(blocks) - 1, HEAD
    tag = _TAG.search(node.name)
    if tag is None or int(tag[1]) >= len(blocks):
        return None
    number, role, what = int(tag[1]), tag[2], tag[3]
    return number, _role(blocks[number], role, what, node.operation)


def _role(block: Block, role: str, what: str, operation: str) -> str:
    if role in ("squeeze", "excite"):
        return SQUEEZE
    if role in _HEAD_ROLES:
        return HEAD
    if role == POOL:
        return POOL
    if role == "skip":
        return last_layer(block)
    if operation == "DequantizeLinear" and what != "conv" and (block.squeeze_channels or block.operator == "head"):
        return SQUEEZE if block.squeeze_channels else HEAD  # which take a mean in float32
    return role + SILU if what.startswith("silu") and operation in _SILU_OPERATIONS else role


_SILU_OPERATIONS = ("QuickGelu", "Sigmoid", "Mul", "Swish", "QLinearSigmoid", "QLinearMul")
