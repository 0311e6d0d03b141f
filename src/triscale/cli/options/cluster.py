"""`--engine`, `--address` and others: what runs the trainings of a study."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from triscale.cli.show.output import Flag
from triscale.errors import UsageError

if TYPE_CHECKING:
    from triscale.search.trainings.workers import Engine


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Cluster:
    """What runs the trainings; a command takes it as the argument `cluster: Cluster = NO_CLUSTER`.

    Attributes:
        engine_name: local: processes of this machine; ray: a Ray cluster (pip install 'triscale[ray]').
        address: the cluster: auto, that of this machine (the default); local, a new one on this machine; or HOST:PORT.
        num_gpus: GPUs of each training on a cluster; may be a fraction.
        ship_data: send the data to nodes that do not have it, instead of rejecting these nodes.
    """

    engine_name: Annotated[Literal["local", "ray"], Parameter(name="--engine")] = "local"
    address: str | None = None
    num_gpus: float = 0
    ship_data: Flag = False

    def engine(self) -> "Engine":
        """The same for a study; loads torch."""
        if self.engine_name == "local" and (self.address or self.num_gpus or self.ship_data):
            raise UsageError("--address, --num-gpus and --ship-data are for a cluster: give --engine ray too.")
        from triscale.search.trainings.workers import Engine  # noqa: PLC0415

        return Engine(name=self.engine_name, address=self.address, num_gpus=self.num_gpus, ship_data=self.ship_data)


NO_CLUSTER = Cluster()
"""Processes of this machine."""
