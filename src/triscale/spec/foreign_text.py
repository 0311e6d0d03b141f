"""The text of a foreign network: `module:callable@resolution=64,width=1.4,width=width_mult,blocks=2`.

After the @ stand settings with commas between. `depth`, `width`, `resolution`, `classes` and `input_channels` take a
number (factors; pixels; counts) or a word: the callable's own parameter for it, nothing where it takes none.
Both can be given. Every other name is an argument of the callable.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from triscale.errors import UsageError
from triscale.spec.rounding import Size

NUMBERS = ("resolution", "depth", "width", "classes", "input_channels")
"""Roles in the order in which a text names them."""

_FOREIGN = re.compile(r"[^\W\d][\w.]*:[^\W\d][\w.]*(@.*)?", re.DOTALL)
_SIZE = re.compile(r"(\d{1,6})(?:x(\d{1,6}))?", re.ASCII)
_WORDS: Mapping[str, Any] = {"true": True, "false": False, "none": None, "null": None}
_EXAMPLE = "write module:callable@resolution=64,width=width_mult,blocks=2."


def is_foreign_text(text: str) -> bool:
    """Whether a text has the form `module:callable` or `module:callable@...`."""
    return _FOREIGN.fullmatch(text) is not None


def fields_of(text: str) -> dict[str, Any]:
    """The fields of `ForeignNetwork` that a text gives.

    Raises:
        UsageError: malformed settings, or one that is given twice.
    """
    path, _, settings = text.partition("@")
    fields: dict[str, Any] = {"path": path, "names": {}, "arguments": {}}
    for name, value in _parts(settings):
        if name not in NUMBERS:
            _put(fields["arguments"], name, constant(value), text)
        elif value == "" or value.isidentifier():
            _put(fields["names"], name, value, text)
        else:
            _put(fields, name, _number(name, value), text)
    return fields


def text_of(
    path: str, numbers: Mapping[str, Any], names: Mapping[str, str], arguments: Mapping[str, Any]
) -> str:  # fmt: skip
    """The text from which `fields_of` reads these; `numbers` holds those roles that are not left at their default."""
    settings = [f"{role}={_shown(numbers[role])}" for role in NUMBERS if role in numbers]
    settings += [f"{role}={names[role]}" for role in NUMBERS if role in names]
    settings += [f"{name}={_written(value)}" for name, value in sorted(arguments.items())]
    return f"{path}@{','.join(settings)}" if settings else path


def constant(text: str) -> Any:
    """A constant as Python or JSON write it (2, 0.5, true, None, [2, 2], 'text'); any other text is itself."""
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return text


def _parts(settings: str) -> Iterator[tuple[str, str]]:
    for part in _split(settings):
        name, equals, value = part.partition("=")
        if not equals or not name.strip().isidentifier():
            raise UsageError(f"cannot read the setting {part!r}: {_EXAMPLE}")
        yield name.strip(), value.strip()


def _split(settings: str) -> list[str]:
    """At the commas that are in no brackets and in no quotes."""
    parts, depth, quote = [""], 0, ""
    for sign in settings:
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"":
            quote = sign
        depth += 0 if quote else (sign in "[(") - (sign in "])")
        if sign == "," and not depth and not quote:
            parts.append("")
        else:
            parts[-1] += sign
    return [] if parts == [""] else parts


def _put(fields: dict[str, Any], name: str, value: Any, text: str) -> None:
    if name in fields:
        raise UsageError(f"{name} is given twice in {text!r}.")
    fields[name] = value


def _number(name: str, text: str) -> Any:
    if name == "resolution":
        return _pixels(text)
    try:
        return float(text) if name in ("depth", "width") else int(text)
    except ValueError:
        raise UsageError(f"{name} is {text!r}; give a number, or the callable's parameter for it.") from None


def _pixels(text: str) -> Size:
    found = _SIZE.fullmatch(text)
    if found is None:
        raise UsageError(f"resolution is {text!r}; give pixels, such as 64 or 64x96 (height x width).")
    return int(found[1]), int(found[2] or found[1])


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return str(value[0]) if value[0] == value[1] else "x".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) and float(f"{value:g}") == value else str(value)


def _written(value: Any) -> str:
    if not isinstance(value, str):
        return repr(_lists(value))
    is_plain = value.strip() == value and not set(value) & set(",[]()'\"") and constant(value) == value
    return value if is_plain and value else repr(value)


def _lists(value: Any) -> Any:
    return [_lists(item) for item in value] if isinstance(value, Iterable) and not isinstance(value, str) else value
