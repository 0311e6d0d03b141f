"""What `triscale export --engine auto` writes, beside the stacks that people deploy with, in the same rounds.

    python -m benchmarks.deployed [NETWORK ...] [--seconds 60] [--batch 1]

exports each network (random weights, float32, one thread) with the engine that auto chooses, and measures the file
beside timm eager and compiled, torchvision eager and compiled, and ONNX Runtime and OpenVINO on timm's network as
`torch.onnx.export` writes it: by the protocol of `triscale benchmark`, interleaved. Appends one record a network, with
the ratio of our time to that of the best peer within each round; `--table` prints the table of those records.
"""

import argparse
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import timm
import torch
import torchvision

from benchmarks.harness import RECORDS, append, provenance
from triscale.costs import Target
from triscale.deploy import AutoRequest, Export, export_fastest
from triscale.deploy.fastest.timed_files import FileToTime
from triscale.families import network
from triscale.latency.measuring import Limits, Measured, Measurement, Subject, measure_subjects, ratio_of
from triscale.latency.silent_watch import SilentWatch
from triscale.nn import build
from triscale.spec import IMAGENET, ForeignNetwork
from triscale.weights import Classifier

PEERS: Mapping[str, tuple[str, str]] = {
    "efficientnet_b0": ("efficientnet_b0", "efficientnet_b0"),
    "mobilenet_v2": ("mobilenetv2_100", "mobilenet_v2"),
    "resnet50": ("resnet50", "resnet50"),
    "efficientnet_lite0": ("efficientnet_lite0", ""),
    "mobilenet_v3_small": ("mobilenetv3_small_100", "mobilenet_v3_small"),
}
"""Our name -> timm's and torchvision's ("": it has none)."""

ALLOWED = 1.03
"""The file that auto writes takes at most so many times as long as the best peer."""

Row = Mapping[str, Any]


def timm_network(name: str) -> ForeignNetwork:
    """Timm's network, built where it is measured."""
    side = network(name).resolution
    return ForeignNetwork("timm:create_model", resolution=side, arguments={"model_name": PEERS[name][0]})


def torchvision_network(name: str) -> ForeignNetwork:
    """Torchvision's."""
    return ForeignNetwork(f"torchvision.models:{PEERS[name][1]}", resolution=network(name).resolution)


def timm_graph(name: str, folder: Path, batch: int) -> Path:
    """Timm's network as `torch.onnx.export` writes it, for steps of so many images."""
    path = folder / "timm.onnx"
    images = torch.zeros(batch, 3, *network(name).resolution)
    with torch.inference_mode():
        torch.onnx.export(
            timm.create_model(PEERS[name][0]).eval(), (images,), path, dynamo=True, external_data=False, verbose=False
        )
    return path


def ours(name: str, folder: Path, batch: int) -> Export:
    """The file that auto chooses, of random weights."""
    spec = network(name)
    torch.manual_seed(0)
    classifier = Classifier(
        model=build(spec).eval(), classes=tuple(map(str, range(spec.classes))), preprocessing=IMAGENET
    )
    return export_fastest(classifier, AutoRequest(place=folder / "ours", batch=batch), print)


def peers(name: str, graph: Path, batch: int) -> Iterator[tuple[str, Subject]]:
    """Each stack by its name, those of one target side by side."""
    libraries = {"timm": timm_network(name), **({"torchvision": torchvision_network(name)} if PEERS[name][1] else {})}
    for engine in ("torch", "torch_compile"):
        for library, made in libraries.items():
            yield f"{library} on {engine}", Subject(network=made, target=Target(runtime=engine, batch=batch))
    for engine in ("onnxruntime", "openvino"):
        shape = replace(network(name), name=f"timm.{name}")
        target = Target(runtime=engine, batch=batch)
        yield f"timm's export on {engine}", Subject(network=shape, target=target, file=graph)


def compared(name: str, *, seconds: float, batch: int) -> dict[str, object]:
    """The record of one network."""
    with tempfile.TemporaryDirectory() as held:
        folder = Path(held)
        made = ours(name, folder, batch)
        (file, *_) = made.files
        own = FileToTime(about=made.about, path=file).subject(1)
        stacks = {"triscale": own, **dict(peers(name, timm_graph(name, folder, batch), batch))}
        watch = SilentWatch()
        found = measure_subjects(list(stacks.values()), Limits(seconds=seconds), watch)
    times = by_stack(stacks, found)
    best = min((one for one in times if one != "triscale"), key=lambda one: times[one].median_ms)
    ratio = ratio_of(times["triscale"], times[best])
    return {
        **provenance("deployed"),
        "command": f"python -m benchmarks.deployed {name} --seconds {seconds:g} --batch {batch}",
        "network": name,
        "batch": batch,
        "choice": made.choice and made.choice.to_dict(),
        "stacks": {stack: one.to_dict() for stack, one in times.items()},
        "best_peer": best,
        "ratio": ratio.median,
        "ratio_interval": [ratio.low, ratio.high],
        "n": len(times["triscale"].rounds_ms),
        "allowed": ALLOWED,
        "clean": found.clean,
        "notices": watch.lines,
        "versions": {"timm": timm.__version__, "torchvision": torchvision.__version__, "torch": torch.__version__},
        "keras": "installed, and not measured" if find_spec("keras") else "not installed",
    }


def by_stack(stacks: Mapping[str, Subject], found: Measured) -> dict[str, Measurement]:
    """What was measured, by stack; those that did not open are missing."""
    left, times = list(found.measurements), dict[str, Measurement]()
    for stack, subject in stacks.items():
        if left and (left[0].network, left[0].target) == (subject.network.name, subject.target):
            times[stack] = left.pop(0)
    return times


def table(rows: Sequence[Row]) -> list[str]:
    """Markdown, from the last record of each network."""
    lines = [
        "| network | auto takes | ms | best peer | ms | time to the best peer (95%) | quiet |",
        "|---|---|---:|---|---:|---:|---|",
    ]
    for row in {row["network"]: row for row in rows}.values():
        own, best = (row["stacks"][stack]["median_ms"] for stack in ("triscale", row["best_peer"]))
        low, high = row["ratio_interval"]
        chosen = " in ".join(row["choice"]["target"].split(":")[:2])
        lines.append(
            f"| {row['network']} | {chosen} | {own:.3g} | {row['best_peer']} | {best:.3g} | "
            f"{row['ratio']:.2f} ({low:.2f} to {high:.2f}) | {'yes' if row['clean'] else 'no'} |"
        )
    return lines


def main() -> None:
    """Measure and append, or print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", metavar="NETWORK")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--table", action="store_true")
    given = parser.parse_args()
    if unknown := set(given.networks) - set(PEERS):
        parser.error(f"no peers are known of {', '.join(unknown)}; give {', '.join(PEERS)}")
    if not given.table:
        for name in given.networks or PEERS:
            append(compared(name, seconds=given.seconds, batch=given.batch))
    every = [json.loads(line) for line in RECORDS.read_text(encoding="utf-8").splitlines()]
    print("\n".join(table([one for one in every if one["name"] == "deployed"])))


if __name__ == "__main__":
    main()
