"""What runs the trainings of a study: processes of this machine, or a Ray cluster."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from triscale.errors import UsageError
from triscale.search.trainings.work import Trained, TrialTask, absolute, run_trial
from triscale.trials.executor import Executor, local_executor
from triscale.trials.executor.ray_cluster import Place, RayExecutor


class Workers(NamedTuple):
    """What runs trainings, and whether it writes into the folder of the study; else weights travel back."""

    executor: Executor[TrialTask, Trained]
    shared: bool


@dataclass(frozen=True, kw_only=True)
class Engine:
    """Which workers a study has.

    Attributes:
        name: `local` processes, or a `ray` cluster.
        address: of the cluster: `auto` the one this machine is a part of, `local` one that is started here, or
            HOST:PORT.
        num_gpus: of each worker of a cluster; may be a fraction.
        ship_data: carry the data to nodes that lack them, instead of rejecting these nodes.
    """

    name: Literal["local", "ray"] = "local"
    address: str | None = None
    num_gpus: float = 0
    ship_data: bool = False

    def __post_init__(self) -> None:
        if self.name == "local" and (self.address or self.num_gpus or self.ship_data):
            raise UsageError("--address, --num-gpus and --ship-data are for a cluster: give --engine ray too.")
        if self.num_gpus < 0:
            raise UsageError(f"num_gpus must be at least 0, got {self.num_gpus}.")

    def workers(
        self, jobs: int | None, threads: int, data: str, folder: Path, notice: Callable[[str], None]
    ) -> Workers:
        """Start them.

        Args:
            jobs: trainings at a time; None: as many as a cluster has room for.
            threads: of each training.
            data: what opens the images.
            folder: of the study.
            notice: hears about nodes that are rejected.

        Raises:
            InputError: the cluster does not answer, or no node of it is fit.
        """
        if self.name == "local":
            return Workers(local_executor(run_trial, jobs or 1), shared=True)
        executor = RayExecutor(
            run_trial,
            self.address or "auto",
            Place(cores=threads, gpus=self.num_gpus, workers=jobs),
            paths=needed_paths(data),
            ship=self.ship_data,
            folder=folder.resolve(),
            notice=notice,
        )
        return Workers(executor, shared=executor.shared)


LOCAL = Engine()


def needed_paths(data: str) -> list[Path]:
    """What a node needs on its disk to open the images."""
    where = absolute(data)
    if where == data and not Path(data).is_absolute():
        return []
    return [Path(where if Path(where).exists() else where.partition(":")[2])]
