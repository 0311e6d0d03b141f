"""What a reader must know before believing the numbers."""

from triscale.report import units
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
    outside = [one for one in facts.candidates if one.get("within") is False]
    if outside:
        names = ", ".join(f"{label(one)} ({units.ratio(one.get('ratio'))})" for one in outside)
        tolerance = facts.plan.get("tolerance")
        limit = "" if tolerance is None else f" of {100 * tolerance:g} %"
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
    data, found = facts.data, []
    if data.get("test_from") == "val":
        found.append("There is no test set: the given “val” serves as the test, and validation was split off train.")
    skipped = data.get("skipped") or 0
    number = skipped if isinstance(skipped, int) else len(skipped)
    if number:
        found.append(f"{number} {'picture was' if number == 1 else 'pictures were'} left out as unreadable.")
    return [*found, *(str(note) for note in data.get("notes") or [])]
