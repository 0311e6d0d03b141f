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

FOLDER = PurePosixPath("reference/commands")


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

    def markdown(self) -> str:
        """Its page."""
        named = f"triscale {' '.join(self.words)}"
        text = describe(self._docstring())
        parts = [f"# {named}", *describe("\n\n".join(text.paragraphs)).markdown().split("\n\n")]
        taken = self.arguments()
        for title, rows in (
            ("Arguments", [one for one in taken if _positional(one)]),
            ("Options", [one for one in taken if not _positional(one)]),
        ):
            if rows:
                table = [f"| {title[:-1].lower()} | is |", "|---|---|", *(_row(one) for one in rows)]
                parts += [f"## {title}", "\n".join(table)]
        return "\n\n".join(parts) + "\n"

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
    """The page that names all commands."""
    rows = [f"| [`{' '.join(one.words)}`]({one.page.name}) | {one.first_line()} |" for one in commands()]
    return "\n".join([
        "# Commands", "", "Made from the command line when this site is built. Each command has `--help`.", "",
        "| triscale | does |", "|---|---|", *rows, "",
    ])  # fmt: skip


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
    return None if default is inspect.Parameter.empty or default in (None, False, (), "") else default


def _kind(one: Argument) -> str:
    """The word for its value: nothing for a switch."""
    hints = [
        hint for hint in (get_args(one.hint) if get_origin(one.hint) is not Literal else ()) if hint is not type(None)
    ]
    hint = hints[0] if hints and get_origin(one.hint) not in (list, tuple) else one.hint
    words = {bool: "", str: "text", int: "number", float: "number"}
    return words.get(hint, "text") if isinstance(hint, type) else "text" if _default(one) is not True else ""
