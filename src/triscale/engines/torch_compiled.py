"""torch compiled: `torch.compile` as it comes, which writes C++ for everything between the convolutions."""

import os
import shutil
import warnings
from typing import TYPE_CHECKING, cast

from triscale.costs import Target
from triscale.engines.contract import Opened
from triscale.engines.torch_eager import TorchEngine
from triscale.spec import Network

if TYPE_CHECKING:
    from torch import nn

_COMPILERS = ("g++", "c++", "clang++")


class CompiledTorchEngine(TorchEngine):
    """`torch.compile` for one shape; opening a network compiles it, which takes up to minutes."""

    name = "torch_compile"

    def missing(self) -> str | None:
        """Beside torch it needs a C++ compiler."""
        named = os.environ.get("CXX")
        if any(map(shutil.which, (named,) if named else _COMPILERS)):
            return super().missing()
        return "torch.compile needs a C++ compiler: install g++, such as by apt install g++, or name one in CXX"

    def open(self, network: Network, target: Target, *, seed: int = 0) -> Opened:
        """A module with fresh weights, compiled."""
        with warnings.catch_warnings():  # the compiler warns about itself
            warnings.simplefilter("ignore")
            return super().open(network, target, seed=seed)

    def prepared(self, module: "nn.Module") -> "nn.Module":
        """One compiled graph a module: without isolation the ninth module of a process would silently run eagerly."""
        import torch  # noqa: PLC0415  torch is loaded only where a network runs

        return cast("nn.Module", torch.compile(module, dynamic=False, fullgraph=True, isolate_recompiles=True))
