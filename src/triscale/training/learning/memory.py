"""Want of memory: how torch says it, and how many images at a time the counted memory allows."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from triscale.costs import Kernels, known_here
from triscale.errors import InputError, OutOfMemoryError
from triscale.foreign import count_any, largest_batch_any, training_forecast_any
from triscale.machine import machine
from triscale.nn import kept_kernels
from triscale.recipes import Recipe
from triscale.spec import AnyNetwork, ForeignNetwork
from triscale.units import memory

_SIGNS = (
    "DefaultCPUAllocator",
    "could not create a primitive",
    "could not create a memory",
    "could not execute a primitive",
    "ALLOC_FAILED",
    "out of memory",
    "bad_alloc",
)
SHARE = 0.7
"""Of the memory there is, which the forecast may fill: the process holds more than it counts."""


def is_want_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out: torch, oneDNN and C++ each have words of their own for it."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error) for sign in _SIGNS)


@contextmanager
def enough_memory(network: AnyNetwork, batch: int, advice: str) -> Iterator[None]:
    """Turn want of memory within the block into an error with an exit code."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_want_of_memory(error):
            raise
        raise OutOfMemoryError(f"not enough memory to train {network.name} at batch {batch}; {advice}.") from None


def forecast_parts(network: AnyNetwork, recipe: Recipe, device: torch.device, checkpointing: bool = False) -> int:
    """Into how many parts a batch must be split by the counted memory of a step and the memory there is.

    Counted are the recipe's optimizer, precision and moving average, gradient checkpointing, and on a CPU what its
    kernels take beside tensors (`kept_kernels`), not a teacher; on a CPU the memory there is, and not what happens to
    be free: the same command then gives the same bits. From the second part on, the gradient of those before is there
    too. The count is that of live tensors, so a step may still fail; `Engine` then halves the parts.
    """
    free = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else machine()["memory"]
    if not isinstance(free, int):
        return 1
    limit, kernels = int(SHARE * free), _kernels(network, device, recipe)
    if _together(network, recipe, limit, kernels, checkpointing) >= recipe.batch:
        return 1
    return -(
        -recipe.batch
        // max(2, _together(network, recipe, limit - 4 * count_any(network).params, kernels, checkpointing))
    )


def forecast_text(
    network: AnyNetwork, recipe: Recipe, parts: int, device: torch.device, checkpointing: bool = False
) -> str:
    """What a step in so many parts takes, in words."""
    images, kernels = -(-recipe.batch // parts), _kernels(network, device, recipe)
    found = training_forecast_any(
        network, images, recipe.optimizer,
        precision=recipe.arithmetic, recompute=checkpointing, ema=recipe.ema > 0, kernels=kernels,
    )  # fmt: skip
    whole = f"a batch of {recipe.batch}" + (f" in {parts} parts of {images}" if parts > 1 else "")
    taken = f"{memory(found.kept)} of tensors"
    if kernels:
        taken += f" and {memory(found.kernels)} for kernels ({kernels.name}, threads: {kernels.threads})"
    return f"{whole} is forecast to take {taken}"


def _kernels(network: AnyNetwork, device: torch.device, recipe: Recipe) -> Kernels | None:
    """Those of the CPU; what a GPU's take, and those of a foreign network, is not counted."""
    if device.type != "cpu" or isinstance(network, ForeignNetwork):
        return None
    return known_here(bfloat16=recipe.arithmetic == "bfloat16") or kept_kernels()


def _together(network: AnyNetwork, recipe: Recipe, limit: int, kernels: Kernels | None, checkpointing: bool) -> int:
    """How many images of a batch are trained at a time within `limit` bytes, 0 if none."""
    try:
        return largest_batch_any(
            network, limit, recipe.batch, recipe.optimizer,
            precision=recipe.arithmetic, recompute=checkpointing, ema=recipe.ema > 0, kernels=kernels,
        )  # fmt: skip
    except InputError:
        return 0
