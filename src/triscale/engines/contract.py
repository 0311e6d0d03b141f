"""What every engine is: something that opens a network, or a graph of one, and runs it on the CPU."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from triscale.costs import Target
from triscale.engines.graphs import GraphPrecision, onnx_graph, write_onnx_graph
from triscale.errors import InputError
from triscale.spec import AnyNetwork, ForeignNetwork, Network, content_hash

if TYPE_CHECKING:
    from torch import nn

Floats = NDArray[np.float32]

Run = Callable[[Floats], Floats]
"""Images [n, c, h, w] -> logits [n, classes]."""

EnginePrecision = Literal["float32", "bfloat16", "int8"]

PRECISIONS: tuple[EnginePrecision, ...] = ("float32", "bfloat16", "int8")
"""Precisions that an engine may have, in the order of tables."""

Graph = bytes | Path
"""An ONNX graph, or the file that holds it."""


class Opened:
    """A network in an engine, ready to run; several may be open at once.

    Attributes:
        file_size: bytes of what the engine read: a graph with its weights, or the tensors of a module.
    """

    def __init__(self, run: Run, file_size: int) -> None:
        self._run: Run | None = run
        self.file_size = file_size

    def run(self, images: Floats) -> Floats:
        """Images [n, c, h, w] in float32 -> logits [n, classes] in float32, an array of their own.

        Raises:
            ValueError: it is closed.
        """
        if self._run is None:
            raise ValueError("this network is closed")
        return self._run(images)

    def close(self) -> None:
        """Release what the engine holds for it; a second call does nothing."""
        self._run = None


class Engine(ABC):
    """What runs a network.

    Attributes:
        name: as targets and the command line write it.
        library: the module that is imported.
        extra: of triscale, which installs the library; "" where triscale requires it.
    """

    name: str
    library: str
    extra: str = ""

    def version(self) -> str:
        """The version of the library, as it says itself."""
        return str(self.imported().__version__)

    def imported(self) -> ModuleType:
        """The library.

        Raises:
            InputError: it is not installed; the message has the line that installs it.
        """
        try:
            return import_module(self.library)
        except ImportError:
            raise InputError(f"{self.library} is not installed: {self.install_line()}.") from None

    def install_line(self) -> str:
        """What installs the library."""
        return f"pip install '{f'triscale[{self.extra}]' if self.extra else self.library}'"

    def missing(self) -> str | None:
        """Why nothing can run here, with what to do; None where it can. Imports nothing."""
        try:
            found = find_spec(self.library)
        except ValueError:  # the module is there without a spec, as one that a test hides
            found = None
        return None if found else f"{self.library} is not installed: {self.install_line()}"

    @abstractmethod
    def unfit(self, precision: EnginePrecision) -> str | None:
        """Why the installed engine cannot run a precision on this machine; None where it can."""

    def precisions(self) -> tuple[EnginePrecision, ...]:
        """What the installed engine runs on this machine."""
        return tuple(one for one in PRECISIONS if self.unfit(one) is None)

    @abstractmethod
    def open(self, network: AnyNetwork, target: Target, *, seed: int = 0) -> Opened:
        """A network with random weights, for steps of `target.batch` images.

        Raises:
            InputError: the library is missing, or the engine cannot run this network.
        """

    def written(self, network: AnyNetwork, target: Target, folder: Path) -> Path | None:  # noqa: ARG002
        """The file of a network with random weights that `open_file` reads; None: the engine opens networks alone.

        It is written once for a network, so that the process that opens it does that and nothing else.

        Raises:
            InputError: it cannot be written.
        """
        return None

    def open_file(self, path: Path, target: Target) -> Opened:  # noqa: ARG002
        """A file that `written` or `triscale export` wrote for this engine. It can be code: only for one's own.

        Raises:
            InputError: the library is missing, it rejects the file, or the engine has no files of its own.
        """
        raise InputError(f"{self.name} opens no files, and so not {path.name}.")


_WHOLE_SILU = frozenset({"openvino"})
"""Engines whose own quantizer leaves a SiLU whole."""


def graph_for(network: AnyNetwork, target: Target, *, seed: int = 0) -> bytes:
    """The ONNX graph of a network that engines read for a target: quantised for int8, else in float32.

    Raises:
        InputError: a network of somebody's own code, or see `onnx_graph`.
    """
    return onnx_graph(
        _with_spec(network),
        batch=target.batch,
        seed=seed,
        precision=graph_precision(target),
        whole_silu=target.runtime in _WHOLE_SILU,
    )


def graph_precision(target: Target) -> GraphPrecision:
    """That of the graph that engines read for a target: they go from float32 to bfloat16 themselves."""
    return "int8" if target.precision == "int8" else "float32"


def _with_spec(network: AnyNetwork) -> Network:
    if isinstance(network, ForeignNetwork):
        raise InputError("graphs are written from specs, and this is code of its own; torch runs it.")
    return network


class GraphEngine(Engine):
    """An engine that reads ONNX graphs."""

    def open(self, network: AnyNetwork, target: Target, *, seed: int = 0) -> Opened:
        """See `Engine.open`; the graph is written from the spec, with folded norms."""
        return self.open_graph(graph_for(network, target, seed=seed), target)

    def written(self, network: AnyNetwork, target: Target, folder: Path) -> Path:
        """See `Engine.written`; in float32 all engines of graphs read the same file, in int8 each has its own."""
        precision, whole = graph_precision(target), target.runtime in _WHOLE_SILU
        kind = f"int8-{target.runtime}" if precision == "int8" else "float32"
        path = folder / f"{content_hash(network)}-{kind}-{target.batch}.onnx"
        if not path.exists():
            write_onnx_graph(_with_spec(network), path, batch=target.batch, precision=precision, whole_silu=whole)
        return path

    def open_file(self, path: Path, target: Target) -> Opened:
        """See `Engine.open_file`."""
        return self.open_graph(path, target)

    @abstractmethod
    def open_graph(self, graph: Graph, target: Target) -> Opened:
        """An ONNX graph of one input and one output; for int8 it holds quantised operators.

        Raises:
            InputError: the library is missing, or it rejects the graph.
        """


class ModuleEngine(Engine):
    """An engine that runs modules of torch.

    From the first one on the process keeps freed memory (`triscale.nn.keep_freed_memory`). As glibc comes, it keeps
    more once a larger network has run: MobileNetV2 at 320 px takes 43 ms in its own process and 33 after ResNet-50.
    """

    @abstractmethod
    def open(self, network: AnyNetwork, target: Target, *, seed: int = 0) -> Opened:
        """See `Engine.open`; the first pass is over when this returns."""

    @abstractmethod
    def open_module(self, module: "nn.Module", target: Target) -> Opened:
        """A module in evaluation mode, converted in place to the precision of the target.

        torch has one number of threads for a process: the target's from now on.
        """
