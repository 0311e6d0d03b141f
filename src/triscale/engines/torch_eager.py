"""torch as most people run it: an eager module in inference mode, in the memory format that torch makes.

In bfloat16 the whole module is bfloat16, which is faster than autocast: that converts the weights in every step.
"""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from triscale.costs import Target
from triscale.engines.contract import EnginePrecision, Floats, ModuleEngine, Opened, Run
from triscale.errors import InputError, first_line
from triscale.machine import bfloat16_is_fast
from triscale.spec import AnyNetwork, ForeignNetwork

if TYPE_CHECKING:
    import torch
    from torch import nn


class TorchEngine(ModuleEngine):
    """Eager torch."""

    name = "torch"
    library = "torch"

    def unfit(self, precision: EnginePrecision) -> str | None:
        """Int8 is not a precision of eager modules; bfloat16 without instructions for it is only slow, and left out."""
        match precision:
            case "int8":
                return "torch has no int8 convolutions that run a network as it is"
            case "bfloat16" if not bfloat16_is_fast():
                return "this processor has no bfloat16 instructions"
        return None

    def open(self, network: AnyNetwork, target: Target, *, seed: int = 0) -> Opened:
        """A module with fresh weights, made in the precision of the target."""
        opened = self.open_module(fresh_module(network, seed, dtype_of(target)), target)
        opened.run(np.zeros((target.batch, network.input_channels, *network.resolution), np.float32))
        return opened

    def open_module(self, module: "nn.Module", target: Target) -> Opened:
        """See `ModuleEngine.open_module`."""
        import torch  # noqa: PLC0415  torch is loaded only where a network runs

        from triscale.nn import keep_freed_memory  # noqa: PLC0415  loads torch

        keep_freed_memory()
        torch.set_num_threads(target.threads)
        ready = module.eval().requires_grad_(requires_grad=False).to(dtype_of(target))
        size = sum(tensor.numel() * tensor.element_size() for tensor in ready.state_dict().values())
        return Opened(_runs(self.prepared(ready), dtype_of(target)), size)

    def open_file(self, path: Path, target: Target) -> Opened:
        """See `Engine.open_file`: a program of `torch.export`, run as it is."""
        import torch  # noqa: PLC0415  torch is loaded only where a network runs

        from triscale.nn import keep_freed_memory  # noqa: PLC0415  loads torch

        keep_freed_memory()
        torch.set_num_threads(target.threads)
        try:
            with warnings.catch_warnings():  # torch warns about itself
                warnings.simplefilter("ignore")
                program = torch.export.load(path).module()
        except Exception as error:  # noqa: BLE001  of zip, JSON or the graph
            raise InputError(f"torch does not open {path.name}: {first_line(error)}.") from None
        return Opened(_runs(program, dtype_of(target)), path.stat().st_size)

    def prepared(self, module: "nn.Module") -> "nn.Module":
        """What is called in the end."""
        return module


def fresh_module(network: AnyNetwork, seed: int, dtype: "torch.dtype") -> "nn.Module":
    """The network with random weights, in a precision if it is one of ours; nothing global stays changed."""
    import torch  # noqa: PLC0415  torch is loaded only where a network runs

    from triscale import foreign, nn  # noqa: PLC0415  load torch

    before = torch.get_default_dtype()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if isinstance(network, ForeignNetwork):
            return foreign.build(network)
        torch.set_default_dtype(dtype)
        try:
            return nn.build(network)
        finally:
            torch.set_default_dtype(before)


def dtype_of(target: Target) -> "torch.dtype":
    """What a module of the target computes in."""
    import torch  # noqa: PLC0415  torch is loaded only where a network runs

    return torch.bfloat16 if target.precision == "bfloat16" else torch.float32


def _runs(module: "nn.Module", dtype: "torch.dtype") -> Run:
    import torch  # noqa: PLC0415  torch is loaded only where a network runs

    def run(images: Floats) -> Floats:
        with torch.inference_mode():
            logits: Floats = module(torch.from_numpy(images).to(dtype)).float().numpy()
        return logits

    return run
