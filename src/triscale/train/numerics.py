"""Where a training computes: what of it decides the last bits, and the process set up for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch

from triscale._version import __version__
from triscale.machine import machine
from triscale.nn import keep_freed_memory, place
from triscale.trials import Execution, Numerics


def numerics_here(
    device: str | torch.device | None = None, threads: int | None = None, *, kernels: bool = True
) -> Numerics:
    """The numerics of this process; which kernels each part takes is measured at the first step.

    Args:
        device: `cpu`, `cuda`, `cuda:1`, `mps`; by default the first CUDA GPU if there is one, else the CPU.
        threads: of arithmetic on the CPU; by default as many as torch uses.
        kernels: whether compiled kernels may be used.

    Raises:
        UsageError, InputError: see `triscale.nn.place`.
    """
    before = torch.get_num_threads()
    found = place(None if device is None else str(device), threads)
    torch.set_num_threads(before)  # `computing` sets them
    return here(Numerics(device=str(found), threads=threads or before, kernels=kernels))


def here(asked: Numerics) -> Numerics:
    """The same on this machine, with this torch."""
    described = machine()
    known = (described[name] for name in ("isa", "torch_isa", "isa_limits"))
    return replace(
        asked,
        cpu=str(described["cpu"]),
        instructions=", ".join(str(one) for one in known if one),
        torch=str(torch.__version__),
        triscale=__version__,
    )


@contextmanager
def computing(numerics: Numerics, execution: Execution) -> Iterator[None]:
    """Let this process compute as asked: its threads, and an allocator that keeps freed memory.

    The threads are those of before at the end; memory stays kept, as the C library has no way back.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(numerics.threads)
    if numerics.kernels and numerics.device == "cpu" and execution.keep_freed_memory:
        keep_freed_memory()
    try:
        yield
    finally:
        torch.set_num_threads(before)
