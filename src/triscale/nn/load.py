"""Whether other programs take the cores that a measurement needs, as Linux counts their time."""

import os
import time
from pathlib import Path
from typing import NamedTuple

from triscale.machine import allowed_cores

_PROC = Path("/proc")
_TOLERATED = 0.15
_WINDOW = 0.5
"""What others may take of the cores that are used, and the share of its time that a process may wait; seconds over
which that is found, as systems count in ticks of 10 ms."""


class Load(NamedTuple):
    """What went on beside this process.

    Attributes:
        others: cores, on average, that others kept busy, of those that this process may use.
        waiting: share of the time in which this process could have run that it waited for a core.
        cores: that this process may use.
        threads: with which it computes.
    """

    others: float
    waiting: float
    cores: int
    threads: int

    @property
    def pressure(self) -> float:
        """Share of what this process needs that others took."""
        return max((self.others + self.threads - self.cores) / self.threads, self.waiting)

    @property
    def crowded(self) -> bool:
        """Whether there were too few cores for all."""
        return self.pressure > _TOLERATED


IDLE = Load(0.0, 0.0, 1, 1)
"""Nobody else."""


class Watch:
    """The load of the last half second or so, from some time before its first call on.

    Args:
        threads: with which this process computes.
        proc: where the system counts.
    """

    def __init__(self, threads: int, proc: Path = _PROC) -> None:
        self.threads, self.proc = threads, proc
        self._since = _Moment.now(proc)
        time.sleep(_WINDOW / 2)
        self._last = self._since.load(_Moment.now(proc), threads)

    def __call__(self) -> Load:
        """The load of the last window that is complete."""
        now = _Moment.now(self.proc)
        if now.wall - self._since.wall >= _WINDOW:
            self._last, self._since = self._since.load(now, self.threads), now
        return self._last


class _Moment(NamedTuple):
    """Seconds since some beginning: by the clock, of this process, of all in each core, of waiting for a core."""

    wall: float
    own: float
    busy: list[float]
    waited: float

    @classmethod
    def now(cls, proc: Path) -> "_Moment":
        return cls(time.perf_counter(), time.process_time(), _busy(proc), _waited(proc))

    def load(self, now: "_Moment", threads: int) -> Load:
        wall, own = max(now.wall - self.wall, 1e-9), now.own - self.own
        # Where cores are not counted: the mean of the last minute, which this process is in.
        used = sum(now.busy) - sum(self.busy) if self.busy and now.busy else _average() * wall
        waited = max(0.0, now.waited - self.waited)
        cores = len(now.busy) or len(allowed_cores())
        return Load(max(0.0, used - own) / wall, waited / max(waited + own, 1e-9), cores, min(threads, cores))


def _busy(proc: Path) -> list[float]:
    """Seconds that each core that this process may use was busy; stolen time is the host's, and counts."""
    ticks = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
    rows = (line.split() for line in _read(proc / "stat").splitlines())
    found = {row[0]: row[1:9] for row in rows if row and row[0].startswith("cpu")}
    of = [found[name] for one in sorted(allowed_cores()) if (name := f"cpu{one}") in found]
    return [sum(int(value) for i, value in enumerate(row) if i not in {3, 4}) / ticks for row in of]  # idle, iowait


def _waited(proc: Path) -> float:
    """Seconds that the threads of this process were ready to run and did not."""
    texts = (_read(one).split() for one in proc.glob("self/task/*/schedstat"))
    return sum(int(words[1]) for words in texts if len(words) > 1) / 1e9


def _average() -> float:
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):
        return 0.0


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
