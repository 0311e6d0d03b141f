"""The finalists of a search that had to do with latency: measured side by side."""

from collections.abc import Mapping, Sequence

import msgspec

from triscale import units
from triscale.costs import Target
from triscale.latency.clocked_networks import clocked
from triscale.spec import Network
from triscale.trials import Stored
from triscale.trials.searches.search_records import FinalistRecord, SearchRecord


def clocked_finalists(stored: Stored, rows: Sequence[FinalistRecord], target: Target) -> tuple[FinalistRecord, ...]:
    """The finalists with their measured seconds of a step.

    Args:
        stored: the search.
        rows: in any order.
        target: latency is of its `engine`, where there is one.
    """
    networks = [network for one in rows if isinstance(network := stored.network(one.id), Network)]
    pairs = zip(rows, clocked(networks, target.engine or target), strict=True)
    return tuple(msgspec.structs.replace(row, measured=took.seconds, clean=took.clean) for row, took in pairs)


def limits_in(record: SearchRecord) -> Mapping[str, float]:
    """The limits of a search by the names of metrics."""
    budget = record.question.get("budget")
    return budget if isinstance(budget, Mapping) else {}


def latency_line(rows: Sequence[FinalistRecord], target: object, limit: float | None) -> str | None:
    """What was measured, in a line; None where nothing was."""
    if any(one.measured is None for one in rows):
        return None
    parts = [
        f"{'baseline' if one.rule == 'baseline' else f'proposal {one.number}'} {units.latency(one.measured or 0.0)}"
        for one in rows
    ]
    kept = ""
    if limit is not None:
        late = sum((one.measured or 0.0) > limit for one in rows)
        kept = f"; the limit is {units.latency(limit)}" + (f", which {late} of {len(rows)} break" if late else "")
    where = "measured" if all(one.clean for one in rows) else "measured on a loaded machine"
    return f"Latency on {target}, {where}: {', '.join(parts)}{kept}."
