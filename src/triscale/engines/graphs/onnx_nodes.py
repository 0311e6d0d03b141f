"""Each operation of a network as nodes of an ONNX graph."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from triscale.engines.graphs.graph_draft import INPUT, SILU_SIGMOID, GraphDraft
from triscale.layer_weights import LayerWeights
from triscale.spec import Activation, Gate
from triscale.spec.dataflow import (
    Activate,
    Concatenate,
    Image,
    Mean,
    Node,
    Normalize,
    Pooling,
    Scale,
    Shift,
    Sum,
    Unit,
)
from triscale.spec.layer import Pad

_ONE_NODE = {"relu": "Relu", "hard_swish": "HardSwish", "sigmoid": "Sigmoid"}
_POOLINGS = {"max": "MaxPool", "avg": "AveragePool"}


@dataclass(frozen=True)
class NodeWriter:
    """Appends operations to a draft.

    Every tensor of block 3 is called "3." and then its role and its operation, such as "3.depthwise.conv", so that
    whoever profiles an engine can say which layer a kernel ran.

    Attributes:
        draft: what is written.
        weights: where constants come from.
        eps: of the norms.
    """

    draft: GraphDraft
    weights: LayerWeights
    eps: float

    def write(self, node: Node, inputs: Sequence[str]) -> str:
        """Append what computes the node from tensors; the name of its tensor."""
        add, role = self.draft.add, f"{node.block}.{node.role}"
        match node.operation:
            case Image():
                y = INPUT
            case Unit() as unit:
                y = self._unit(unit, role, inputs[0])
            case Normalize() as norm:
                y = self._norm(norm, role, inputs[0])
            case Activate(kind):
                y = self._activation(inputs[0], role, kind)
            case Mean(flat):
                axes = self._whole("mean.axes", (2, 3))
                y = add("ReduceMean", f"{role}.mean", inputs[0], axes, keepdims=int(not flat))
            case Pooling(kind, kernel, stride, pad):
                sides = {"kernel_shape": (kernel, kernel), "strides": (stride, stride), "pads": _around(pad)}
                y = add(_POOLINGS[kind], f"{role}.{kind}_pool", inputs[0], **sides)
            case Scale():
                y = add("Mul", f"{role}.scaled", *inputs)
            case Sum():
                y = add("Add", f"{role}.sum", *inputs)
            case Concatenate():
                y = add("Concat", f"{role}.channels", *inputs, axis=1)
            case Shift(pad):
                y = self._shift(pad, role, inputs[0])
        return y

    def _unit(self, unit: Unit, role: str, x: str) -> str:
        """A norm is folded."""
        layer = unit.layer
        weight, bias = self.weights.folded(unit.conv, unit.norm, layer)
        inputs = [x, self.draft.constant(f"{role}.weight", weight)]
        if bias is not None:
            inputs.append(self.draft.constant(f"{role}.bias", bias))
        if layer.kind == "linear":
            y = self.draft.add("Gemm", f"{role}.linear", *inputs, transB=1)
        else:
            y = self.draft.add(
                "Conv", f"{role}.conv", *inputs,
                kernel_shape=(layer.kernel, layer.kernel), strides=(layer.stride, layer.stride),
                pads=_around(layer.pad), group=layer.groups,
            )  # fmt: skip
        return self._activation(y, role, layer.activation)

    def _norm(self, norm: Normalize, role: str, x: str) -> str:
        found = self.weights.norm(norm.module, norm.layer)
        constants = [self.draft.constant(f"{role}.{part}", value) for part, value in found._asdict().items()]
        y = self.draft.add("BatchNormalization", f"{role}.norm", x, *constants, epsilon=self.eps)
        return self._activation(y, role, norm.layer.activation)

    def _activation(self, x: str, role: str, kind: Activation | Gate | None) -> str:
        """As exporters write it: SiLU in two nodes, the others in one; None leaves x."""
        if kind is None:
            return x
        y = f"{role}.{kind}"
        if kind == "silu":
            return self.draft.add("Mul", y, x, self.draft.add("Sigmoid", f"{role}.{SILU_SIGMOID}", x))
        if kind == "relu6":
            limits = (self.draft.constant(f"relu6.{name}", np.array(to, np.float32)) for name, to in _RELU6)
            return self.draft.add("Clip", y, x, *limits)
        if kind == "hard_sigmoid":
            return self.draft.add("HardSigmoid", y, x, alpha=1 / 6, beta=0.5)
        return self.draft.add(_ONE_NODE[kind], y, x)

    def _shift(self, pad: Pad, role: str, x: str) -> str:
        limits = {"starts": (1, 1), "ends": (1 << 30, 1 << 30), "axes": (2, 3), "steps": (2, 2)}
        y = self.draft.add("Slice", f"{role}.slice", x, *(self._whole(f"slice.{k}", v) for k, v in limits.items()))
        _, bottom, _, right = pad
        if not bottom and not right:
            return y
        zeros = self._whole(f"slice.pad{bottom}{right}", (0, 0, 0, 0, 0, 0, bottom, right))
        return self.draft.add("Pad", f"{role}.pad", y, zeros)

    def _whole(self, name: str, values: tuple[int, ...]) -> str:
        return self.draft.constant(name, np.array(values, dtype=np.int64))


_RELU6 = (("lowest", 0), ("most", 6))


def _around(pad: Pad) -> tuple[int, int, int, int]:
    """(Top, bottom, left, right) in the order of ONNX: top, left, bottom, right."""
    top, bottom, left, right = pad
    return top, left, bottom, right
