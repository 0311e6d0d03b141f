"""Fit a ConvNet to a compute budget.

The public names are imported when they are first used, so that `import triscale` is instant and loads no torch.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from triscale._version import __version__

if TYPE_CHECKING:
    from triscale.api import build, check, cost, evaluate, fit_budget, load, network, networks, scale
else:

    def __getattr__(name: str) -> Any:
        if name in __all__:
            return getattr(import_module("triscale.api"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = ["__version__", "build", "check", "cost", "evaluate", "fit_budget", "load", "network", "networks", "scale"]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Package(ModuleType):
    """A module on which a public name stays what it is when a room of the same name (`cost`) is imported."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in __all__ and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
