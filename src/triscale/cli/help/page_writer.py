"""Pages of help on the terminal: plain text in at most 100 columns, with what `Page` chooses of the options."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from triscale.cli.help.page import Page

if TYPE_CHECKING:
    from cyclopts.help import HelpEntry, HelpPanel
    from rich.console import Console, ConsoleOptions

HELP_ALL = "--help-all"
_MOST_COLUMNS, _FEWEST_COLUMNS = 100, 20
_WIDEST = 22
_UNBROKEN = 100_000
_CLAUSE_ENDS = re.compile(r"[;.] ")
_REST = "Options"
_everything: ContextVar[bool] = ContextVar("everything", default=False)


@contextmanager
def everything(wanted: bool) -> Iterator[None]:
    """Whether help printed inside the block shows every option."""
    token = _everything.set(wanted)
    try:
        yield
    finally:
        _everything.reset(token)


@dataclass(frozen=True)
class PageWriter:
    """Prints one page; cyclopts calls it for the usage line, the description and each panel of options or commands."""

    page: Page = field(default_factory=Page)

    def __call__(self, console: "Console", options: "ConsoleOptions", panel: "HelpPanel") -> None:
        """Print a panel."""
        del options
        title = str(panel.title)
        brief = bool(self.page.usual) and not _everything.get()
        if panel.format == "command" or title == "Arguments":
            _print_section(console, title, panel.entries, brief=brief)
            return
        sections = self._sections(panel.entries, brief=brief)
        for name, entries in sections:
            _print_section(console, name, entries, brief=brief)
        if hidden := len(panel.entries) - sum(len(entries) for _, entries in sections):
            _print(console, "", f"{HELP_ALL} shows {hidden} more options, and says more of these.")

    def render_usage(self, console: "Console", options: "ConsoleOptions", usage: Any) -> None:
        """Print how the command is called."""
        del options
        if usage:
            _print(console, f"Usage: {_plain(console, usage).strip().removeprefix('Usage: ')}")

    def render_description(self, console: "Console", options: "ConsoleOptions", description: Any) -> None:
        """Print what the command does, a paragraph at a time."""
        del options
        for paragraph in _plain(console, description).split("\n\n"):
            if text := " ".join(paragraph.split()):
                _print(console, "", *_wrapped(text, _columns(console)))

    def _sections(self, entries: "list[HelpEntry]", *, brief: bool) -> "list[tuple[str, list[HelpEntry]]]":
        by_name = {name: entry for entry in entries for name in entry.names}
        if brief:
            return [(_REST, [by_name[name] for name in self.page.usual if name in by_name])]
        placed = {name for _, names in self.page.sections for name in names}
        rest = [entry for entry in entries if not placed.intersection(entry.names)]
        titled = [(title, [by_name[name] for name in names if name in by_name]) for title, names in self.page.sections]
        return [(title, found) for title, found in [(_REST, rest), *titled] if found]


def _print_section(console: "Console", title: str, entries: "list[HelpEntry]", *, brief: bool) -> None:
    if not entries:
        return
    column = min(_WIDEST, max(len(_label(entry)) for entry in entries)) + 4
    rows = [
        (_label(entry), _wrapped(_text(console, entry, brief=brief), _columns(console) - column)) for entry in entries
    ]
    _print(console, "")
    _print(console, title, style="bold")
    for label, lines in rows:
        beside = lines[:1] if len(label) + 4 <= column else []
        _print(console, f"  {label:{column - 2}}{''.join(beside)}".rstrip())
        _print(console, *(" " * column + line for line in lines[len(beside) :]))


def _label(entry: "HelpEntry") -> str:
    """The names of an option, and what stands for its value."""
    words = [entry.positional_label or "", *entry.names[:1]]
    others = [*entry.names[1:], *entry.shorts]
    text = " ".join(word for word in words if word) + "".join(f", {name}" for name in others)
    return f"{text} {entry.metavar}" if entry.metavar and entry.names else text


def _text(console: "Console", entry: "HelpEntry", *, brief: bool) -> str:
    """What an option is for (`brief`: the first clause), its choices where the text does not name them, its default."""
    text = " ".join(_plain(console, entry.description).split())
    if brief:
        text = _CLAUSE_ENDS.split(text, maxsplit=1)[0].removesuffix(".") + "."
    choices = [choice for choice in entry.choices or () if choice not in text]
    notes = [
        f"[choices: {', '.join(entry.choices or ())}]" if choices else "",
        f"[default: {entry.default}]" if entry.default is not None else "",
        "[required]" if entry.required else "",
    ]
    return " ".join(part for part in (text, *notes) if part)


def _plain(console: "Console", renderable: Any) -> str:
    """Text without styles, whose lines are not broken."""
    if renderable is None:
        return ""
    segments = console.render(renderable, console.options.update(width=_UNBROKEN))
    return "".join(segment.text for segment in segments if not segment.control)


def _wrapped(text: str, columns: int) -> list[str]:
    return wrap(text, max(_FEWEST_COLUMNS, columns), break_on_hyphens=False)


def _columns(console: "Console") -> int:
    return min(_MOST_COLUMNS, console.width)


def _print(console: "Console", *lines: str, style: str = "") -> None:
    from rich.text import Text  # noqa: PLC0415  help alone needs it

    for line in lines:
        console.print(Text(line, style), soft_wrap=True)
