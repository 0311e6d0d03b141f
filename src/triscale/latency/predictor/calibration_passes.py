"""The passes of a calibration: each measures every network once, and is on disk before the next network begins.

Whole runs go first, profiles later, each in passes of its own: in a process that opens and closes networks for their
profiles OpenVINO runs whole networks up to 7% slower than in one that opened each once.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from time import monotonic, perf_counter_ns, process_time_ns

import msgspec
import numpy as np

from triscale.costs import Target
from triscale.engines import Floats, Opened
from triscale.latency.predictor.calibration_networks import is_short
from triscale.latency.predictor.model_fit import Sample, sample_of
from triscale.latency.predictor.node_times import NodeTimes, pooled
from triscale.latency.predictor.profiles.profiling import Profiler
from triscale.spec import Network

PASSES = 6
PERCENTILE = 5
"""Of the whole runs of a network: what it takes when nothing disturbs it."""

_PROFILED_RUNS = 6
_WARM_RUNS, _LEAST_RUNS, _MOST_RUNS = 2, 4, 12
_RUNS_MS = 50
"""Milliseconds that the whole runs of a network take in a pass, within those limits."""


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What the passes of a file are of; passes of anything else are not continued."""

    recipe: int
    target: str
    engine_version: str
    machine: dict[str, str | int | None]


class PassLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A network in a pass: milliseconds of its whole runs, or [name, operation, microseconds] of its nodes."""

    number: int
    network: str
    whole: list[float] | None = None
    nodes: list[tuple[str, str, list[float]]] | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it holds whole runs, else a profile."""
        return self.whole is not None


def measure_passes(
    path: Path, header: Header, target: Target, networks: Sequence[Network], profiler: Profiler,
    watch: Callable[[int, int], None], seconds: float, passes: int = PASSES,
) -> tuple[Sample, ...]:  # fmt: skip
    """Measure what the file lacks, and pool all of it.

    Args:
        path: of the lines; another header's are dropped.
        header: what is measured.
        target: where networks run.
        networks: of the calibration.
        profiler: opens networks and says what their kernels take.
        watch: is called with how many measurements are done, of how many.
        seconds: after a half of which no third or later pass of whole runs begins, and after which none of profiles.
        passes: the most of either.

    Raises:
        InputError: the engine rejects a network.
    """
    found = _read(path, header)
    if not found:
        path.write_bytes(msgspec.json.encode(header) + b"\n")
    begun, bench, long = monotonic(), _Bench(target, profiler), [one for one in networks if not is_short(one)]
    kinds = ((bench.whole, True, networks, seconds / 2), (bench.profile, False, long, seconds))
    for measure, is_whole, measured, until in kinds:
        done = {(line.number, line.network) for line in found if line.is_whole == is_whole}
        for number in range(passes):
            if number >= 2 and monotonic() - begun > until:
                break
            for network in measured:
                if (number, network.name) not in done:
                    found.append(measure(number, network))
                    with path.open("ab") as file:
                        file.write(msgspec.json.encode(found[-1]) + b"\n")
                watch(len(found), passes * (len(networks) + len(long)))
        bench.close()
    return _samples(found, networks, profiler.grain)


class _Bench:
    """Networks on a target: run as a whole in sessions that stay open, profiled in a new one each time.

    A network that has just been opened is a few percent slower than one that has been in use for a minute, and networks
    in use are what is predicted.
    """

    def __init__(self, target: Target, profiler: Profiler) -> None:
        self._target, self._profiler = target, profiler
        self._opened: dict[str, Opened] = {}

    def whole(self, number: int, network: Network) -> PassLine:
        """Whole runs of the network in a pass."""
        images = images_for(network, self._target.batch)
        runs = run_times(self._open(network), images, self._target.threads)
        return PassLine(number=number, network=network.name, whole=[round(one, 5) for one in runs])

    def _open(self, network: Network) -> Opened:
        if network.name not in self._opened:
            self._opened[network.name] = self._profiler.prepared(network, self._target).open()
        return self._opened[network.name]

    def profile(self, number: int, network: Network) -> PassLine:
        """Its nodes."""
        images = images_for(network, self._target.batch)
        nodes = self._profiler.prepared(network, self._target).profile(images, _PROFILED_RUNS)
        return PassLine(
            number=number,
            network=network.name,
            nodes=[(node.name, node.operation, [round(one, 3) for one in node.microseconds]) for node in nodes],
        )

    def close(self) -> None:
        """Close all networks."""
        for opened in self._opened.values():
            opened.close()
        self._opened.clear()


def run_times(opened: Opened, images: Floats, threads: int) -> list[float]:
    """Milliseconds of some whole runs after warming up.

    On one thread they are of the processor, which other processes disturb less; on several, of the wall.
    """
    clock = process_time_ns if threads == 1 else perf_counter_ns
    first = [timed(opened, images, clock) for _ in range(_WARM_RUNS)][-1]
    count = int(np.clip(_RUNS_MS / max(first, 0.1), _LEAST_RUNS, _MOST_RUNS))
    return [timed(opened, images, clock) for _ in range(count)]


def timed(opened: Opened, images: Floats, clock: Callable[[], int]) -> float:
    """Milliseconds of one run."""
    begun = clock()
    opened.run(images)
    return (clock() - begun) / 1e6


def images_for(network: Network, batch: int) -> Floats:
    """Images of noise, [batch, c, h, w]."""
    shape = (batch, network.input_channels, *network.resolution)
    return np.random.default_rng(0).standard_normal(shape, dtype=np.float32)


def _samples(lines: Sequence[PassLine], networks: Sequence[Network], grain: float) -> tuple[Sample, ...]:
    nodes = defaultdict[str, list[list[NodeTimes]]](list)
    whole = defaultdict[str, list[float]](list)
    for line in lines:
        whole[line.network] += line.whole or []
        if line.nodes is not None:
            nodes[line.network].append([NodeTimes(name, kind, tuple(times)) for name, kind, times in line.nodes])
    return tuple(
        sample_of(network, pooled(nodes[network.name]), float(np.percentile(whole[network.name], PERCENTILE)), grain)
        for network in networks
        if whole[network.name]
    )


def _read(path: Path, header: Header) -> list[PassLine]:
    """The lines of a file with this header; a last one that was cut off is dropped from the file too."""
    lines = list(_whole_lines(path))
    try:
        if not lines or msgspec.json.decode(lines[0], type=Header) != header:
            return []
        found = [msgspec.json.decode(line, type=PassLine) for line in lines[1:]]
    except msgspec.DecodeError:
        return []
    path.write_bytes(b"".join(lines))
    return found


def _whole_lines(path: Path) -> Iterator[bytes]:
    content = path.read_bytes() if path.exists() else b""
    return (line for line in content.splitlines(keepends=True) if line.endswith(b"\n"))
