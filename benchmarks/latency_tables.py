"""The tables of docs/evidence/latency.md, docs/int8.md, docs/native.md and docs/memory.md, from the records.

    python -m benchmarks.latency_tables

writes each between its marks: errors of the predictors (`benchmarks.latency`), agreement with peers
(`benchmarks.engines_agree`), Table 4 (`triscale benchmark --table4`), equal time (`benchmarks.equal_time`),
what `--engine auto` takes (`benchmarks.deployed`), compiled networks (`benchmarks.inference`), serving
(`benchmarks.serving`), int8 and bfloat16 (`benchmarks.lower_precision`), int8 files (`benchmarks.int8_files`).
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import deployed, equal_time, inference, int8_files, lower_precision, serving
from benchmarks.harness import RECORDS, ROOT, processor
from triscale.latency.predictor.calibration_networks import RECIPE

PAGE = ROOT / "docs" / "evidence" / "latency.md"
INT8, NATIVE, MEMORY = (ROOT / "docs" / name for name in ("int8.md", "native.md", "memory.md"))

Record = Mapping[str, Any]


def recorded(name: str) -> list[Record]:
    """All records of a name, oldest first."""
    every = [json.loads(line) for line in RECORDS.read_text(encoding="utf-8").splitlines()]
    return [one for one in every if one["name"] == name]


def errors() -> Iterator[str]:
    """A row for each target: its last record that is not void, of the present recipe of calibrations."""
    titles = (
        "target", "networks", "median error", "within 5%", "within 10%", "worst", "in the 90% interval",
        "truth repeats within", "MACs alone", "calibration",
    )  # fmt: skip
    yield f"| {' | '.join(titles)} |"
    yield "|---|" + "---:|" * (len(titles) - 1)
    for target, one in predicted().items():
        found, repeated = one["predictor"], one["repeated"]
        yield (
            f"| {target} | {one['networks']} | {found['median']:.1%} | {found['within_5']:.0%} | "
            f"{found['within_10']:.0%} | {found['worst']:.0%} | {one['covered']:.0%} | {repeated['median']:.1%} | "
            f"{one['trivial']['macs']['median']:.0%} | {one['calibration_seconds']:.0f} s |"
        )


def predicted() -> Mapping[str, Record]:
    """By target the last record of errors that counts."""
    return {one["target"]: one for one in recorded("latency") if not one["void"] and one.get("recipe") == RECIPE}


def short_errors() -> Iterator[str]:
    """Likewise, of the networks below 2 ms."""
    titles = ("target", "networks", "median error", "within 10%", "within 20%", "worst", "in the 90% interval")
    yield f"| {' | '.join(titles)} |"
    yield "|---|" + "---:|" * (len(titles) - 1)
    for target, one in predicted().items():
        short = one["short"]
        shares = (short[name] for name in ("median", "within_10", "within_20", "worst", "covered"))
        cells = (f"{value:.0%}" if at else f"{value:.1%}" for at, value in enumerate(shares))
        yield f"| {target} | {short['networks']} | {' | '.join(cells)} |"


def agreement() -> Iterator[str]:
    """Ratios of the last record, by both clocks."""
    last = recorded("engines_agree")[-1]
    yield "| ratio | by the processor's clock | by the wall's |"
    yield "|---|---|---|"
    for pair, by_processor in last["ratios"]["cpu"].items():
        yield f"| {pair} | {_interval(by_processor)} | {_interval(last['ratios']['wall'][pair])} |"


def table4() -> Iterator[str]:
    """The paper's ratios beside the last ones recorded; a ~ stands where the machine was loaded."""
    yield "| networks | target | paper | here | 95% interval | by processor time |"
    yield "|---|---|---:|---:|---|---:|"
    rows = [row for record in recorded("table4") for row in record["table4"]]
    last = {(row["slower"], row["target"]): row for row in rows}
    for one in sorted(last.values(), key=rows.index):
        low, high = one["interval"]
        mark = "" if one["clean"] else "~"
        yield (
            f"| {one['slower']} / {one['faster']} | {one['target']} | {one['paper_ratio']:.1f}x | "
            f"{one['ratio']:.2f}x{mark} | {low:.2f} to {high:.2f} | {one['cpu_ratio']:.2f}x |"
        )


def equal() -> Sequence[str]:
    """See `benchmarks.equal_time`."""
    return equal_time.table(equal_time.latest())


def activations() -> Sequence[str]:
    """See `benchmarks.equal_time`."""
    return equal_time.counted()


def fastest() -> Sequence[str]:
    """See `benchmarks.deployed`."""
    return deployed.table(recorded("deployed"))


def compiled() -> Iterable[str]:
    """See `benchmarks.inference`."""
    return inference.table([one for one in recorded("inference") if one.get("busy") is not None])


def served() -> Sequence[str]:
    """See `benchmarks.serving`."""
    return serving.table().splitlines()


def lower() -> Sequence[str]:
    """See `benchmarks.lower_precision`."""
    return lower_precision.table(lower_precision.latest())


def stored() -> Sequence[str]:
    """See `benchmarks.int8_files`."""
    return int8_files.table(int8_files.latest())


TABLES: Mapping[Path, Mapping[str, Callable[[], Iterable[str]]]] = {
    PAGE: {
        "latency-errors": errors,
        "latency-short": short_errors,
        "engines-agree": agreement,
        "table4": table4,
        "equal-time": equal,
        "activations": activations,
        "deployed": fastest,
        "inference": compiled,
    },
    INT8: {"lower-precision": lower},
    NATIVE: {"serving": served},
    MEMORY: {"int8-files": stored},
}


def filled(path: Path) -> str:
    """The text of a page with each of its tables between its marks."""
    page = path.read_text(encoding="utf-8")
    for name, table in TABLES[path].items():
        begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        if (page.count(begin), page.count(end)) != (1, 1):
            raise SystemExit(f"{path.name} has no place for {name}, or several; it needs one.")
        before, after = page.split(begin)[0], page.split(end)[1]
        page = before + begin + "".join(f"{line}\n" for line in table()) + end + after
    return page


def machines() -> str:
    """On which processors the records were made."""
    used = {processor(one) for name in ("latency", "engines_agree", "table4", "equal_time") for one in recorded(name)}
    return ", ".join(sorted(used))


def _interval(found: Mapping[str, float]) -> str:
    return f"{found['median']:.3f} ({found['low']:.3f} to {found['high']:.3f})"


def main() -> None:
    """Write the pages again."""
    for path in TABLES:
        path.write_text(filled(path), encoding="utf-8")
    print(machines())


if __name__ == "__main__":
    main()
