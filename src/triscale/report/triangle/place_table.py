"""The scaling triangle as a table, and in sentences."""

from collections.abc import Iterable

from triscale import units
from triscale.report.printable_table import Table, TableRow
from triscale.report.study_facts import Facts
from triscale.report.triangle.view import View, view_of
from triscale.trials.surface_records import PlaceRecord, WithinRecord
from triscale.trials.triangle_words import DIMENSIONS, where

_UNTRAINED = 8
"""Networks without a training that have a row: the most probable ones of the region."""


def triangle_table(facts: Facts) -> Table | None:
    """The networks that were trained or may be the best, best first; None where the study rests on no surface."""
    shown = view_of(facts)
    if shown is None:
        return None
    header = ("network", "d / w / r, %", "input", "seeds", "mean, %", "expected, %", "best", "region")
    places = shown.surface.places
    likely = sorted((one for one in places if not one.n and one.in_region), key=lambda one: -one.best)[:_UNTRAINED]
    wanted = {one.id for one in (*shown.trained, *likely)} | {shown.chosen, shown.paper}
    rows = tuple(_row(shown, one) for one in places if one.id in wanted)
    return Table(header, rows, _note(len(places) - len(rows)))


def _row(shown: View, one: PlaceRecord) -> TableRow:
    cells = (
        _name(shown, one),
        " / ".join(f"{100 * getattr(one.shares, name):.0f}" for name in DIMENSIONS),
        units.pixels(shown.sizes.get(one.id)),
        str(one.n),
        units.MISSING if one.mean is None else f"{100 * one.mean:.1f}",
        f"{100 * one.expected:.1f} ({units.span(one.interval)})",
        units.percent(one.best, 0),
        "yes" if one.in_region else "no",
    )
    return TableRow(cells, "chosen" if one.id == shown.chosen else "")


def _name(shown: View, one: PlaceRecord) -> str:
    remarks = [word for word, id_ in (("chosen", shown.chosen), ("the paper's point", shown.paper)) if id_ == one.id]
    return f"{where(one.shares)} ({', '.join(remarks)})" if remarks else where(one.shares)


def _note(left_out: int) -> str:
    note = (
        "d / w / r: shares of depth, width and resolution in the added cost, counted, and averaged over the orders in "
        "which they can be applied. Expected: validation top-1 at exactly the target cost, by all trainings "
        "together, with its 95 % interval. Best: the probability of being the best. Region: the networks among which "
        "the best is with 95 %."
    )
    if left_out:
        note += f" {units.agreeing(left_out, 'further network', 'further networks')} without a training are left out."
    return note


def triangle_sentences(facts: Facts) -> list[str]:
    """How near the corners and the paper's point come to the best, and what the study could have seen."""
    shown = view_of(facts)
    if shown is None:
        return []
    surface = shown.surface
    inside = sum(one.in_region for one in surface.places)
    lines = [
        (
            f"The best of {len(surface.places)} networks of {shown.cost} the {shown.cost_word} lies, with 95 % "
            f"probability, among {units.agreeing(inside, 'network', 'networks')}. Differences below "
            f"{100 * surface.smallest_difference:.1f} points would not have been seen."
        )
    ]
    if surface.expected_loss is not None:
        lines.append(
            f"The chosen one is expected {100 * surface.expected_loss:.1f} points below the best of the surface."
        )
    if (moved := surface.transfer) is not None:
        low, high = (f"{100 * end:.1f}" for end in moved.interval)
        lines.append(f"Coefficients from another cost lose {100 * moved.loss:.1f} points here ({low} to {high}).")
    near = list(_near(surface.within_half_a_point))
    if near:
        lines.append(f"Within half a point of the best, with a probability of: {', '.join(near)}.")
    return lines


def _near(within: WithinRecord) -> Iterable[str]:
    names = {
        "depth": "depth only",
        "width": "width only",
        "resolution": "resolution only",
        "paper": "the paper's point",
    }
    for name, words in names.items():
        probability: float | None = getattr(within, name)
        if probability is not None:
            yield f"{words} {units.percent(probability, 0)}"
