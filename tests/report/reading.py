"""Reads a written page back: its tags, its tables, the documents of its figures."""

import json
import re
from html.parser import HTMLParser
from typing import Any


class Reader(HTMLParser):
    """Collects every tag with its attributes, and the text of every table."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.tables: list[list[list[str]]] = []
        self.words: list[str] = []
        self.in_cell = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the tag; open a table, a row or a cell."""
        self.tags.append((tag, dict(attrs)))
        match tag:
            case "table":
                self.tables.append([])
            case "tr":
                self.tables[-1].append([])
            case "td" | "th":
                self.tables[-1][-1].append("")
                self.in_cell = True

    def handle_endtag(self, tag: str) -> None:
        """Close a cell."""
        self.in_cell = self.in_cell and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        """Keep text that is shown, also as part of its cell."""
        if not self.cdata_elem:
            self.words.append(data)
        if self.in_cell:
            self.tables[-1][-1][-1] += data

    def kinds(self, name: str) -> int:
        """How many tags are of a class of the style sheet."""
        return sum(attributes.get("class") == name for _, attributes in self.tags)

    def images(self) -> list[str]:
        """The sources of the images."""
        return [str(attributes["src"]) for tag, attributes in self.tags if tag == "img"]

    def column(self, table: int, title: str) -> dict[str, str]:
        """A column of a table by the first cell of each row."""
        head, *rows = self.tables[table]
        return {row[0].strip(): row[head.index(title)].strip() for row in rows}


def figure(page: str, number: int) -> dict[str, Any]:
    documents = re.findall(r"const figure = (.*);\n", page)
    found: dict[str, Any] = json.loads(documents[number])
    return found
