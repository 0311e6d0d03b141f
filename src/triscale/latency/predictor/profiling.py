"""Where a calibration opens networks: how an engine's kernels cut their work, and what each of them took."""

from collections.abc import Callable
from dataclasses import dataclass

from triscale.costs import Target
from triscale.engines import Engine, Floats, GraphEngine, OnnxRuntimeEngine, Opened, OpenvinoEngine, engine_named
from triscale.engines.graphs import onnx_graph
from triscale.errors import InputError
from triscale.latency.predictor.kernel_features import Vectors
from triscale.latency.predictor.node_times import NodeTimes
from triscale.latency.predictor.profiled_onnxruntime import profile_onnxruntime
from triscale.latency.predictor.profiled_openvino import GRAIN, profile_openvino
from triscale.machine import features
from triscale.spec import Network


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """A network that is ready to be opened, and profiled where the engine can."""

    open: Callable[[], Opened]
    profile: Callable[[Floats, int], tuple[NodeTimes, ...]]


class Profiler:
    """Prepares networks for one engine.

    Attributes:
        grain: how exactly its profile knows a run, in microseconds.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.grain = GRAIN if isinstance(engine, OpenvinoEngine) else 1.0

    def prepared(self, network: Network, target: Target) -> Prepared:
        """The network, its graph written once."""
        engine = self._engine
        if not isinstance(engine, GraphEngine):
            return Prepared(open=lambda: engine.open(network, target), profile=lambda _images, _runs: ())
        graph = onnx_graph(network, batch=target.batch, precision="int8" if target.precision == "int8" else "float32")

        def profile(images: Floats, runs: int) -> tuple[NodeTimes, ...]:
            match engine:
                case OnnxRuntimeEngine():
                    return profile_onnxruntime(engine, graph, target, images, runs)
                case OpenvinoEngine():
                    return profile_openvino(engine, graph, target, images, runs)
            raise InputError(f"{engine.name} has no profile.")

        return Prepared(open=lambda: engine.open_graph(graph, target), profile=profile)


def vectors_of(target: Target) -> Vectors:
    """How the engine of a target cuts convolutions on this processor."""
    wide = "avx512f" in features()
    block, pixels = (16, 6) if wide else (8, 3)
    if target.runtime == "openvino":
        return Vectors(block, pixels, pixels, narrow=5, masked=True)
    return Vectors(block, pixels, 6, narrow=block, separate_silu=True)


def profiler_of(target: Target) -> Profiler:
    """For the engine of a target.

    Raises:
        UsageError: there is no such engine.
    """
    return Profiler(engine_named(target.runtime))
