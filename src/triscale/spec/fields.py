"""Checks of single fields; each failure names the field, its value and what is allowed."""

from collections.abc import Iterable
from dataclasses import field
from typing import Any

from triscale.errors import InputError

_SHOWN = 80
"""Characters of a wrong value that a message shows."""


LATER = "later"
"""Marks a field that came after the first version of the format."""


def later(default: Any) -> Any:
    """A field that older files lack: where it holds its default, the content hash leaves it out and stays as it was."""
    return field(default=default, metadata={LATER: True})


class FieldError(InputError):
    """A field of a spec holds what it must not. `path` grows on the way out: `kernel`, then `stages[2].kernel`."""

    def __init__(self, path: str, value: object, allowed: str) -> None:
        self.path, self.value, self.allowed = path, value, allowed
        shown = repr(value)
        shown = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
        super().__init__(f"{path} is {shown}; allowed: {allowed}")

    def within(self, outer: str) -> "FieldError":
        """The same complaint, seen from the object that holds the field."""
        joint = "." if self.path and not self.path.startswith("[") else ""
        return FieldError(f"{outer}{joint}{self.path}", self.value, self.allowed)


def require_integer(path: str, value: object, low: int, high: int) -> None:
    """Raise FieldError unless `value` is an int (not a bool) in [low, high]."""
    if type(value) is not int or not low <= value <= high:
        raise FieldError(path, value, f"an integer from {low} to {high}")


def require_number(path: str, value: object, low: float, high: float) -> None:
    """Raise FieldError unless `value` is a number in [low, high]; NaN is in no interval."""
    if type(value) not in (int, float) or not low <= value <= high:  # type: ignore[operator]
        raise FieldError(path, value, f"a number from {low:g} to {high:g}")


def require_choice(path: str, value: object, choices: Iterable[object]) -> None:
    """Raise FieldError unless `value` is one of `choices`; 1 is not True, or equal networks would have two hashes."""
    choices = tuple(choices)
    if value not in choices or type(value) is not type(choices[choices.index(value)]):
        raise FieldError(path, value, ", ".join(map(str, choices)))


def require_odd(path: str, value: object, high: int) -> None:
    """Raise FieldError unless `value` is an odd int in [1, high]: a kernel needs a centre."""
    if type(value) is not int or not 1 <= value <= high or value % 2 == 0:
        raise FieldError(path, value, f"an odd integer from 1 to {high}")
