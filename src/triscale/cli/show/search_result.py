"""What an architecture search says: its document, and where it stands."""

from pathlib import Path
from typing import Any

import msgspec

from triscale import units
from triscale.errors import InputError
from triscale.spec import to_document
from triscale.trials import VALIDATION, Stored, Trial
from triscale.trials.searches.rung_records import RungRecord
from triscale.trials.searches.search_outcomes import saved
from triscale.trials.searches.search_records import FoundRecord, ProposalRecord, SearchRecord
from triscale.trials.searches.worth_records import GuessingRecord


def search_document(stored: Stored, folder: Path) -> dict[str, Any]:
    """The document of `search architecture --json`; `found` and what follows from it are null until the end.

    Raises:
        InputError: the folder holds no search.
    """
    record, found = _record(stored, folder), stored.one(FoundRecord)
    proposals, accuracies = stored.all(ProposalRecord), _accuracies(stored, record)
    costs = {one.network: one.costs for one in proposals}
    best = None if found is None else found.finalists[0]
    return {
        "folder": str(folder),
        "found": None if found is None else to_document(stored.network(found.best)),
        "id": None if found is None else found.best,
        "score": None if best is None else best.validation if best.score is None else best.score,
        "accuracy": None if best is None else best.validation,
        "difference": None if best is None else best.difference,
        "interval": None if best is None or best.interval is None else list(best.interval),
        "trials": len(proposals),
        "planned": record.trials,
        "front": [
            {"network": stored.network(one).name, "id": one, "accuracy": accuracies[one], "costs": dict(costs[one])}
            for one in (() if found is None else found.front)
        ],
        "rungs": [{"epochs": epochs, "networks": networks} for epochs, networks in _rungs(stored, record)],
        "ranks": [] if found is None else [msgspec.to_builtins(one) for one in found.ranks],
        "stopped": {"trials": saved(stored).trials, "epochs_saved": saved(stored).epochs},
        "sampler": record.question["sampler"],
        "seconds": sum(one.metrics.get("seconds", 0.0) for one in stored),
        "lines": [] if found is None else list(found.lines),
        "guessing": None if found is None else _guessing(found.guessing),
        "beside_random": None if found is None or found.drawn is None else msgspec.to_builtins(found.drawn),
    }


def _guessing(record: GuessingRecord | None) -> dict[str, Any] | None:
    return None if record is None else {**msgspec.to_builtins(record), "beaten": record.beaten}


def status_lines(stored: Stored, folder: Path) -> list[str]:
    """Where a search stands: how many of its trials are done, the best of them, and the answer if there is one."""
    record, found = _record(stored, folder), stored.one(FoundRecord)
    proposals, accuracies = stored.all(ProposalRecord), _accuracies(stored, record)
    failed = [one for one in stored if one.state == "failed"]
    done = f"{len(accuracies)} of {record.trials} networks trained"
    lines = [f"{folder}: {done} by {record.question['sampler']} in {units.duration(_seconds(stored))} of training"]
    if accuracies:
        best = max(accuracies, key=lambda one: accuracies[one])
        number = next(one.number for one in proposals if one.network == best)
        lines.append(f"highest validation top-1 so far: {100 * accuracies[best]:.1f}%, proposal {number}")
    for rung in stored.all(RungRecord):
        networks = units.agreeing(len(rung.promoted) + len(rung.drawn), "network", "networks")
        lines.append(f"rung {rung.number}: {networks} for {rung.epochs} epochs")
    if (early := saved(stored)).trials:
        lines.append(f"{early.trials} stopped early, which saved {early.epochs} of {early.whole} epochs")
    if failed:
        lines.append(f"{units.agreeing(len(failed), 'training', 'trainings')} failed; the last: {failed[-1].reason}")
    return [*lines, *(found.lines if found else ["no answer yet; the same command resumes"])]


def _rungs(stored: Stored, record: SearchRecord) -> list[tuple[int, int]]:
    """Epochs and networks of each rung that was decided, the trials of all proposals first."""
    proposed = len({one.network for one in stored.all(ProposalRecord)})
    above = [(one.epochs, len(one.promoted) + len(one.drawn)) for one in stored.all(RungRecord)]
    return [(record.epochs, proposed), *above]


def _record(stored: Stored, folder: Path) -> SearchRecord:
    record = stored.one(SearchRecord)
    if record is None:
        raise InputError(f"{folder} holds no architecture search.")
    return record


def _accuracies(stored: Stored, record: SearchRecord) -> dict[str, float]:
    """Of the proposals that are trained, by the id of the network."""
    from triscale.spec import content_hash  # noqa: PLC0415

    proposed = {one.network for one in stored.all(ProposalRecord)}
    seed = record.question["seed"]
    trials: list[Trial] = [one for one in stored if one.state == "done" and one.epochs == record.epochs]
    found = {content_hash(one.network): one.metrics[VALIDATION] for one in trials if one.seed == seed}
    return {one: value for one, value in found.items() if one in proposed}


def _seconds(stored: Stored) -> float:
    return sum(one.metrics.get("seconds", 0.0) for one in stored)
