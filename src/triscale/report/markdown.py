"""A short Markdown summary of a study: the answer, the tables, the data."""

from triscale.report import study_tables, wording
from triscale.report.focus_table import focus_sentence, focus_table
from triscale.report.notices import notices
from triscale.report.parts.markdown_parts import bullet_list, pairs, section, tables
from triscale.report.printable_table import markdown_text
from triscale.report.study_facts import facts
from triscale.report.triangle import triangle_sentences, triangle_table
from triscale.trials import Stored


def summary_markdown(stored: Stored) -> str:
    """The summary that stands beside committed records; an unfinished study says what is missing."""
    found = facts(stored)
    parts = [
        f"# {markdown_text(wording.title(found))}",
        bullet_list(found.answer or ["No answer yet: the study is unfinished."]),
        *section(
            "Where the added cost goes best",
            [*map(markdown_text, triangle_sentences(found)), *tables(triangle_table(found))],
        ),
        *section("What to know", [bullet_list(notices(found))]),
        *section("The question", [pairs(wording.question(found))]),
        *section("The family", tables(study_tables.family(found))),
        *section(
            "The candidates", [markdown_text(wording.coefficients(found)), *tables(study_tables.candidates(found))]
        ),
        *section("What the maps are worth", [markdown_text(focus_sentence(found)), *tables(focus_table(found))]),
        *section("Equal training compute", tables(study_tables.equal_compute(found))),
        *section("Data", [pairs(wording.data_facts(found))]),
        *section("Training", [pairs(wording.plan_facts(found))]),
        *section("Machine and versions", [pairs(wording.origin(found))]),
        *section("How it is counted", [bullet_list(wording.method(found))]),
    ]
    return "\n\n".join(parts) + "\n"
