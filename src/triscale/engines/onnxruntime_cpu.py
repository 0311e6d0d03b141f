"""ONNX Runtime on the CPU: float32, and int8 where the graph is quantised."""

import os
from typing import TYPE_CHECKING, Any

from triscale.costs import Target
from triscale.engines.contract import EnginePrecision, Floats, Graph, GraphEngine, Opened
from triscale.engines.graph_size import graph_size
from triscale.errors import InputError, first_line

if TYPE_CHECKING:
    from onnxruntime import InferenceSession, SessionOptions


class OnnxRuntimeEngine(GraphEngine):
    """ONNX Runtime."""

    name = "onnxruntime"
    library = "onnxruntime"
    extra = "export"

    def unfit(self, precision: EnginePrecision) -> str | None:
        """Its CPU provider has no convolution in bfloat16."""
        return "ONNX Runtime has no bfloat16 convolution for CPUs" if precision == "bfloat16" else None

    def open_graph(self, graph: Graph, target: Target) -> Opened:
        """See `GraphEngine.open_graph`."""
        session = self.session(graph, self.options(target.threads))
        (given,), (answer,) = session.get_inputs(), session.get_outputs()
        names, name = [answer.name], given.name

        def run(images: Floats) -> Floats:
            logits: Floats = session.run(names, {name: images})[0]
            return logits

        return Opened(run, graph_size(graph))

    def options(self, threads: int) -> "SessionOptions":
        """Options of a session: so many threads, and no log, since what goes wrong comes as an error."""
        ort = self.imported()
        ort.disable_telemetry_events()
        options = ort.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 4
        return options

    def session(self, graph: Graph, options: "SessionOptions") -> "InferenceSession":
        """A session on the CPU.

        Raises:
            InputError: the library is missing, or it rejects the graph.
        """
        ort = self.imported()
        content: Any = graph if isinstance(graph, bytes) else os.fspath(graph)
        try:
            return ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # noqa: BLE001  the runtime has errors of its own for each fault
            raise InputError(f"ONNX Runtime rejects the graph: {first_line(error)}.") from None
