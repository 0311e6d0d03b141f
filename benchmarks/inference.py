"""Compiled networks beside other engines, one thread: seconds of processor time, interleaved, the same random weights.

    python -m benchmarks.inference efficientnet_b0 resnet50 --batch 1 8 --rounds 20

A record is a network and a batch, with every engine that is there. `times_faster` is beside ONNX Runtime, the median of
the ratios within a round; `best_peer` is how many times as fast as the fastest other engine the native one is.
"""

import argparse
import os
from collections.abc import Sequence
from dataclasses import asdict
from statistics import geometric_mean
from time import process_time

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
NATIVE, AGAINST = "native", "onnxruntime"
ENOUGH = 0.02
"""Seconds: what is faster runs several times in a round."""


def measure(name: str, batch: int, engines: Sequence[str], rounds: int) -> float:
    """Append the record of one network and batch; returns how many times as fast as the best peer native is."""
    spec = network(name)
    shape = (batch, spec.input_channels, *spec.resolution)
    images = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    opened = {engine: found for engine in engines if (found := _opened(engine, name, batch)) is not None}
    wanted = opened[AGAINST].run(images)
    off = {engine: _off(one.run(images), wanted) for engine, one in opened.items() if engine in {NATIVE, "openvino"}}
    repeats = {engine: _repeats(one, images) for engine, one in opened.items()}
    calls = {engine: _call(one, images, repeats[engine]) for engine, one in opened.items()}
    taken = interleave(calls, rounds=rounds, clock=process_time)
    seconds = {engine: [one / repeats[engine] for one in times] for engine, times in taken.items()}
    peers = {engine: times for engine, times in seconds.items() if engine != NATIVE}
    best = min(peers, key=lambda engine: min(peers[engine]))
    least = {engine: min(times) for engine, times in seconds.items()}
    entry = record(
        "inference", seconds, against=AGAINST, network=name, batch=batch, threads=1, best=best,
        best_peer=asdict(ratio(seconds[best], seconds[NATIVE])), least=least, off=off,
        versions={engine: ENGINES[engine].version() for engine in seconds}, load=os.getloadavg()[0],
    )  # fmt: skip
    append(entry)
    times = ", ".join(f"{engine} {1e3 * value:.2f}" for engine, value in least.items())
    print(f"{name} batch {batch}: least ms {times}; {least[best] / least[NATIVE]:.2f}x {best}", flush=True)
    return least[best] / least[NATIVE]


def _opened(engine: str, name: str, batch: int) -> Opened | None:
    if reason := ENGINES[engine].missing():
        print(f"{engine} is left out: {reason}")
        return None
    try:
        return ENGINES[engine].open(network(name), Target(runtime=engine, batch=batch))
    except InputError as error:
        print(f"{engine} is left out: {error}")
        return None


def _off(found: Floats, wanted: Floats) -> float:
    """The largest difference of logits, of the largest logit."""
    return float(np.abs(found - wanted).max() / np.abs(wanted).max())


def _repeats(opened: Opened, images: Floats) -> int:
    opened.run(images)
    start = process_time()
    opened.run(images)
    return max(1, int(ENOUGH / max(process_time() - start, 1e-6)))


class _call:  # noqa: N801  a function that keeps its arguments
    def __init__(self, opened: Opened, images: Floats, repeats: int) -> None:
        self.opened, self.images, self.repeats = opened, images, repeats

    def __call__(self) -> None:
        for _ in range(self.repeats):
            self.opened.run(self.images)


def main() -> None:
    """Measure, print a line each, and append the records."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("networks", nargs="*", default=list(NETWORKS))
    parser.add_argument("--engines", nargs="+", default=list(ENGINES))
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    found = [
        measure(name, batch, options.engines, options.rounds) for name in options.networks for batch in options.batch
    ]
    print(f"geometric mean beside the best peer: {geometric_mean(found):.2f}")


if __name__ == "__main__":
    main()
