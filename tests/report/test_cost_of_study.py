"""A study at equal cost of a metric names it: in its first sentence, in its figure and in a column of its own."""

from dataclasses import replace
from typing import TypeVar

import msgspec
import plotly.io

import triscale.latency.latency_metric  # noqa: F401  its metric is offered by its import
from tests.paths import ROOT
from triscale import trials
from triscale.report.figures import accuracy_cost
from triscale.report.study_facts import Facts, facts
from triscale.report.study_tables import family
from triscale.report.triangle.place_table import triangle_table
from triscale.report.wording import headline
from triscale.trials.study_records import CandidateRecord, MemberRecord

Network = TypeVar("Network", MemberRecord, CandidateRecord)
FLOWERS = ROOT / "results" / "flowers"


def at_equal(metric: str) -> Facts:
    """The study of the flowers, as if it had been at equal cost of a metric."""
    found = facts(trials.read(FLOWERS))
    assert found.plan is not None
    return replace(
        found,
        plan=msgspec.structs.replace(found.plan, cost=metric),
        members=tuple(_with(one) for one in found.members),
        candidates=tuple(_with(one) for one in found.candidates),
    )


def _with(one: Network) -> Network:
    return msgspec.structs.replace(one, cost={"latency": one.cost["macs"] / 1e9, **one.cost})


def test_at_equal_macs_nothing_else_is_named() -> None:
    found = at_equal("macs")
    assert "times the cost of finenet_20" in headline(found)
    table = family(found)
    assert table is not None
    assert "latency" not in table.header
    assert "counted MACs over the" in table.note


def test_at_equal_latency_the_page_names_it_and_shows_it() -> None:
    found = at_equal("latency")
    assert "times the latency of finenet_20" in headline(found)
    table, places, drawn = family(found), triangle_table(found), accuracy_cost(found)
    assert table is not None
    column = table.header.index("latency")
    assert [row.cells[column] for row in table.rows][:1] == ["487 us"]
    assert "Ratio: latency over the" in table.note
    assert places is not None
    assert drawn is not None
    figure = plotly.io.from_json(drawn)
    assert figure.layout.xaxis.title.text == "latency, s (log scale)"
    assert figure.layout.xaxis2.title.text == "MACs per image (log scale)"


def test_records_from_before_values_were_kept_are_still_shown() -> None:
    """They hold ratios alone."""
    found = facts(trials.read(FLOWERS))
    assert found.plan is not None
    older = replace(found, plan=msgspec.structs.replace(found.plan, cost="latency"))
    table, drawn = family(older), accuracy_cost(older)
    assert table is not None
    assert "latency" not in table.header
    assert "Ratio: latency over the" in table.note
    assert drawn is not None
