"""What int8, bfloat16 and the Lite form of trained networks lose in accuracy, and what they take of the time.

    python -m benchmarks.lower_precision NAME=RUN:DATA[:LITE] ...

exports each run in every lower precision that this machine can run, and, where LITE is the folder of its Lite form
(`triscale lite`, which resumes), puts both side by side. Appends one record for each NAME; `--table` prints the table
of docs/int8.md from the last record of each name, and trains and exports nothing.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.harness import RECORDS, append, provenance
from triscale.engines import OpenvinoEngine

LOOSE = "5"
"""Points that an export may lose here: it is to be measured, not to be refused."""

FORMATS = (("int8", ".onnx"), ("int8", ".xml"), ("bfloat16", ".xml"))


def said(*words: str) -> dict[str, Any]:
    """What a command prints as JSON."""
    command = [sys.executable, "-m", "triscale", *words, "--json"]
    one_thread = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=one_thread)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def exports(run: str, data: str) -> Iterator[dict[str, Any]]:
    """Each export in a lower precision, of one image a step on one thread."""
    for precision, suffix in FORMATS:
        if suffix == ".xml" and (OpenvinoEngine().missing() or OpenvinoEngine().unfit("bfloat16")):
            continue
        with tempfile.TemporaryDirectory() as folder:
            out = str(Path(folder) / f"net{suffix}")
            words = ("export", run, "--data", data, "--precision", precision, "--max-drop", LOOSE, "--out", out)
            found = said(*words)
        kept = {name: found[name] for name in ("precision", "accuracy", "speed")}
        yield {"runtime": found["proof"]["runtime"], **kept}


def main() -> None:
    """Measure and append, or print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="*", metavar="NAME=RUN:DATA[:LITE]")
    parser.add_argument("--table", action="store_true")
    given = parser.parse_args()
    for text in given.runs:
        name, _, places = text.partition("=")
        run, data, *lite = places.split(":")
        entry = {**provenance("lower_precision"), "name_of_run": name, "exports": list(exports(run, data))}
        entry["command"] = f"python -m benchmarks.lower_precision {name}=RUN:DATA{':LITE' if lite else ''}"
        if lite:
            entry["lite"] = said("lite", run, "--data", data, "--out", lite[0], "--recipe", "quick", "--epochs", "3",
                                 "--threads", "1")["rows"]  # fmt: skip
        append(entry)
        print(json.dumps(entry["exports"], indent=1))
    if given.table:
        print("\n".join(table(latest())))


def latest() -> list[Mapping[str, Any]]:
    """The last record of each name, in the order in which the names first came."""
    every = [json.loads(line) for line in RECORDS.read_text(encoding="utf-8").splitlines()]
    return list({one["name_of_run"]: one for one in every if one["name"] == "lower_precision"}.values())


def table(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """Markdown."""
    lines = [
        "| network | file | top-1 float32, % | top-1, % | drop in points (95%) | time to float32 (95%) |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for entry in entries:
        lines += [_export_line(entry["name_of_run"], one) for one in entry["exports"]]
        for row in entry.get("lite", ())[2:]:
            low, high = row["ratio_interval"]
            gap = "" if row["int8_gap"] is None else _interval(row["int8_gap"], row["int8_gap_interval"])
            float32 = 100 * entry["lite"][2]["top1"]
            lines.append(
                f"| {entry['name_of_run']}, Lite form | {row['precision']}, ONNX Runtime | {float32:.1f} | "
                f"{100 * row['top1']:.1f} | {gap} | {row['ratio']:.2f} ({low:.2f} to {high:.2f}) |"
            )
    return lines


def _export_line(name: str, one: Mapping[str, Any]) -> str:
    accuracy, speed = one["accuracy"], one["speed"]
    low, high = speed["ratio_interval"]
    return (
        f"| {name} | {one['precision']}, {one['runtime'].rpartition(' ')[0]} | {100 * accuracy['top1_float32']:.1f} | "
        f"{100 * accuracy['top1']:.1f} | {_interval(accuracy['drop'], accuracy['drop_interval'])} | "
        f"{speed['ratio']:.2f} ({low:.2f} to {high:.2f}) |"
    )


def _interval(value: float, ends: Sequence[float]) -> str:
    return f"{value:.1f} ({ends[0]:.1f} to {ends[1]:.1f})"


if __name__ == "__main__":
    main()
