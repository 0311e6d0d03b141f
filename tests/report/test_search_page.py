"""The page of a search is whole, safe and opens offline; its numbers are those of the records."""

import base64
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import pytest

from tests.report import sample
from tests.report.reading import Reader, figure
from tests.report.search_sample import QUESTION, TRIALS, changed, write_search
from triscale import units
from triscale.costs import count
from triscale.errors import InputError
from triscale.intervals import wilson
from triscale.report import study_triangle, summary_markdown, write_report
from triscale.report.search_page import search_words
from triscale.report.search_page.search_facts import search_facts
from triscale.report.search_page.sortable_table import Cell, SortableTable, to_sortable_html
from triscale.spec import Network, content_hash
from triscale.trials import Stored, read
from triscale.trials.searches.search_records import FoundRecord
from triscale.trials.searches.worth_records import DrawnRecord, PredictorRecord


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_search(tmp_path_factory.mktemp("search"))


@pytest.fixture(scope="module")
def stored(folder: Path) -> Stored:
    return read(folder)


@pytest.fixture(scope="module")
def page(folder: Path) -> str:
    return write_report(folder).read_text(encoding="utf-8")


def found_in(stored: Stored) -> FoundRecord:
    found = stored.one(FoundRecord)
    assert found is not None
    return found


def test_nothing_in_the_page_leads_outside(page: str) -> None:
    tags = Reader(page).tags
    addresses = [str(value) for _, at in tags for name, value in at.items() if name in ("src", "href", "action")]
    assert addresses
    assert all(one.startswith("data:image/svg+xml;base64,") for one in addresses)
    assert {tag for tag, _ in tags}.isdisjoint({"link", "iframe", "object", "embed", "base"})
    policy = next(at["content"] for tag, at in tags if at.get("http-equiv") == "Content-Security-Policy")
    assert str(policy).startswith("default-src 'none'")
    assert page.count("* plotly.js v") == 1


def test_the_answer_comes_first_and_every_part_is_there(page: str, stored: Stored) -> None:
    text = " ".join(Reader(page).words)
    heads = (
        search_words.headline(search_facts(stored)), "Accuracy against cost", *found_in(stored).lines,
        "The question", "The network beside its baseline",
        "How the search went", "What each choice is worth", "All trials", "Fine print",
    )  # fmt: skip
    places = [text.index(one) for one in heads]
    assert places == sorted(places)
    assert heads[0].startswith("Take ")


def test_every_proposal_is_a_row_that_says_what_came_of_it(page: str, stored: Stored) -> None:
    reader = Reader(page)
    table = next(one for one in reader.tables if "choices" in one[0])
    facts = search_facts(stored)
    assert [row[0] for row in table[1:]] == [str(number) for number in range(TRIALS)]
    assert [row[2] for row in table[1:]] == [
        "failed" if one.accuracy is None else f"{100 * one.accuracy:.1f}" for one in facts.outcomes
    ]
    assert sum(row[7] == "●" for row in table[1:]) == len(found_in(stored).front)
    for number in (5, 22, 39):
        assert table[1 + number][2] == "failed"


def test_figures_show_all_trials_the_front_and_the_finalists(page: str, stored: Stored) -> None:
    facts, front = search_facts(stored), figure(page, 0)
    names = [one["name"] for one in front["data"]][:4]
    assert names == [
        "all trials",
        "front of the trials, with their numbers",
        "baseline, 20 epochs",
        "finalists, 20 epochs",
    ]
    assert len(front["data"][0]["x"]) == len(facts.tried) == TRIALS - 3
    assert min(front["data"][3]["error_y"]["array"]) > 0
    rise = figure(page, 1)["data"][1]["y"]
    assert rise == sorted(rise)
    assert rise[-1] == max(one.score for one in facts.tried)
    worth = [value for trace in figure(page, 2)["data"] for value in trace["y"]]
    assert "stage3.operator = mbconv6" in worth


def clocked(network: Network) -> dict[str, float]:
    """A made-up latency that larger networks need not have, and what limits ask for."""
    ms = 1 + int(content_hash(network)[:4], 16) / 2**16
    return {"latency": ms / 1e3, "file_size": 4.0 * count(network).params}


TIMED = replace(QUESTION, objective="front", cost="latency", target="onnxruntime:float32:t1", budget={"file_size": 1e6})


def test_the_front_of_the_figure_is_the_searched_one_with_an_interval_for_each_accuracy(tmp_path: Path) -> None:
    """Of the search's own cost, not of MACs; before the search has ended it is the front so far."""
    folder = write_search(tmp_path / "whole", question=TIMED, costs=clocked)
    stored = read(folder)
    facts, drawn = search_facts(stored), figure(write_report(folder).read_text(encoding="utf-8"), 0)
    fronts = [one for one in drawn["data"] if one["name"].startswith("front")]
    assert [drawn["layout"][axis]["title"]["text"] for axis in ("xaxis", "xaxis2")] == [
        "latency, s (log scale)", "file size, bytes (log scale)",
    ]  # fmt: skip
    assert [one.id for one in facts.front] == list(found_in(stored).front)
    assert len(facts.front) > 2
    assert fronts[0]["x"] == [facts.cost(one.id, "latency") for one in facts.front] == sorted(fronts[0]["x"])
    assert [one["mode"] for one in fronts] == ["lines+markers+text", "markers+text"], "a line joins its own cost alone"
    assert fronts[0]["y"] == fronts[1]["y"] == sorted(fronts[0]["y"])
    bars, top = fronts[0]["error_y"], facts.front[-1].accuracy
    low, high = wilson(900 * top, 900)
    assert (bars["arrayminus"][-1], bars["array"][-1]) == pytest.approx((100 * (top - low), 100 * (high - top)))
    early = search_facts(read(write_search(tmp_path / "early", stop=9, question=TIMED, costs=clocked)))
    tops = {one.id: (one.accuracy, -early.recorded[one.id]["latency"]) for one in early.tried}
    assert {one.id for one in early.front} == {
        one for one, (top, cost) in tops.items() if not any(a > top and b > cost for a, b in tops.values())
    }


def test_the_tables_and_the_headline_have_the_searchs_own_costs_and_what_was_measured(tmp_path: Path) -> None:
    folder = write_search(tmp_path, question=TIMED, costs=clocked)
    rows = found_in(read(folder)).finalists
    changed(folder, finalists=[msgspec.structs.replace(one, measured=3e-3 * (1 + (one is rows[0]))) for one in rows])
    facts, page = search_facts(read(folder)), write_report(folder).read_text(encoding="utf-8")
    tables = Reader(page).tables
    last, front = (next(one for one in tables if one[0][0] == name) for name in ("network", "proposal"))
    assert last[0][4:7] == ["latency", "file size", "latency, measured"]
    baseline = next(row for row in last[1:] if row[0] == "baseline")
    assert baseline[4] == units.latency(facts.record.costs["latency"])
    assert baseline[6] == "3 ms"
    assert front[0][4:] == ["latency", "file size", "params", "MACs"]
    assert [row[0] for row in front[1:]] == [str(one.number) for one in facts.front]
    trials = next(one for one in tables if "choices" in one[0])
    assert trials[0][6:9] == ["latency", "file size", "front"]
    assert search_words.headline(facts).endswith("; it takes 2.00 times the latency.")
    assert "times the MACs" in search_words.headline(search_facts(read(write_search(tmp_path / "plain"))))


def test_the_effects_of_the_figure_are_the_recorded_ones(page: str, stored: Stored) -> None:
    effects = found_in(stored).effects
    assert effects is not None
    drawn = {y: x for trace in figure(page, 2)["data"] for x, y in zip(trace["x"], trace["y"], strict=True)}
    one = next(one for one in effects.effects if (one.choice, one.value) == ("stage3.operator", "mbconv6"))
    assert drawn["stage3.operator = mbconv6"] == pytest.approx(100 * (one.effect or 0))
    assert one.interval is not None
    assert one.interval[0] > 0, "what the sample's accuracies were made of is found"


def test_the_found_network_is_drawn_beside_its_baseline(page: str, stored: Stored) -> None:
    (address,) = Reader(page).images()
    drawn = ET.fromstring(base64.b64decode(address.partition(",")[2]))  # noqa: S314  our own
    texts = [one.text or "" for one in drawn.iter("{http://www.w3.org/2000/svg}text")]
    best = found_in(stored).finalists[0]
    assert "baseline" in texts
    assert f"proposal {best.number}" in texts
    assert stored.network(best.id).name in texts


def test_hostile_words_are_shown_and_not_run(page: str) -> None:
    assert "the loss is nan &lt;b&gt;" in page
    assert "nan <b>" not in page
    assert "<script>alert" not in page


def test_cells_of_a_sortable_table_are_escaped_and_carry_their_numbers() -> None:
    table = SortableTable(("<i>",), ((Cell("<b>", 1 / 3), Cell("<u>")),), "<s>")
    tags = Reader(to_sortable_html(table)).tags
    assert {tag for tag, _ in tags}.isdisjoint({"i", "b", "u", "s"})
    assert [at["data-value"] for _, at in tags if "data-value" in at] == ["0.333333333333"]


def test_an_unfinished_search_says_how_far_it_is(tmp_path: Path) -> None:
    for stop, words in ((0, "0 of 48 trials have ended"), (9, "9 of 48 trials have ended")):
        folder = write_search(tmp_path / str(stop), stop=stop)
        page = write_report(folder).read_text(encoding="utf-8")
        assert words in page
        assert "No answer yet" in page
        assert words in summary_markdown(read(folder))
        assert ("What each choice is worth</h2>" in page) is False
        assert ("All trials" in page) == (stop > 0)


def test_the_page_says_where_a_search_is_no_better_than_chance_or_than_size(tmp_path: Path) -> None:
    folder = write_search(tmp_path)
    assert "no better on average" not in summary_markdown(read(folder))
    drawn = DrawnRecord(
        n=20, best=0.5, mean=0.4, chosen=28, chosen_best=0.5, chosen_mean=0.41, difference=0.01, interval=(-0.01, 0.03)
    )
    changed(folder, drawn=drawn, predictors=(PredictorRecord(name="macs", tau=0.1, accuracy_tau=0.83),))
    text = summary_markdown(read(folder))
    assert "The networks that evolution chose are no better on average than those drawn at random." in text
    assert "Accuracy follows macs (Kendall's tau +0.83)" in text


def test_the_summary_has_the_answer_the_finalists_and_the_predictors(stored: Stored) -> None:
    text = summary_markdown(stored)
    assert text.startswith("# Searching small\\_24 on images\n\n- Proposal ")
    for title in ("## The finalists", "## What each choice is worth", "## What ranks the trials without any search"):
        assert title in text


def test_a_search_has_no_triangle_and_a_study_keeps_its_own_page(stored: Stored, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="architecture search, which has no triangle"):
        study_triangle(stored)
    page = write_report(sample.write_run(tmp_path)).read_text(encoding="utf-8")
    assert "sortable" not in page


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="Chromium is not installed")
def test_a_browser_draws_the_figures_and_a_click_sorts(page: str, tmp_path: Path) -> None:
    """The numbers of the proposals after a click on the accuracy: highest first, failed ones last."""
    click = '<script>document.querySelectorAll(".sortable button")[2].click();</script></body>'
    path = tmp_path / "clicked.html"
    path.write_text(page.replace("</body>", click), encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    options += [f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=8000", "--enable-logging=stderr"]
    drawn = subprocess.run(
        ["chromium", *options, "--dump-dom", path.as_uri()], capture_output=True, text=True, timeout=120, check=True
    )
    assert "CONSOLE" not in drawn.stderr
    assert drawn.stdout.count('class="main-svg"') >= 3
    table = next(one for one in Reader(drawn.stdout).tables if "choices" in one[0])
    values = [row[2] for row in table[1:]]
    assert values[-3:] == ["failed"] * 3
    numbers = [float(one) for one in values[:-3]]
    assert numbers == sorted(numbers, reverse=True)
    assert re.search(r'aria-sort="descending"', drawn.stdout)
