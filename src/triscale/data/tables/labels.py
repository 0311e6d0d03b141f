"""What labels of tables say: numbers that a spreadsheet wrote as 1.0 or 1,0 are whole ones."""

import re
from collections.abc import Sequence

NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d*)?(?:e[+-]?\d+)?", re.IGNORECASE)
WHOLE = re.compile(r"(-?\d+)[.,]0*")
BLANK = " \t\r\n\f\v\u00a0\u200b\u200e\u200f\u2060\ufeff"
"""What nobody sees at the ends of a label."""
MISSING = frozenset(("", "nan", "<na>", "nat"))
"""What pandas writes where there is nothing."""


def plain_labels(cells: Sequence[str]) -> list[str]:
    """The labels of all lines, empty where there is none; `1.0` is `1` if all are such numbers."""
    texts = [cell.strip(BLANK) for cell in cells]
    labels = ["" if text.lower() in MISSING else text for text in texts]
    numbers = [WHOLE.fullmatch(label) or label.lstrip("-").isdecimal() for label in labels if label]
    if numbers and all(numbers) and any(WHOLE.fullmatch(label) for label in labels):
        return [WHOLE.sub(r"\1", label) for label in labels]
    return labels


def measured(labels: Sequence[str]) -> str:
    """The first label that is a fraction, if all are numbers and hardly any is there twice; else empty.

    Such a table tells amounts; there are no classes in it.
    """
    there = [label for label in labels if label]
    if not there or 2 * len(set(there)) <= len(there) or not all(map(NUMBER.fullmatch, there)):
        return ""
    return next((label for label in there if re.search(r"[.,]", label)), "")
