"""What a crash leaves of a store's file, and what is not a store at all."""

import msgspec

from triscale.errors import InputError
from triscale.trials.typed_json import from_json, is_object

_FIRST = b'{"kind":"store"'


class _Tag(msgspec.Struct):
    kind: str = ""


_KIND = msgspec.json.Decoder(_Tag)


def whole_lines(content: bytes) -> tuple[list[bytes], bytes]:
    """The whole lines, and what a crash left of the last one: without its newline, or with blocks never written."""
    *lines, rest = content.split(b"\n")
    if lines and not is_object(lines[-1]):
        last = lines.pop()
        rest = last + b"\n" + rest
    return lines, rest


def may_begin(rest: bytes) -> bool:
    """Whether this is what a crash leaves of a first line: its beginning, or blocks that were never written."""
    return not rest.strip(b"\0") or rest.startswith(_FIRST) or _FIRST.startswith(rest)


def is_old(line: bytes) -> bool:
    """Whether 0.1 may have written the file: its first line is a record, but not that of a store."""
    try:
        return from_json(line, _KIND).kind != "store"
    except InputError:
        return False
