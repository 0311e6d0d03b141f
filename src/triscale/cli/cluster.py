"""`--engine`, `--address` and `--ship-data`: where the trainings of a study run."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from cyclopts import Parameter

from triscale.cli.output import Flag

if TYPE_CHECKING:
    from triscale.search.workers import WorkersAsked


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Cluster:
    """Where trainings run; a command takes it as the argument `cluster: Cluster = ON_THIS_MACHINE`.

    Attributes:
        engine: local (processes of this machine) or ray (a cluster, see docs/clusters.md).
        address: of the Ray cluster: HOST:PORT, auto for the one of this machine; by default one is started here.
        ship_data: carry the data through the cluster to nodes that do not have it at the same path.
    """

    engine: Literal["local", "ray"] = "local"
    address: str | None = None
    ship_data: Flag = False

    def asked(self, jobs: int | None) -> "WorkersAsked":
        """The same for a study."""
        from triscale.search.workers import WorkersAsked  # noqa: PLC0415  torch is loaded only here

        return WorkersAsked(engine=self.engine, address=self.address, ship_data=self.ship_data, jobs=jobs)


ON_THIS_MACHINE = Cluster()
"""Processes of this machine."""
