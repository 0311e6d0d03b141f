"""What a reader must know before believing the numbers."""

from collections.abc import Sequence

from triscale import units
from triscale.report.study_facts import Facts, label
from triscale.trials import TEST, Trial
from triscale.trials.study_records import AnswerRecord, CamRecord, DataFacts, FamilyRecord
from triscale.trials.triangle_words import times

_SHOWN = 3
"""Trainings that are named one by one."""


def notices(facts: Facts) -> list[str]:
    """Warnings in the order of their weight; none for a study without reservations."""
    return [
        *_unfinished(facts),
        *_choice(facts),
        *trial_notices(facts.done, facts.failed),
        *_networks(facts),
        *data_notices(facts.data),
    ]


def _unfinished(facts: Facts) -> list[str]:
    steps = {
        "the plan": facts.plan is not None,
        "the training runs": bool(facts.done),
        "the choice of coefficients": facts.choice is not None,
        "the scaled family": facts.stored.one(FamilyRecord) is not None,
        "the test": any(TEST in trial.metrics for trial in facts.done),
        "the class-activation maps": facts.stored.one(CamRecord) is not None,
        "the answer": facts.stored.one(AnswerRecord) is not None,
    }
    missing = [words for words, there in steps.items() if not there]
    found, runs = [], len(facts.done)
    if missing:
        found.append(
            f"The study is unfinished. Recorded so far: {runs} training runs. Missing: {', '.join(missing)}. "
            "Run the same command again to resume."
        )
    if facts.stored.torn:
        found.append("The last record was cut by a crash and is left out; it is repeated when the study resumes.")
    return found


def _choice(facts: Facts) -> list[str]:
    choice = facts.choice
    if choice is not None and choice.warning:
        return [choice.warning]
    if choice is not None and not choice.half_agrees:
        return [
            "The ranking at half the training length disagrees with the final one: the choice may depend on the length."
        ]
    return []


def trial_notices(done: Sequence[Trial], failed: Sequence[Trial]) -> list[str]:
    """Trainings that have no part in the numbers, and those that are not the ones which were planned."""
    found = []
    if failed:
        told = [f"{one.network.name}, seed {one.seed}: {_sentence(one.reason or 'no reason')}" for one in failed]
        found.append(f"Trainings that failed: {len(failed)}. {units.some(told, _SHOWN)}")
    apart = [one for one in done if not one.paired]
    if apart:
        told = [f"{one.network.name}, seed {one.seed} ({one.deviations[0].text})" for one in apart]
        found.append(f"Trained otherwise than planned, so not comparable seed by seed: {units.some(told, _SHOWN)}.")
    return found


def _sentence(text: str) -> str:
    first = " ".join(text.split())
    return first if first.endswith(".") else f"{first}."


def _networks(facts: Facts) -> list[str]:
    found = []
    members = [member for member in facts.members if member.rule != "baseline"]
    apart = [f"{label(one)} ({units.ratio(one.cost_ratio)})" for one in members if not one.within]
    if apart:
        found.append(f"Not at equal cost (more than 3 % from the compound network): {', '.join(apart)}.")
    outside = [one for one in facts.candidates if not one.within and one.rule != "baseline"]
    if outside:
        names = ", ".join(f"{label(one)} ({units.ratio(one.ratio)})" for one in outside)
        limit = "" if facts.plan is None else f" ({times(facts.plan.target)} the baseline, +- {facts.plan.tolerance:g})"
        found.append(f"Candidates outside the tolerance{limit}: {names}.")
    upsampled = {one.id: one for one in (*facts.candidates, *facts.members) if one.upsampled}
    if upsampled:
        names = ", ".join(
            f"{label(one)} ({units.pixels(facts.network(one.id).resolution)})" for one in upsampled.values()
        )
        native = units.pixels(None if facts.data is None else facts.data.native)
        found.append(f"Enlarged beyond the original images ({native}), so without new information: {names}.")
    return found


def data_notices(data: DataFacts | None) -> list[str]:
    """The notes of the data source, which say what was left out and what serves as the test; else the bare facts."""
    if data is None or data.notes:
        return [] if data is None else list(data.notes)
    found = []
    if data.test_from != "test":
        found.append(f"There was no test set: the test was made from “{data.test_from}”.")
    if data.skipped:
        found.append(f"Images left out since they cannot be read: {data.skipped}.")
    return found
