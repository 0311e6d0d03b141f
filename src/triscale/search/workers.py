"""What runs the trainings of a study: processes of this machine, or workers of a Ray cluster."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from triscale.errors import UsageError
from triscale.search.work import Trained, TrialTask, run_trial
from triscale.trials.executor import Executor, local_executor
from triscale.trials.executor.ray_cluster import Place, RayExecutor

EngineName = Literal["local", "ray"]


@dataclass(frozen=True, kw_only=True)
class WorkersAsked:
    """Which workers a study wants.

    Attributes:
        engine: `local` processes, or a `ray` cluster.
        address: of the cluster: HOST:PORT, `auto` for the one of this machine, `local` to start one here.
        ship_data: carry the data through the cluster to nodes that do not have it at the same path.
        jobs: trainings at a time; None: as many as there is room for.
    """

    engine: EngineName = "local"
    address: str | None = None
    ship_data: bool = False
    jobs: int | None = None

    def __post_init__(self) -> None:
        if self.engine == "local" and (self.address is not None or self.ship_data):
            raise UsageError("--address and --ship-data are of a cluster; add --engine ray.")

    def start(
        self, data: str, *, usual: int, threads: int, gpu: bool, say: Callable[[str], None]
    ) -> tuple[Executor[TrialTask, Trained], int]:
        """The workers, and how many trainings run at a time.

        Args:
            data: what opens the images; a path must exist on every node.
            usual: trainings at a time on this machine, where `jobs` does not say.
            threads: of each training.
            gpu: each training has a GPU to itself.
            say: hears of nodes that are left out.

        Raises:
            InputError: see `RayExecutor`.
        """
        if self.engine == "local":
            jobs = self.jobs or usual
            return local_executor(run_trial, jobs), jobs
        paths = [Path(data)] if Path(data).exists() else []
        place = Place(cores=threads, gpus=1 if gpu else 0, workers=self.jobs)
        cluster: RayExecutor[TrialTask, Trained] = RayExecutor(
            run_trial, self.address or "local", place, paths=paths, ship=self.ship_data,
            notice=lambda text: say(f"warning: {text}"),
        )  # fmt: skip
        return cluster, cluster.places
