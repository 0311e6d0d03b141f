"""What an architecture search says: its document, and where it stands."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from triscale import units
from triscale.errors import InputError
from triscale.intervals import wilson
from triscale.latency.cost_words import cost_name, cost_text
from triscale.spec import to_document
from triscale.trials import Stored
from triscale.trials.searches.rung_records import RungRecord
from triscale.trials.searches.search_outcomes import Outcome, saved
from triscale.trials.searches.search_records import FoundRecord, ProposalRecord, SearchRecord
from triscale.trials.searches.worth_records import GuessingRecord

if TYPE_CHECKING:
    from triscale.search.explorations.watching.search_standing import SearchStanding


def search_document(stored: Stored, folder: Path) -> dict[str, Any]:
    """The document of `search architecture --json`; `found` and what follows from it are null until the end.

    Raises:
        InputError: the folder holds no search.
    """
    record, found = _record(stored, folder), stored.one(FoundRecord)
    standing = _standing(stored, record)
    best = None if found is None else found.finalists[0]
    return {
        "folder": str(folder),
        "found": None if found is None else to_document(stored.network(found.best)),
        "id": None if found is None else found.best,
        "score": None if best is None else best.validation if best.score is None else best.score,
        "accuracy": None if best is None else best.validation,
        "difference": None if best is None else best.difference,
        "interval": None if best is None or best.interval is None else list(best.interval),
        "trials": len(stored.all(ProposalRecord)),
        "planned": record.trials,
        "front": [_trial(stored, record, one) for one in _front(standing, found)],
        "best_trial": _best(stored, record, standing),
        "rungs": [{"epochs": epochs, "networks": networks} for epochs, networks in _rungs(stored, record)],
        "ranks": [] if found is None else [msgspec.to_builtins(one) for one in found.ranks],
        "stopped": {"trials": saved(stored).trials, "epochs_saved": saved(stored).epochs},
        "sampler": record.question["sampler"],
        "seconds": _seconds(stored),
        "seconds_left": standing.seconds_left,
        "lines": [] if found is None else list(found.lines),
        "guessing": None if found is None else _guessing(found.guessing),
        "beside_random": None if found is None or found.drawn is None else msgspec.to_builtins(found.drawn),
        "predictors": [] if found is None else [msgspec.to_builtins(one) for one in found.predictors],
    }


def _standing(stored: Stored, record: SearchRecord) -> "SearchStanding":
    from triscale.search.explorations.watching.search_standing import standing_of  # noqa: PLC0415  loads NumPy

    return standing_of(stored, record)


def _front(standing: "SearchStanding", found: FoundRecord | None) -> Sequence[Outcome]:
    """As it was recorded, or so far."""
    if found is None:
        return standing.front
    known = {one.proposal.network: one for one in standing.known}
    return [known[id_] for id_ in found.front]


def _trial(stored: Stored, record: SearchRecord, one: Outcome) -> dict[str, Any]:
    """A trial that is done; the interval is what its validation images can say about its accuracy."""
    network = one.proposal.network
    return {
        "network": stored.network(network).name, "id": network, "proposal": one.proposal.number,
        "accuracy": one.accuracy, "interval": list(_interval(record, one)), "costs": dict(one.proposal.costs),
    }  # fmt: skip


def _interval(record: SearchRecord, one: Outcome) -> tuple[float, float]:
    images = record.data.validation
    return wilson((one.accuracy or 0.0) * images, images)


def _best(stored: Stored, record: SearchRecord, standing: "SearchStanding") -> dict[str, Any] | None:
    if standing.best is None:
        return None
    return {**_trial(stored, record, standing.best), "score": standing.score}


def _guessing(record: GuessingRecord | None) -> dict[str, Any] | None:
    return None if record is None else {**msgspec.to_builtins(record), "beaten": record.beaten}


def status_lines(stored: Stored, folder: Path) -> list[str]:
    """Where a search stands: its trials, the best, the front, the time left, and the answer if there is one."""
    record, found = _record(stored, folder), stored.one(FoundRecord)
    standing = _standing(stored, record)
    failed = [one for one in stored if one.state == "failed"]
    done = f"{len(standing.known)} of {record.trials} networks trained"
    lines = [f"{folder}: {done} by {record.question['sampler']} in {units.duration(_seconds(stored))} of training"]
    if standing.best is not None:
        lines.append(f"the best trial{'' if found else ' so far'}: {_scored(record, standing, standing.best)}")
        costs = " and ".join(map(cost_name, standing.axes))
        lines.append(f"front of accuracy and {costs}{'' if found else ' so far'}, 95% intervals by validation images:")
        lines += [f"  {_described(record, standing, one)}" for one in _front(standing, found)]
    for rung in stored.all(RungRecord):
        networks = units.agreeing(len(rung.promoted) + len(rung.drawn), "network", "networks")
        lines.append(f"rung {rung.number}: {networks} for {rung.epochs} epochs")
    if (early := saved(stored)).trials:
        lines.append(f"{early.trials} stopped early, which saved {early.epochs} of {early.whole} epochs")
    if failed:
        lines.append(f"{units.agreeing(len(failed), 'training', 'trainings')} failed; the last: {failed[-1].reason}")
    return [*lines, *(found.lines if found else [f"no answer yet{_left(standing)}; the same command resumes"])]


def _scored(record: SearchRecord, standing: "SearchStanding", one: Outcome) -> str:
    reward = f", reward {standing.score:.4f}" if standing.rewarded and standing.score is not None else ""
    return f"{_described(record, standing, one)}{reward}"


def _described(record: SearchRecord, standing: "SearchStanding", one: Outcome) -> str:
    low, high = (100 * end for end in _interval(record, one))
    costs = (f"{cost_text(name, one.proposal.costs[name])} {cost_name(name)}" for name in standing.axes)
    accuracy = f"{100 * (one.accuracy or 0.0):.1f}% ({low:.1f} to {high:.1f})"
    return f"proposal {one.proposal.number}: {accuracy}, {', '.join(costs)}"


def _left(standing: "SearchStanding") -> str:
    return "" if standing.seconds_left is None else f", about {units.duration(standing.seconds_left)} of work left"


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


def _seconds(stored: Stored) -> float:
    return sum(one.metrics.get("seconds", 0.0) for one in stored)
