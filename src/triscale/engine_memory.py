"""Bytes by which the process of an engine grows when it opens a network and runs it, counted from the spec.

An engine reads a file, packs the weights as its kernels want them, keeps maps, and has code and tables of its own. None
of this is in the spec, so the shares are fitted: `python -m benchmarks.engine_memory --fit` measures processes and
prints `LAWS`. The parts that they multiply are counted; docs/memory.md has the errors on networks that were not fitted.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType

from triscale.costs import Metric, Target, file_size, inference_memory, offer
from triscale.costs.memory.static_plan import ELEMENT, peak
from triscale.costs.target import TargetPrecision
from triscale.errors import InputError
from triscale.quantities import BYTES
from triscale.spec import Layer, Network, Resolved, resolve
from triscale.spec.dataflow import Activate, Node, Normalize, Sum, Unit, nodes_of

_GATES = ("silu", "hard_swish", "sigmoid", "hard_sigmoid")


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """What a network has that an engine's memory follows.

    Attributes:
        weights: bytes of the weights in the precision.
        dense: those of convolutions of 3x3 and more without groups, which some engines keep in two forms; for the
            native engine those of 3x3 with stride 1, which it transforms.
        maps: bytes of the maps that live at once, as the engine plans them, of all images of a step; the native engine
            takes one image after the other.
        images: bytes of the images of a step, in float32.
        layers, gates: how many layers there are, and how many of them end in SiLU, a hard-swish or a gate.
    """

    weights: int
    dense: int
    maps: int
    images: int
    layers: int
    gates: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Law:
    """Bytes for each of the parts, and those that every network takes."""

    fixed: float
    weights: float
    maps: float = 0.0
    images: float = 0.0
    dense: float = 0.0
    layers: float = 0.0
    gates: float = 0.0

    def of(self, parts: Parts) -> int:
        """Bytes of a network."""
        held = self.weights * parts.weights + self.dense * parts.dense
        seen = self.maps * parts.maps + self.images * parts.images
        return round(self.fixed + held + seen + self.layers * parts.layers + self.gates * parts.gates)


LAWS: Mapping[tuple[str, TargetPrecision], Law] = MappingProxyType(
    {
        ("torch", "float32"): Law(fixed=1.03e08, weights=0.989, maps=1.71, images=1.05, layers=2.32e05),
        ("torch", "bfloat16"): Law(fixed=1.06e08, weights=0.941, maps=0.895, images=5.7, layers=1.1e05, gates=1.95e03),
        ("onnxruntime", "float32"): Law(fixed=1.3e07, weights=2, maps=2.34, images=1.08, dense=0.68, gates=5.53e04),
        ("onnxruntime", "int8"): Law(fixed=1.66e07, weights=1.92, maps=2.37, images=0.327, layers=5.23e03),
        ("openvino", "float32"): Law(
            fixed=4.64e07, weights=1.87, maps=0.88, images=3.14, dense=0.0904, layers=2.41e05, gates=6.17e04
        ),
        ("openvino", "bfloat16"): Law(
            fixed=4.87e07, weights=3.07, maps=0.558, images=3.53, layers=1.68e05, gates=1.05e05
        ),
        ("openvino", "int8"): Law(fixed=4.86e07, weights=1.56, images=4.65, dense=0.693, layers=5.02e05, gates=2.61e05),
        ("native", "float32"): Law(fixed=2.14e06, weights=1.02, maps=0.402, images=0.972, dense=0.831, gates=8.63e03),
    }
)
"""By engine and precision, in one thread; made with the versions in the record `engine_memory`."""


def engine_memory(network: Network, target: Target) -> int:
    """Bytes by which the process of `target.runtime` grows at most: file, packed weights, maps and the engine's own.

    Args:
        network: a spec.
        target: engine, precision and batch are read.

    Raises:
        InputError: nothing is known of this engine in this precision, or the engine cannot run the network.
    """
    law = LAWS.get((target.runtime, target.precision))
    if law is None:
        known = ", ".join(f"{engine}:{precision}" for engine, precision in LAWS)
        raise InputError(f"the memory of {target.runtime}:{target.precision} is not known; it is of {known}.")
    return law.of(parts_of(network, target))


@lru_cache(maxsize=1 << 10)
def parts_of(network: Network, target: Target) -> Parts:
    """The parts of a network on an engine; see `engine_memory`."""
    resolved, precision = resolve(network), target.precision
    layers = [layer for _, block in resolved.flat() for layer in block.layers]
    is_dense = _is_transformed if target.runtime == "native" else _is_dense
    return Parts(
        weights=file_size(resolved, precision),
        dense=ELEMENT[precision] * sum(_weights(layer) for layer in layers if is_dense(layer)),
        maps=_maps(resolved, target),
        images=target.batch * ELEMENT["float32"] * network.input_channels * math.prod(network.resolution),
        layers=len(layers),
        gates=sum(layer.activation in _GATES for layer in layers),
    )


def _weights(layer: Layer) -> int:
    return layer.out_channels * (layer.in_channels // layer.groups) * layer.kernel**2


def _is_dense(layer: Layer) -> bool:
    return layer.kind == "conv" and layer.kernel > 1 and layer.groups == 1


def _is_transformed(layer: Layer) -> bool:
    return _is_dense(layer) and layer.kernel == 3 and layer.stride == 1


def _maps(resolved: Resolved, target: Target) -> int:
    if target.runtime == "torch":
        return inference_memory(resolved, target.batch) - file_size(resolved)
    nodes, images = nodes_of(resolved), 1 if target.runtime == "native" else target.batch
    if target.runtime == "onnxruntime":
        nodes = _apart(nodes, "int8" if target.precision == "int8" else "float32")
    return images * ELEMENT[target.precision] * peak(nodes)


_STEPS: Mapping[tuple[str, TargetPrecision], tuple[tuple[int, tuple[int, ...]], ...]] = MappingProxyType({
    ("silu", "float32"): ((1, (0,)),),
    ("hard_swish", "float32"): ((1, (0,)),),
    ("silu", "int8"): ((1, (0,)), (1, (0, 1))),
    ("hard_swish", "int8"): ((4, (0,)), (4, (1,)), (4, (1, 2)), (1, (3,))),
})  # fmt: skip
"""The operators of an activation in ONNX Runtime: how many times as large as the layer's each one's map is, and which
maps it reads, 0 being the layer's. In int8 SiLU is a sigmoid and a product, and a hard-swish is computed in float32."""


def _apart(nodes: Sequence[Node], precision: TargetPrecision) -> tuple[Node, ...]:
    """The same with SiLU and hard-swish as operators of their own, which make maps of their own."""
    found, at = list[Node](), list[int]()
    for node in nodes:
        first = len(found)
        found.append(node._replace(inputs=tuple(at[one] for one in node.inputs)))
        for times, read in _STEPS.get((_activation(node), precision), ()):
            inputs = tuple(first + one for one in read)
            found.append(node._replace(operation=Sum(), inputs=inputs, channels=times * node.channels))
        at.append(len(found) - 1)
    return tuple(found)


def _activation(node: Node) -> str:
    match node.operation:
        case Activate(kind=kind):
            return kind
        case Unit(layer=layer) | Normalize(layer=layer):
            return layer.activation or ""
        case _:
            return ""


ENGINE_MEMORY = offer(
    Metric(
        name="engine_memory", unit=BYTES, deterministic=True, monotone=True, needs=frozenset({"target"}),
        evaluate=lambda network, target: engine_memory(network, replace(target.engine or target, machine=None)),
    )
)  # fmt: skip
"""Of an engine, see `engine_memory`."""
