"""The page of a fit: the answer first, then what it rests on."""

from base64 import b64encode
from collections.abc import Iterable
from html import escape

from triscale import units
from triscale.report import wording
from triscale.report.fit_page import fit_tables
from triscale.report.fit_page.fit_curves import curves
from triscale.report.fit_page.fit_facts import LARGER, FitFacts
from triscale.report.fit_page.fit_readme import TEST_SENTENCE, commands
from triscale.report.network_svg import BOXES, networks_svg
from triscale.report.parts.page_parts import bullets, definitions, html_document, plotted
from triscale.report.printable_table import to_html
from triscale.spec import diff

_ROOM = 28
"""Letters beside a drawn network."""

_OWN_STYLE = ".drawing { display: block; width: 100%; height: auto; margin: .6rem 0; }\n"


def fit_html(facts: FitFacts) -> str:
    """The whole page; sections without records are left out."""
    plot = curves(facts)
    sections = [*_opening(facts), *_limits(facts), *_comparison(facts), *_networks(facts)]
    sections += [*_training(facts, plot), *_classes(facts), *_use(facts), *_fine_print(facts)]
    return html_document(title(facts), sections, plots=plot is not None, style=_OWN_STYLE)


def title(facts: FitFacts) -> str:
    """What was fitted."""
    return f"A network for {facts.begun.data.source}, within limits"


def _opening(facts: FitFacts) -> Iterable[str]:
    yield f'<p class="lead">triscale fit, started {escape(facts.begun.started)}</p>'
    yield bullets("answer", facts.answer or ["No answer yet: the same command resumes the fit."])
    if facts.begun.data.notes:
        yield bullets("notices", facts.begun.data.notes)


def _limits(facts: FitFacts) -> Iterable[str]:
    table = fit_tables.limits(facts)
    if table is None or facts.plan is None:
        return
    yield "<h2>The limits</h2>"
    yield to_html(table)
    if facts.plan.latency:
        yield f"<p>{escape(facts.plan.latency)}</p>"


def _comparison(facts: FitFacts) -> Iterable[str]:
    table = fit_tables.compared(facts)
    if table is None:
        return
    yield "<h2>What the limit costs</h2>"
    if LARGER in facts.trials:
        yield (
            "<p>A network of twice the cost by the same rule was trained in the same way: what it gains is what the "
            "next doubling of the limit would buy.</p>"
        )
    elif facts.larger is not None:
        yield f"<p>No larger network was trained for comparison: {escape(facts.larger.reason)}.</p>"
    yield to_html(table)


def _networks(facts: FitFacts) -> Iterable[str]:
    """The baseline and the answer, to one scale, and where their specs differ."""
    if not facts.networks:
        return
    baseline, network = list(facts.networks.values())[:2]
    about = f"{baseline.name} and {network.name}, block by block"
    rows = [("baseline", _short(baseline.name), baseline), ("answer", _short(network.name), network)]
    drawn = networks_svg(rows, [("title", "The baseline and the answer"), ("soft", BOXES)], about, legends=1)
    yield "<h2>The network beside its baseline</h2>"
    # As an image, so that the styles of the drawing stay its own.
    address = b64encode(drawn.encode()).decode()
    yield f'<img class="drawing" alt="{escape(about)}" src="data:image/svg+xml;base64,{address}">'
    if different := [line for line in diff(baseline, network) if not line.startswith("name")]:
        yield "<details><summary>Where their specs differ</summary>"
        yield bullets("soft", different)
        yield "</details>"


def _short(name: str) -> str:
    return name if len(name) <= _ROOM else f"{name[: _ROOM - 1]}…"


def _training(facts: FitFacts, plot: str | None) -> Iterable[str]:
    if facts.plan is None:
        return
    yield "<h2>How it was chosen and trained</h2>"
    if facts.plan.reasons:
        yield bullets("soft", facts.plan.reasons)
    if plot is not None:
        yield "<p>Accuracy on the validation images after each epoch; the best epoch's weights are kept.</p>"
        yield plotted("curves", plot)


def _classes(facts: FitFacts) -> Iterable[str]:
    table = fit_tables.classes(facts)
    if table is not None:
        yield "<h2>By class</h2>"
        yield to_html(table)


def _use(facts: FitFacts) -> Iterable[str]:
    if facts.shipped is not None:
        yield "<h2>How to use it</h2>"
        yield f"<p>In this folder. {escape(facts.shipped.file)} holds weights, classes and preprocessing.</p>"
        yield f"<pre>{escape(chr(10).join(commands(facts)))}</pre>"


def _fine_print(facts: FitFacts) -> Iterable[str]:
    yield "<h2>Fine print</h2>"
    groups = {
        "The question": [("command", facts.begun.command or units.MISSING)],
        "Data": wording.data_lines(facts.begun.data),
        "Training": _recipe(facts),
        "The file": _file(facts),
        "Machine and versions": wording.origin_lines(facts.begun, list(facts.trials.values())),
    }
    for name, lines in groups.items():
        if lines:
            yield f"<h3>{name}</h3>"
            yield definitions(lines)
    yield f"<h3>How it is counted</h3><p>{escape(TEST_SENTENCE)}</p>"
    yield '<footer class="soft">Every number is computed from records.jsonl in the same folder.</footer>'


def _recipe(facts: FitFacts) -> wording.Lines:
    if facts.plan is None:
        return []
    return [(name.replace("_", " "), units.text(value)) for name, value in facts.plan.recipe.to_dict().items()]


def _file(facts: FitFacts) -> wording.Lines:
    if facts.shipped is None:
        return []
    shipped = facts.shipped
    files = [(name, f"{units.memory(size)}, SHA-256 {shipped.sha256[name]}") for name, size in shipped.files.items()]
    chosen = [("chosen", shipped.choice)] if shipped.choice else []
    return [*files, ("proof", shipped.proof), ("run by", shipped.runtime), *chosen]
