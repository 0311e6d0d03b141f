"""From the bytes of a table to its text: UTF-8, UTF-16 as spreadsheets save it, or an old Windows encoding."""

import codecs
from dataclasses import dataclass

from triscale.errors import InputError

MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""The first bytes of a file that name its encoding; those of UTF-32 begin as those of UTF-16 do."""
BINARY = {
    b"PK\x03\x04": "an Excel workbook or a zip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"PAR1": "a Parquet file",
    b"\x1f\x8b": "compressed by gzip",
    b"%PDF": "a PDF",
    b"SQLite format 3": "an SQLite database",
}
"""How files begin that are not text, though they may be named so."""
WINDOWS = "cp1252"
SAMPLE = 4096


@dataclass(frozen=True, kw_only=True)
class Text:
    """The text of a file.

    Attributes:
        text: what it says; a byte without a meaning stays as `surrogateescape` keeps it.
        encoding: by which it was read.
        certain: whether the bytes themselves prove the encoding.
    """

    text: str
    encoding: str = "utf-8"
    certain: bool = True


def read_text(content: bytes, name: str) -> Text:
    """The text that the bytes of file `name` hold.

    Raises:
        InputError: they are not text.
    """
    for beginning, kind in BINARY.items():
        if content.startswith(beginning):
            raise InputError(f"{name!r} is not text: it is {kind}.\nSave the table as CSV, or give the folder.")
    encoding = next((code for mark, code in MARKS.items() if content.startswith(mark)), "") or _unmarked(content)
    if encoding:
        return Text(text=content.decode(encoding, "replace"), encoding=encoding)
    try:
        return Text(text=content.decode("utf-8"))
    except UnicodeDecodeError:
        return Text(text=content.decode(WINDOWS, "surrogateescape"), encoding=WINDOWS, certain=False)


def _unmarked(content: bytes) -> str:
    """UTF-16 without a mark, known by a zero in each pair of bytes of Latin text; empty if it is not that."""
    sample = content[:SAMPLE]
    high, low = sample[::2].count(0), sample[1::2].count(0)
    pairs = len(sample) // 2
    if pairs < 4 or max(high, low) < 0.8 * pairs or min(high, low) > 0.2 * pairs:
        return ""
    return "utf-16-le" if low > high else "utf-16-be"
