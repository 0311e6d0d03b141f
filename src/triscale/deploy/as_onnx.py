"""ONNX: one file that holds graph, weights and lock, run by ONNX Runtime."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Self

import torch
from torch import Tensor, nn

from triscale.deploy.about import INPUT, KEY, OUTPUT, About, about_from
from triscale.deploy.exported import Exported, Floats, RunLogits, exported
from triscale.deploy.traced import Shapes, quiet
from triscale.engines import OnnxRuntimeEngine
from triscale.errors import InputError
from triscale.seal import refuse_unsealed, sealed
from triscale.weights.read.strict import shown
from triscale.weights.read.tensor_file import first_line

MOST_BYTES = 2_000_000_000
"""What one file can hold: the format's messages end at 2 GiB."""


def library(name: str) -> ModuleType:
    """A library of the extra, imported; InputError names the extra where it is missing."""
    try:
        return import_module(name)
    except ImportError:
        raise InputError(f"ONNX files need {name}: pip install 'triscale[export]'.") from None


def runtime() -> str:
    """What runs the files."""
    return f"ONNX Runtime {library('onnxruntime').__version__}"


class AsOnnx:
    """A graph as the bytes of an ONNX file."""

    def __init__(self, proto: Any) -> None:
        self.proto = proto

    @classmethod
    def traced(cls, model: nn.Module, example: Tensor, shapes: Shapes) -> Self:
        """The graph of a model."""
        library("onnx")
        library("onnxscript")
        weights = sum(tensor.numel() * tensor.element_size() for tensor in model.state_dict().values())
        if weights > MOST_BYTES:
            raise InputError(f"{weights:,} bytes of weights are more than an ONNX file can hold; give a .pt2 file.")
        with quiet():
            program = torch.onnx.export(
                model, (example,), dynamo=True, dynamic_shapes=shapes, input_names=[INPUT], output_names=[OUTPUT],
                verbose=False,
            )  # fmt: skip
        assert program is not None  # noqa: S101  it is None only where a file is written
        proto: Any = program.model_proto
        for node in proto.graph.node:  # the places of the sources on this machine
            del node.metadata_props[:]
            node.doc_string = ""
        return cls(proto)

    def packed(self, about: About) -> bytes:
        """The file's bytes with a lock."""
        del self.proto.metadata_props[:]
        self.proto.metadata_props.add(key=KEY, value=about.text())
        payload: bytes = self.proto.SerializeToString()
        return sealed(payload)


def opened(payload: bytes, path: Path) -> Exported:
    """Open the bytes of an ONNX file that triscale wrote.

    Args:
        payload: the bytes; the file itself is not read again, so what was checked is what runs.
        path: for messages.

    Raises:
        InputError: no export of ours, damaged, or with weights in other files.
    """
    onnx = library("onnx")
    library("onnxruntime")
    try:
        proto = onnx.load_model_from_string(payload)
    except Exception:  # noqa: BLE001  what protobuf raises changed, and may change again
        raise InputError(f"{path} is not an ONNX file, or it is cut off.") from None
    refuse_external(proto, path)
    refuse_unsealed(payload, path)
    about = about_from(next((one.value for one in proto.metadata_props if one.key == KEY), ""), path)
    del proto
    try:
        run = runner(payload)
    except Exception as error:  # noqa: BLE001  the runtime has errors of its own for each fault
        raise InputError(f"ONNX Runtime does not open {path}: {first_line(error)}.") from None
    return exported(about, run)


def runner(payload: bytes) -> RunLogits:
    """What runs the bytes of an ONNX graph, on as many threads as torch."""
    library("onnxruntime")
    engine = OnnxRuntimeEngine()
    session = engine.session(payload, engine.options(torch.get_num_threads()))

    def run(pictures: Floats) -> Floats:
        logits: Floats = session.run([OUTPUT], {INPUT: pictures})[0]
        return logits

    return run


def refuse_external(proto: Any, path: Path) -> None:
    """InputError if any tensor lies in another file: its name could lead anywhere, and no export of ours has any."""
    for tensor in _tensors(proto):
        if tensor.data_location or tensor.external_data:
            places = {entry.key: entry.value for entry in tensor.external_data}
            raise InputError(
                f"{path} wants to read weights from another file ({shown(places.get('location', 'unnamed'))}); "
                "it was not opened.\nAn export of triscale is one file."
            )


def _tensors(message: Any) -> Iterator[Any]:
    """Every tensor in a message of ONNX, however deep: initializers, attributes, subgraphs, functions."""
    if message.DESCRIPTOR.name == "TensorProto":
        yield message
        return
    for field, value in message.ListFields():
        if field.message_type is not None:
            for part in value if hasattr(value, "__len__") else (value,):
                yield from _tensors(part)
