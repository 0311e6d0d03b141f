"""By how much the processes of engines grow when they open a network and run it, beside what is counted from the spec.

    python -m benchmarks.engine_memory [--kept FILE] [--fit]

measures each network on each engine and precision that this machine has, each in a process of its own, and appends one
record. `--kept` keeps what was measured in a file, from which it resumes. `--fit` prints the laws of
`triscale.engine_memory` that follow from the fitted networks and measures nothing further; the others are held out, and
the errors of docs/memory.md are theirs. `--table` prints that table from the last record,
and before it the laws.
"""

import argparse
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.harness import RECORDS, append, provenance
from triscale.costs import TargetPrecision, parse_target
from triscale.engine_memory import LAWS, Law, Parts, parts_of
from triscale.engines import engine_named
from triscale.errors import InputError
from triscale.families import network
from triscale.latency.measuring import Subject, opening_of
from triscale.latency.predictor.nonnegative import nonnegative_least_squares
from triscale.machine import separate_cores
from triscale.spec import Network

FITTED = (
    ("smallnet_24", 24), ("mobilenet_v1", 224), ("mobilenet_v2", 224), ("mobilenet_v3_small", 224),
    ("efficientnet_lite0", 224), ("efficientnet_b0", 224), ("resnet18", 224), ("resnet50", 224),
    ("efficientnet_b0", 448), ("efficientnet_b3", 300),
)  # fmt: skip
HELD_OUT = (
    ("mobilenet_v3_large", 224), ("mnasnet_b1", 224), ("resnet34", 224), ("efficientnet_b1", 240),
    ("efficientnetv2_b0", 224), ("efficientnet_lite2", 260), ("efficientnet_b0", 160), ("mnasnet_a1", 224),
)  # fmt: skip
"""Name and resolution."""

AT_ONCE = (("mobilenet_v1", 224), ("mobilenet_v3_small", 224), ("efficientnet_lite0", 224), ("efficientnet_b0", 224),
           ("resnet50", 224), ("efficientnet_b0", 160), ("mnasnet_a1", 224))  # fmt: skip
"""Those that are also measured in steps of `IMAGES`."""
IMAGES = 8

BATCHED = (
    "torch:float32:t1",
    "onnxruntime:float32:t1",
    "onnxruntime:int8:t1",
    "openvino:float32:t1",
    "native:float32:t1",
)
"""Where; the shares of the others follow from images of several sizes."""

Row = Mapping[str, Any]


def at(name: str, side: int) -> Network:
    """A network at a size."""
    return replace(network(name), resolution=(side, side))


def targets() -> list[str]:
    """Engines and precisions that this machine has, of those that a law is known of."""
    here = [(engine_named(engine), precision) for engine, precision in LAWS]
    return [
        f"{engine.name}:{precision}:t1"
        for engine, precision in here
        if precision != "float16" and not engine.missing() and engine.unfit(precision) is None
    ]


def cases() -> Iterator[tuple[str, int, str, bool]]:
    """Name, side, target, and whether it is fitted."""
    for one in (*FITTED, *HELD_OUT):
        for target in targets():
            yield *one, f"{target}:b1", one in FITTED
            if one in AT_ONCE and target in BATCHED:
                yield *one, f"{target}:b{IMAGES}", one in FITTED


def measured(name: str, side: int, text: str, *, fitted: bool) -> Row:
    """The growth of one process."""
    subject = Subject(network=at(name, side), target=parse_target(text))
    with tempfile.TemporaryDirectory() as folder:
        file = engine_named(subject.target.runtime).written(subject.network, subject.target, Path(folder))
        found = opening_of(replace(subject, file=file), separate_cores(1), {})
    return {
        "network": name, "resolution": side, "target": text, "fitted": fitted, "version": found.version,
        "before": found.memory_before, "growth": found.growth,
    }  # fmt: skip


def measured_all(kept: Path | None) -> list[Row]:
    """Every case that can be measured; what a file keeps is not measured again."""
    rows = [json.loads(line) for line in kept.read_text().splitlines()] if kept and kept.exists() else []
    done = {(row["network"], row["resolution"], row["target"]) for row in rows}
    for name, side, text, fitted in cases():
        if (name, side, text) in done:
            continue
        try:
            rows.append(measured(name, side, text, fitted=fitted))
        except InputError as error:
            print(f"{name} on {text}: {error}")
            continue
        print(json.dumps(rows[-1]), flush=True)
        if kept:
            with kept.open("a") as file:
                file.write(json.dumps(rows[-1]) + "\n")
    return rows


def parts(row: Row) -> Parts:
    """What is counted of a row's network."""
    return parts_of(at(row["network"], row["resolution"]), parse_target(row["target"]))


def key(row: Row) -> tuple[str, TargetPrecision]:
    """Engine and precision."""
    target = parse_target(row["target"])
    return target.runtime, target.precision


def laws(rows: Sequence[Row]) -> Iterator[str]:
    """The laws that fit, as source: least squares of relative errors, no share below 0."""
    names = ("fixed", "weights", "maps", "images", "dense", "layers", "gates")
    for one in LAWS:
        own = [row for row in rows if row["fitted"] and key(row) == one]
        if own:
            terms = np.array([[1, *(getattr(parts(row), name) for name in names[1:])] for row in own], np.float64)
            growths = np.array([row["growth"] for row in own], np.float64)
            shares = nonnegative_least_squares(terms / growths[:, None], np.ones(len(own)))
            values = ", ".join(f"{name}={share:.3g}" for name, share in zip(names, shares, strict=True) if share > 0)
            yield f'    ("{one[0]}", "{one[1]}"): Law({values}),'


def errors(rows: Sequence[Row], one: tuple[str, str], law: Law, *, fitted: bool) -> list[tuple[float, Row]]:
    """Counted less measured, as a share of what was measured."""
    own = [row for row in rows if row["fitted"] == fitted and key(row) == one]
    return [(law.of(parts(row)) / row["growth"] - 1, row) for row in own]


def table(rows: Sequence[Row]) -> list[str]:
    """Markdown: errors by engine and precision on the networks that were held out."""
    lines = [
        "| engine | precision | networks | median error, % | largest error, % | of |",
        "|---|---|---:|---:|---:|---|",
    ]
    for one, law in LAWS.items():
        found = errors(rows, one, law, fitted=False)
        if found:
            worst, row = max(found, key=lambda pair: abs(pair[0]))
            middle = median(abs(error) for error, _ in found)
            batch = row["target"].rpartition(":b")[2]
            lines.append(
                f"| {one[0]} | {one[1]} | {len(found)} | {100 * middle:.1f} | {100 * worst:+.1f} | "
                f"{row['network']} at {row['resolution']} px, batch {batch} |"
            )
    return lines


def shares() -> list[str]:
    """Markdown: the laws."""
    names = ("weights", "maps", "images", "dense")
    lines = [
        f"| engine | precision | fixed, MB | {' | '.join(names)} | a layer, kB | a gate, kB |",
        f"|---|---|{'---:|' * (len(names) + 3)}",
    ]
    for (engine, precision), law in LAWS.items():
        cells = [f"{law.fixed / 1e6:.1f}", *(f"{getattr(law, name):.2f}" for name in names)]
        cells += [f"{law.layers / 1e3:.0f}", f"{law.gates / 1e3:.0f}"]
        lines.append(f"| {engine} | {precision} | {' | '.join(cells)} |")
    return lines


def latest() -> list[Row]:
    """The rows of the last record."""
    every = [json.loads(line) for line in RECORDS.read_text(encoding="utf-8").splitlines()]
    found: list[Row] = [one for one in every if one["name"] == "engine_memory"][-1]["rows"]
    return found


def main() -> None:
    """Measure and append, or print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kept", type=Path)
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--table", action="store_true")
    given = parser.parse_args()
    if given.table:
        print("\n".join([*shares(), "", *table(latest())]))
        return
    if given.fit:
        rows = [json.loads(line) for line in given.kept.read_text().splitlines()] if given.kept else latest()
        print("\n".join(laws(rows)))
        return
    rows = measured_all(given.kept)
    counted = [{**row, "counted": LAWS[key(row)].of(parts(row))} for row in rows]
    append({**provenance("engine_memory"), "command": "python -m benchmarks.engine_memory", "rows": counted})
    print("\n".join(table(counted)))


if __name__ == "__main__":
    main()
