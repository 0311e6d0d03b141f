"""Everything that a training changes, in one object: what a checkpoint must hold, and one step of learning."""

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from triscale.errors import NumericError, UsageError
from triscale.nn import Model, SectionModel, apply_plan, device_of, synchronise_norms
from triscale.recipes import Recipe
from triscale.speed_plan import SpeedPlan
from triscale.training.distributed.processes import ALONE, World
from triscale.training.learning.ema import Ema
from triscale.training.learning.gradient import clip, learning, sow, step_seed
from triscale.training.learning.loss import Loss
from triscale.training.learning.memory import is_want_of_memory
from triscale.training.learning.mix import Mixed, mixed
from triscale.training.learning.norms import freeze, set_momentum
from triscale.training.learning.optim import make_optimizer, set_learning_rate
from triscale.training.learning.teacher import distillation
from triscale.trials import Epoch

MOST_SKIPPED, AT_LEAST = 0.01, 10
"""Part of the steps of an epoch, or a number if that is more, that may be skipped."""


class Trainer:
    """A training under way.

    Attributes:
        model: the network, where it computes.
        recipe: how it is trained; what its norms do is chosen already.
        steps: steps in an epoch.
        seed: all that is drawn in a step is a function of it and of the step.
        world: the processes that learn together.
        checkpointing: whether blocks compute their maps again in the backward pass; no bit depends on it.
        teacher: gives the logits of a teacher for the images of a part; None: nothing is distilled.
        loss: of a part of a batch, see `Loss`.
        parts: into how many parts a batch is split, one after the other, for want of memory.
        precision: in what it computes; a resumed training keeps that in which it began.
        halving: whether parts are halved when memory does not suffice.
        optimizer, average: what follows the model; `average` is None without one.
        step: steps that were made.
        samples, epoch_samples: images seen, in all and in this epoch.
        loss_sum: sum of the losses of the images of this epoch, where the model lies.
        history: the epochs that are complete.
        seconds, training_seconds: with and without evaluation, over all processes.
        norm: of the last gradient that was learned from, before it was clipped.
        skipped: steps, from 0, that changed nothing else: see `Recipe.not_finite` and `Recipe.spike`.
        plan: which parts of the model take a faster way; set by `take`.
    """

    def __init__(
        self,
        model: nn.Module,
        recipe: Recipe,
        steps: int,
        *,
        seed: int = 0,
        world: World = ALONE,
        teacher: Callable[[Tensor], Tensor] | None = None,
        whole: nn.Module | None = None,
        checkpointing: bool = False,
        class_weights: Tensor | None = None,
    ) -> None:
        if recipe.sync_norms and world.size > 1:
            model = synchronise_norms(model)
        self.model, self.recipe, self.steps, self.seed, self.world = model, recipe, steps, seed, world
        self.teacher, self.parts, self.halving = teacher, 1, False
        self.precision = recipe.arithmetic
        self.device = device_of(model)
        weights = None if class_weights is None else class_weights.to(self.device)
        self.loss = Loss(recipe.label_smoothing, weights, world)
        self.optimizer = make_optimizer(model, recipe, whole)
        self.average = Ema(model, recipe.ema) if recipe.ema else None
        self.step = self.samples = self.epoch_samples = 0
        self.loss_sum = torch.zeros((), device=self.device)
        self.history: list[Epoch] = []
        self.seconds = self.training_seconds = self.norm = 0.0
        if isinstance(model, Model | SectionModel):
            model.recompute = checkpointing
        elif checkpointing:
            raise UsageError("gradient checkpointing needs the blocks of triscale's own networks.")
        self.skipped: list[int] = []
        if recipe.norms == "momentum":
            set_momentum(model, steps)
        self._weights, self.plan = learning(model), SpeedPlan()
        self._together = world.together(model)
        self._forward = torch.compile(self._together) if recipe.compile else self._together
        self._dropouts = [(one, one.p) for one in model.modules() if isinstance(one, nn.Dropout)]

    def take(self, plan: SpeedPlan) -> None:
        """Let the model's parts take the ways of a plan; the bits of all further steps depend on it.

        Raises:
            InputError: it is another model's, or needs kernels that are not here.
        """
        apply_plan(self.model, plan)
        self._weights, self.plan = learning(self.model), plan

    @property
    def epoch(self) -> int:
        """The epoch that is under way, from 0."""
        return len(self.history)

    @property
    def step_of_epoch(self) -> int:
        """Steps that were made of the epoch that is under way."""
        return self.step - self.epoch * self.steps

    @property
    def steps_left(self) -> float:
        """Steps that are still to be made, those of later epochs counted by their cost beside one of this epoch."""
        later = sum(map(self.recipe.pixels_at, range(self.epoch + 1, self.recipe.epochs)))
        return self.steps - self.step_of_epoch + self.steps * later / self.recipe.pixels_at(self.epoch)

    @property
    def learned(self) -> nn.Module:
        """What is evaluated and kept: the moving average where there is one."""
        return self.average.model if self.average else self.model

    @property
    def evaluated(self) -> nn.Module:
        """What gives the logits of `learned`."""
        return self.learned

    @property
    def entrance(self) -> torch.device:
        """Where its batches must lie."""
        return self.device

    @property
    def learning_rate(self) -> float:
        """Of the next step."""
        return self.recipe.learning_rate_at(self.step / (self.recipe.epochs * self.steps))

    @property
    def mean_loss(self) -> float:
        """Mean loss of the images seen in this epoch."""
        return self.loss_sum.item() / max(1, self.epoch_samples)

    def skipped_in(self, epoch: int) -> list[int]:
        """The steps of an epoch, which counts from 0, that were skipped."""
        return [step for step in self.skipped if step // self.steps == epoch]

    def learn(self, pictures: Tensor, labels: Tensor) -> None:
        """One step: forward, loss, backward, clip, update, average.

        Raises:
            NumericError: the loss or the gradient is not finite, or too many steps were skipped; the weights are as
                before the step.
        """
        recipe = self.recipe
        self._sow()
        set_learning_rate(self.optimizer, self.learning_rate)
        if not self.model.training:  # an evaluation was between
            self.model.train()
        for dropout, rate in self._dropouts:
            dropout.p = rate * recipe.strength_at(self.epoch)
        if recipe.norms == "freeze":
            freeze(self.model)
        self.optimizer.zero_grad(set_to_none=True)
        buffers = self._norms_before()
        count = self.world.pictures(len(labels))
        self.loss.begin(labels)
        loss = self._backward_in_parts(pictures, labels, count, buffers)
        self.world.all_reduce(loss)
        self.world.average_statistics(self.model)
        norm = clip(self._weights, recipe.clip, self.world)
        if self._refused(loss.item(), norm):  # all processes find the same
            self._put_norms(buffers)
            self.skipped.append(self.step)
            self.step += 1
            return
        self.norm = norm
        self.optimizer.step()
        self.step += 1
        if self.average:
            self.average.update(self.model, self.step)
        self.loss_sum += loss * count
        self.samples += count
        self.epoch_samples += count

    def _refused(self, loss: float, norm: float) -> bool:
        """Whether the step is to be skipped; `NumericError` if the training is to stop at it."""
        recipe, finite = self.recipe, math.isfinite(loss + norm)
        if finite and not (recipe.spike and loss > recipe.spike * self._usual_loss):
            return False
        told = (
            f"the loss is {loss:.4g} and the gradient's norm {norm:.4g} in epoch {self.epoch + 1} at "
            f"learning rate {self.learning_rate:.3g} (step {self.step + 1})"
        )
        if not finite and recipe.not_finite == "stop":
            raise NumericError(told)
        before = len(self.skipped_in(self.epoch))
        if before >= min(max(AT_LEAST, MOST_SKIPPED * self.steps), self.steps - 1):
            raise NumericError(f"after {before} skipped steps in this epoch {told}")
        return True

    @property
    def _usual_loss(self) -> float:
        """The mean of this epoch so far; at its beginning that of the last one; at the very beginning none is usual."""
        if self.epoch_samples:
            return self.mean_loss
        return self.history[-1].train_loss if self.history else math.inf

    def _norms_before(self) -> list[Tensor]:
        """What norms have counted, if a step may have to be taken back."""
        kept = self.halving or self.recipe.not_finite == "skip" or self.recipe.spike
        return [one.clone() for one in self.model.buffers()] if kept else []

    def _put_norms(self, buffers: list[Tensor]) -> None:
        for one, before in zip(self.model.buffers(), buffers, strict=True):
            one.copy_(before)

    def _sow(self) -> None:
        """Seed what is drawn in a step: dropout and stochastic depth, of other images in other processes."""
        sow(step_seed(self.seed, self.step, self.world.rank), self.device)

    def _backward_in_parts(self, pictures: Tensor, labels: Tensor, count: int, buffers: list[Tensor]) -> Tensor:
        """`_backward`, with parts of half the size for as long as memory does not suffice and halving is allowed.

        What norms have counted of a failed try is undone, so that only the parts tell it from a try that succeeds.
        """
        while True:
            try:
                return self._backward(pictures, labels, count)
            except (MemoryError, RuntimeError) as error:
                if not (self.halving and is_want_of_memory(error) and 4 * self.parts <= len(labels)):
                    raise
            self.parts *= 2
            self.optimizer.zero_grad(set_to_none=True)
            self._sow()
            self._put_norms(buffers)

    def _backward(self, pictures: Tensor, labels: Tensor, count: int) -> Tensor:
        """The part that these have in the mean loss of `count` images; the gradient is left in the weights."""
        recipe = self.recipe
        batch = self.mixed(pictures, labels)
        bfloat16 = torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bfloat16")
        whole = torch.zeros((), device=self.device)
        parts = max(1, min(self.parts, len(labels) // 2))  # batch norm cannot learn from one image
        pieces = (one.tensor_split(parts) for one in (batch.pictures, labels, batch.others))
        for part, (some, own, others) in enumerate(zip(*pieces, strict=True), 1):
            with bfloat16, self.world.gradients_meet(self._together, part == parts):
                logits = self._forward(some)
                taught = self.teacher(some) if self.teacher else None
            loss = self.loss(logits, own, others, batch.share)
            if taught is not None:
                loss = torch.lerp(loss, distillation(logits, taught, recipe.temperature), recipe.distil)
            loss = loss * (len(own) / count)
            # The mean of the processes' gradients is taken.
            (loss * self.world.size).backward()  # type: ignore[no-untyped-call]
            whole += loss.detach()
        return whole

    def mixed(self, pictures: Tensor, labels: Tensor) -> Mixed:
        """The batch of this step after mixup and CutMix."""
        recipe, strength = self.recipe, self.recipe.strength_at(self.epoch)
        return mixed(pictures, labels, strength * recipe.mixup, strength * recipe.cutmix, self.seed, self.step)

    def gathered(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The tensors of the training as the process that writes them has them; all processes call it."""
        return dict(tensors)

    def taken(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Of the tensors of a training those that this process holds."""
        return dict(tensors)

    def require_finite(self) -> None:
        """After the last step of an epoch, whose weights no loss has looked at yet.

        Raises:
            NumericError: a weight is not finite, in any of the processes.
        """
        if self.world.any(not all(one.isfinite().all() for one in self.model.parameters())):
            rate = self.recipe.learning_rate
            raise NumericError(
                f"a weight is not finite after epoch {self.epoch + 1}.\nUse a learning rate below {rate}."
            )

    def close_epoch(self, top1: float) -> Epoch:
        """Write the epoch into the history, and begin the next."""
        epoch = self.epoch + 1
        self.history.append(
            Epoch(
                epoch=epoch,
                samples=self.samples,
                train_loss=self.mean_loss,
                validation_top1=top1,
                learning_rate=self.learning_rate,
                gradient_norm=self.norm,
                parts=self.parts,
                skipped=len(self.skipped_in(epoch - 1)),
            )
        )
        self.loss_sum.zero_()
        self.epoch_samples = 0
        return self.history[-1]
