"""`--device` and `--threads`, for every command that runs torch."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cyclopts import Parameter

from triscale.cli.show.output import Whole

if TYPE_CHECKING:
    import torch


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Compute:
    """Where torch computes; a command takes it as the argument `compute: Compute = HERE`.

    Attributes:
        device: cpu, cuda, cuda:1 or mps; by default a CUDA GPU if there is one, else the CPU.
        threads: CPU threads; by default one for each training of a study, elsewhere as torch chooses.
    """

    device: str | None = None
    threads: Whole | None = None

    def place(self) -> "torch.device":
        """The device, after the threads of this process are set; see `triscale.nn.place` for the errors."""
        from triscale.nn import place  # noqa: PLC0415  torch is loaded only here

        return place(self.device, self.threads)


HERE = Compute()
"""The default device and as many threads as torch chooses."""
