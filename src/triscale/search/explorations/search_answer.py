"""The answer of a search in lines."""

from collections.abc import Sequence
from pathlib import Path

from triscale import units
from triscale.errors import InputError
from triscale.latency.latency_metric import LATENCY
from triscale.search.explorations.finals.clocked_finalists import latency_line, limits_in
from triscale.search.explorations.finals.finalist_ranking import broken
from triscale.search.explorations.rungs.rung_lines import ranks_line, saved_lines
from triscale.trials import Trial
from triscale.trials.searches.search_doubts import drawn_line, guessing_line, predictors_line
from triscale.trials.searches.search_outcomes import NOTHING_SAVED, Saved
from triscale.trials.searches.search_records import FinalistRecord, FoundRecord, ProposalRecord, SearchRecord


def answer_lines(
    record: SearchRecord,
    found: FoundRecord,
    proposals: Sequence[ProposalRecord],
    *,
    failed: int,
    drawn_first: int,
    folder: str,
    early: Saved = NOTHING_SAVED,
) -> tuple[str, ...]:
    """What was found, how it compares with the baseline, what makes it doubtful, and how much was looked at.

    Args:
        record: of the search.
        found: its end; the lines are to go there.
        proposals: of the search.
        failed: trials of them that failed.
        drawn_first: how many of the first of them were drawn at random.
        folder: of the search.
        early: trials that were stopped.
    """
    rows = found.finalists
    doubts = (
        None if found.guessing is None else guessing_line(found.guessing, record.epochs),
        drawn_line(found.drawn, str(record.question["sampler"]), len(proposals), drawn_first),
        predictors_line(found.predictors),
    )
    clocked = latency_line(rows, record.question.get("target"), limits_in(record).get(LATENCY.name))
    return (
        _found_line(rows, _looked(record, len({one.network for one in proposals}) - early.trials, failed)),
        *_chosen_lines(record, rows),
        *(line for line in doubts if line is not None),
        _final_line(record, rows),
        *(() if clocked is None else (clocked,)),
        *map(ranks_line, found.ranks),
        *saved_lines(early),
        f"Network to take: {folder}/best.safetensors; `triscale study {folder}/best.json` finds how to scale it.",
    )


def all_failed(what: str, failed: Sequence[Trial], folder: Path) -> InputError:
    """The error of a search in which nothing of a kind came to its end."""
    last = " ".join((failed[-1].reason or "no reason").split())[:200] if failed else "no reason"
    return InputError(
        f"every {what} failed; the last: {last}\n`triscale search status {folder}` says how far the search is."
    )


def _looked(record: SearchRecord, proposed: int, failed: int) -> str:
    trained = units.agreeing(proposed - failed, f"network of {record.size:,} was", f"networks of {record.size:,} were")
    lost = "" if failed == 0 else f"; {units.agreeing(failed, 'trial', 'trials')} failed"
    return f"{trained} trained for {record.epochs} epochs{lost}"


def _found_line(rows: Sequence[FinalistRecord], looked: str) -> str:
    best = rows[0]
    if best.rule == "baseline":
        return f"The baseline stays: {_others(rows)}; {looked}."
    return f"Proposal {best.number} is the best{_difference(best)}; {looked}."


def _others(rows: Sequence[FinalistRecord]) -> str:
    """Why the baseline stays."""
    if len(rows) > 1:
        better = "the best proposal is not" if len(rows) == 2 else f"none of the {len(rows) - 1} best proposals is"
        return f"{better} better"
    return "the last trainings of all others failed" if rows[0].number is None else "it is itself the best proposal"


def _difference(one: FinalistRecord) -> str:
    if one.difference is None:
        return ""
    beside = "over" if one.difference >= 0 else "against"
    points = f", {100 * one.difference:+.1f} points {beside} the baseline on validation"
    if one.interval is None:
        return f"{points} (one seed: no interval)"
    low, high = one.interval
    known = "" if low > 0 or high < 0 else ", which is within the noise of 0"
    return f"{points} ({100 * low:+.1f} to {100 * high:+.1f}{known})"


def _chosen_lines(record: SearchRecord, rows: Sequence[FinalistRecord]) -> list[str]:
    """What the choice goes by, where it is not the accuracy alone, and why a baseline was no candidate."""
    asked = record.question
    lines: list[str] = []
    if asked["objective"] == "front":
        lines.append("Chosen by accuracy: of the front, the most accurate network is taken.")
    elif asked["objective"] != "accuracy" and len(rows) > 1:
        rewards = [f"{_name(one)} {one.score:.4f}" for one in rows if one.score is not None]
        lines += [f"Chosen by the reward on validation: {', '.join(rewards)}."] if rewards else []
    return lines + [
        f"The baseline breaks the budget ({broken(one, limits_in(record))}): it is compared with, and cannot be chosen."
        for one in rows
        if one.only_compared
    ]


def _name(one: FinalistRecord) -> str:
    return "baseline" if one.rule == "baseline" else f"proposal {one.number}"


def _final_line(record: SearchRecord, rows: Sequence[FinalistRecord]) -> str:
    parts = [f"{_name(one)} {100 * one.test:.1f}%" for one in rows if one.test is not None]
    seeds = "one seed" if rows[0].n == 1 else f"mean of {rows[0].n} seeds"
    return f"Test top-1 after {record.final_epochs} epochs, {seeds}: {', '.join(parts)}."
