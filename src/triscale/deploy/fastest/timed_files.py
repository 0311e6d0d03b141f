"""The time of exported files, by the protocol of `triscale benchmark`: pinned processes, interleaved, a reference."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from triscale.costs import Target
from triscale.deploy.about import About
from triscale.deploy.formats import FORMATS, kind_of
from triscale.deploy.precision.speed_beside import SpeedBeside, beside
from triscale.errors import InputError
from triscale.latency.measuring import Limits, Measurement, Subject, Watch, measure_subjects
from triscale.latency.silent_watch import SilentWatch
from triscale.machine import separate_cores

SECONDS = 10.0
"""After which two files that are set side by side are not measured further."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FileToTime:
    """A file that was exported, and what it says about itself."""

    about: About
    path: Path

    def target(self, threads: int) -> Target:
        """The engine that runs it, for steps of its batch, or of one image where it takes any number."""
        engine = FORMATS[kind_of(self.path)].engine
        return Target(runtime=engine, precision=self.about.precision, threads=threads, batch=self.about.batch or 1)

    def subject(self, threads: int) -> Subject:
        """What is measured."""
        network = replace(self.about.network, resolution=self.about.size)
        return Subject(network=network, target=self.target(threads), file=self.path)


def time_files(files: Sequence[FileToTime], threads: int, limits: Limits, watch: Watch) -> list[Measurement | None]:
    """The time of a step of each file; None for one that its engine cannot open, with a notice.

    Files of one target are in the same rounds, wherever they stand among the others.

    Raises:
        UsageError: more threads than this process has cores.
        InputError: none could be opened.
    """
    subjects = [one.subject(threads) for one in files]
    targets = [subject.target for subject in subjects]
    order = sorted(range(len(subjects)), key=lambda index: targets.index(targets[index]))
    left = list(measure_subjects([subjects[index] for index in order], limits, watch).measurements)
    found: list[Measurement | None] = [None] * len(subjects)
    for index in order:  # those that are left out are missing from the measurements, which keep the order
        if left and (left[0].network, left[0].target) == (subjects[index].network.name, targets[index]):
            found[index] = left.pop(0)
    return found


def arithmetic_threads() -> int:
    """Threads of torch, but no more than this process has cores."""
    threads = torch.get_num_threads()
    return min(threads, len(separate_cores(threads)))


def time_beside(first: FileToTime, second: FileToTime) -> SpeedBeside:
    """The times of two files, in as many threads as torch computes in.

    Raises:
        InputError: one of them cannot be measured; the message says why.
    """
    watch = SilentWatch()
    one, other = time_files((first, second), arithmetic_threads(), Limits(seconds=SECONDS), watch)
    if one is None or other is None:
        raise InputError(watch.lines[0])
    return beside(one, other)
