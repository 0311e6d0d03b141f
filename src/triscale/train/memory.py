"""Want of memory: how torch says it, and into how many parts a batch must be split."""

import copy
import gc
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn import functional as F

from triscale.cost.memory import largest_batch
from triscale.errors import InputError, OutOfMemoryError
from triscale.machine import machine
from triscale.nn import device_of
from triscale.spec import Network
from triscale.train.optim import make_optimizer
from triscale.train.recipe import Recipe

_SIGNS = (
    "DefaultCPUAllocator",
    "could not create a primitive",
    "could not create a memory",
    "out of memory",
    "bad_alloc",
)
_SHARE = 0.8
"""Of the memory there is, which the forecast may fill: the process holds more than it counts."""


def is_want_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out: torch, oneDNN and C++ each have words of their own for it."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error) for sign in _SIGNS)


@contextmanager
def enough_memory(network: Network, batch: int, advice: str) -> Iterator[None]:
    """Turn want of memory within the block into an error with an exit code."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_want_of_memory(error):
            raise
        raise OutOfMemoryError(f"not enough memory to train {network.name} at batch {batch}; {advice}.") from None


def parts_that_fit(model: nn.Module, network: Network, recipe: Recipe) -> int:
    """Into how many parts a batch must be split so that a step fits into memory; the batch itself stays what it is.

    The forecast of `cost` says where to begin; then a step is tried on a copy of the model, and the parts are halved
    until it succeeds. A part holds at least two pictures, since batch norm cannot learn from one.

    Raises:
        OutOfMemoryError: not even two pictures at a time fit; the forecast in bytes is told.
    """
    parts = -(-recipe.batch // _forecast(model, network, recipe))
    while True:
        if recipe.batch // parts < 2:
            raise OutOfMemoryError(
                f"not enough memory to train {network.name} even with two pictures at a time.\n"
                "Use a smaller network or resolution."
            )
        try:
            _try_step(model, network, recipe, parts)
        except (MemoryError, RuntimeError) as error:
            if not is_want_of_memory(error):
                raise
        else:
            return parts
        gc.collect()
        parts *= 2


def _forecast(model: nn.Module, network: Network, recipe: Recipe) -> int:
    """Pictures at a time that the counted memory allows, at most the batch."""
    device = device_of(model)
    free = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else machine()["memory"]
    if not isinstance(free, int):
        return recipe.batch
    optimizer = "adam" if recipe.optimizer == "adamw" else recipe.optimizer
    try:
        return min(recipe.batch, max(2, largest_batch(network, int(_SHARE * free), optimizer)))
    except InputError:
        return 2


def _try_step(model: nn.Module, network: Network, recipe: Recipe, parts: int) -> None:
    """A step like those to come, forgotten afterwards."""
    tried, device = copy.deepcopy(model).train(), device_of(model)
    optimizer = make_optimizer(tried, recipe)
    size = -(-recipe.batch // parts)
    shape = (recipe.batch, network.input_channels, *network.resolution)
    pictures = torch.zeros(shape, device=device).contiguous(memory_format=torch.channels_last)
    labels = torch.zeros(size, dtype=torch.int64, device=device)
    with torch.autocast(device.type, torch.bfloat16, enabled=recipe.precision == "bfloat16"):
        logits = tried(pictures[:size])
    F.cross_entropy(logits.float(), labels).backward()  # type: ignore[no-untyped-call]
    optimizer.step()
