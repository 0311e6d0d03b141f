"""The blocks of code of README and the documentation, and the commands in them."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.paths import ROOT

SHELL = ("sh", "bash", "console", "text", "yaml")
"""Languages of blocks that may hold commands; `console` and `text` hold what they print too, after a prompt."""
STARTS = re.compile(r"(?:^|[\s/(])triscale(?=\s)|(?<=-m )triscale(?=\s)")
ENDS = ("|", ">", ">>", "&&", "||", ";", "&")
INLINE = re.compile(r"`(triscale [^`]+)`")
FENCE = re.compile(r"^```(\w*)\s*$")
LEFT_OUT = ("docs/decisions/", "docs/LOG.md", "docs/errata.md")
"""Pages whose commands are those of their day, or which have a test of their own."""


@dataclass(frozen=True)
class Block:
    """A fenced block of code: where it stands, its language, and its text."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Command:
    """A command line of triscale: where it stands, its words without `triscale`, and the lines shown below it."""

    place: str
    words: tuple[str, ...]
    output: tuple[str, ...] = ()


def pages() -> list[str]:
    """The pages whose blocks are held to run, by path."""
    found = ["README.md", "CONTRIBUTING.md", *(str(path.relative_to(ROOT)) for path in ROOT.glob("docs/**/*.md"))]
    return sorted(one for one in found if not one.startswith(LEFT_OUT))


def blocks(page: str, root: Path = ROOT) -> Iterator[Block]:
    """Every fenced block of a page."""
    lines = (root / page).read_text(encoding="utf-8").splitlines()
    start, language = 0, ""
    for number, line in enumerate(lines, start=1):
        found = FENCE.match(line)
        if found and not start:
            start, language = number, found[1]
        elif found:
            yield Block(page, start + 1, language, "\n".join(lines[start : number - 1]))
            start = 0
    assert not start, f"{page}: the block at line {start} does not end"


def commands(block: Block) -> Iterator[Command]:
    """Every command of triscale in a block, with the lines that it is shown to print."""
    if block.language not in SHELL:
        return
    prompted = any(line.startswith("$ ") for line in block.text.splitlines())
    if block.language in ("console", "text") and not prompted:
        return
    joined = re.sub(r"\s*\\\n\s*", " ", block.text)
    if block.language == "yaml":
        joined = " ".join(_folded(joined))
    lines = joined.splitlines()
    for index, line in enumerate(lines):
        if prompted and not line.startswith("$ "):
            continue
        rest = lines[index + 1 :]
        until = next((place for place, one in enumerate(rest) if one.startswith("$ ")), len(rest))
        for words in _words(line.removeprefix("$ ")):
            shown = rest[:until] if prompted else []
            yield Command(str(block), words, tuple(one.rstrip() for one in shown if one.strip()))


def inline(page: str, root: Path = ROOT) -> Iterator[Command]:
    """Commands in a page's sentences; they may leave arguments out."""
    fenced = False
    for number, line in enumerate((root / page).read_text(encoding="utf-8").splitlines(), start=1):
        fenced ^= line.startswith("```")
        if not fenced:
            for found in INLINE.finditer(line):
                for words in _words(found[1]):
                    yield Command(f"{page}:{number}", words)


def _folded(text: str) -> Iterator[str]:
    """The folded text (`>-`) of YAML."""
    for found in re.finditer(r"^( *)\w+: >-\n((?:\1 +.*\n)+)", text, re.MULTILINE):
        yield " ".join(found[2].split())


def _words(line: str) -> Iterator[tuple[str, ...]]:
    """The words of each command of triscale in a line, up to a comment, a pipe or a redirection."""
    if line.lstrip().startswith("#"):
        return
    for found in STARTS.finditer(line):
        try:
            words = shlex.split(line[found.end() :], comments=True)
        except ValueError:  # the line goes on inside quotes that began before
            words = shlex.split(line[found.end() :].replace("'", "").replace('"', ""), comments=True)
        until = next((place for place, word in enumerate(words) if word in ENDS), len(words))
        inside = line[found.start()] == "("  # of a substitution, <(triscale ...)
        yield tuple(word.removesuffix(")") if inside else word for word in words[:until])
