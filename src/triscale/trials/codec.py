"""Typed lines of JSON, both ways: no number that is not finite, and any name of a file, be it UTF-8 or not."""

import json
from typing import TypeVar

import msgspec

from triscale.errors import InputError, NumericError

T = TypeVar("T")


def to_json(line: msgspec.Struct) -> bytes:
    """The line without a newline.

    Raises:
        NumericError: it holds a number that is not finite, which JSON cannot hold.
    """
    try:
        text = msgspec.json.encode(line)
    except UnicodeEncodeError:  # a name of a file that is not UTF-8: Python has it as lone surrogates
        return _plain(line)
    if b"null" in text and not _holds_raw(line):  # what a number that is not finite becomes, and None
        _plain(line)
    return text


def from_json(text: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """The value in a line; InputError for anything else."""
    try:
        return decoder.decode(text)
    except msgspec.ValidationError as error:
        raise InputError(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass  # perhaps for a name that is not UTF-8
    try:
        found: T = msgspec.convert(json.loads(text, parse_constant=_refuse), decoder.type)
    except (ValueError, RecursionError) as error:  # ValueError: not JSON, or of another form
        raise InputError(str(error)) from None
    return found


def is_object(text: bytes) -> bool:
    """Whether a line is a JSON object at all, of whatever kind."""
    try:
        return isinstance(json.loads(text, parse_constant=_refuse), dict)
    except (ValueError, RecursionError):
        return False


def _plain(line: msgspec.Struct) -> bytes:
    try:
        return json.dumps(msgspec.to_builtins(line), allow_nan=False, separators=(",", ":")).encode()
    except ValueError:
        kind = line.__struct_config__.tag
        raise NumericError(f"a `{kind}` record holds a number that is not finite; it was not written.") from None


def _holds_raw(line: msgspec.Struct) -> bool:
    """Whether a part of it is JSON already, which is finite."""
    return any(isinstance(getattr(line, name), msgspec.Raw) for name in line.__struct_fields__)


def _refuse(constant: str) -> None:
    raise ValueError(constant)
