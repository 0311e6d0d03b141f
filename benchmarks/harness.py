"""Compare the speed of callables side by side: interleaved rounds, ratios within a round, an interval, one record.

The machines that measure are noisy and change their clock, so a time means little and a ratio of two times taken one
after the other means something.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

from triscale.intervals import Interval, interval
from triscale.machine import machine

ROOT = Path(__file__).resolve().parents[1]
RECORDS = ROOT / "benchmarks" / "records.jsonl"


def interleave(
    subjects: Mapping[str, Callable[[], object]],
    *,
    rounds: int,
    warmup: int = 1,
    settle: float = 0.0,
    clock: Callable[[], float] = perf_counter,
) -> dict[str, list[float]]:
    """Time each subject once a round, for some rounds.

    Every second round runs backwards (A B, B A, A B, ...), so that a slow drift of the machine favours nobody.

    Args:
        subjects: what is timed, by name; each call should take milliseconds or more.
        rounds: how many times each subject is timed.
        warmup: how many calls of each go first, untimed.
        settle: seconds of rest before each timed call, and behind them an untimed one: threads spin after their calls.
        clock: tells seconds; `time.process_time` for work on one core of a machine that is shared.

    Returns:
        Seconds of each call, by name; entry `i` of every list was taken in round `i`.
    """
    for _ in range(warmup):
        for subject in subjects.values():
            subject()
    seconds: dict[str, list[float]] = {name: [] for name in subjects}
    for index in range(rounds):
        for name in list(subjects)[:: -1 if index % 2 else 1]:
            if settle:
                sleep(settle)
                subjects[name]()
            start = clock()
            subjects[name]()
            seconds[name].append(clock() - start)
    return seconds


def ratio(slower: Sequence[float], faster: Sequence[float]) -> Interval:
    """Say how many times faster `faster` is than `slower`: the median of the ratios within each round."""
    return interval([a / b for a, b in zip(slower, faster, strict=True)])


def record(name: str, seconds: Mapping[str, Sequence[float]], *, against: str, **facts: object) -> dict[str, object]:
    """Build the record of one comparison.

    Args:
        name: what was compared.
        seconds: what `interleave` returned.
        against: the subject all others are compared with; `times_faster` above 1 means that the other one is faster.
        facts: further numbers that belong to the result (items per call, versions of peers).
    """
    return {
        **provenance(name),
        "n": len(seconds[against]),
        "seconds": {key: asdict(interval(values)) for key, values in seconds.items()},
        "against": against,
        "times_faster": {
            key: asdict(ratio(seconds[against], values)) for key, values in seconds.items() if key != against
        },
        **facts,
    }


def provenance(name: str) -> dict[str, object]:
    """Begin a record: what was measured, by which command, at which commit, when and where.

    Variables that hold torch or our kernels to less than the processor has stand before the command.
    """
    here = machine()
    limits = [str(here["isa_limits"])] if here["isa_limits"] else []
    return {
        "kind": "benchmark",
        "name": name,
        "command": " ".join([*limits, "python", *_module(), *sys.argv[1:]]),
        "commit": _commit(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": here,
    }


def processor(entry: Mapping[str, Any]) -> str:
    """On which processor a record was made, and to which instruction sets it was held."""
    on = entry["machine"]
    sets = on.get("isa")
    known = f" ({sets.replace(' ', ', ')})" if sets else ""
    return f"{on['cpu']}{known}" + (f", held by {on['isa_limits']}" if on.get("isa_limits") else "")


def append(entry: Mapping[str, object], path: Path = RECORDS) -> None:
    """Append a record as one line of JSON."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry, allow_nan=False) + "\n")


def _module() -> list[str]:
    """Name the running script as it is started from the root of the repository."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    return ["-m", spec.name.removesuffix(".__main__")] if spec else [Path(sys.argv[0]).name]


def _commit(root: Path = ROOT) -> str | None:
    """Name the commit of the sources, with `-dirty` if they differ from it; None outside a checkout.

    Records may differ, and pages and pictures that are made of records while more of them are being made.
    """
    head = "rev-parse", "--short=12", "HEAD"
    changes = "status", "--porcelain", "--", ".", ":!*.jsonl", ":!docs/parity.md", ":!docs/samplers.*"
    try:
        commit, changed = (
            subprocess.run(["git", "-C", str(root), *part], capture_output=True, text=True, check=True).stdout.strip()
            for part in (head, changes)
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return f"{commit}-dirty" if changed else commit
