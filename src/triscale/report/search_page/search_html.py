"""The page of a search: the answer in a sentence, then the figure, then what both rest on."""

from base64 import b64encode
from collections.abc import Iterable
from html import escape
from importlib.resources import files

from triscale.report import wording
from triscale.report.network_svg import BOXES, networks_svg
from triscale.report.parts.page_parts import bullets, definitions, html_document, plotted
from triscale.report.printable_table import Table, to_html
from triscale.report.search_page import rung_words, search_figures, search_tables, search_words
from triscale.report.search_page.search_facts import SearchFacts
from triscale.report.search_page.sortable_table import to_sortable_html
from triscale.spec import diff

_ROOM = 28
"""Letters beside a drawn network."""


def search_html(facts: SearchFacts) -> str:
    """The whole page; sections without records are left out, and the notices say what is missing."""
    front, rise = search_figures.front_figure(facts), search_figures.rise_figure(facts)
    worth = search_figures.effects_figure(facts)
    sections = [*_answer(facts), *_front(facts, front), *_ground(facts), *_networks(facts), *_rise(facts, rise)]
    sections += [*_rungs(facts), *_worth(facts, worth), *_trials(facts), *_fine_print(facts)]
    style = files("triscale.report.search_page").joinpath("search.css").read_text(encoding="utf-8")
    return html_document(search_words.title(facts), sections, plots=bool(front or rise or worth), style=style)


def _answer(facts: SearchFacts) -> Iterable[str]:
    yield f'<p class="headline">{escape(search_words.headline(facts))}</p>'
    yield f'<p class="lead">triscale search, started {escape(facts.record.started)}</p>'


def _ground(facts: SearchFacts) -> Iterable[str]:
    """What the answer rests on, in lines, and what speaks against it."""
    yield bullets("answer", search_words.answer(facts))
    found = search_words.notices(facts)
    if found:
        yield bullets("notices", found)
    yield "<h2>The question</h2>"
    yield definitions(wording.asked_lines(facts.record))


def _front(facts: SearchFacts, figure: str | None) -> Iterable[str]:
    table = search_tables.finalists(facts)
    if figure is None and table is None:
        return
    yield "<h2>Accuracy against cost</h2>"
    if figure is not None:
        yield f"<p>{escape(search_words.front_sentence(facts))}{_filled(facts)}</p>"
        yield plotted("front", figure)
    yield from _table(table)
    front = search_tables.front(facts)
    if front is not None:
        yield f"<details><summary>The front as a table</summary>{to_html(front)}</details>"


def _filled(facts: SearchFacts) -> str:
    """What the filled marks are, where there are any."""
    if facts.found is None:
        return ""
    return (
        f" Coloured marks: the networks that were trained for {facts.record.final_epochs} epochs with several seeds, "
        "means with 95&nbsp;% intervals."
    )


def _networks(facts: SearchFacts) -> Iterable[str]:
    """The found network below its baseline, to one scale, and where their specs differ."""
    if facts.shown is None:
        return
    (id_, name), baseline = facts.shown, facts.network(facts.record.baseline)
    network = facts.network(id_)
    about = f"{baseline.name} and {network.name}, block by block"
    rows = [("baseline", _short(baseline.name), baseline), (name, _short(network.name), network)]
    drawn = networks_svg(rows, [("title", f"The baseline and {name}"), ("soft", BOXES)], about, legends=2)
    yield "<h2>The network beside its baseline</h2>"
    # As an image, so that the styles of the drawing stay its own.
    address = b64encode(drawn.encode()).decode()
    yield f'<img class="drawing" alt="{escape(about)}" src="data:image/svg+xml;base64,{address}">'
    yield "<details><summary>Where their specs differ</summary>"
    yield bullets("soft", [line for line in diff(baseline, network) if not line.startswith("name")])
    yield "</details>"


def _short(name: str) -> str:
    """A name for which the drawing has room."""
    return name if len(name) <= _ROOM else f"{name[: _ROOM - 1]}…"


def _rise(facts: SearchFacts, figure: str | None) -> Iterable[str]:
    if figure is None:
        return
    yield "<h2>How the search went</h2>"
    sentence = search_words.drawn_sentence(facts)
    if sentence:
        yield f"<p>{escape(sentence)}</p>"
    yield plotted("rise", figure)


def _rungs(facts: SearchFacts) -> Iterable[str]:
    table, sentence = rung_words.ranks_table(facts), rung_words.rung_sentence(facts)
    if table is not None or sentence:
        yield f"<h2>{rung_words.TITLE}</h2>"
        yield f"<p>{escape(sentence)}</p>" if sentence else ""
        yield from _table(table)


def _worth(facts: SearchFacts, figure: str | None) -> Iterable[str]:
    effects, predictors = search_tables.effects(facts), search_tables.predictors(facts)
    if effects is not None:
        yield "<h2>What each choice is worth</h2>"
        yield (
            f"<p>Points of {escape(facts.measure)} against the mean of the choice, all others being equal, with "
            "95&nbsp;% intervals; the choices that differ most come first.</p>"
        )
        if figure is not None:
            yield plotted("worth", figure)
        yield f"<details><summary>All of them as a table</summary>{to_html(effects)}</details>"
    if predictors is not None:
        yield "<h3>What ranks the trials without any search</h3>"
        yield to_html(predictors)


def _trials(facts: SearchFacts) -> Iterable[str]:
    table = search_tables.trials(facts)
    if table is not None:
        yield "<h2>All trials</h2>"
        yield "<p>A click on a title sorts by its column.</p>"
        yield to_sortable_html(table)


def _fine_print(facts: SearchFacts) -> Iterable[str]:
    yield "<h2>Fine print</h2>"
    groups = {
        "Data": wording.data_lines(facts.record.data),
        "Training": search_words.plan_lines(facts),
        "Machine and versions": wording.origin_lines(facts.record, facts.done),
    }
    for name, lines in groups.items():
        yield f"<h3>{name}</h3>"
        yield definitions(lines)
    yield "<h3>How it is counted</h3>"
    yield from (f"<p>{escape(line)}</p>" for line in search_words.method(facts))
    yield '<footer class="soft">Every number is computed from records.jsonl in the same folder.</footer>'


def _table(table: Table | None) -> Iterable[str]:
    if table is not None:
        yield to_html(table)
