"""A docstring in Google's style as Markdown."""

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass

SECTION = re.compile(r"^(Args|Attributes|Returns|Raises|Yields|Examples?|Source):$")
ENTRY = re.compile(r"^( {0,4})([*\w][\w*., -]*?): (.*)$")


@dataclass(frozen=True)
class Section:
    """A part of a docstring below a heading such as Args: pairs of name and text, where plain text has no name."""

    title: str
    entries: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Description:
    """A docstring taken apart: paragraphs, and sections."""

    paragraphs: tuple[str, ...]
    sections: tuple[Section, ...]

    def markdown(self) -> str:
        """Paragraphs, then a list for each section; what stands indented is code."""
        parts = [_paragraph(one) for one in self.paragraphs]
        for section in self.sections:
            lines = [f"- `{name}`: {text}" if name else f"- {text}" for name, text in section.entries]
            parts.append("\n".join([f"**{section.title}**", "", *lines]))
        return "\n\n".join(parts)


def describe(docstring: str | None) -> Description:
    """Take a docstring apart; None is one without anything."""
    blocks: list[tuple[str, list[str]]] = [("", [])]
    for line in inspect.cleandoc(docstring or "").splitlines():
        found = SECTION.match(line)
        if found:
            blocks.append((found[1], []))
        elif line and not line.startswith(" ") and blocks[-1][0]:
            blocks.append(("", [line]))
        else:
            blocks[-1][1].append(line)
    plain = "\n".join("\n".join(lines) for title, lines in blocks if not title)
    sections = [Section(title, tuple(_entries(lines))) for title, lines in blocks if title]
    return Description(tuple(one.strip("\n") for one in re.split(r"\n\s*\n", plain) if one.strip()), tuple(sections))


def _paragraph(text: str) -> str:
    if text.startswith("    "):
        return f"```text\n{inspect.cleandoc(text)}\n```"
    return _escaped(" ".join(text.split("\n")))


def _entries(lines: list[str]) -> Iterator[tuple[str, str]]:
    """An entry begins at the indentation of the first line; whatever is indented more belongs to it."""
    first = next((len(line) - len(line.lstrip()) for line in lines if line.strip()), 0)
    name, text = "", list[str]()
    for line in lines:
        found = ENTRY.match(line[first:]) if line[:first].isspace() and not line[first : first + 1].isspace() else None
        if found or (not text and line.strip()):
            if text:
                yield name, _escaped(" ".join(text))
            name, text = (found[2], [found[3]]) if found else ("", [line.strip()])
        elif line.strip():
            text.append(line.strip())
    if text:
        yield name, _escaped(" ".join(text))


def _escaped(text: str) -> str:
    """Text in which < and * are what they are; code in backquotes stays."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(one if one.startswith("`") else re.sub(r"([<*_|\[\]])", r"\\\1", one) for one in parts)
