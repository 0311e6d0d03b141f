"""Where a calibration opens networks: how an engine's kernels cut their work, and what each of them took."""

from collections.abc import Callable
from dataclasses import dataclass

from triscale.costs import Target
from triscale.engines import (
    Engine,
    Floats,
    GraphEngine,
    OnnxRuntimeEngine,
    Opened,
    OpenvinoEngine,
    engine_named,
    graph_for,
)
from triscale.engines.native_code import NativeEngine
from triscale.engines.torch_eager import TorchEngine
from triscale.errors import InputError
from triscale.latency.predictor.kernel_features import Vectors
from triscale.latency.predictor.node_times import NodeTimes
from triscale.latency.predictor.profiles.profiled_native import CLOCK, profile_native
from triscale.latency.predictor.profiles.profiled_onnxruntime import profile_onnxruntime
from triscale.latency.predictor.profiles.profiled_openvino import GRAIN, profile_openvino
from triscale.latency.predictor.profiles.profiled_torch import profile_torch
from triscale.machine import features
from triscale.runtime import LANES, best_isa
from triscale.spec import Network

PROFILED = ("torch", "onnxruntime", "openvino", "native")
"""Engines that say what their kernels took."""


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
        self.grain = {OpenvinoEngine: GRAIN, NativeEngine: CLOCK}.get(type(engine), 1.0)

    def prepared(self, network: Network, target: Target) -> Prepared:
        """The network, its graph written once."""
        engine = self._engine
        if isinstance(engine, TorchEngine):
            return _prepared_module(engine, network, target)
        if isinstance(engine, NativeEngine):
            return _prepared_code(engine, network, target)
        if not isinstance(engine, GraphEngine):
            raise InputError(f"{engine.name} has no profile.")
        graph = graph_for(network, target)

        def profile(images: Floats, runs: int) -> tuple[NodeTimes, ...]:
            match engine:
                case OnnxRuntimeEngine():
                    return profile_onnxruntime(engine, graph, target, images, runs)
                case OpenvinoEngine():
                    return profile_openvino(engine, graph, target, images, runs)
            raise InputError(f"{engine.name} has no profile.")

        return Prepared(open=lambda: engine.open_graph(graph, target), profile=profile)


def _prepared_module(engine: TorchEngine, network: Network, target: Target) -> Prepared:
    def profile(images: Floats, runs: int) -> tuple[NodeTimes, ...]:
        return profile_torch(engine, network, target, images, runs)

    return Prepared(open=lambda: engine.open(network, target), profile=profile)


def _prepared_code(engine: NativeEngine, network: Network, target: Target) -> Prepared:
    def profile(images: Floats, runs: int) -> tuple[NodeTimes, ...]:
        return profile_native(engine, network, target, images, runs)

    return Prepared(open=lambda: engine.open(network, target), profile=profile)


def vectors_of(target: Target) -> Vectors:
    """How the engine of a target cuts convolutions on this processor."""
    if target.runtime == "native":
        return Vectors(LANES[best_isa()], 1, 1, narrow=0, compiled=True)
    wide = "avx512f" in features()
    block, pixels = (16, 6) if wide else (8, 3)
    if target.runtime != "onnxruntime":
        return Vectors(block, pixels, pixels, narrow=5, masked=True)
    return Vectors(block, pixels, 6, narrow=block, separate_silu=True)


def profiler_of(target: Target) -> Profiler:
    """For the engine of a target.

    Raises:
        UsageError: there is no such engine.
        InputError: it says nothing of its kernels.
    """
    engine = engine_named(target.runtime)
    if engine.name not in PROFILED:
        raise InputError(
            f"{engine.name} says nothing of its kernels, so it cannot be calibrated: {', '.join(PROFILED)} can."
        )
    return Profiler(engine)
