"""Searches whose drivers are killed (SIGKILL), and how one is compared with a search that was left in peace."""

import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.search.explorations.searches import outcomes, proposals
from triscale.search.trainings.progress import Quiet
from triscale.trials import Trial, read
from triscale.trials.searches.search_records import FoundRecord

_PATIENCE = 240.0


class After(Quiet):
    """Calls functions once so many trainings are settled."""

    def __init__(self, todo: Mapping[int, Callable[[], None]]) -> None:
        self._todo, self.settled_count = todo, 0

    def settled(self, trial: Trial) -> None:
        """Count it."""
        del trial
        self.settled_count += 1
        self._todo.get(self.settled_count, lambda: None)()


def same(folder: Path, home: Path) -> None:
    """Proposals, results, and the front."""
    assert proposals(folder) == proposals(home)
    assert outcomes(read(folder)) == outcomes(read(home))
    found, expected = read(folder).one(FoundRecord), read(home).one(FoundRecord)
    assert found is not None
    assert expected is not None
    assert (found.front, found.best) == (expected.front, expected.best)


def done(folder: Path) -> int:
    """Trainings of a search that are done."""
    return sum(one.state == "done" for one in read(folder)) if (folder / "records.jsonl").exists() else 0


def killed_at(point: int, command: list[str], folder: Path) -> None:
    """Run a command until the store holds so many trials that are done, and kill it."""
    with (folder.parent / "driver.log").open("w") as log:
        driver = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log)
    deadline = time.monotonic() + _PATIENCE
    while done(folder) < point:
        assert driver.poll() is None, (folder.parent / "driver.log").read_text()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    driver.send_signal(signal.SIGKILL)
    driver.wait()
