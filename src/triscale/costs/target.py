"""Where and how a network runs: what a metric's value depends on beside the network."""

import re
from dataclasses import dataclass
from typing import Literal, cast, get_args

from triscale.costs.allowed_words import require_allowed
from triscale.costs.memory.forecast import Optimizer, Precision
from triscale.costs.memory.onednn import Kernels
from triscale.errors import UsageError

TargetPrecision = Literal["float32", "float16", "bfloat16", "int8"]

_TEXT = re.compile(r"([a-z]\w*):([a-z]+[0-9]+):t([0-9]{1,6})(?::b([0-9]{1,6}))?", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """A machine with a runtime, and how a network is run or trained there.

    Counted metrics read a few of these fields; a measured one reads them all.

    Attributes:
        machine: fingerprint of the machine; None: any.
        runtime: what runs the network, such as `torch`.
        threads: of arithmetic on a CPU.
        batch: images at once.
        precision: of the arithmetic. A training in `bfloat16` is under autocast.
        weights: precision of the stored weights; None: as `precision`. A training keeps them in float32 whatever
            its precision is.
        optimizer, recompute, ema: of a training, see `training_memory`.
        kernels: whose kernels the memory counts beside tensors; None: tensors alone.
        engine: what latency is of, where all else is of a training; None: of the target itself.
    """

    machine: str | None = None
    runtime: str = "torch"
    threads: int = 1
    batch: int = 1
    precision: TargetPrecision = "float32"
    weights: TargetPrecision | None = None
    optimizer: Optimizer = "sgd"
    recompute: bool = False
    ema: bool = False
    kernels: Kernels | None = None
    engine: "Target | None" = None

    def __post_init__(self) -> None:
        for name, value in (("batch", self.batch), ("threads", self.threads)):
            if value < 1:
                raise UsageError(f"the {name} is {value}; give at least 1.")
        for word in (self.precision, self.stored):
            require_allowed("precision", word, get_args(TargetPrecision))
        require_allowed("optimizer", self.optimizer, get_args(Optimizer))

    def __str__(self) -> str:
        """What `parse_target` reads: `onnxruntime:float32:t1:b8`. Machine, weights and training are left out."""
        return f"{self.runtime}:{self.precision}:t{self.threads}:b{self.batch}"

    @property
    def stored(self) -> TargetPrecision:
        """The precision of the weights in a file."""
        return self.weights or self.precision


def parse_target(text: str) -> Target:
    """The target that `ENGINE:PRECISION:tTHREADS` names, for steps of one image, or with `:bBATCH` for steps of more.

    Whether there is such an engine is not known here: `triscale.engines.engine_named` tells.

    Raises:
        UsageError: another form, an unknown precision (with the nearest), or no threads or images.
    """
    found = _TEXT.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"target {text!r} is not ENGINE:PRECISION:tTHREADS[:bBATCH], such as onnxruntime:float32:t1.")
    runtime, precision, threads, batch = found.groups(default="1")
    require_allowed("precision", precision, get_args(TargetPrecision))
    return Target(runtime=runtime, precision=cast("TargetPrecision", precision), threads=int(threads), batch=int(batch))


def training_target(
    *,
    batch: int = 1,
    optimizer: Optimizer = "sgd",
    precision: Precision = "float32",
    recompute: bool = False,
    ema: bool = False,
    kernels: Kernels | None = None,
    threads: int | None = None,
    weights_precision: TargetPrecision = "float32",
) -> Target:
    """Where torch trains: the weights that it stores are in `weights_precision`, float32 under autocast too.

    `threads` are those of the kernels where they are left out.

    Raises:
        UsageError: a number below 1, or an unknown word.
    """
    require_allowed("precision", precision, get_args(Precision))
    require_allowed("precision of weights", weights_precision, get_args(TargetPrecision))
    return Target(
        threads=threads or (kernels.threads if kernels else 1),
        batch=batch,
        precision=precision,
        weights=weights_precision,
        optimizer=optimizer,
        recompute=recompute,
        ema=ema,
        kernels=kernels,
    )


ANYWHERE = Target()
"""One image in float32 on no machine in particular."""
