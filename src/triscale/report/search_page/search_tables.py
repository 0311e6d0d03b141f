"""The tables of a search: finalists, effects, predictors, all trials."""

from triscale import units
from triscale.latency.cost_words import cost_name, cost_text
from triscale.report.printable_table import Table, TableRow
from triscale.report.search_page.effect_rows import value_text
from triscale.report.search_page.rung_words import interval_text, tau_text
from triscale.report.search_page.search_facts import TEST, VALIDATION, SearchFacts, Tried, finalist
from triscale.report.search_page.sortable_table import Cell, SortableTable
from triscale.trials.searches.search_outcomes import Outcome
from triscale.trials.searches.search_records import FinalistRecord
from triscale.trials.searches.worth_records import EffectRecord

_FRONT = "●"


def finalists(facts: SearchFacts) -> Table | None:
    """The networks that were trained to the end, the best first; None before."""
    if facts.found is None:
        return None
    measured = facts.found.finalists[0].measured is not None
    header = (
        "network", "name", "params", "MACs", *map(cost_name, facts.further), *(("latency, measured",) * measured),
        "blocks", "validation top-1, %", "95 %, seeds", "test top-1, %", "over the baseline", "95 %",
    )  # fmt: skip
    by_reward = facts.measure == "reward" and facts.found.finalists[0].score is not None
    first = "reward" if by_reward else "accuracy"
    note = (
        f"After {facts.record.final_epochs} epochs, the best {first} first. "
        "Accuracies: mean ± standard deviation over seeds (their number). "
        "Over the baseline: points of validation top-1, paired by seed. The test decides nothing."
    )
    if measured:
        note += f" Latency on {facts.record.question.get('target')} is predicted unless it says measured."
    return Table(header, tuple(_finalist(facts, one) for one in facts.found.finalists), note)


def _finalist(facts: SearchFacts, one: FinalistRecord) -> TableRow:
    validation, test, sizes = facts.last(one.id, VALIDATION), facts.last(one.id, TEST), facts.sizes[one.id]
    margin = facts.margin(VALIDATION, one.n)
    cells = (
        finalist(one), facts.network(one.id).name, units.count(sizes.params), units.count(sizes.macs),
        *(cost_text(name, facts.cost(one.id, name)) for name in facts.further),
        *(() if one.measured is None else (units.latency(one.measured),)),
        str(sizes.blocks),
        units.spread(one.validation, validation.deviation, one.n),
        units.span(None if margin is None else (max(0.0, one.validation - margin), min(1.0, one.validation + margin))),
        units.spread(one.test, test.deviation, test.n),
        units.points(one.difference),
        units.MISSING if one.interval is None else " to ".join(map(units.points, one.interval)),
    )  # fmt: skip
    return TableRow(cells, "chosen" if facts.found is not None and one.id == facts.found.best else "")


def front(facts: SearchFacts) -> Table | None:
    """The searched front, by rising cost, each accuracy with its interval; None before anything was trained."""
    if not facts.front:
        return None
    header = ("proposal", "network", "validation top-1, %", "95 %, images", *map(cost_name, _columns(facts)))
    note = (
        f"After {facts.record.epochs} epochs with one seed, on {facts.record.data.validation:,} images. No trial is "
        f"better in both accuracy and {' and '.join(map(cost_name, facts.axes))}."
    )
    return Table(header, tuple(_on_front(facts, one) for one in facts.front), note)


def _on_front(facts: SearchFacts, one: Tried) -> TableRow:
    costs = (cost_text(name, facts.cost(one.id, name)) for name in _columns(facts))
    interval = units.span(facts.sampling(one.accuracy))
    return TableRow((str(one.number), one.name, f"{100 * one.accuracy:.1f}", interval, *costs))


def _columns(facts: SearchFacts) -> tuple[str, ...]:
    """The search's own costs first, then what everybody asks for."""
    return tuple(dict.fromkeys((*facts.axes, *facts.costs, "params", "macs")))


def effects(facts: SearchFacts) -> Table | None:
    """What each tried value of each choice is worth; None where that is not known."""
    found = None if facts.found is None else facts.found.effects
    if found is None:
        return None
    rows = tuple(_effect(one) for one in found.effects)
    note = (
        f"An additive model of {found.n} trials by {found.method}; it explains {units.percent(found.explained, 0)} of "
        f"the variance and leaves {100 * found.noise:.2f} points of noise ({found.freedom} degrees of freedom). "
        f"{units.MISSING}: the trials do not distinguish this choice from another."
    )
    return Table(("choice", "value", "trials", "effect, points", "95 %"), rows, note)


def _effect(one: EffectRecord) -> TableRow:
    interval = units.MISSING if one.interval is None else " to ".join(f"{100 * end:+.2f}" for end in one.interval)
    effect = units.MISSING if one.effect is None else f"{100 * one.effect:+.2f}"
    return TableRow((one.choice, value_text(one.value), str(one.n), effect, interval))


def predictors(facts: SearchFacts) -> Table | None:
    """How well params, MACs and depth rank the trials; None where that is not known."""
    if facts.found is None or not facts.found.predictors:
        return None
    rows = tuple(
        TableRow(
            (_NAMES.get(one.name, one.name), tau_text(one.tau), interval_text(one.interval), tau_text(one.accuracy_tau))
        )
        for one in facts.found.predictors
    )
    note = "Kendall's tau: 1 ranks all trials rightly, 0 says nothing, -1 ranks them backwards."
    return Table(("predictor", f"tau with the {facts.measure}", "95 %", "tau with the accuracy"), rows, note)


_NAMES = {"params": "params", "macs": "MACs", "depth": "depth (blocks)"}


def trials(facts: SearchFacts) -> SortableTable | None:
    """Every proposal; None before the first."""
    if not facts.outcomes:
        return None
    reward = ("reward",) if facts.measure == "reward" else ()
    longer = [f"{one} epochs, %" for one in facts.longer]
    header = (
        "proposal",
        "network",
        "validation top-1, %",
        *longer,
        *reward,
        "params",
        "MACs",
        "blocks",
        *map(cost_name, facts.further),
        "front",
        "choices",
    )
    members = {one.id for one in facts.front}
    scores = {one.id: one.score for one in facts.tried}
    kinds = dict.fromkeys(name.partition(".")[2] for name in facts.outcomes[0].proposal.chosen)
    note = f"{_FRONT}: on the front of accuracy and cost. Choices, stage by stage: {' · '.join(kinds)}."
    rows = tuple(_trial(facts, one, members, scores) for one in facts.outcomes)
    return SortableTable(header, rows, note)


def _trial(facts: SearchFacts, one: Outcome, front: set[str], scores: dict[str, float]) -> tuple[Cell, ...]:
    proposal, sizes = one.proposal, facts.sizes[one.proposal.network]
    score = scores.get(proposal.network)
    name = facts.network(proposal.network).name
    accuracy = one.ended_as if one.accuracy is None else f"{100 * one.accuracy:.1f}"
    reward = [Cell(units.MISSING if score is None else f"{score:.4f}", score)] if facts.measure == "reward" else []
    return (
        Cell(str(proposal.number), proposal.number),
        Cell(name if proposal.repeats is None else f"{name} (as {proposal.repeats})"),
        Cell(accuracy, one.accuracy),
        *(_percent(own.get(proposal.network)) for own in facts.longer.values()),
        *reward,
        Cell(units.count(sizes.params), sizes.params),
        Cell(units.count(sizes.macs), sizes.macs),
        Cell(str(sizes.blocks), sizes.blocks),
        *(_cost(facts, proposal.network, name) for name in facts.further),
        Cell(_FRONT if proposal.network in front else "", float(proposal.network in front)),
        Cell(_stages(one)),
    )


def _cost(facts: SearchFacts, id_: str, metric: str) -> Cell:
    value = facts.cost(id_, metric)
    return Cell(cost_text(metric, value), value)


def _percent(accuracy: float | None) -> Cell:
    return Cell(units.MISSING if accuracy is None else f"{100 * accuracy:.1f}", accuracy)


def _stages(one: Outcome) -> str:
    """The choices in short: `conv·3·0 | mbconv4·5·0.25`."""
    stages: dict[str, list[str]] = {}
    for name, value in one.proposal.chosen.items():
        stages.setdefault(name.partition(".")[0], []).append(value_text(value))
    return " | ".join("·".join(values) for values in stages.values())
