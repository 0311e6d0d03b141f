"""The processes that train one network together, as `torchrun` starts them; one that is alone asks nothing of torch."""

import inspect
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.rendezvous import rendezvous
from torch.nn.parallel import DistributedDataParallel

from triscale.data.feed.rank_share import Share
from triscale.errors import InputError, StorageError
from triscale.nn import device_of

JOIN = 120.0
"""Seconds to wait for the others in the beginning."""
ANSWER = 1800.0
"""Seconds after which a process that still does not take part is given up."""


@dataclass(frozen=True, slots=True)
class World:
    """All processes of a training, seen from one of them.

    Attributes:
        rank: its number; 0 writes the files and speaks.
        size: how many there are.
        local_rank: its number on its machine, which picks its GPU.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0

    @property
    def first(self) -> bool:
        """Whether it is the one that writes and speaks."""
        return self.rank == 0

    @property
    def share(self) -> Share:
        """Its part of every batch."""
        return Share(self.rank, self.size)

    @property
    def terms(self) -> dict[str, Any]:
        """What must be the same in all processes, beside the training itself."""
        return {}

    def pictures(self, here: int) -> int:
        """In a batch of which this process has so many."""
        return int(self.total(here))

    def seen_at_once(self, batch: int) -> int:
        """Images of a batch that a norm takes its statistics of, where it sees all that it may."""
        return batch

    def parts(self, then: int) -> int:
        """Into how many parts a batch is split, if so many in the state that is resumed."""
        return then

    def should_save(self, wish: bool) -> bool:
        """Whether to save, which only the first process does."""
        return wish

    def norm(self, here: Tensor) -> Tensor:
        """That of the gradient, of which every process has all."""
        return here

    def total(self, value: float) -> float:
        """The sum of a number over all processes; whole numbers below 2^53 stay exact."""
        if self.size == 1:
            return value
        held = torch.tensor([value], dtype=torch.float64)
        self.all_reduce(held)
        return held.item()

    def any(self, wish: bool) -> bool:
        """Whether it is true in one of the processes at least."""
        return self.total(float(wish)) > 0

    def all_reduce(self, values: Tensor) -> None:
        """Replace a tensor by its sum over all processes."""
        if self.size > 1:
            on_gpu = dist.get_backend() == "nccl"
            sums = values.cuda() if on_gpu and not values.is_cuda else values
            dist.all_reduce(sums)
            if sums is not values:
                values.copy_(sums)

    @torch.no_grad()
    def average_statistics(self, model: nn.Module) -> None:
        """Make the running statistics of norms the means over all processes."""
        if self.size == 1:
            return
        held = [one for one in model.buffers() if one.is_floating_point()]
        if not held:
            return
        flat = torch.cat([one.reshape(-1) for one in held])
        self.all_reduce(flat)
        flat /= self.size
        for one, values in zip(held, torch.split(flat, [one.numel() for one in held]), strict=True):
            one.copy_(values.view_as(one))

    def together(self, model: nn.Module) -> nn.Module:
        """The model whose backward pass averages gradients over all processes."""
        if self.size == 1:
            return model
        device = device_of(model)
        places = [device] if device.type == "cuda" else None
        return DistributedDataParallel(model, device_ids=places, **{_BUFFERS: False})  # type: ignore[arg-type]

    @contextmanager
    def gradients_meet(self, together: nn.Module, meet: bool) -> Iterator[None]:
        """Around a forward pass: whether its backward pass averages gradients, or leaves that to a later part."""
        if isinstance(together, DistributedDataParallel) and not meet:
            with together.no_sync():
                yield
        else:
            yield

    @contextmanager
    def main_process_first(self) -> Iterator[None]:
        """Let the first process do something before the others do it too."""
        if not self.first:
            self.wait()
        yield
        if self.first:
            self.wait()

    def wait(self) -> None:
        """Until all processes are here."""
        if self.size > 1:
            dist.barrier()

    def broadcast(self, value: Any) -> Any:
        """What the first process says."""
        told = [value]
        if self.size > 1:
            dist.broadcast_object_list(told)
        return told[0]

    def require_agreement(self, mine: Mapping[str, Any]) -> None:
        """InputError in every process if what one of them holds is not what the first holds."""
        if self.size == 1:
            return
        all_of: list[Any] = [None] * self.size
        dist.all_gather_object(all_of, dict(mine))
        different = _differences(all_of)
        if different:
            raise InputError("\n".join([*different[:2], "All processes need the same command, data and versions."]))


ALONE = World()

_WORDS = ("forward_sync_buffers", "broadcast_buffers")
_BUFFERS = next(one for one in _WORDS if one in inspect.signature(DistributedDataParallel).parameters)
"""What switches off that each forward pass takes the first process's statistics: the word changes with torch 2.15."""


_MOST_SHOWN = 80
"""Characters of a value that differs."""


def _differences(all_of: Sequence[Mapping[str, Any]]) -> list[str]:
    found = []
    for name in {name: None for one in all_of for name in one}:
        value = all_of[0].get(name)
        others = [(rank, one.get(name)) for rank, one in enumerate(all_of) if one.get(name) != value]
        if others:
            rank, other = others[0]
            found.append(f"process {rank} has another {name} than process 0: {_short(other)}, not {_short(value)}.")
    return found


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."


def here() -> World:
    """As `torchrun`, or whoever set RANK, WORLD_SIZE and LOCAL_RANK, says.

    Raises:
        InputError: these are not valid numbers.
    """
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK")
    texts = [os.environ.get(name, default) for name, default in zip(names, ("0", "1", "0"), strict=True)]
    if not all(text.isdecimal() for text in texts) or not int(texts[0]) < int(texts[1]):
        told = ", ".join(f"{name}={text}" for name, text in zip(names, texts, strict=True))
        raise InputError(f"invalid RANK or WORLD_SIZE: {told}. Start the processes by torchrun.")
    return World(*map(int, texts))


@contextmanager
def joined(world: World, device: torch.device, *, patience: float = JOIN) -> Iterator[None]:
    """Meet the other processes, and part from them at the end; within another such block nothing happens.

    Args:
        world: see `here`.
        device: where this process computes: GPUs talk by NCCL, CPUs by gloo.
        patience: seconds to wait for the others.

    Raises:
        StorageError: they do not come, or one was lost on the way.
    """
    if world.size == 1 or dist.is_initialized():
        yield
        return
    place = f"{os.environ.get('MASTER_ADDR', '?')}:{os.environ.get('MASTER_PORT', '?')}"
    bound: dict[str, Any] = {}
    if device.type == "cuda":  # what is said about objects goes over the current GPU, which is the first by default
        torch.cuda.set_device(device)
        bound = {"device_id": device}
    try:
        store, rank, size = next(rendezvous("env://", timeout=timedelta(seconds=patience)))
        store.set_timeout(timedelta(seconds=patience))
        dist.init_process_group(
            "nccl" if device.type == "cuda" else "gloo",
            store=store, rank=rank, world_size=size, timeout=timedelta(seconds=ANSWER), **bound,
        )  # fmt: skip
        dist.barrier()
    except (RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0][:120]
        raise StorageError(
            f"process {world.rank} of {world.size} did not meet the others at {place} in {patience:g} s ({reason}).\n"
            "Start all of them by torchrun, with the same --rdzv-endpoint (or MASTER_ADDR and MASTER_PORT)."
        ) from None
    try:
        yield
    except RuntimeError as error:
        if not _lost(error):
            raise
        raise StorageError(
            f"process {world.rank} of {world.size} lost the others; one of them ended (torchrun says which).\n"
            "The same command resumes from the state that was saved last."
        ) from None
    finally:
        dist.destroy_process_group()


_SIGNS = ("gloo", "connection", "peer", "nccl", "socket", "timed out", "store")


def _lost(error: RuntimeError) -> bool:
    """Whether torch says, in one of its many ways, that a process is gone."""
    return isinstance(error, dist.DistError) or any(sign in str(error).lower() for sign in _SIGNS)
