"""The ledger's lines: one a row, appended when it has been proved; the newest line of a row counts."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import harness
from benchmarks.parity.compare import Verdict
from benchmarks.parity.reference import Plan
from benchmarks.parity.rows import Row
from triscale.spec import content_hash

RECORDS = Path(__file__).with_name("records.jsonl")

METHOD = 1
"""Raised when what is compared changes, so that every row is proved anew."""

Entry = dict[str, Any]
Versions = Mapping[str, str]


def read(path: Path = RECORDS) -> dict[tuple[str, str], Entry]:
    """(peer, model) -> its newest line."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    entries: list[Entry] = [json.loads(line) for line in lines]
    return {(entry["peer"], entry["model"]): entry for entry in entries}


def identity(row: Row, versions: Versions) -> Entry:
    """What a line was proved of: while nothing of it changes, the row need not be proved again."""
    of = row.of
    return {
        "network": row.network, "peer": row.peer, "model": row.model, "id": content_hash(of),
        "padding": of.padding, "eps": of.norm.eps, "method": METHOD, "versions": dict(versions),
    }  # fmt: skip


def is_recorded(row: Row, versions: Versions, entries: Mapping[tuple[str, str], Entry]) -> bool:
    """Whether the row stands in the ledger as it would be proved now."""
    entry = entries.get((row.peer, row.model), {})
    return all(entry.get(key) == value for key, value in identity(row, versions).items())


def append(row: Row, versions: Versions, plan: Plan, verdict: Verdict, path: Path = RECORDS) -> None:
    """Write a row's line."""
    shown = {
        "sizes": [[*size, count] for size, count in plan.sizes.items()],
        "evaluated": plan.evaluated,
        "trained": [*plan.trained[0], plan.trained[1]],
    }
    harness.append(harness.provenance("parity") | identity(row, versions) | shown | asdict(verdict), path)
