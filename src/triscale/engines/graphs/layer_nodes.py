"""The nodes of single layers: convolution, linear, norm, activation, pooling."""

from dataclasses import dataclass

import numpy as np

from triscale.engines.graphs.graph_draft import GraphDraft
from triscale.layer_weights import LayerWeights
from triscale.spec import Activation, Gate, Layer
from triscale.spec.layer import Pad


@dataclass(frozen=True)
class LayerWriter:
    """Appends layers to a draft.

    Every tensor of block 3 is called "3." and then its layer's role and its operation, such as "3.depthwise.conv", so
    that whoever profiles an engine can say which layer a kernel ran.

    Attributes:
        draft: what is written.
        weights: where constants come from.
        eps: of the norms.
        block: the number of the block, in the order of the data.
        module: the name of the block's module in the built network; empty: the root.
    """

    draft: GraphDraft
    weights: LayerWeights
    eps: float
    block: int
    module: str

    def name(self, role: str, operation: str) -> str:
        """Of a tensor."""
        return f"{self.block}.{role}.{operation}"

    def path(self, *names: str) -> str:
        """Of a module inside of the block's."""
        return ".".join(name for name in (self.module, *names) if name)

    def unit(self, x: str, layer: Layer, unit: str) -> str:
        """Convolution, norm, activation: a `ConvUnit` called `unit`."""
        return self.layer(x, layer, conv=self.path(unit, "conv"), norm=self.path(unit, "norm"))

    def layer(self, x: str, layer: Layer, *, conv: str, norm: str = "") -> str:
        """A convolution or linear layer with what follows it; a norm is folded."""
        weight, bias = self.weights.folded(conv, norm, layer)
        inputs = [x, self.draft.constant(self.name(layer.role, "weight"), weight)]
        if bias is not None:
            inputs.append(self.draft.constant(self.name(layer.role, "bias"), bias))
        if layer.kind == "linear":
            y = self.draft.add("Gemm", self.name(layer.role, "linear"), *inputs, transB=1)
        else:
            y = self.draft.add(
                "Conv", self.name(layer.role, "conv"), *inputs,
                kernel_shape=(layer.kernel, layer.kernel), strides=(layer.stride, layer.stride),
                pads=around(layer.pad), group=layer.groups,
            )  # fmt: skip
        return self.activation(y, layer.role, layer.activation)

    def norm(self, x: str, layer: Layer, module: str) -> str:
        """A norm that stands alone, and its activation."""
        found = self.weights.norm(module, layer)
        constants = [self.draft.constant(self.name(layer.role, part), value) for part, value in found._asdict().items()]
        y = self.draft.add("BatchNormalization", self.name(layer.role, "norm"), x, *constants, epsilon=self.eps)
        return self.activation(y, layer.role, layer.activation)

    def activation(self, x: str, role: str, kind: Activation | Gate | None) -> str:
        """As exporters write it: SiLU in two nodes, the others in one; None leaves x."""
        if kind is None:
            return x
        y = self.name(role, kind)
        if kind == "silu":
            return self.draft.add("Mul", y, x, self.draft.add("Sigmoid", self.name(role, "silu_sigmoid"), x))
        if kind == "relu6":
            lowest = self.draft.constant("relu6.lowest", np.array(0, dtype=np.float32))
            return self.draft.add("Clip", y, x, lowest, self.draft.constant("relu6.most", np.array(6, np.float32)))
        if kind == "hard_sigmoid":
            return self.draft.add("HardSigmoid", y, x, alpha=1 / 6, beta=0.5)
        return self.draft.add({"relu": "Relu", "hard_swish": "HardSwish", "sigmoid": "Sigmoid"}[kind], y, x)

    def mean(self, x: str, role: str, *, keep: bool) -> str:
        """The mean of each map, [n, c, 1, 1] or [n, c]."""
        axes = self.draft.constant("mean.axes", np.array([2, 3], dtype=np.int64))
        return self.draft.add("ReduceMean", self.name(role, "mean"), x, axes, keepdims=int(keep))

    def pool(self, x: str, role: str, kind: str, kernel: int, stride: int, pad: Pad) -> str:
        """Max or average pooling; what is padded counts for nothing."""
        operation = {"max": "MaxPool", "avg": "AveragePool"}[kind]
        return self.draft.add(
            operation, self.name(role, f"{kind}_pool"), x,
            kernel_shape=(kernel, kernel), strides=(stride, stride), pads=around(pad),
        )  # fmt: skip


def around(pad: Pad) -> tuple[int, int, int, int]:
    """(Top, bottom, left, right) in the order of ONNX: top, left, bottom, right."""
    top, bottom, left, right = pad
    return top, left, bottom, right
