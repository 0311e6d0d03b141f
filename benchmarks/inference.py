"""Compiled networks beside other engines: interleaved, the same random weights.

    python -m benchmarks.inference efficientnet_b0 resnet50 --batch 1 8 --threads 1 2 --rounds 20

A record is a network, a batch and a number of threads, with every engine that is there. One thread is measured in
seconds of processor time, several by the clock on the wall, and then `native:t1` is the native engine in one thread.
With several, a rest and an untimed call go before each timed one: ONNX Runtime's threads spin for 50 ms after a call,
in the way of whoever is next. `times_faster` is beside ONNX Runtime (the first engine where that is left out), the
median of the ratios within a round; `best_peer` is how many times as fast as the fastest other engine the native one
is, `own_thread` as itself in one thread. `--busy 1` measures beside a process that takes all the time of a core.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from statistics import geometric_mean, median
from time import perf_counter, process_time
from typing import Any, NamedTuple

import numpy as np

from benchmarks.harness import append, interleave, ratio, record
from triscale.costs import Target
from triscale.engines import ENGINES, Opened
from triscale.engines.contract import Floats
from triscale.errors import InputError
from triscale.families.by_name import network

NETWORKS = (
    "efficientnet_b0", "efficientnet_b1", "efficientnet_b4", "efficientnet_lite0", "efficientnetv2_b0", "mobilenet_v2",
    "mobilenet_v3_large", "mnasnet_a1", "resnet50", "smallnet_48",
)  # fmt: skip
NATIVE, ALONE, AGAINST = "native", "native:t1", "onnxruntime"
ENOUGH = 0.02
"""Seconds: what is faster runs several times in a round."""

SETTLE = 0.1
"""Seconds: twice as long as threads spin after their last call."""


class Place(NamedTuple):
    """Where networks are measured: images of a step, threads of arithmetic, and busy processes beside."""

    batch: int
    threads: int
    busy: int

    @property
    def clock(self) -> Callable[[], float]:
        """What tells the seconds."""
        return process_time if self.threads == 1 and not self.busy else perf_counter


def measure(name: str, place: Place, engines: Sequence[str], rounds: int) -> float:
    """Append the record of one network; returns how many times as fast as the best peer native is."""
    spec = network(name)
    shape = (place.batch, spec.input_channels, *spec.resolution)
    images = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    targets = {engine: Target(runtime=engine, batch=place.batch, threads=place.threads) for engine in engines}
    if place.threads > 1 and NATIVE in engines:
        targets[ALONE] = Target(runtime=NATIVE, batch=place.batch)
    opened = {engine: found for engine, target in targets.items() if (found := _opened(name, target)) is not None}
    wanted = opened[against(opened)].run(images)
    off = {engine: _off(one.run(images), wanted) for engine, one in opened.items() if engine in {NATIVE, "openvino"}}
    repeats = {engine: _repeats(one, images, place.clock) for engine, one in opened.items()}
    calls = {engine: _call(one, images, repeats[engine]) for engine, one in opened.items()}
    with _busy(place.busy):
        taken = interleave(calls, rounds=rounds, settle=SETTLE if place.threads > 1 else 0.0, clock=place.clock)
    seconds = {engine: [one / repeats[engine] for one in times] for engine, times in taken.items()}
    return _kept(name, place, seconds, off)


def _kept(name: str, place: Place, seconds: dict[str, list[float]], off: dict[str, float]) -> float:
    least = {engine: min(times) for engine, times in seconds.items()}
    middle = {engine: median(times) for engine, times in seconds.items()}
    found = middle if place.threads > 1 or place.busy else least
    best = min(seconds.keys() - {NATIVE, ALONE}, key=found.__getitem__)
    own = {"own_thread": asdict(ratio(seconds[ALONE], seconds[NATIVE]))} if ALONE in seconds else {}
    entry = record(
        "inference", seconds, against=against(seconds), network=name, **place._asdict(), best=best,
        best_peer=asdict(ratio(seconds[best], seconds[NATIVE])), **own, least=least, off=off,
        versions={engine: one.version() for engine, one in ENGINES.items() if engine in seconds},
        load=os.getloadavg()[0],
    )  # fmt: skip
    append(entry)
    times = ", ".join(f"{engine} {1e3 * value:.2f}" for engine, value in found.items())
    print(f"{name} {place}: ms {times}; {found[best] / found[NATIVE]:.2f}x {best}", flush=True)
    return found[best] / found[NATIVE]


def against(engines: Collection[str]) -> str:
    """The engine whose logits and times the others are set beside."""
    return next(one for one in (AGAINST, *sorted(engines)) if one in engines and one != NATIVE)


@contextmanager
def _busy(count: int) -> Iterator[None]:
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _opened(name: str, target: Target) -> Opened | None:
    engine = target.runtime
    if reason := ENGINES[engine].missing():
        print(f"{engine} is left out: {reason}")
        return None
    try:
        return ENGINES[engine].open(network(name), target)
    except InputError as error:
        print(f"{engine} is left out: {error}")
        return None


def _off(found: Floats, wanted: Floats) -> float:
    """The largest difference of logits, of the largest logit."""
    return float(np.abs(found - wanted).max() / np.abs(wanted).max())


def _repeats(opened: Opened, images: Floats, clock: Callable[[], float]) -> int:
    opened.run(images)
    start = clock()
    opened.run(images)
    return max(1, int(ENOUGH / max(clock() - start, 1e-6)))


class _call:  # noqa: N801  a function that keeps its arguments
    def __init__(self, opened: Opened, images: Floats, repeats: int) -> None:
        self.opened, self.images, self.repeats = opened, images, repeats

    def __call__(self) -> None:
        for _ in range(self.repeats):
            self.opened.run(self.images)


Row = Mapping[str, Any]


def table(rows: Sequence[Row]) -> Iterator[str]:
    """Markdown: the last record of each network in each place, and the geometric mean of each place."""
    yield (
        "| network | images | threads | held to | native, ms | ONNX Runtime, ms | OpenVINO, ms | faster than the best "
        "(95%) |"
    )
    yield "|---|---:|---|---|---:|---:|---:|---|"
    latest = {(_where(row), row["network"]): row for row in rows}
    for where in sorted({place for place, _ in latest}):
        found = [row for (place, _), row in latest.items() if place == where]
        yield from (_cells(row) for row in sorted(found, key=lambda row: list(NETWORKS).index(row["network"])))
        mean = geometric_mean(row["best_peer"]["median"] for row in found)
        yield f"| *geometric mean* | {where[0]} | {_threads(where)} | {where[3]} | | | | {mean:.2f}x |"


def _where(row: Row) -> tuple[int, int, int, str]:
    held = "AVX2" if "avx2" in (row["machine"]["isa_limits"] or "") else ""
    return row["batch"], row["threads"], row["busy"], held


def _threads(where: tuple[int, int, int, str]) -> str:
    return f"{where[1]}, beside a busy process" if where[2] else str(where[1])


def _cells(row: Row) -> str:
    where, best = _where(row), row["best_peer"]
    found = row["least"] if where[1:3] == (1, 0) else {one: value["median"] for one, value in row["seconds"].items()}
    times = " | ".join(_milliseconds(found[one]) if one in found else "" for one in (NATIVE, AGAINST, "openvino"))
    return (
        f"| {row['network']} | {where[0]} | {_threads(where)} | {where[3]} | {times} | "
        f"{best['median']:.2f}x ({best['low']:.2f} to {best['high']:.2f}) |"
    )


def _milliseconds(seconds: float) -> str:
    value = 1e3 * seconds
    return f"{value:,.0f}" if value >= 1e3 else f"{value:.3g}"


def main() -> None:
    """Measure, print a line each, and append the records."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("networks", nargs="*", default=list(NETWORKS))
    parser.add_argument("--engines", nargs="+", default=list(ENGINES))
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--threads", type=int, nargs="+", default=[1])
    parser.add_argument("--busy", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    places = [Place(batch, threads, options.busy) for threads in options.threads for batch in options.batch]
    found = [measure(name, place, options.engines, options.rounds) for name in options.networks for place in places]
    print(f"geometric mean beside the best peer: {geometric_mean(found):.2f}")


if __name__ == "__main__":
    main()
