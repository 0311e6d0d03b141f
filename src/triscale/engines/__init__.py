"""Engines: what runs a network on this machine, behind one contract. Each library is loaded when it is used."""

from triscale.engines.contract import (
    PRECISIONS,
    Engine,
    EnginePrecision,
    Floats,
    GraphEngine,
    ModuleEngine,
    Opened,
    Run,
    graph_for,
)
from triscale.engines.engine_registry import ENGINES, engine_named
from triscale.engines.native_code import NativeEngine
from triscale.engines.onnxruntime_cpu import OnnxRuntimeEngine
from triscale.engines.openvino_cpu import OpenvinoEngine
from triscale.engines.openvino_cpu import core as openvino_core

__all__ = [
    "ENGINES",
    "PRECISIONS",
    "Engine",
    "EnginePrecision",
    "Floats",
    "GraphEngine",
    "ModuleEngine",
    "NativeEngine",
    "OnnxRuntimeEngine",
    "Opened",
    "OpenvinoEngine",
    "Run",
    "engine_named",
    "graph_for",
    "openvino_core",
]
