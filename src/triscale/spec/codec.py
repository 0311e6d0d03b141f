"""Networks as JSON: version, content hash, readable errors and differences."""

import dataclasses
import hashlib
import json
import types
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from triscale.errors import InputError, did_you_mean
from triscale.spec.fields import LATER, FieldError
from triscale.spec.foreign_network import ForeignNetwork, is_foreign_document
from triscale.spec.network import Network
from triscale.spec.preprocessing import Preprocessing

FORMAT = "triscale.network"
VERSION = 1


def to_dict(network: Network) -> dict[str, Any]:
    """The network as a JSON-ready dict: `format`, `version`, then every field."""
    return {"format": FORMAT, "version": VERSION, **_encode(network)}


def from_dict(document: object) -> Network:
    """The network in a document made by `to_dict`, or written by hand (fields with a default may be left out).

    Raises:
        InputError: naming the field, its value and what is allowed.
    """
    if not isinstance(document, Mapping):
        raise InputError(f"a network is a JSON object, not {type(document).__name__}")
    if is_foreign_document(document):  # a file may name any code
        name = ForeignNetwork.from_dict(document).name
        raise InputError(f"it holds a network that Python code makes.\nIf you trust that code, name it instead: {name}")
    fields = dict(document)
    if (found := fields.pop("format", FORMAT)) != FORMAT:
        raise FieldError("format", found, FORMAT)
    if (found := fields.pop("version", VERSION)) != VERSION:
        raise FieldError("version", found, f"{VERSION} (this triscale reads no other)")
    network = _decode(fields, Network)
    assert isinstance(network, Network)  # noqa: S101  for the type checker; _decode built it
    return network


def dumps(network: Network) -> str:
    """Indented JSON text, ending in a newline."""
    return json.dumps(to_dict(network), indent=2) + "\n"


def loads(text: str) -> Network:
    """The network in JSON text; InputError where it is not one."""
    try:
        return from_dict(json.loads(text))
    except (ValueError, RecursionError) as error:  # ValueError: bad JSON, or an integer of over 4,300 digits
        raise InputError(f"not JSON: {error}") from None


def read(path: Path) -> Network:
    """The network in a file; InputError names the file, the field, the value and what is allowed."""
    try:
        return loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:  # ValueError: bytes that are not UTF-8, or a path with a null character
        raise InputError(f"cannot read the network file {path}: {getattr(error, 'strerror', None) or error}") from None
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def preprocessing_to_dict(preprocessing: Preprocessing) -> dict[str, Any]:
    """Every field of a preprocessing, JSON-ready."""
    document: dict[str, Any] = _encode(preprocessing)
    return document


def preprocessing_from_dict(document: object) -> Preprocessing:
    """The preprocessing in a document; what is left out is as in a study. FieldError names what is wrong."""
    preprocessing = _decode(document, Preprocessing)
    assert isinstance(preprocessing, Preprocessing)  # noqa: S101  for the type checker
    return preprocessing


def content_hash(network: Network) -> str:
    """SHA-256 (64 hex digits) of the canonical JSON without the name: equal networks, equal hash."""
    fields = {"format": FORMAT, "version": VERSION, **_encode(network, canonical=True)}
    del fields["name"]
    return hashlib.sha256(json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def diff(left: Network, right: Network) -> list[str]:
    """Readable differences, one line a field, such as `stages[3].repeats: 3 -> 4`; empty if the networks are equal."""
    one, two = dict(_leaves("", _encode(left))), dict(_leaves("", _encode(right)))
    paths = [*one, *(path for path in two if path not in one)]
    absent = "absent"
    return [
        f"{p}: {one.get(p, absent)} -> {two.get(p, absent)}" for p in paths if one.get(p, absent) != two.get(p, absent)
    ]


def _leaves(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(f"{path}.{key}" if path else key, item)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for index, item in enumerate(value):
            yield from _leaves(f"{path}[{index}]", item)
    else:
        yield path, json.dumps(value)


def _encode(value: Any, *, canonical: bool = False) -> Any:
    """JSON-ready; `canonical` leaves out later fields that hold their default."""
    if dataclasses.is_dataclass(value):
        held = ((field, getattr(value, field.name)) for field in dataclasses.fields(value))
        return {
            field.name: _encode(item, canonical=canonical)
            for field, item in held
            if not (canonical and LATER in field.metadata and item == field.default)
        }
    if isinstance(value, tuple):
        return [_encode(item, canonical=canonical) for item in value]
    if type(value) is float and value.is_integer():
        return int(value)  # 6.0 and 6 are one ratio and must have one hash
    return value


def _decode(value: Any, kind: Any) -> Any:
    """`value` as `kind`: a dataclass, a tuple, an optional of these, or a plain value (the dataclass checks it)."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        inner = [argument for argument in arguments if argument is not types.NoneType]
        return None if value is None else _decode(value, inner[0])
    if origin is tuple:
        return _decode_items(value, arguments)
    if dataclasses.is_dataclass(kind):
        return _decode_fields(value, kind)
    if kind is str and not isinstance(value, str):
        raise FieldError("", value, "text")
    if kind is int and isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _decode_items(value: Any, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise FieldError("", value, "a list")
    items = []
    for index, item in enumerate(value):
        try:
            items.append(_decode(item, arguments[0]))
        except FieldError as error:
            raise error.within(f"[{index}]") from None
    return tuple(items)


def _decode_fields(value: Any, kind: Any) -> Any:
    if not isinstance(value, Mapping):
        raise FieldError("", value, f"an object with the fields of {kind.__name__}")
    known = {field.name: field for field in dataclasses.fields(kind)}
    hints = typing.get_type_hints(kind)
    for name in value:
        if name not in known:
            near = did_you_mean(str(name), known)
            raise FieldError(
                repr(name)[1:-1],  # its escapes: a message is printable, whatever the file holds
                value[name],
                f"no such field; {near}" if near else f"only {', '.join(known)}",
            )
    decoded = {}
    for name, field in known.items():
        if name in value:
            try:
                decoded[name] = _decode(value[name], hints[name])
            except FieldError as error:
                raise error.within(name) from None
        elif field.default is dataclasses.MISSING:
            raise FieldError(name, None, "this field is required")
    return kind(**decoded)
