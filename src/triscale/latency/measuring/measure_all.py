"""Table 4's protocol as a function: networks on targets, in pinned processes, in interleaved rounds."""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Protocol

from triscale.costs import Target
from triscale.engines import engine_named
from triscale.errors import InputError, UsageError
from triscale.latency.measuring.interleaved import Limits, Rounds, interleave
from triscale.latency.measuring.loaded_group import LoadedGroup, Subject, opening_of
from triscale.latency.measuring.measurement import Measurement
from triscale.latency.measuring.results import Ready, results
from triscale.machine import free_memory, machine, separate_cores
from triscale.spec import AnyNetwork

_PART_OF_MEMORY = 0.6
"""Of the free memory that networks which are open at once may take."""

_OWN_BYTES = 3
"""Bytes of a process for a byte of weights, where the system does not say what it took."""


class Watch(Protocol):
    """Receives the progress of a measurement."""

    def opening(self, subject: Subject, done: int, whole: int) -> None:
        """A network is about to be opened alone."""

    def round(self, done: int, group: int, groups: int) -> None:
        """A round of a group is over."""

    def notice(self, text: str) -> None:
        """Something that the user should know, in a line."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """All that was measured.

    Attributes:
        machine: as `triscale.machine.machine` describes it.
        limits: that ended the rounds.
        measurements: by target and network, in their order.
        groups: in how many groups they ran side by side; more than one where memory does not hold all at once.
        out_of_time: whether the time ended before every interval was narrow.
        cores: the numbers of those that were used, pinned where the system can.
        slowest: the longest reading of the reference over the shortest.
    """

    machine: Mapping[str, str | int | None]
    limits: Limits
    measurements: tuple[Measurement, ...]
    groups: int
    out_of_time: bool
    cores: tuple[int, ...]
    slowest: float

    @property
    def clean(self) -> bool:
        """Whether every figure is."""
        return all(one.clean for one in self.measurements)

    def to_dict(self) -> dict[str, object]:
        """As `triscale benchmark --json` prints it."""
        return {
            "machine": dict(self.machine),
            "cores_used": list(self.cores),
            "width": self.limits.width,
            "clean": self.clean,
            "out_of_time": self.out_of_time,
            "groups": self.groups,
            "slowest_reference": self.slowest,
            "results": [one.to_dict() for one in self.measurements],
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class _Place:
    """Where networks run: cores, what the workers' environment has beside this one's, a folder for graphs."""

    cores: tuple[int, ...]
    environment: Mapping[str, str]
    folder: Path


def measure(networks: Sequence[AnyNetwork], targets: Sequence[Target], limits: Limits, watch: Watch) -> Measured:
    """Measure every network on every target, with random weights; see `measure_subjects`."""
    subjects = [Subject(network=network, target=target) for target in targets for network in networks]
    return measure_subjects(subjects, limits, watch)


def measure_subjects(subjects: Sequence[Subject], limits: Limits, watch: Watch) -> Measured:
    """Measure networks, each on its target, from files that are there or with random weights.

    One that an engine cannot open is left out with a notice. The time of the limits is shared by the groups.

    Args:
        subjects: at least one; all of a target beside one another.
        limits: when rounds end.
        watch: is called as the measurement goes on.

    Raises:
        UsageError: more threads than this process has cores.
        InputError: no network could be opened; the message has the first reason.
    """
    cores = _cores(max(subject.target.threads for subject in subjects))
    with tempfile.TemporaryDirectory(prefix="triscale-") as folder:
        compiled = {"TORCHINDUCTOR_CACHE_DIR": str(Path(folder) / "inductor"), "TORCHINDUCTOR_COMPILE_THREADS": "1"}
        place = _Place(cores=cores, environment=compiled, folder=Path(folder))
        reasons = list[str]()
        ready = list(_opened(subjects, place, watch, reasons))
        if not ready:
            raise InputError(f"none of the networks could be opened on any engine. {reasons[0]}")
        groups = grouped(ready, _PART_OF_MEMORY * (free_memory() or float("inf")))
        each = replace(limits, seconds=limits.seconds / len(groups))
        done = [
            _side_by_side(group, place, each, partial(_report, watch, number, len(groups)))
            for number, group in enumerate(groups, 1)
        ]
    pairs = list(zip(groups, done, strict=True))
    return Measured(
        machine=machine(),
        limits=limits,
        measurements=tuple(one for group, rounds in pairs for one in results(group, rounds, limits.width)),
        groups=len(groups),
        out_of_time=any(rounds.out_of_time for rounds in done),
        cores=cores,
        slowest=max(rounds.quiet().slowest for rounds in done),
    )


def grouped(ready: Sequence[Ready], memory: float) -> list[list[Ready]]:
    """Networks that are open at once: all of a target together, and as many targets as memory holds.

    Args:
        ready: all networks of a target beside one another.
        memory: bytes for the networks of a group; a target that takes more is a group of its own.
    """
    groups: list[list[Ready]] = []
    taken = 0.0
    for _, of_target in groupby(ready, key=lambda one: one.subject.target):
        cell = list(of_target)
        needed = sum(map(_bytes, cell))
        if not groups or taken + needed > memory:
            groups.append([])
            taken = 0.0
        groups[-1] += cell
        taken += needed
    return groups


def _bytes(one: Ready) -> float:
    peak, before = one.opening.peak_memory, one.opening.memory_before
    if peak is None or before is None:
        return _OWN_BYTES * one.opening.file_size
    return peak - before


def _cores(threads: int) -> tuple[int, ...]:
    found = separate_cores(threads)
    if len(found) < threads:
        raise UsageError(f"{threads} threads need as many cores; this process may use {len(found)}.")
    return found


def _opened(subjects: Sequence[Subject], place: _Place, watch: Watch, reasons: list[str]) -> Iterator[Ready]:
    """Each loaded once alone; those that cannot be are left out with a notice, which is appended to `reasons`."""
    for number, subject in enumerate(subjects):
        watch.opening(subject, number, len(subjects))
        try:
            there = subject if subject.file else replace(subject, file=_file(subject, place.folder))
            yield Ready(subject=there, opening=opening_of(there, place.cores, place.environment))
        except InputError as error:
            reasons.append(f"{subject.network.name} on {subject.target}: {error}")
            watch.notice(reasons[-1])


def _file(subject: Subject, folder: Path) -> Path | None:
    return engine_named(subject.target.runtime).written(subject.network, subject.target, folder)


def _side_by_side(group: Sequence[Ready], place: _Place, limits: Limits, watch: Callable[[Rounds], None]) -> Rounds:
    with LoadedGroup([one.subject for one in group], place.cores, place.environment) as bench:
        return interleave(bench, len(group), limits, watch)


def _report(watch: Watch, group: int, groups: int, rounds: Rounds) -> None:
    watch.round(len(rounds.readings), group, groups)
