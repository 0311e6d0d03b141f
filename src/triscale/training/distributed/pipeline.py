"""One network in several processes, each with some consecutive blocks of it (GPipe, arXiv 1811.06965).

`torch.distributed.pipelining` moves the maps of micro-batches from process to process. The gradient is that of a single
process that takes the batch in as many parts, and so is the state on disk.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.pipelining import PipelineStage, Schedule1F1B, ScheduleGPipe

from triscale.costs.sections import PipelineSchedule, Section, cut
from triscale.data.feed.rank_share import Share
from triscale.errors import UsageError
from triscale.nn import Model, SectionModel
from triscale.recipes import Recipe
from triscale.speed_plan import SpeedPlan
from triscale.training.distributed.processes import World
from triscale.training.distributed.section_modules import Chain, Runner
from triscale.training.engine import Trainer
from triscale.training.learning.optim import names_in_order
from triscale.weights import AnyModel

_KINDS: dict[PipelineSchedule, type[ScheduleGPipe | Schedule1F1B]] = {"gpipe": ScheduleGPipe, "1f1b": Schedule1F1B}


@dataclass(frozen=True, slots=True)
class Pipelined(World):
    """Processes that hold a section of the network each; every batch passes through all of them.

    Attributes:
        microbatches: into how many parts a batch is split; norms see one of them at a time.
        schedule: in which order they go forward and backward; the gradient is the same.
    """

    microbatches: int = 1
    schedule: PipelineSchedule = "1f1b"

    @property
    def share(self) -> Share:
        """All of every batch: the first process needs the images, the last one the labels."""
        return Share()

    @property
    def terms(self) -> dict[str, Any]:
        """What must be the same in all processes."""
        return {"stages": self.size, "microbatches": self.microbatches, "schedule": self.schedule}

    def pictures(self, here: int) -> int:
        """In a batch of which this process has so many."""
        return here

    def seen_at_once(self, batch: int) -> int:
        """Images of a batch that a norm takes its statistics of: a micro-batch."""
        return batch // self.microbatches

    def parts(self, then: int) -> int:
        """The micro-batches, whatever was in the state."""
        del then
        return self.microbatches

    def should_save(self, wish: bool) -> bool:
        """All save when one wants to, because each holds a piece of the state."""
        return self.any(wish)

    def norm(self, here: Tensor) -> Tensor:
        """That of the whole gradient, of which each process has a piece."""
        square = here.double().square()
        self.all_reduce(square)
        return square.sqrt().to(here.dtype)

    def average_statistics(self, model: nn.Module) -> None:
        """Nothing: no norm is in two processes."""

    def together(self, model: nn.Module) -> nn.Module:
        """The model itself."""
        return model


class PipelineTrainer(Trainer):
    """The training of one section; `model` is a `SectionModel`, and `parts` are the micro-batches.

    Args:
        model: the whole network, of which the blocks of this process are taken.
        recipe, steps, seed, world, class_weights: see `Trainer`.
        device: where this section computes.

    Raises:
        UsageError: the recipe asks for what a pipeline does not do, or the network has fewer blocks than processes.
    """

    def __init__(
        self, model: Model, recipe: Recipe, steps: int, *, world: Pipelined, device: torch.device, seed: int = 0,
        class_weights: Tensor | None = None, checkpointing: bool = False,
    ) -> None:  # fmt: skip
        for name in ("compile", "sync_norms"):
            if getattr(recipe, name):
                raise UsageError(f"{name} = true does not go with a pipeline; leave it out of the recipe.")
        self.sections: Sequence[Section] = cut(model.network, world.size)
        own = SectionModel(model, self.sections, world.rank)
        own.to(device)
        super().__init__(
            own, recipe, steps, seed=seed, world=world, whole=model, class_weights=class_weights,
            checkpointing=checkpointing,
        )  # fmt: skip
        self.own, self.parts = own, world.microbatches
        self._kind = _KINDS[world.schedule]
        self._runner = Runner(own, lambda: self.precision == "bfloat16")
        places = {name: index for index, name in enumerate(names_in_order(model, recipe))}
        self._places = [places[name] for name in names_in_order(own, recipe, model)]
        self._share = 1.0
        self._built_for: tuple[int, torch.Size] | None = None
        self._schedule: ScheduleGPipe | Schedule1F1B

    @property
    def entrance(self) -> torch.device:
        """Images are needed by the first section alone."""
        return self.device if self.own.first else torch.device("cpu")

    @property
    def evaluated(self) -> nn.Module:
        """All sections of what is kept, one after the other."""
        learned = self.learned
        if not isinstance(learned, SectionModel):
            raise TypeError("a pipeline learns sections")
        return Chain(learned)

    def take(self, plan: SpeedPlan) -> None:
        """Torch's own ways for all parts: a plan is measured on a whole network."""
        del plan
        super().take(SpeedPlan())

    def gathered(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The tensors of all sections, in the first process, as those of one training; all processes call it."""
        named = {self._renamed(name, back=False): one for name, one in tensors.items()}
        listed: list[Any] = [None] * self.world.size
        dist.all_gather_object(listed, [_Listed(name, one.shape, one.dtype) for name, one in _by_kind(named)])
        if not self.world.first:
            for together in _parcels(listed[self.world.rank]):
                flat = [named[one.name].detach().to(self.device).reshape(-1) for one in together]
                dist.send(torch.cat(flat), 0)
            return {}
        for rank in range(1, self.world.size):
            for together in _parcels(listed[rank]):
                sizes = [one.shape.numel() for one in together]
                parcel = torch.empty(sum(sizes), dtype=together[0].dtype, device=self.device)
                dist.recv(parcel, rank)
                for one, values in zip(together, torch.split(parcel.cpu(), sizes), strict=True):
                    named[one.name] = values.view(one.shape)
        return named

    def taken(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Of the tensors of a training those of this section."""
        names = self.own.state_dict().keys()
        found = {}
        for name, one in tensors.items():
            kind, _, rest = name.partition(".")
            if kind == "optimizer" and int(rest.partition(".")[0]) in self._places:
                found[self._renamed(name, back=True)] = one
            elif name == "loss_sum" or (kind != "optimizer" and rest in names):
                found[name] = one
        return found

    def _renamed(self, name: str, *, back: bool) -> str:
        """An optimizer counts weights; here those of the section, on disk those of the network."""
        kind, _, rest = name.partition(".")
        if kind != "optimizer":
            return name
        number, _, key = rest.partition(".")
        return f"optimizer.{self._places.index(int(number)) if back else self._places[int(number)]}.{key}"

    def _backward(self, pictures: Tensor, labels: Tensor, count: int) -> Tensor:
        """Forward and backward of all micro-batches; the last process knows the loss, the others add nothing to it."""
        del count
        batch = self.mixed(pictures, labels)
        self._share = batch.share
        schedule = self._scheduled(pictures)
        losses: list[Tensor] = []
        try:
            if self.own.first:
                schedule.step(batch.pictures)
            elif self.own.last:
                targets = torch.stack((labels, batch.others), 1).to(self.device)
                schedule.step(target=targets, losses=losses, return_outputs=False)
            else:
                schedule.step()
        except RuntimeError as error:  # torch wraps what went wrong in a section, want of memory too
            if isinstance(error.__cause__, RuntimeError | MemoryError):
                raise error.__cause__ from None
            raise
        return sum((one.detach() for one in losses), torch.zeros((), device=self.device))

    def _scheduled(self, pictures: Tensor) -> ScheduleGPipe | Schedule1F1B:
        """For images of this shape. All shapes are given, so that nothing has to run to find them out."""
        wanted = (self.parts, pictures.shape)
        if self._built_for != wanted:
            if len(pictures) % self.parts:
                raise UsageError(
                    f"batches have {len(pictures)} images, which {self.parts} micro-batches do not divide.\n"
                    "Give another --batch or --microbatches."
                )
            height, width = pictures.shape[2:]
            takes, gives = self.own.shapes(len(pictures) // self.parts, (height, width))
            dtype = torch.bfloat16 if self.precision == "bfloat16" else torch.float32
            stage = PipelineStage(
                self._runner, self.own.index, len(self.sections), self.device,
                input_args=_examples(takes, torch.float32 if self.own.first else dtype, learnt=not self.own.first),
                output_args=_examples(gives, dtype, learnt=True),
            )  # fmt: skip
            self._schedule = self._kind(stage, self.parts, loss_fn=self._loss_of_part, scale_grads=False)
            self._built_for = wanted
        return self._schedule

    def _loss_of_part(self, logits: Tensor, labels: Tensor) -> Tensor:
        """A micro-batch's part in the mean loss of the batch."""
        own, others = labels.unbind(1)
        return self.loss(logits, own, others, self._share) / self.parts


def engine_of(
    model: AnyModel, recipe: Recipe, steps: int, *,
    seed: int, world: World, device: torch.device, teacher: Callable[[Tensor], Tensor] | None = None,
    class_weights: Tensor | None = None, checkpointing: bool = False,
) -> Trainer:  # fmt: skip
    """The engine for the processes there are; of a pipeline it keeps no more of the model than its section.

    Raises:
        UsageError: the request is one that a pipeline cannot do.
    """
    if not isinstance(world, Pipelined):
        return Trainer(
            model.to(device), recipe, steps, seed=seed, world=world, teacher=teacher, class_weights=class_weights,
            checkpointing=checkpointing,
        )  # fmt: skip
    if teacher is not None:
        raise UsageError("a pipeline learns from no teacher; leave --teacher or --pipeline out.")
    if not isinstance(model, Model):
        raise UsageError("a pipeline needs the blocks of triscale's own networks.")
    return PipelineTrainer(
        model, recipe, steps, seed=seed, world=world, device=device, class_weights=class_weights,
        checkpointing=checkpointing,
    )  # fmt: skip


class _Listed(NamedTuple):
    """A tensor that another process has."""

    name: str
    shape: torch.Size
    dtype: torch.dtype


_PARCEL = 1 << 24
"""Elements that travel in one message, unless one tensor has more: hundreds of small ones would wait for each other."""


def _by_kind(named: Mapping[str, Tensor]) -> list[tuple[str, Tensor]]:
    return sorted(named.items(), key=lambda item: str(item[1].dtype))


def _parcels(listed: Sequence[_Listed]) -> Iterator[list[_Listed]]:
    """Tensors of one kind in a row that travel together."""
    together: list[_Listed] = []
    elements = 0
    for one in listed:
        if together and (one.dtype != together[0].dtype or elements + one.shape.numel() > _PARCEL):
            yield together
            together, elements = [], 0
        together.append(one)
        elements += one.shape.numel()
    if together:
        yield together


def _examples(shapes: Sequence[tuple[int, ...]], dtype: torch.dtype, *, learnt: bool) -> tuple[Tensor, ...]:
    return tuple(torch.empty(shape, dtype=dtype, device="meta", requires_grad=learnt) for shape in shapes)
