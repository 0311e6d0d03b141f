"""A page for every command, made from the command line itself: what it does, its arguments and its options."""

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Literal, get_args, get_origin

from cyclopts import App
from cyclopts.argument import Argument

from docs_site.docstrings import describe
from triscale.cli.app import app
from triscale.cli.help.page import PARTS, Page
from triscale.cli.help.pages import page_of

FOLDER = PurePosixPath("reference/commands")
ARGUMENTS, OPTIONS = "Arguments", "Options"


@dataclass(frozen=True)
class Command:
    """A command with its words, such as ("search", "status")."""

    words: tuple[str, ...]
    app: App

    @property
    def page(self) -> PurePosixPath:
        """Where its page lies in the site."""
        return FOLDER / ("-".join(self.words) + ".md")

    def arguments(self) -> list[Argument]:
        """Everything that it takes, those that its help leaves out too."""
        found = self.app.assemble_argument_collection(parse_docstring=True)
        return [one for one in found if one.parse and not one.children]

    def first_line(self) -> str:
        """What it does, in one sentence."""
        return describe(self._docstring()).paragraphs[0]

    def help_page(self) -> Page:
        """How its help is arranged."""
        return page_of(" ".join(self.words))

    def markdown(self) -> str:
        """Its page: what it does, two examples, then its options in the groups of `--help-all`."""
        described, examples = describe(self._docstring()), "\n".join(self.help_page().examples)
        parts = [f"# triscale {' '.join(self.words)}", describe("\n\n".join(described.paragraphs)).markdown()]
        parts += [f"```sh\n{examples}\n```"] if examples else []
        for title, rows in self._tables():
            table = [f"| {'argument' if title == ARGUMENTS else 'option'} | is |", "|---|---|", *map(_row, rows)]
            parts += [f"## {title}", "\n".join(table)]
        return "\n\n".join(parts) + "\n"

    def _tables(self) -> list[tuple[str, list[Argument]]]:
        """Arguments, options that stand in no group, and each group, if it has any."""
        taken = self.arguments()
        grouped = {name: title for title, names in self.help_page().sections for name in names}
        titles = dict.fromkeys((ARGUMENTS, OPTIONS, *grouped.values()))
        found: dict[str, list[Argument]] = {title: [] for title in titles}
        for one in taken:
            title = ARGUMENTS if _positional(one) else next((grouped[n] for n in one.names if n in grouped), OPTIONS)
            found[title].append(one)
        return [(title, rows) for title, rows in found.items() if rows]

    def _docstring(self) -> str:
        command = self.app.default_command
        return (command.__doc__ if command is not None else None) or self.app.help or ""


def commands(of: App = app, words: tuple[str, ...] = ()) -> Iterator[Command]:
    """Every command that does something, in the order in which the command line registers them."""
    for name in of:
        if name.startswith("-"):
            continue
        here = Command((*words, name), of[name])
        if here.app.default_command is not None:
            yield here
        yield from commands(here.app, here.words)


def index() -> str:
    """The page that names all commands, in the parts of `triscale --help`."""
    lines = ["# Commands", "", "Made from the command line when this site is built. Each command has `--help`,"]
    lines += ["which shows what people use, and `--help-all`, which shows everything.", ""]
    found = list(commands())
    for part, title in PARTS.items():
        rows = [one for one in found if page_of(one.words[0]).part == part]
        if rows:
            lines += [f"## {title}", "", "| triscale | does |", "|---|---|"]
            lines += [f"| [`{' '.join(one.words)}`]({one.page.name}) | {one.first_line()} |" for one in rows] + [""]
    return "\n".join(lines)


def _positional(one: Argument) -> bool:
    return not any(name.startswith("-") for name in one.names)


def _row(one: Argument) -> str:
    names = ", ".join(f"`{name}`" for name in one.names)
    kind = _kind(one)
    text = " ".join((one.parameter.help or "").split())
    notes = [
        f"One of {', '.join(f'`{choice}`' for choice in one.get_choices() or ())}." if one.get_choices() else "",
        f"Default: `{_default(one)}`." if one.show_default and _default(one) is not None else "",
        "Required." if one.required else "",
    ]
    said = describe(text).markdown() if text else ""
    return f"| {names}{f' *{kind}*' if kind else ''} | {' '.join(part for part in (said, *notes) if part)} |"


def _default(one: Argument) -> Any:
    default = one.field_info.default
    nothing = default is inspect.Parameter.empty or default is None or default is False or default in ((), "")
    return None if nothing else default


def _kind(one: Argument) -> str:
    """The word for its value: nothing for a switch."""
    hints = [
        hint for hint in (get_args(one.hint) if get_origin(one.hint) is not Literal else ()) if hint is not type(None)
    ]
    hint = hints[0] if hints and get_origin(one.hint) not in (list, tuple) else one.hint
    words = {bool: "", str: "text", int: "number", float: "number"}
    return words.get(hint, "text") if isinstance(hint, type) else "text" if _default(one) is not True else ""
