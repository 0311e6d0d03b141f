"""What a reader must know before believing the numbers."""

from triscale import units
from triscale.report.facts import Facts, label

_LATER = {
    "plan": "the plan",
    "run": "the training runs",
    "choice": "the choice of coefficients",
    "family": "the scaled family",
    "test": "the test",
    "cam": "the class-activation maps",
    "answer": "the answer",
}


def notices(facts: Facts) -> list[str]:
    """Warnings in the order of their weight; none for a study without reservations."""
    return [*_unfinished(facts), *_choice(facts), *_networks(facts), *_data(facts)]


def _unfinished(facts: Facts) -> list[str]:
    missing = [words for kind, words in _LATER.items() if not facts.records.all(kind)]
    runs = len(facts.records.all("run"))
    found = []
    if missing:
        found.append(
            f"The study is unfinished. Recorded so far: {runs} training runs. Missing: {', '.join(missing)}. "
            "Run the same command again to go on."
        )
    if facts.records.torn:
        found.append("The last record was cut by a crash and is left out; it is repeated when the study goes on.")
    return found


def _choice(facts: Facts) -> list[str]:
    choice = facts.choice
    if choice.get("warning"):
        return [str(choice["warning"])]
    if choice.get("half_agrees") is False:
        return [
            "The ranking at half the training length disagrees with the final one: the choice may depend on the length."
        ]
    return []


def _networks(facts: Facts) -> list[str]:
    found = []
    members = [member for member in facts.members if member["rule"] != "baseline"]
    apart = [f"{label(one)} ({units.ratio(one.get('cost_ratio'))})" for one in members if one.get("within") is False]
    if apart:
        found.append(f"Not at equal cost (more than 3 % from the compound network): {', '.join(apart)}.")
    outside = [one for one in facts.candidates if one.get("within") is False and one["rule"] != "baseline"]
    if outside:
        names = ", ".join(f"{label(one)} ({units.ratio(one.get('ratio'))})" for one in outside)
        tolerance = facts.plan.get("tolerance")
        limit = "" if tolerance is None else f" (twice the baseline, +- {tolerance:g})"
        found.append(f"Candidates outside the tolerance{limit}: {names}.")
    upsampled = {one["id"]: one for one in (*facts.candidates, *facts.members) if one.get("upsampled")}
    if upsampled:
        names = ", ".join(
            f"{label(one)} ({units.pixels(one['network'].get('resolution'))})" for one in upsampled.values()
        )
        native = units.pixels(facts.data.get("native"))
        found.append(f"Enlarged beyond the original pictures ({native}), so without new information: {names}.")
    return found


def _data(facts: Facts) -> list[str]:
    """The notes of the data source, which say what was left out and what serves as the test; else the bare facts."""
    data, found = facts.data, [str(note) for note in facts.data.get("notes") or []]
    if found:
        return found
    if data.get("test_from") not in (None, "test"):
        found.append(f"There was no test set: the test was made from “{data['test_from']}”.")
    skipped = data.get("skipped") or 0
    if skipped:
        found.append(f"Pictures left out since they cannot be read: {skipped}.")
    return found
