"""A list of phrases that are not plain English, each with what to write instead; `make check` looks for them.

What is read: docstrings, comments and texts of the places below, without code in backticks, names and paths. A phrase
that is right where it stands, such as the name of an option, belongs into `ALLOWED` with its reason.
"""

import io
import re
import tokenize
from pathlib import Path

import pytest

from tests.paths import ROOT

PLACES = ("src/triscale", "docs_site", "docs", "README.md", "ARCHITECTURE.md", "CONTRIBUTING.md")
"""Folders and files, below the root of the repository; .md files may be among them."""

LEFT_OUT = ("docs/decisions", "docs/LOG.md", "docs/notebooks")
"""What was written on a day, and stays as it was."""

INSTEAD = {
    r"\b(is|are|was|were|be|been) told\b": "say what happens: is reported, is passed, gets, knows",
    r"\btold (right|apart)\b|\btells right\b": "classified correctly; distinguished",
    r"\b(is|are|was|were|be|been) asked\b(?! (to|for (a|the) name))": "is given, is called with, is wanted",
    r"\b(cannot|too \w+ to|could|can|to) be meant\b": "say the limit: must be at least 0, got -1",
    r"\b(go|goes|gone|went) on (with|from)\b": "resume, continue",
    r"\b(says?|said) of\b(?! the same)": "says about",
    r"\b(code|networks?|functions?|batches|images) of your own\b": "your own ...",
    r"\b[Pp]ictures?\b": "image",
    r"\b[Rr]efus(e|es|ed|ing|al)\b": "reject",
    r"\banew\b": "again",
    r"\b[Tt]he very (same|pixels|images?|function|bits)\b": "exactly the, the same",
    r"(?<!there )(?<!There )\bis no (file|folder|image|number|name|list|export|network)\b": "is not a",
    r"\bwhat is not a number\b": "NaN or infinity",
    r"\b(utilize|leverage|in order to|please note)\b": "use; to; leave it out",
}
"""A regular expression, and what to write instead."""

ALLOWED = {
    ("training/mismatch", "picture"): "a word that older records hold",
    ("trials/executor", "told"): "workers tell the driver: the words of the message queue",
    ("samplers", "told"): "ask and tell: the words of the field",
    ("README.md", "told apart"): "the answer of a committed study, quoted",
    ("measurements.md", "told apart"): "the same",
    ("from-search-to-shipping.md", "told apart"): "the same",
}
"""Part of a path and a word that may stand there, with the reason."""

_CODE = re.compile(
    r"<[^<>]*>|```.*?```|``?[^`]*``?|\{[^{}]*\}"  # code in backticks, expressions of f-strings
    r"|\w+\[[^\]]*\]|\w+(?= \| )"  # types
    r"|\S*[\w\])]\.[\w(]\S*|\S*[/_=\[\"']\S*|--\S+|(?<!\w)\.\w+",  # names, paths, options, classes of CSS
    re.DOTALL,
)
_QUOTES = re.compile(r"^[rbfRBF]{0,2}(\"\"\"|'''|\"|')|(\"\"\"|'''|\"|')$")
_ARGUMENT = re.compile(r"^\s*[\w, *]+(?=: )", re.MULTILINE)


def findings(text: str, where: str = "") -> list[str]:
    """What stands in a text that should not, each with what to write instead."""
    bare = _CODE.sub(" ", _ARGUMENT.sub(" ", text))
    words = [word for place, word in ALLOWED if place in where]
    return [
        f"{found[0]!r}: {instead}"
        for phrase, instead in INSTEAD.items()
        for found in re.finditer(phrase, bare)
        if not any(word in found[0] for word in words)
    ]


def texts(path: Path) -> list[tuple[int, str]]:
    """The prose of a file: its lines if it is Markdown, else comments and strings of more than one word."""
    if path.suffix != ".py":
        return list(enumerate(path.read_text(encoding="utf-8").splitlines(), start=1))
    tokens = tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline)
    kinds = (tokenize.STRING, tokenize.COMMENT)
    prose = [one for one in tokens if one.type in kinds and " " in one.string]
    return [(one.start[0], _QUOTES.sub("", one.string)) for one in prose]


def files(place: Path) -> list[Path]:
    """The files of a place."""
    found = [place] if place.is_file() else sorted([*place.rglob("*.py"), *place.rglob("*.md")])
    return [path for path in found if not path.relative_to(ROOT).as_posix().startswith(LEFT_OUT)]


@pytest.mark.parametrize("place", PLACES)
def test_the_text_is_plain_english(place: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {finding}"
        for path in files(ROOT / place)
        for line, text in texts(path)
        for finding in findings(text, path.as_posix())
    ]
    assert found == [], "\n".join(found)


@pytest.mark.parametrize(
    "sentence",
    [
        "The user is told of it.",
        "A seed of -1 cannot be meant.",
        "The run is gone on with.",
        "An odd picture.",
        "It is refused.",
        "How many pictures it tells right.",
        "Nobody was asked.",
        "Start anew.",
        "the very pixels that it saw",
        "x.png is no image.",
    ],
)
def test_the_list_finds(sentence: str) -> None:
    assert findings(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "seed must be at least 0, got -1.",
        "`Pictures` of an image",
        "Args:\n    pictures: [n, h, w, 3], in RGB.",
        "There is no file there.",
        "{len(pictures)} images, and picture.shape, with --picture-size",
        "It goes on to the next rung.",
    ],
)
def test_the_list_leaves_plain_sentences_and_names_alone(sentence: str) -> None:
    assert findings(sentence) == []
