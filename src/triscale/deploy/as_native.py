"""A compiled library: the network as code with its weights, run without torch or another runtime."""

import threading
from pathlib import Path
from typing import Self

import torch
from torch import Tensor, nn

from triscale import runtime as native
from triscale._version import __version__
from triscale.compiler import Unavailable
from triscale.deploy.about import About, about_from
from triscale.deploy.exported import Exported, Floats, exported
from triscale.deploy.traced import Shapes
from triscale.errors import InputError, UsageError
from triscale.layer_weights import StoredWeights
from triscale.spec import Network


def runtime() -> str:
    """What runs the files."""
    return f"triscale {__version__}, {native.best_isa()}"


class AsNative:
    """A model as the bytes of a library."""

    def __init__(self, model: nn.Module) -> None:
        self._state = {name: tensor.numpy() for name, tensor in model.state_dict().items()}

    @classmethod
    def traced(cls, model: nn.Module, example: Tensor, shapes: Shapes) -> Self:  # noqa: ARG003  one signature for all
        """The library of a model, which is not traced: it is compiled from its spec."""
        if shapes is not None and set(shapes[0]) - {0}:
            raise UsageError("a compiled network has every size fixed; leave --dynamic-size out.")
        return cls(model)

    def packed(self, about: About) -> bytes:
        """The library's bytes with a lock; the kernels are compiled once."""
        if not isinstance(about.network, Network):
            raise InputError(f"{about.network.path} has no spec, so there is nothing to compile; export it to .onnx.")
        try:
            weights = StoredWeights(self._state, about.network.norm.eps)
            return native.library(about.network, weights, about=about.text()).read_bytes()
        except Unavailable as error:
            raise InputError(f"{about.network.name} cannot be compiled here: {error}.\nExport it to .onnx.") from None


def opened(payload: bytes, path: Path, *, trusted: bool = False) -> Exported:
    """Open the bytes of a library that triscale compiled; it runs on as many threads as torch.

    Args:
        payload: the bytes, which are checked before they are loaded.
        path: for messages.
        trusted: also one that this machine did not compile.

    Raises:
        InputError: no export of ours, damaged, not trusted, or for another processor.
    """
    library = native.library_of(payload, path, trust=trusted)
    instances = threading.local()

    def run(pictures: Floats) -> Floats:
        if not hasattr(instances, "own"):
            instances.own = library.instance(threads=torch.get_num_threads())
        logits: Floats = instances.own(pictures)
        return logits

    return exported(about_from(library.text, path), run)
