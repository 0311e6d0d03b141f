"""A short Markdown summary of a search: the answer, the finalists, what choices are worth, the data."""

from triscale.report import wording
from triscale.report.parts.markdown_parts import bullet_list, pairs, section, tables
from triscale.report.printable_table import markdown_text
from triscale.report.search_page import rung_words, search_tables, search_words
from triscale.report.search_page.search_facts import SearchFacts


def search_markdown(facts: SearchFacts) -> str:
    """The summary that stands beside committed records; an unfinished search says what is missing."""
    parts = [
        f"# {markdown_text(search_words.title(facts))}",
        bullet_list(search_words.answer(facts)),
        *section("What to know", [bullet_list(search_words.notices(facts))]),
        *section("The question", [pairs(wording.asked_lines(facts.record))]),
        *section("The finalists", tables(search_tables.finalists(facts))),
        *section("The front of the trials", tables(search_tables.front(facts))),
        *section("How the search went", [markdown_text(search_words.drawn_sentence(facts))]),
        *section(
            rung_words.TITLE, [markdown_text(rung_words.rung_sentence(facts)), *tables(rung_words.ranks_table(facts))]
        ),
        *section("What each choice is worth", tables(search_tables.effects(facts))),
        *section("What ranks the trials without any search", tables(search_tables.predictors(facts))),
        *section("Data", [pairs(wording.data_lines(facts.record.data))]),
        *section("Training", [pairs(search_words.plan_lines(facts))]),
        *section("Machine and versions", [pairs(wording.origin_lines(facts.record, facts.done))]),
        *section("How it is counted", [bullet_list(search_words.method(facts))]),
    ]
    return "\n\n".join(parts) + "\n"
