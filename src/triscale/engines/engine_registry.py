"""The engines, by name: another one is a class in a file of its own and a line here."""

from collections.abc import Mapping
from types import MappingProxyType

from triscale.costs.allowed_words import require_allowed
from triscale.engines.contract import Engine
from triscale.engines.native_code import NativeEngine
from triscale.engines.onnxruntime_cpu import OnnxRuntimeEngine
from triscale.engines.openvino_cpu import OpenvinoEngine
from triscale.engines.torch_compiled import CompiledTorchEngine
from triscale.engines.torch_eager import TorchEngine

ENGINES: Mapping[str, Engine] = MappingProxyType(
    {
        one.name: one
        for one in (TorchEngine(), CompiledTorchEngine(), OnnxRuntimeEngine(), OpenvinoEngine(), NativeEngine())
    }
)
"""In the order of tables."""


def engine_named(name: str) -> Engine:
    """The engine of a name.

    Raises:
        UsageError: there is none; the message has the nearest name.
    """
    require_allowed("engine", name, ENGINES)
    return ENGINES[name]
