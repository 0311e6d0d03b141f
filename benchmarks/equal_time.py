"""What each rule of scaling buys for the same measured latency, for some baselines on the targets of this machine.

    python -m benchmarks.equal_time [NET ...] [--target TARGET ...]

runs `triscale compare NET --rules ... --equal latency` for each baseline on each target (`triscale calibrate` each
first) and appends a record for each. `--table` prints the last record of each pair as Markdown and measures nothing.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.harness import RECORDS, append, provenance
from triscale.costs import count
from triscale.families import network
from triscale.scaling import by_rules

NETWORKS = ("efficientnet_b0", "mobilenet_v2", "resnet50")
TARGETS = ("onnxruntime:float32:t1", "openvino:float32:t1", "torch:float32:t1", "onnxruntime:int8:t1")
RULES = "depth,width,resolution,fast_compound"
COLUMNS = ("macs", "pixels", "layers", "params", "activations")


def measured(net: str, target: str, phi: float) -> Sequence[Mapping[str, Any]]:
    """Each rule's network without its spec."""
    command = [sys.executable, "-m", "triscale", "compare", net, "--rules", RULES, "--equal", "latency"]
    command += ["--phi", str(phi), "--target", target, "--json"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    rows = json.loads(done.stdout)["rows"]
    return [{name: row[name] for name in row if name not in ("network", "rule_source")} for row in rows]


def latest() -> Sequence[Mapping[str, Any]]:
    """The last record of each pair, in the order in which they first came."""
    every = [json.loads(line) for line in RECORDS.read_text(encoding="utf-8").splitlines()]
    return list({(one["network"], one["target"]): one for one in every if one["name"] == "equal_time"}.values())


def table(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """Markdown: a row for each rule, costs over those of the baseline; a ~ where the machine was loaded."""
    lines = [
        "| baseline | target | rule | latency, ms | of compound | MACs | pixels | conv layers | params | activations |",
        "|---|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for entry in entries:
        first = entry["rows"][0]["latency_ms"]
        for row in entry["rows"]:
            bought = " | ".join(f"{row['ratios'][name]:.2f}x" for name in COLUMNS)
            loaded = "" if row.get("clean", True) else "~"
            took = f"{row['latency_ms']:.2f}{loaded} | {row['latency_ms'] / first:.3f}"
            lines.append(f"| {entry['network']} | {entry['target']} | {row['rule']} | {took} | {bought} |")
    return lines


def counted(times: float = 4.0) -> list[str]:
    """Markdown: what each rule has for so many times the MACs of the baseline; nothing is measured."""
    rules = ("compound", "fast_compound", "width", "depth", "resolution")
    lines = [f"| baseline | {' | '.join(rules)} |", f"|---|{'---:|' * len(rules)}"]
    for name in NETWORKS:
        base = count(network(name))
        found = by_rules(network(name), rules, limits={"macs": times * base.macs})
        cells = [f"{count(one.network).activations / base.activations:.2f}x" for one in found]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def main() -> None:
    """Measure and append, or print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", default=NETWORKS, metavar="NET")
    parser.add_argument("--target", nargs="+", default=TARGETS)
    parser.add_argument("--phi", type=float, default=1.0)
    parser.add_argument("--table", action="store_true")
    given = parser.parse_args()
    if given.table:
        print("\n".join(table(latest())))
        return
    for target in given.target:
        for net in given.networks:
            begun = provenance("equal_time")
            rows = measured(net, target, given.phi)
            entry = {**begun, "network": net, "target": target, "phi": given.phi, "rows": rows}
            append(entry)
            print("\n".join(table([entry])), flush=True)


if __name__ == "__main__":
    main()
