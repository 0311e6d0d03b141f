"""OpenVINO on the CPU, from ONNX graphs: float32, bfloat16 where the processor has it, int8 where a graph is quantised.

At its own choice OpenVINO computes in bfloat16 or float16 where the processor can, which moves logits by up to some
percent: the precision is always set.
"""

import functools
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING

from triscale.costs import Target
from triscale.engines.contract import EnginePrecision, Floats, Graph, GraphEngine, Opened
from triscale.engines.graph_size import graph_size
from triscale.errors import InputError, first_line
from triscale.machine import bfloat16_is_fast

if TYPE_CHECKING:
    from openvino import CompiledModel, Core, Model

_TELEMETRY = "openvino_telemetry"

_HINTS: Mapping[str, str] = MappingProxyType({"float32": "f32", "bfloat16": "bf16", "int8": "f32"})
"""Precision of what a graph leaves in float32: in int8 that are the few operators without quantised inputs."""


@contextmanager
def hidden_telemetry() -> Iterator[None]:
    """Hide OpenVINO's telemetry package from the imports inside.

    It would put an id of the user into the home folder and tell the maker of OpenVINO that it is used.
    """
    hidden = {} if _TELEMETRY in sys.modules else {_TELEMETRY: None}
    sys.modules.update(hidden)  # type: ignore[arg-type]  # None: no such module
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


@functools.cache
def core() -> "Core":
    """The one core of this process, which stays until the process ends.

    With its CPU plugin OpenVINO gives the calling thread a stack for signals, and takes it away when the last core and
    model that use the plugin are gone. Where that happens in another thread, the first one keeps the address, and its
    next signal (an interrupt, the end of a child process) ends the process. So the plugin is never let go.

    Raises:
        InputError: OpenVINO is not installed.
    """
    found = OpenvinoEngine().imported().Core()
    found.get_property("CPU", "FULL_DEVICE_NAME")  # loads the plugin
    return found


class OpenvinoEngine(GraphEngine):
    """OpenVINO."""

    name = "openvino"
    library = "openvino"
    extra = "openvino"

    def imported(self) -> ModuleType:
        """See `Engine.imported`; it sends no usage data."""
        with hidden_telemetry():
            return super().imported()

    def version(self) -> str:
        """Without the number of the build."""
        return super().version().partition("-")[0]

    def unfit(self, precision: EnginePrecision) -> str | None:
        """What it says about this processor, which does not know that a variable may hold its kernels to less."""
        if precision != "bfloat16":
            return None
        if bfloat16_is_fast() is not False and "BF16" in core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            return None
        return "this processor has no bfloat16 instructions that OpenVINO takes"

    def open_graph(self, graph: Graph, target: Target) -> Opened:
        """See `GraphEngine.open_graph`; for one caller at a time."""
        place = core()
        try:
            model = place.read_model(graph if isinstance(graph, bytes) else os.fspath(graph))
        except RuntimeError as error:
            raise InputError(f"OpenVINO rejects the graph: {first_line(error)}.") from None
        request = self.compiled(model, target.threads, target.precision).create_infer_request()

        def run(images: Floats) -> Floats:
            logits: Floats = request.infer({0: images}, share_inputs=True)[0]
            return logits

        return Opened(run, graph_size(graph))

    def compiled(
        self, model: "Model", threads: int, precision: str = "float32", *, counters: bool = False
    ) -> "CompiledModel":
        """A model compiled for one stream of so many threads; requests of it may run at once.

        `counters`: each request knows afterwards how long its kernels took.

        Raises:
            InputError: OpenVINO cannot compile it.
        """
        settings = {
            "INFERENCE_PRECISION_HINT": _HINTS[precision],
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
            "PERF_COUNT": counters,
        }
        try:
            return core().compile_model(model, "CPU", settings)
        except RuntimeError as error:
            raise InputError(f"OpenVINO cannot compile the graph: {first_line(error)}.") from None
