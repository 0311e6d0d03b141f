"""One self-contained HTML page: the answer in a sentence, then the figure, then what both rest on."""

from collections.abc import Iterable
from html import escape
from pathlib import Path

from triscale import units
from triscale.report import figures, study_tables, wording
from triscale.report.cam_figure import cam_grid
from triscale.report.focus_table import focus_sentence, focus_table
from triscale.report.notices import notices
from triscale.report.parts.page_parts import bullets, definitions, html_document, plotted
from triscale.report.printable_table import Table, to_html
from triscale.report.study_facts import Facts
from triscale.report.triangle import triangle_figure, triangle_sentences, triangle_table


def page(facts: Facts, run_folder: Path) -> str:
    """The whole report; sections without records are left out, and the notices say what is missing."""
    plots = {"accuracy": figures.accuracy_cost(facts), "curves": figures.curves(facts)}
    picture, accuracy = list(_triangle(facts)), list(_accuracy(facts, plots["accuracy"]))
    sections = [*_answer(facts), *(picture or accuracy), *_ground(facts), *(accuracy if picture else ())]
    sections += [*_choice(facts), *_curves(facts, plots["curves"]), *_maps(facts, run_folder), *_fine_print(facts)]
    return html_document(wording.title(facts), sections, plots=any(plots.values()))


def _answer(facts: Facts) -> Iterable[str]:
    yield f'<p class="headline">{escape(wording.headline(facts))}</p>'
    started = units.text(None if facts.study is None else facts.study.started)
    yield f'<p class="lead">triscale study, started {escape(started)}</p>'


def _ground(facts: Facts) -> Iterable[str]:
    """What the answer rests on, in five lines, and what speaks against it."""
    yield bullets("answer", facts.answer or ["No answer yet: the study is unfinished."])
    found = notices(facts)
    if found:
        yield bullets("notices", found)
    yield "<h2>The question</h2>"
    yield definitions(wording.question(facts))


def _triangle(facts: Facts) -> Iterable[str]:
    """The surface that the choice rests on: the image, and beside it the same as a table."""
    figure, table = triangle_figure(facts, titled=False), triangle_table(facts)
    if table is None:
        return
    yield "<h2>Where the added cost goes best</h2>"
    yield from (f"<p>{escape(line)}</p>" for line in triangle_sentences(facts))
    drawn = "" if figure is None else f'<figure class="drawn">{figure}</figure>'
    yield f'<div class="beside">{drawn}<div class="table">{to_html(table)}</div></div>'


def _accuracy(facts: Facts, plot: str | None) -> Iterable[str]:
    family = study_tables.family(facts)
    if plot is None and family is None:
        return
    yield "<h2>Accuracy against cost</h2>"
    if plot is not None:
        yield (
            "<p>Filled marks: the scaled family on the test, means over seeds with 95 % intervals. Pale circles: all "
            "candidates on validation. On the dashed line no network is both cheaper and better.</p>"
        )
        yield plotted("accuracy", plot)
    yield from _table(family)


def _choice(facts: Facts) -> Iterable[str]:
    table = study_tables.candidates(facts)
    if table is None:
        return
    yield "<h2>How depth, width and resolution were chosen</h2>"
    sentence = wording.coefficients(facts)
    if sentence:
        yield f"<p>{escape(sentence)}</p>"
    yield from _table(table)


def _curves(facts: Facts, plot: str | None) -> Iterable[str]:
    if plot is None:
        return
    yield "<h2>Equal epochs, equal compute</h2>"
    yield (
        "<p>Left, all networks after equal epochs. Right, the same runs after equal training compute, where a larger "
        "network has seen fewer images. Lines are means over seeds.</p>"
    )
    yield plotted("curves", plot)
    table = study_tables.equal_compute(facts)
    if table is not None:
        yield "<h3>Equal training compute</h3>"
        yield from _table(table)


def _maps(facts: Facts, run_folder: Path) -> Iterable[str]:
    grid = cam_grid(facts, run_folder)
    if grid is None:
        return
    yield "<h2>Where the networks look</h2>"
    yield (
        "<p>Class-activation maps of the predicted class on the same images, with the predicted class and its "
        "probability; ✓ right, ✗ wrong.</p>"
    )
    yield grid
    table = focus_table(facts)
    if table is not None:
        yield "<h3>Are they more focused?</h3>"
        sentence = focus_sentence(facts)
        yield f"<p>{escape(sentence)}</p>" if sentence else ""
        yield from _table(table)


def _fine_print(facts: Facts) -> Iterable[str]:
    yield "<h2>Fine print</h2>"
    groups = {
        "Data": wording.data_facts(facts),
        "Training": wording.plan_facts(facts),
        "Machine and versions": wording.origin(facts),
    }
    for name, lines in groups.items():
        if lines:
            yield f"<h3>{name}</h3>"
            yield definitions(lines)
    yield "<h3>How it is counted</h3>"
    yield from (f"<p>{escape(line)}</p>" for line in wording.method(facts))
    yield '<footer class="soft">Every number is computed from records.jsonl in the same folder.</footer>'


def _table(table: Table | None) -> Iterable[str]:
    if table is not None:
        yield to_html(table)
