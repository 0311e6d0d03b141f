"""What decides the last bits of a training, and what changes none."""

import math
from dataclasses import dataclass, fields
from typing import Literal

from triscale.errors import UsageError
from triscale.speed_plan import SpeedPlan

_SILENT = ("kernels", "cpu")
"""Fields whose change alone changes no bit: others say what was really used."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Numerics:
    """On what a training computes; fixed at its first step, stored with it, and compared when it resumes.

    Attributes:
        device: as torch names it.
        threads: of arithmetic on the CPU.
        kernels: whether compiled kernels may be used.
        plan: which parts of the network take which kernels; None: measured before the first step.
        checkpointing: gradient checkpointing under `torch.compile`, which alone makes it change bits; None otherwise.
        cpu: name of the processor.
        instructions: instruction sets that torch and the kernels use, and what limits them.
        torch: version.
        triscale: version.
    """

    device: str = "cpu"
    threads: int = 1
    kernels: bool = True
    plan: SpeedPlan | None = None
    checkpointing: bool | None = None
    cpu: str = ""
    instructions: str = ""
    torch: str = ""
    triscale: str = ""

    def changes(self, now: "Numerics") -> list[str]:
        """What differs `now` and may change the last bits of a result, in words."""
        found = []
        for one in fields(self):
            before, after = getattr(self, one.name), getattr(now, one.name)
            if before == after or one.name in _SILENT:
                continue
            shown = ("other", "these") if one.name == "plan" else (before, after)
            found.append(f"{'kernels' if one.name == 'plan' else one.name} {shown[0]} then, {shown[1]} now")
        return found


@dataclass(frozen=True, kw_only=True, slots=True)
class Execution:
    """How a training is carried out; no bit of its result depends on it.

    Attributes:
        loader_workers: threads, or processes for random crops, that make batches ahead.
        gradient_checkpointing: keep of each block its input alone, and compute its maps again in the backward pass
            (arXiv 1604.06174): less memory, one more forward pass, equal bits (without `torch.compile`).
        save_every: seconds between two saves of the state.
        keep_freed_memory: keep freed memory in the process, which is faster and takes more of it.
        out_of_memory: `stop`, or `halve` the parts of a batch, which is recorded as a deviation of the trial.
        forget_state: remove the state from which it could resume, once its result is written.
    """

    loader_workers: int = 1
    gradient_checkpointing: bool = False
    save_every: float = 60.0
    keep_freed_memory: bool = True
    out_of_memory: Literal["stop", "halve"] = "stop"
    forget_state: bool = False

    def __post_init__(self) -> None:
        if self.loader_workers < 0:
            raise UsageError(f"loader_workers must be at least 0, got {self.loader_workers}.")
        if not 0 <= self.save_every < math.inf:
            raise UsageError(f"save_every must be at least 0 seconds, got {self.save_every}.")
