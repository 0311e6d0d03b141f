"""The sentences of a search's page: its title, what to know, its fine print."""

from triscale import units
from triscale.latency.cost_words import cost_name
from triscale.latency.latency_metric import LATENCY
from triscale.report.notices import data_notices, trial_notices
from triscale.report.search_page.rung_words import ranks_doubts
from triscale.report.search_page.search_facts import SearchFacts
from triscale.report.wording import Lines
from triscale.trials import ENDED
from triscale.trials.searches.search_doubts import compared
from triscale.trials.searches.search_outcomes import SEARCH
from triscale.trials.searches.search_records import FinalistRecord

_FOLLOWS = 0.7
"""From this tau on, accuracy follows size so closely that the search may have found size alone."""


def title(facts: SearchFacts) -> str:
    """What was searched, on which images."""
    return f"Searching {facts.record.space.get('name', 'a space')} on {facts.record.data.source}"


def answer(facts: SearchFacts) -> list[str]:
    """The answer, or how far the search is."""
    if facts.found is not None:
        return list(facts.found.lines)
    lines = ["No answer yet: the search is unfinished."]
    if facts.best is not None:
        best = units.percent(facts.best.accuracy)
        lines.append(f"The best so far is proposal {facts.best.number}, {best} validation top-1.")
    return lines


def headline(facts: SearchFacts) -> str:
    """The answer in one plain sentence; accuracies are those on validation after the last trainings."""
    rows = () if facts.found is None else facts.found.finalists
    first = next((one for one in rows if one.rule == "baseline"), None)
    if not rows or first is None:
        return "The search is unfinished: it has no answer yet." if not rows else _best(facts, rows[0])
    if rows[0].rule == "baseline":
        return f"Keep {_baseline(facts)}: nothing that was tried is better."
    before = units.percent(first.validation)
    return f"{_best(facts, rows[0])}, the baseline about {before}{_times(facts, rows[0], first)}."


def _times(facts: SearchFacts, best: FinalistRecord, baseline: FinalistRecord) -> str:
    """How the costs of the front compare: `; it takes 0.94 times the MACs`; empty where no record holds them."""
    parts = [
        f"{mine / its:.2f} times the {cost_name(metric)}"
        for metric in facts.axes
        if (mine := _cost(facts, best, metric)) is not None and (its := _cost(facts, baseline, metric))
    ]
    return f"; it takes {' and '.join(parts)}" if parts else ""


def _cost(facts: SearchFacts, one: FinalistRecord, metric: str) -> float | None:
    """As measured where it was."""
    measured = one.measured if metric == LATENCY.name else None
    return facts.cost(one.id, metric) if measured is None else measured


def _best(facts: SearchFacts, one: FinalistRecord) -> str:
    return (
        f"Take {facts.network(one.id).name}: it is right about {units.percent(one.validation)} of the validation images"
    )


def front_sentence(facts: SearchFacts) -> str:
    """What the marks of the front are, and their bars."""
    costs = " and ".join(map(cost_name, facts.axes))
    kind = "Grey dots on the dashed line" if len(facts.axes) == 1 else "Grey dots"
    return (
        f"Pale circles: every trial after {facts.record.epochs} epochs. {kind}: the front, those that no trial beats "
        f"in both accuracy and {costs}. Their bars are 95 % intervals: what {facts.record.data.validation:,} "
        "validation images can say about one training."
    )


def notices(facts: SearchFacts) -> list[str]:
    """Warnings in the order of their weight."""
    return [
        *_unfinished(facts),
        *trial_notices(facts.done, facts.failed),
        *_doubts(facts),
        *data_notices(facts.record.data),
    ]


def _unfinished(facts: SearchFacts) -> list[str]:
    found = []
    if facts.found is None:
        ended = sum(one.state in ENDED for one in facts.outcomes)
        found.append(
            f"The search is unfinished: {ended} of {facts.record.trials} trials have ended. "
            "Run the same command again to resume it."
        )
    if facts.stored.torn:
        found.append("The last record was cut by a crash and is left out; it is repeated when the search resumes.")
    return found


def _doubts(facts: SearchFacts) -> list[str]:
    """What the search found out about itself."""
    if facts.found is None:
        return []
    found = [
        f"Accuracy follows {one.name} (Kendall's tau {one.accuracy_tau:+.2f}): what was found may be size alone."
        for one in facts.found.predictors
        if one.accuracy_tau is not None and one.accuracy_tau >= _FOLLOWS
    ]
    drawn, sampler = facts.found.drawn, facts.record.question.get("sampler")
    said = drawn is None or any(line.startswith(compared(drawn, str(sampler))) for line in facts.found.lines)
    if drawn is not None and drawn.interval[0] <= 0 and not said:  # older records
        found.insert(0, f"{compared(drawn, str(sampler))}.")
    found += ranks_doubts(facts)
    if any(one.n < 2 for one in facts.found.finalists):
        found.append("The finalists have one seed each, so their difference has no interval.")
    return found


def drawn_sentence(facts: SearchFacts) -> str:
    """The sampler's own proposals beside random ones; empty where there are none."""
    drawn = None if facts.found is None else facts.found.drawn
    if drawn is None:
        return ""
    low, high = (f"{100 * end:+.2f}" for end in drawn.interval)
    return (
        f"The first {drawn.n} trials were drawn at random: best {100 * drawn.best:.2f}, mean {100 * drawn.mean:.2f} "
        f"points. The {drawn.chosen} that {facts.record.question.get('sampler')} chose: best "
        f"{100 * drawn.chosen_best:.2f}, mean {100 * drawn.chosen_mean:.2f}; the means differ by "
        f"{100 * drawn.difference:+.2f} (95 %: {low} to {high})."
    )


def plan_lines(facts: SearchFacts) -> Lines:
    """How networks were trained."""
    record = facts.record
    short = sum(one.purpose == SEARCH for one in facts.done)
    lines = [
        ("space", f"{record.space.get('name', '')}, {record.size:,} combinations around {_baseline(facts)}"),
        ("trials", f"{short} trained of {record.trials} planned, {record.epochs} epochs each"),
        ("last trainings", f"{record.final_epochs} epochs"),
        ("training images", f"{record.train_size:,}"),
    ]
    recipe = record.recipe.to_dict()
    return [*lines, *((f"recipe: {name.replace('_', ' ')}", units.text(value)) for name, value in recipe.items())]


def _baseline(facts: SearchFacts) -> str:
    return facts.network(facts.record.baseline).name


def method(facts: SearchFacts) -> list[str]:
    """How numbers were computed."""
    lines = [
        (
            "MACs are the multiply-adds of convolutions and linear layers for one image, counted on the rounded "
            "network. Params are the trainable parameters. Blocks are those between stem and head."
        ),
        (
            "What each choice is worth: an additive model of the score of all trials that are done, against the mean "
            "over the values of the choice that were tried. A sampler that follows what it found tries good values "
            "together with good ones, so an effect holds among the networks that were tried."
        ),
    ]
    lines.append(
        "The interval of a trial is Wilson's, for its validation images alone. The front is the best of many trials, "
        "so its accuracies are partly luck: only the last trainings with several seeds are a fair comparison."
    )
    if facts.tested:
        lines.append("The test decides nothing: it is run after the choice, which validation made.")
    return lines
