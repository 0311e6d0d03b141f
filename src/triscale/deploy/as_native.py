"""A compiled library: the network as code with its weights, run without torch or another runtime."""

import threading
from collections.abc import Iterable
from dataclasses import replace
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
from triscale.errors import InputError, UsageError, sentence
from triscale.isa import runs_here
from triscale.layer_weights import StoredWeights
from triscale.machine import Isa
from triscale.spec import Network


def runtime(*isas: Isa) -> str:
    """What runs the files, in instruction sets that were named or in the best of this processor."""
    return f"triscale {__version__}, {', '.join(isas or (native.best_isa(),))}"


def proving(isas: Iterable[Isa]) -> tuple[Isa, ...]:
    """Those of some instruction sets in which code is proven here; where this processor has none, its own best one."""
    return tuple(isa for isa in isas if runs_here(isa)) or (native.best_isa(),)


class AsNative:
    """A model as the bytes of a library, for an instruction set; None: the best that this processor has."""

    def __init__(self, model: nn.Module, isa: Isa | None = None) -> None:
        self.model, self.isa = model, isa

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
            network = replace(about.network, resolution=about.size)
            return native.library(
                network, weights_of(self.model, network), about=about.text(), isa=self.isa
            ).read_bytes()
        except Unavailable as error:
            raise uncompiled(about.network, error) from None

    def held_to(self, isa: Isa) -> Self:
        """The same for an instruction set."""
        return type(self)(self.model, isa)


def uncompiled(network: Network, error: Unavailable) -> InputError:
    """The error of an export that needs the compiler."""
    advice = f"{sentence(error.advice)}, or export" if error.advice else "Export"
    return InputError(f"{network.name} cannot be compiled here: {error}.\n{advice} it to .onnx.")


def weights_of(model: nn.Module, network: Network) -> StoredWeights:
    """The weights of a module that was built from a spec."""
    return StoredWeights({name: tensor.numpy() for name, tensor in model.state_dict().items()}, network.norm.eps)


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
