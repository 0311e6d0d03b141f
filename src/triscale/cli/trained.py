"""`--optimizer`, `--precision`, `--recompute` and `--ema`, for the commands that count training memory."""

from dataclasses import dataclass
from typing import Any, TypedDict, get_args

from cyclopts import Parameter

from triscale.cli.output import Flag
from triscale.cost import Optimizer, Precision
from triscale.errors import UsageError


class Words(TypedDict):
    """What `triscale.cost` is told of a training."""

    optimizer: Optimizer
    precision: Precision
    recompute: bool
    ema: bool


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Trained:
    """How training memory is counted; a command takes it as the argument `trained: Trained = PLAINLY`.

    Attributes:
        optimizer: whose state counts as training memory: sgd, rmsprop, adam or adamw.
        precision: of the training: float32, or bfloat16 by autocast.
        recompute: the training keeps the inputs of blocks alone, and makes their maps again in backward.
        ema: the training keeps a moving average of the weights.
    """

    optimizer: str = "sgd"
    precision: str = "float32"
    recompute: Flag = False
    ema: Flag = False

    def words(self) -> Words:
        """The options, checked."""
        return Words(
            optimizer=_one_of(get_args(Optimizer), "optimizer", self.optimizer),
            precision=_one_of(get_args(Precision), "precision", self.precision),
            recompute=self.recompute,
            ema=self.ema,
        )


PLAINLY = Trained()
"""SGD in float32, all maps kept, no moving average."""


def _one_of(allowed: tuple[Any, ...], what: str, text: str) -> Any:
    if text not in allowed:
        raise UsageError(f"unknown {what} {text!r}; allowed: {', '.join(allowed)}.")
    return text
