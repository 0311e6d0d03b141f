"""From rounds to results: of each network the median over the rounds that count."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from triscale.intervals import interval
from triscale.latency.measuring.interleaved import Rounds
from triscale.latency.measuring.loaded_group import Subject
from triscale.latency.measuring.measurement import Measurement, Opening, Visit, is_narrow, lowest, medians_of
from triscale.latency.measuring.quiet import SHARE, Quiet


@dataclass(frozen=True, kw_only=True, slots=True)
class Ready:
    """A network that an engine opens, with what opening it showed."""

    subject: Subject
    opening: Opening


def results(group: Sequence[Ready], rounds: Rounds, width: float) -> Iterator[Measurement]:
    """What the rounds of a group say about each of its networks.

    Args:
        group: in the order of the visits.
        rounds: at least one.
        width: see `Limits`.
    """
    quiet = rounds.quiet()
    for number, one in enumerate(group):
        yield _result(one, [rounds.visits[number][i] for i in quiet.counted], quiet, width)


def _result(one: Ready, visits: Sequence[Visit], quiet: Quiet, width: float) -> Measurement:
    each = medians_of(visits)
    found = interval(each)
    cpu = median(median(visit.cpu) for visit in visits) if one.subject.target.threads == 1 else None
    waited = cpu is not None and found.median > (1 + SHARE) * cpu
    return Measurement(
        network=one.subject.network.name,
        target=one.subject.target,
        median_ms=found.median,
        interval_ms=(found.low, found.high),
        coverage=found.coverage,
        cpu_ms=cpu,
        lowest_cpu_ms=None if cpu is None else lowest(visits),
        rounds_ms=each,
        discarded=quiet.discarded,
        clean=not (quiet.loaded or waited),
        narrow=is_narrow(found, width),
        opening=one.opening,
    )
