"""A training by `triscale.train.fit` that makes its steps when asked to, so that it can take turns with others."""

import tempfile
import threading
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from triscale.data import Source
from triscale.data.known import MemoryPart
from triscale.spec import Network
from triscale.speed_plan import SpeedPlan
from triscale.train import Engine, Inputs, Quiet, Recipe, data_use, fit
from triscale.trials import Execution, Numerics, TrainJob


class Stepped(Quiet):
    """A training in a thread of its own that rests between two calls.

    Args:
        network: what is trained.
        recipe: how; its epochs must last for all calls.
        numerics: on what.
        images, labels: `[n, height, width, 3]` of uint8, of the network's size, and their classes.
    """

    def __init__(
        self,
        network: Network,
        recipe: Recipe,
        numerics: Numerics,
        images: NDArray[np.uint8],
        labels: NDArray[np.int64],
    ) -> None:
        self.plan = SpeedPlan()
        self._go, self._made = threading.Semaphore(0), threading.Semaphore(0)
        self._error: BaseException | None = None
        self._place = tempfile.TemporaryDirectory(prefix="triscale-")
        source = _in_memory(network, images, labels, Path(self._place.name))
        job = TrainJob(network=network, data=data_use(source, seed=0), recipe=recipe)
        execution = Execution(loader_workers=0, save_every=1e9)
        folder = Path(self._place.name) / "run"

        def work() -> None:
            try:
                fit(job, folder, numerics, execution, self, inputs=Inputs(source=source))
            except BaseException as error:  # noqa: BLE001  it is raised where the step was asked for
                self._error = error
            self._made.release()

        threading.Thread(target=work, daemon=True).start()
        self._wait()

    def __call__(self, steps: int) -> None:
        """Make so many steps, and what comes between them: an evaluation and a save at the end of an epoch."""
        for _ in range(steps):
            self._go.release()
            self._wait()

    def step(self, engine: Engine) -> None:
        """Rest until the next step is asked for."""
        self.plan = engine.plan
        self._made.release()
        self._go.acquire()

    def _wait(self) -> None:
        self._made.acquire()
        if self._error is not None:
            raise self._error


def _in_memory(network: Network, images: NDArray[np.uint8], labels: NDArray[np.int64], cache: Path) -> Source:
    """All of the images train; the first four stand for validation and test, so that these take no time."""

    def names(count: int) -> tuple[str, ...]:
        return tuple(f"{one:064x}" for one in range(count))  # in place of hashes

    return Source(
        name="images in memory",
        classes=tuple(map(str, range(network.classes))),
        native=network.resolution,
        fingerprint="images in memory",
        test_from="test",
        parts={
            "train": MemoryPart(images, labels, "train", names(len(images))),
            "val": MemoryPart(images[:4], labels[:4], "val", names(4)),
            "test": MemoryPart(images[:4], labels[:4], "test", names(4)),
        },
        cache=cache,
    )
