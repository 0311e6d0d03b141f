"""The rungs of a search on its page: how well each length of training ranks networks, as a sentence and a table."""

from triscale import units
from triscale.report.printable_table import Table, TableRow
from triscale.report.search_page.search_facts import SearchFacts
from triscale.trials.searches.rung_records import RanksRecord, RungRecord
from triscale.trials.surface_records import Interval

TITLE = "Do short trainings rank as long ones do?"


def rung_sentence(facts: SearchFacts) -> str:
    """How many networks were trained for how long; empty for a search with one rung."""
    rungs = facts.stored.all(RungRecord)
    if not rungs:
        return ""
    whole = [f"{len(facts.tried)} networks were trained for {facts.record.epochs} epochs", *map(_rung, rungs)]
    return f"{', then '.join(whole)}; each training begins from the start."


def _rung(one: RungRecord) -> str:
    drawn = f" and {len(one.drawn)} drawn at random from the others" if one.drawn else ""
    return f"the best {len(one.promoted)}{drawn} for {one.epochs}"


def ranks_table(facts: SearchFacts) -> Table | None:
    """Kendall's tau between every two lengths; None where no two could be compared."""
    ranks = () if facts.found is None else facts.found.ranks
    if not ranks:
        return None
    header = ("epochs", "networks with both", "drawn", "tau", "95 %", "tau of the best alone", "95 %")
    note = (
        f"Kendall's tau of the {facts.measure}: 1 ranks all networks alike, 0 says nothing, -1 ranks them backwards. "
        "Over all networks of the shorter trainings: those drawn at random stand for the others that were not trained "
        "longer. The best alone span a narrower range, so their tau is lower even where the short trainings serve."
    )
    return Table(header, tuple(map(_row, ranks)), note)


def ranks_doubts(facts: SearchFacts) -> list[str]:
    """A warning for each length that did not rank networks, where its interval holds 0."""
    ranks = () if facts.found is None else facts.found.ranks
    return [
        f"{one.short} epochs do not rank networks as {one.long} do, as far as these trials show: what was chosen after "
        f"them is partly luck. Longer ones may rank them: --epochs {one.long}."
        for one in ranks
        if _holds_zero(one.interval if one.tau is not None else one.best_interval)
    ]


def _holds_zero(interval: Interval | None) -> bool:
    return interval is not None and interval[0] <= 0 <= interval[1]


def _row(one: RanksRecord) -> TableRow:
    networks = f"{one.n} of {one.of}"
    cells = (f"{one.short} and {one.long}", networks, str(one.drawn), tau_text(one.tau), interval_text(one.interval))
    return TableRow((*cells, tau_text(one.best_tau), interval_text(one.best_interval)))


def tau_text(tau: float | None) -> str:
    """A tau as the tables write it."""
    return units.MISSING if tau is None else f"{tau:+.2f}"


def interval_text(interval: Interval | None) -> str:
    """Its interval."""
    return units.MISSING if interval is None else f"{interval[0]:+.2f} to {interval[1]:+.2f}"
