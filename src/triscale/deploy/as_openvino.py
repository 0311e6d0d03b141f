"""OpenVINO: `.xml` with graph and lock, `.bin` beside it with the weights; run in the precision that the file says.

At its own choice OpenVINO computes in bfloat16 or float16 where the processor can, which moves logits by up to some
percent; so its runner here, and anybody's who wants the proven answers, sets INFERENCE_PRECISION_HINT: to bf16 where
the file says bfloat16, else to f32, in int8 files too, whose other layers are in float32.
"""

import hashlib
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor, nn

from triscale.deploy.about import KEY, About, ExportPrecision, about_from
from triscale.deploy.as_onnx import AsOnnx
from triscale.deploy.exported import Exported, Floats, RunLogits, exported
from triscale.deploy.traced import Shapes
from triscale.engines import OpenvinoEngine, openvino_core
from triscale.errors import InputError
from triscale.seal import refuse_unsealed, sealed
from triscale.weights.read.tensor_file import first_line


def runtime() -> str:
    """What runs the files."""
    return f"OpenVINO {OpenvinoEngine().version()}"


class AsOpenvino:
    """A graph as the bytes of OpenVINO's two files."""

    def __init__(self, model: Any) -> None:
        self.model = model

    @classmethod
    def traced(cls, model: nn.Module, example: Tensor, shapes: Shapes) -> Self:
        """The graph of a model, by way of ONNX."""
        place = openvino_core()
        through = AsOnnx.traced(model, example, shapes)
        return cls(place.read_model(through.proto.SerializeToString()))

    def packed(self, about: About) -> tuple[bytes, bytes]:
        """The bytes of `.xml` and `.bin` with a lock, in which the digest of the second stands too."""
        _, weights = self._written("")
        text, again = self._written(replace(about, weights=hashlib.sha256(weights).hexdigest()).text())
        assert again == weights, "the lock does not change the weights"  # noqa: S101
        return sealed(text), weights

    def _written(self, lock: str) -> tuple[bytes, bytes]:
        """OpenVINO writes to files only."""
        self.model.set_rt_info(lock, [KEY])
        with tempfile.TemporaryDirectory(prefix="triscale-") as folder:
            path = Path(folder) / "model.xml"
            OpenvinoEngine().imported().save_model(self.model, path, compress_to_fp16=False)
            return path.read_bytes(), path.with_suffix(".bin").read_bytes()


def opened(payload: bytes, weights: bytes, path: Path) -> Exported:
    """Open the bytes of an `.xml` and its `.bin` that triscale wrote.

    Raises:
        InputError: no export of ours, damaged, or two files of different exports.
    """
    refuse_unsealed(payload, path)
    place = openvino_core()
    try:
        model = place.read_model(payload, weights)
        about = about_from(model.get_rt_info([KEY]).astype(str), path)
    except RuntimeError as error:
        raise InputError(f"OpenVINO does not open {path}: {first_line(error)}.") from None
    if hashlib.sha256(weights).hexdigest() != about.weights:
        raise InputError(f"{path.with_suffix('.bin')} does not belong to {path.name}, or is damaged.")
    return exported(about, runner(model, about.precision))


def runner(model: Any, precision: ExportPrecision = "float32") -> RunLogits:
    """What runs a graph of OpenVINO, on as many threads as torch; its float32 layers in the precision of the hint."""
    compiled = OpenvinoEngine().compiled(model, torch.get_num_threads(), precision)

    def run(pictures: Floats) -> Floats:
        # A request of its own for each call: several threads may ask at once.
        logits: Floats = compiled.create_infer_request().infer({0: pictures})[0].copy()
        return logits

    return run
