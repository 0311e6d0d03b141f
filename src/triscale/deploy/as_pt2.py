"""torch's own export: a `.pt2` archive of an ExportedProgram, with the lock as a file in it.

The archive can hold pickles, which torch loads without restriction. Ours are read here for the proof, straight from
memory; a `.pt2` from elsewhere is read only by who trusts it.
"""

import io
from pathlib import Path
from typing import Self

import torch
from torch import Tensor, nn

from triscale.deploy.about import KEY, About, about_from
from triscale.deploy.exported import Exported, Floats, exported
from triscale.deploy.traced import Shapes, quiet
from triscale.errors import InputError
from triscale.weights.read.tensor_file import first_line

_MEMBER = f"{KEY}.json"
_PRIVATE = ("stack_trace", "nn_module_stack", "source_fn_stack")
"""Notes on a graph's nodes that name the places of the sources on this machine."""


def runtime() -> str:
    """What runs the files."""
    return f"torch {torch.__version__}"


class AsPt2:
    """A program as the bytes of a `.pt2` file."""

    def __init__(self, program: torch.export.ExportedProgram) -> None:
        self.program = program

    @classmethod
    def traced(cls, model: nn.Module, example: Tensor, shapes: Shapes) -> Self:
        """The program of a model."""
        with quiet():
            program = torch.export.export(model, (example,), dynamic_shapes=shapes)
        for node in program.graph.nodes:
            for note in _PRIVATE:
                node.meta.pop(note, None)
        return cls(program)

    def packed(self, about: About) -> bytes:
        """The file's bytes with a lock."""
        file = io.BytesIO()
        with quiet():
            torch.export.save(self.program, file, extra_files={_MEMBER: about.text()})
        return file.getvalue()


def opened(payload: bytes, path: Path) -> Exported:
    """Open the bytes of a `.pt2` file. It can run programs: only for what is known to be ours.

    Raises:
        InputError: no export of ours.
    """
    extra = {_MEMBER: ""}
    try:
        with quiet():
            program = torch.export.load(io.BytesIO(payload), extra_files=extra)
            model = program.module()
    except Exception as error:  # noqa: BLE001  of zip, JSON or the graph
        raise InputError(f"torch does not open {path}: {first_line(error)}.") from None

    @torch.inference_mode()
    def run(pictures: Floats) -> Floats:
        logits: Floats = model(torch.from_numpy(pictures)).numpy()
        return logits

    text = extra[_MEMBER]
    return exported(about_from(text.decode() if isinstance(text, bytes) else text, path), run)
