"""How training memory is counted, for the commands that count it: `--optimizer`, `--precision`, `--isa` and others."""

from dataclasses import dataclass, replace
from typing import Annotated, Any, TypedDict, get_args

from cyclopts import Parameter

from triscale import api
from triscale.cli.show.output import Flag, Whole
from triscale.costs import Kernels, Optimizer, Precision, Target, TargetPrecision, kernels, training_target
from triscale.costs.memory.onednn import KNOWN
from triscale.errors import UsageError
from triscale.machine import threads


class MemoryOptions(TypedDict):
    """How `triscale.cost` counts a training."""

    optimizer: Optimizer
    precision: Precision
    recompute: bool
    ema: bool
    kernels: Kernels | None


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class CountedTraining:
    """How training memory is counted; a command takes it as the argument `trained: Trained = PLAINLY`.

    Attributes:
        optimizer: optimizer whose state counts as training memory: sgd, rmsprop, adam or adamw.
        precision: precision of training: float32, or bfloat16 by autocast.
        recompute: count training with gradient checkpointing: only the inputs of blocks are kept, and activations are
            computed again in the backward pass.
        ema: count a moving average of the weights.
        isa: count the buffers of kernels for avx2, avx512, none, or here (this machine).
        threads: threads of these kernels; by default as many as torch uses here.
        weights_precision: precision of the stored weights, for file_size: float32, float16, bfloat16 or int8.
    """

    optimizer: str = "sgd"
    precision: str = "float32"
    recompute: Annotated[Flag, Parameter(name=("--gradient-checkpointing", "--recompute"))] = False
    ema: Flag = False
    isa: str = "here"
    threads: Whole | None = None
    weights_precision: str = "float32"

    def target(self, batch: int) -> Target:
        """The options, checked, at a batch."""
        stored = _one_of(get_args(TargetPrecision), "precision of weights", self.weights_precision)
        return training_target(batch=batch, **self.words(), weights_precision=stored)

    def words(self) -> MemoryOptions:
        """The options, checked."""
        return MemoryOptions(
            optimizer=_one_of(get_args(Optimizer), "optimizer", self.optimizer),
            precision=_one_of(get_args(Precision), "precision", self.precision),
            recompute=self.recompute,
            ema=self.ema,
            kernels=self._kernels(),
        )

    def _kernels(self) -> Kernels | None:
        if self.threads is not None and self.threads < 1:
            raise UsageError(f"--threads is {self.threads}; give a whole number above 0.")
        isa = _one_of(("here", "none", *KNOWN), "instruction set", self.isa)
        if isa == "none":
            return None
        if isa != "here":
            return kernels(isa, self.threads or threads())
        found = api.kernels_of(precision=_one_of(get_args(Precision), "precision", self.precision))
        return replace(found, threads=self.threads) if found and self.threads else found


PLAINLY = CountedTraining()
"""SGD in float32, all maps kept, no moving average."""


def _one_of(allowed: tuple[Any, ...], what: str, text: str) -> Any:
    if text not in allowed:
        raise UsageError(f"unknown {what} {text!r}; allowed: {', '.join(allowed)}.")
    return text
