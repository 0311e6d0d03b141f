"""The answer of a search in lines."""

from collections.abc import Sequence

from triscale import units
from triscale.trials import Stored
from triscale.trials.searches.rung_records import RanksRecord
from triscale.trials.searches.search_outcomes import Saved, distinct, outcomes, saved
from triscale.trials.searches.search_records import FinalistRecord, SearchRecord


def answer_lines(
    stored: Stored, record: SearchRecord, rows: Sequence[FinalistRecord], folder: str, ranks: Sequence[RanksRecord] = ()
) -> list[str]:
    """What was found, how it compares with the baseline, and how much was looked at.

    Args:
        stored, record: of the search.
        rows: the networks that were trained to the end, the best first.
        folder: of the search.
        ranks: between every two lengths of training.
    """
    best = rows[0]
    networks = sum(one.accuracy is not None for one in distinct(outcomes(stored)))
    looked = f"{networks:,} networks of {record.size:,} were trained for {record.epochs} epochs"
    return [
        _found_line(best, rows, looked),
        _final_line(record, rows),
        *map(ranks_line, ranks),
        *_saved_lines(saved(stored)),
        f"Network to take: {folder}/best.safetensors; `triscale study {folder}/best.json` finds how to scale it.",
    ]


def _saved_lines(found: Saved) -> list[str]:
    if not found.trials:
        return []
    trials = units.agreeing(found.trials, "hopeless trial", "hopeless trials")
    return [f"{trials} stopped early: {found.epochs:,} of the {found.whole:,} epochs of all trials were saved."]


def ranks_line(one: RanksRecord) -> str:
    """Whether short trainings ranked the networks as longer ones did, and what to do where they did not."""
    tau, interval = (one.best_tau, one.best_interval) if one.tau is None else (one.tau, one.interval)
    if tau is None:
        return f"Whether {one.short} epochs rank networks as {one.long} do is unknown: all have one score."
    who = f"{one.n} of {units.agreeing(one.of, 'network', 'networks')}"
    how = (
        f"the best {one.n - one.drawn} and {one.drawn} drawn at random" if one.drawn
        else "all of them" if one.n == one.of else "the best alone, whose range is narrow"
    )  # fmt: skip
    found = f"tau {tau:+.2f}{'' if interval is None else f', 95 %: {interval[0]:+.2f} to {interval[1]:+.2f}'}"
    about = f"({found}; {who}: {how})"
    if interval is not None and interval[0] <= 0 <= interval[1]:
        return (
            f"The trainings of {one.short} epochs did not rank these networks as {one.long} epochs do {about}; "
            f"longer ones may: --epochs {one.long}."
        )
    return f"The trainings of {one.short} epochs rank networks as {one.long} epochs do by Kendall's {about[1:-1]}."


def _found_line(best: FinalistRecord, rows: Sequence[FinalistRecord], looked: str) -> str:
    if best.rule == "baseline":
        others = "the best proposal is not" if len(rows) == 2 else f"none of the {len(rows) - 1} best proposals is"
        return f"The baseline stays: {others} better; {looked}."
    apart = _difference(best)
    return f"Proposal {best.number} is the best{apart}; {looked}."


def _difference(one: FinalistRecord) -> str:
    if one.difference is None:
        return ""
    points = f", {100 * one.difference:+.1f} points over the baseline on validation"
    if one.interval is None:
        return f"{points} (one seed: no interval)"
    low, high = one.interval
    known = "" if low > 0 or high < 0 else ", which the noise does not tell from 0"
    return f"{points} ({100 * low:+.1f} to {100 * high:+.1f}{known})"


def _final_line(record: SearchRecord, rows: Sequence[FinalistRecord]) -> str:
    parts = [
        f"{'baseline' if one.rule == 'baseline' else f'proposal {one.number}'} {100 * one.test:.1f}%"
        for one in rows
        if one.test is not None
    ]
    seeds = units.agreeing(rows[0].n, "seed", "seeds")
    return f"Test top-1 after {record.final_epochs} epochs, mean of {seeds}: {', '.join(parts)}."
