"""The served page of several engines: requests a second, and how long a request takes, with connections at once.

    python -m benchmarks.serving efficientnet_b0 --engines native onnxruntime openvino torch --connections 4

exports the network (random weights) for each engine, starts `triscale serve` for each, and sends the same JPEG by
several connections that stay open, one service after the other, in rounds that every second time run backwards. Client
and services share the cores, so a request holds what Python, HTTP, decoding and cropping take too. Appends one record a
network: requests a second by the median of the rounds, and p50 and p99 of all requests; `--table` prints the table of
those records.
"""

import argparse
import io
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from statistics import quantiles
from threading import Thread
from time import perf_counter
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image

from benchmarks.harness import RECORDS, append, provenance, ratio
from triscale import export
from triscale.engines import ENGINES
from triscale.families import network
from triscale.intervals import interval
from triscale.nn import build
from triscale.spec import IMAGENET
from triscale.weights import Checkpoint, Classifier, save

SUFFIXES: Mapping[str, str] = {"native": ".so", "onnxruntime": ".onnx", "openvino": ".xml", "torch": ".safetensors"}
"""Of the file that each engine serves; torch serves the checkpoint, eagerly."""

OURS = "native"
_ADDRESS = re.compile(r'"url": "http://([\w.]+):(\d+)/"')
SIZE = (375, 500)
"""(height, width) of the image, the usual one of ImageNet."""


class Load(NamedTuple):
    """What a service is put under: connections at once for so many seconds, and how many such rounds."""

    connections: int
    seconds: float
    rounds: int


class Round(NamedTuple):
    """What one service did in one round: requests a second, and the seconds of each request."""

    rate: float
    seconds: list[float]


def photo() -> bytes:
    """A JPEG of smooth colours."""
    draws = np.random.default_rng(0).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(draws).resize(SIZE[::-1], Image.Resampling.BICUBIC).save(file, format="JPEG", quality=90)
    return file.getvalue()


def files(name: str, engines: Sequence[str], folder: Path) -> dict[str, Path]:
    """The file that each engine serves; one that is not installed is left out, with a line."""
    torch.manual_seed(0)
    spec = network(name)
    classes = tuple(f"class {index}" for index in range(spec.classes))
    made = Classifier(model=build(spec).eval(), classes=classes, preprocessing=IMAGENET)
    found = {}
    for engine in engines:
        if reason := ENGINES[engine].missing():
            print(f"{engine} is left out: {reason}")
            continue
        found[engine] = folder / f"{engine}{SUFFIXES[engine]}"
        if engine == "torch":
            state = Checkpoint(network=spec, state=made.model.state_dict(), classes=classes, preprocessing=IMAGENET)
            save(found[engine], state)
        else:
            export(made, found[engine])
    return found


@contextmanager
def served(file: Path, threads: int) -> Iterator[tuple[str, int]]:
    """The address of a service of a file."""
    command = [sys.executable, "-m", "triscale", "serve", str(file), "--port", "0", "--threads", str(threads), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            lines = process.stdout or ()
            found = next((match for line in lines if (match := _ADDRESS.search(line))), None)
            if found is None:
                raise SystemExit(f"{file.name} is not served.")
            yield found[1], int(found[2])
        finally:
            process.terminate()


def under_load(address: tuple[str, int], request: bytes, load: Load) -> Round:
    """Requests by all connections until the time is over; each sends its next when it has its answer."""
    taken: list[float] = []
    start = perf_counter()

    def client() -> None:
        with socket.create_connection(address, timeout=60) as connection, connection.makefile("rb") as answers:
            while perf_counter() - start < load.seconds:
                begin = perf_counter()
                connection.sendall(request)
                answered(answers)
                taken.append(perf_counter() - begin)

    clients = [Thread(target=client) for _ in range(load.connections)]
    for one in clients:
        one.start()
    for one in clients:
        one.join()
    return Round(len(taken) / (perf_counter() - start), taken)


def answered(answers: io.BufferedReader) -> None:
    """Read one answer, which must be a prediction."""
    status, length = answers.readline(), 0
    while (line := answers.readline()) != b"\r\n":
        if line.lower().startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    body = answers.read(length)
    if b" 200 " not in status:
        raise SystemExit(f"the service answered {status!r}: {body[:200]!r}")


def measure(name: str, engines: Sequence[str], load: Load, threads: int, records: Path) -> None:
    """Append the record of one network."""
    image = photo()
    head = "POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\nContent-Length: "
    request = f"{head}{len(image)}\r\n\r\n".encode() + image
    with tempfile.TemporaryDirectory(prefix="triscale-") as folder, ExitStack() as running:
        found = files(name, engines, Path(folder))
        places = {engine: running.enter_context(served(file, threads)) for engine, file in found.items()}
        for place in places.values():
            under_load(place, request, load._replace(seconds=min(load.seconds, 1.0)))
        taken: dict[str, list[Round]] = {engine: [] for engine in places}
        for index in range(load.rounds):
            for engine in list(places)[:: -1 if index % 2 else 1]:
                taken[engine].append(under_load(places[engine], request, load))
    entry = described(name, taken, load, threads)
    append(entry, records)


def described(name: str, taken: Mapping[str, Sequence[Round]], load: Load, threads: int) -> dict[str, object]:
    """The record, which is printed too."""
    rates = {engine: [one.rate for one in rounds] for engine, rounds in taken.items()}
    facts: dict[str, dict[str, object]] = {}
    for engine, rounds in taken.items():
        cuts = quantiles([one for each in rounds for one in each.seconds], n=100, method="inclusive")
        facts[engine] = {
            "requests": sum(len(one.seconds) for one in rounds),
            "requests_per_second": asdict(interval(rates[engine])),
            "p50_ms": 1e3 * cuts[49],
            "p99_ms": 1e3 * cuts[98],
        }
        print(
            f"{name} {engine}: {interval(rates[engine]).median:.1f} requests/s, p50 {1e3 * cuts[49]:.1f} ms, "
            f"p99 {1e3 * cuts[98]:.1f} ms",
            flush=True,
        )
    beside = {one: asdict(ratio(rates[OURS], rates[one])) for one in rates if OURS in rates and one != OURS}
    return {
        **provenance("serving"), "network": name, **load._asdict(), "threads": threads, "image": list(SIZE),
        "engines": facts, "native_serves_more": beside, "load": os.getloadavg()[0],
        "versions": {engine: one.version() for engine, one in ENGINES.items() if engine in taken},
    }  # fmt: skip


def table(records: Path = RECORDS) -> str:
    """The last record of each network, as Markdown."""
    entries = (json.loads(line) for line in records.read_text(encoding="utf-8").splitlines())
    last = {one["network"]: one for one in entries if one.get("name") == "serving"}
    lines = ["| network | engine | requests/s | p50 ms | p99 ms |", "|---|---|---|---|---|"]
    lines += [
        f"| {name} | {engine} | {found['requests_per_second']['median']:.1f} | {found['p50_ms']:.1f} | "
        f"{found['p99_ms']:.1f} |"
        for name, one in last.items()
        for engine, found in one["engines"].items()
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure, print a line each, and append the records."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("networks", nargs="*", default=["efficientnet_b0"])
    parser.add_argument("--engines", nargs="+", default=list(SUFFIXES), choices=list(SUFFIXES))
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--records", type=Path, default=RECORDS)
    parser.add_argument("--table", action="store_true", help="print the table of the records, and measure nothing")
    options = parser.parse_args()
    if options.table:
        print(table(options.records))
        return
    load = Load(options.connections, options.seconds, options.rounds)
    for name in options.networks:
        measure(name, options.engines, load, options.threads, options.records)


if __name__ == "__main__":
    main()
