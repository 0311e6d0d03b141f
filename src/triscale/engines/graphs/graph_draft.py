"""A graph while it is written: nodes and constants in plain Python, and how they become the bytes of an ONNX model."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import IO, Any, NamedTuple

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

_ALIGNED = 64
"""Bytes, of which each constant in a file of its own begins at a multiple."""

_SMALL = 1024
"""Bytes of a constant that is in the model in any case."""

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
        if self.weight_bytes > MOST_BYTES:
            raise InputError(
                f"{self.weight_bytes:,} bytes of weights are more than one ONNX model can hold ({MOST_BYTES:,})."
            )
        onnx = onnx_library()
        tensors = [onnx.numpy_helper.from_array(np.asarray(v, order="C"), name) for name, v in self.constants.items()]
        payload: bytes = self._model(onnx, tensors, batch, channels, size, classes).SerializeToString()
        return payload

    def write(self, path: Path, batch: int, channels: int, size: Size, classes: int) -> None:
        """The file of the model; what one model cannot hold has its weights in a `.bin` beside it.

        Raises:
            InputError: onnx is not installed.
        """
        if self.weight_bytes <= MOST_BYTES:
            path.write_bytes(self.to_bytes(batch, channels, size, classes))
            return
        onnx, weights = onnx_library(), path.with_suffix(".bin")
        with weights.open("wb") as file:
            tensors = [_outside(onnx, name, value, file, weights.name) for name, value in self.constants.items()]
        path.write_bytes(self._model(onnx, tensors, batch, channels, size, classes).SerializeToString())

    @property
    def weight_bytes(self) -> int:
        """Bytes of all constants."""
        return sum(value.nbytes for value in self.constants.values())

    def _model(self, onnx: Any, tensors: Sequence[Any], batch: int, channels: int, size: Size, classes: int) -> Any:
        helper, real = onnx.helper, onnx.TensorProto.FLOAT
        graph = helper.make_graph(
            [_node(onnx, node) for node in self.nodes],
            "triscale",
            [helper.make_tensor_value_info(INPUT, real, (batch, channels, *size))],
            [helper.make_tensor_value_info(OUTPUT, real, (batch, classes))],
            tensors,
        )
        opset = helper.make_opsetid("", OPSET)
        return helper.make_model(
            graph, opset_imports=[opset], ir_version=helper.find_min_ir_version_for([opset]), producer_name="triscale"
        )


def _outside(onnx: Any, name: str, value: Constant, file: IO[bytes], location: str) -> Any:
    """A tensor whose bytes are appended to a file, as the model says; what shapes follow from stays inside."""
    whole = np.asarray(value, order="C")
    if whole.nbytes < _SMALL:
        return onnx.numpy_helper.from_array(whole, name)
    file.write(bytes(-file.tell() % _ALIGNED))
    place = {"location": location, "offset": file.tell(), "length": whole.nbytes}
    file.write(whole.data)
    tensor = onnx.TensorProto(
        name=name, dims=whole.shape, data_type=onnx.helper.np_dtype_to_tensor_dtype(whole.dtype),
        data_location=onnx.TensorProto.EXTERNAL,
    )  # fmt: skip
    for key, text in place.items():
        tensor.external_data.add(key=key, value=str(text))
    return tensor


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
