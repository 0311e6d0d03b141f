"""A graph while it is written: nodes and constants in plain Python, and how they become the bytes of an ONNX model."""

from importlib import import_module
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from triscale.errors import InputError
from triscale.spec import Size

INPUT, OUTPUT = "input", "logits"
SILU_SIGMOID = "silu_sigmoid"
"""How names of the first of the two nodes of a SiLU end."""

OPSET = 20
"""Of the ONNX operators that are used: ONNX Runtime 1.17 and OpenVINO 2024.0 and later run it."""

MOST_BYTES = 2_000_000_000
"""What one model can hold: the format's messages end at 2 GiB."""

Attribute = int | float | tuple[int, ...]
Constant = NDArray[Any]


class Node(NamedTuple):
    """One operation. Its name is that of its only output."""

    operation: str
    inputs: tuple[str, ...]
    output: str
    attributes: tuple[tuple[str, Attribute], ...] = ()


class GraphDraft:
    """Nodes in the order of the data, with the constants that they read.

    Attributes:
        nodes: every node once, none before what it reads.
        constants: weights and parameters by name.
    """

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.constants: dict[str, Constant] = {}

    def add(self, operation: str, output: str, *inputs: str, **attributes: Attribute) -> str:
        """Append a node; returns the name of its output."""
        self.nodes.append(Node(operation, inputs, output, tuple(attributes.items())))
        return output

    def constant(self, name: str, value: Constant) -> str:
        """Keep a constant, once if several nodes read it; returns its name."""
        self.constants.setdefault(name, value)
        return name

    def to_bytes(self, batch: int, channels: int, size: Size, classes: int) -> bytes:
        """The model for images [batch, channels, h, w] -> logits [batch, classes].

        Raises:
            InputError: onnx is not installed, or the weights are more than a model can hold.
        """
        weights = sum(value.nbytes for value in self.constants.values())
        if weights > MOST_BYTES:
            raise InputError(f"{weights:,} bytes of weights are more than one ONNX model can hold ({MOST_BYTES:,}).")
        onnx = onnx_library()
        helper, real = onnx.helper, onnx.TensorProto.FLOAT
        graph = helper.make_graph(
            [_node(onnx, node) for node in self.nodes],
            "triscale",
            [helper.make_tensor_value_info(INPUT, real, (batch, channels, *size))],
            [helper.make_tensor_value_info(OUTPUT, real, (batch, classes))],
            [onnx.numpy_helper.from_array(np.asarray(v, order="C"), name) for name, v in self.constants.items()],
        )
        opset = helper.make_opsetid("", OPSET)
        model = helper.make_model(
            graph, opset_imports=[opset], ir_version=helper.find_min_ir_version_for([opset]), producer_name="triscale"
        )
        payload: bytes = model.SerializeToString()
        return payload


def onnx_library() -> ModuleType:
    """The library that writes ONNX files.

    Raises:
        InputError: it is not installed.
    """
    try:
        return import_module("onnx")
    except ImportError:
        raise InputError("writing ONNX graphs needs onnx: pip install 'triscale[export]'.") from None


def _node(onnx: Any, node: Node) -> Any:
    return onnx.helper.make_node(
        node.operation, list(node.inputs), [node.output], name=node.output, **dict(node.attributes)
    )
