"""What every Markdown summary is made of."""

from collections.abc import Iterable

from triscale.report.printable_table import Table, markdown_text, to_markdown


def section(title: str, parts: Iterable[str]) -> list[str]:
    """A headed section; nothing at all when it would be empty."""
    filled = [part for part in parts if part]
    return [f"## {title}", *filled] if filled else []


def tables(table: Table | None) -> list[str]:
    """The table, if there is one."""
    return [] if table is None else [to_markdown(table)]


def bullet_list(lines: Iterable[str]) -> str:
    """A list, as text."""
    return "\n".join(f"- {markdown_text(line)}" for line in lines)


def pairs(lines: Iterable[tuple[str, str]]) -> str:
    """Names with their values."""
    return bullet_list(f"{name}: {value}" for name, value in lines)
