"""torch compiled: `torch.compile` as it comes, which writes C++ for everything between the convolutions."""

import os
import shutil
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, cast

from triscale.costs import Target
from triscale.engines.contract import ModuleEngine, Opened
from triscale.engines.torch_eager import TorchEngine
from triscale.spec import AnyNetwork

if TYPE_CHECKING:
    from torch import nn

_COMPILERS = ("g++", "c++", "clang++")
_MOST = 10_000


class CompiledTorchEngine(TorchEngine):
    """`torch.compile` for one shape; opening a network compiles it, which takes up to minutes."""

    name = "torch_compile"

    def missing(self) -> str | None:
        """Beside torch it needs a C++ compiler."""
        named = os.environ.get("CXX")
        if any(map(shutil.which, (named,) if named else _COMPILERS)):
            return super().missing()
        return "torch.compile needs a C++ compiler: install g++, such as by apt install g++, or name one in CXX"

    def open(self, network: AnyNetwork, target: Target, *, seed: int = 0) -> Opened:
        """A module with fresh weights, compiled."""
        from torch._dynamo import config  # noqa: PLC0415  torch is loaded only where a network runs

        # All modules share the code of `forward`, of which torch compiles eight graphs at most by itself.
        many = config.patch(recompile_limit=_MOST, accumulated_recompile_limit=_MOST)
        with many, warnings.catch_warnings():  # the compiler warns about itself
            warnings.simplefilter("ignore")
            return super().open(network, target, seed=seed)

    def open_file(self, path: Path, target: Target) -> Opened:
        """Eager torch runs programs as they are."""
        return ModuleEngine.open_file(self, path, target)

    def prepared(self, module: "nn.Module") -> "nn.Module":
        """One graph: a network of which a part would run eagerly is an error."""
        import torch  # noqa: PLC0415  torch is loaded only where a network runs

        return cast("nn.Module", torch.compile(module, dynamic=False, fullgraph=True))
