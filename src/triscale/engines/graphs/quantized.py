"""A float32 draft to int8, by quantize and dequantize nodes (QDQ) as quantizers of ONNX files place them."""

from collections import Counter

import numpy as np

from triscale.engines.graphs.graph_draft import OUTPUT, SILU_SIGMOID, Constant, GraphDraft, Node
from triscale.layer_weights import Floats

_FUSED = {"Relu", "Clip"}
"""Engines compute these at the end of the operation in front, which is not quantized then."""

_MOVES = {"MaxPool", "Slice", "Pad"}
"""Operations that only move values: what they leave has the scale of what they take."""

_RANGES = {"Relu": (0.0, 4.0), "Clip": (0.0, 6.0), "Sigmoid": (0.0, 1.0), "HardSigmoid": (0.0, 1.0)}
_OTHERS = (-4.0, 4.0)
_GRAIN = 255
_WEIGHT_OPERATIONS = {"Conv", "Gemm"}


def quantized(draft: GraphDraft, seed: int, *, whole_silu: bool = False) -> GraphDraft:
    """The same operations on int8: weights signed and by channel, activations unsigned with a zero point.

    The ranges of activations are those of the operation that makes them, times a draw between 0.5 and 1. What a
    calibration measures behind a ReLU6 is at most 6, too: engines leave it in float32 where a range is wider.

    Args:
        draft: in float32.
        seed: of the ranges.
        whole_silu: a SiLU is one operation, at the end of the one in front where there is one.
    """
    return _Quantizer(draft, seed, whole_silu=whole_silu).draft


class _Quantizer:
    def __init__(self, draft: GraphDraft, seed: int, *, whole_silu: bool) -> None:
        self._whole_silu = whole_silu
        self.draft, self._old = GraphDraft(), draft
        self._draws = np.random.default_rng(seed)
        self._readers = Counter(name for node in draft.nodes for name in node.inputs)
        self._next = {name: node for node in reversed(draft.nodes) for name in node.inputs}
        self._read: dict[str, str] = {}  # tensor of the float graph -> what is read in its place
        self._parameters: dict[str, tuple[str, str]] = {}  # tensor -> names of its scale and zero point
        first = draft.nodes[0].inputs[0]
        self._pass(first, _OTHERS)
        for node in draft.nodes:
            self._add(node)

    def _add(self, node: Node) -> None:
        self.draft.nodes.append(node._replace(inputs=self._inputs(node)))
        if self._is_fused(node):
            return
        if node.operation in _MOVES:
            self._parameters[node.output] = self._parameters[node.inputs[0]]
        self._pass(node.output, _RANGES.get(node.operation, _OTHERS))

    def _is_fused(self, node: Node) -> bool:
        """Whether all readers are computed together with the node."""
        if node.output == OUTPUT:
            return True
        following = self._next[node.output]
        if self._whole_silu and SILU_SIGMOID in (node.output.rpartition(".")[2], following.output.rpartition(".")[2]):
            return True
        return self._readers[node.output] == 1 and following.operation in _FUSED

    def _inputs(self, node: Node) -> tuple[str, ...]:
        if node.operation not in _WEIGHT_OPERATIONS:
            return tuple(self._read.get(name) or self._keep(name) for name in node.inputs)
        x, weight, *bias = node.inputs
        scales = self._weight(weight)
        return (self._read[x], f"{weight}.real", *(self._bias(name, x, scales) for name in bias))

    def _keep(self, name: str) -> str:
        if name in self._old.constants:
            self.draft.constant(name, self._old.constants[name])
        return name

    def _pass(self, name: str, limits: tuple[float, float]) -> None:
        """Quantize a tensor and read it dequantized from now on."""
        if name not in self._parameters:
            self._parameters[name] = self._scale(name, limits)
        parameters = self._parameters[name]
        whole = self.draft.add("QuantizeLinear", f"{name}.quantized", name, *parameters)
        self._read[name] = self.draft.add("DequantizeLinear", f"{name}.real", whole, *parameters)

    def _scale(self, name: str, limits: tuple[float, float]) -> tuple[str, str]:
        lowest, most = limits
        scale = np.float32((most - lowest) * self._draws.uniform(0.5, 1) / _GRAIN)
        zero = np.uint8(round(-lowest / (most - lowest) * _GRAIN))
        return self.draft.constant(f"{name}.scale", np.array(scale)), self.draft.constant(
            f"{name}.zero", np.array(zero)
        )

    def _weight(self, name: str) -> Floats:
        """A weight by channel; returns its scales [out]."""
        weight = self._old.constants[name]
        most = np.abs(weight.reshape(len(weight), -1)).max(1)
        scales: Floats = (np.maximum(most, 1e-6) / 127).astype(np.float32)
        whole = np.rint(weight / scales.reshape(-1, *[1] * (weight.ndim - 1))).astype(np.int8)
        self._dequantized(name, whole, scales)
        return scales

    def _bias(self, name: str, x: str, scales: Floats) -> str:
        """A bias in int32, whose scale must be that of the products."""
        products = scales * self.draft.constants[self._parameters[x][0]]
        whole = np.rint(self._old.constants[name] / products).clip(-(2**31), 2**31 - 1).astype(np.int32)
        return self._dequantized(name, whole, products)

    def _dequantized(self, name: str, whole: Constant, scales: Constant) -> str:
        zeros = self.draft.constant(f"{name}.zero", np.zeros(len(scales), dtype=whole.dtype))
        parts = self.draft.constant(f"{name}.whole", whole), self.draft.constant(f"{name}.scale", scales), zeros
        return self.draft.add("DequantizeLinear", f"{name}.real", *parts, axis=0)
