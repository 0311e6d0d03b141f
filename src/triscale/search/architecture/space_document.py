"""The JSON form of a search space, read strictly: what is wrong is named with its value and what is allowed."""

import re
from typing import Any, TypeVar

import msgspec

from triscale.errors import InputError, did_you_mean
from triscale.spec import FieldError

FORMAT, VERSION = "triscale.space", 1
_T = TypeVar("_T")


class StageChoices(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Values to choose from; what is left out, or is an empty list, stays as it is in the base.

    Attributes:
        operator: words of the document's `operators`, or a spec's own.
        kernel: sides in pixels.
        expand: ratios.
        squeeze_excite: ratios; 0: none. Gate, divisor and reference are those of the base's stage, or a spec's default.
        skip: with or without an identity skip.
        activation: those of a spec; null: the network's.
        channel_factor: of the base's channels, rounded as the base rounds.
        channels: numbers of them.
        layers: blocks more than in the base's stage; below 0: fewer.
        repeats: numbers of blocks.
    """

    operator: tuple[str, ...] | None = None
    kernel: tuple[int, ...] | None = None
    expand: tuple[float, ...] | None = None
    squeeze_excite: tuple[float, ...] | None = None
    skip: tuple[bool, ...] | None = None
    activation: tuple[str | None, ...] | None = None
    channel_factor: tuple[float, ...] | None = None
    channels: tuple[int, ...] | None = None
    layers: tuple[int, ...] | None = None
    repeats: tuple[int, ...] | None = None


KINDS = StageChoices.__struct_fields__


class OneStage(StageChoices, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Choices of the stage of this number, counted from 1, in place of those of every stage."""

    stage: int


class OperatorFields(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a word for an operator means: an operator of a spec, and the fields that go with it."""

    operator: str
    kernel: int | None = None
    expand: float | None = None
    squeeze_excite: float | None = None
    skip: bool | None = None
    activation: str | None = None


class SpaceDocument(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A search space as data.

    Attributes:
        name: what people call it.
        base: the network around which it lies: a registered name, a spec file, or a spec; None: the caller gives one.
        operators: words for operators; null: the stage is left out.
        every_stage: choices of all stages. A value that a stage cannot take, or that gives what another one gives, is
            left out there.
        stages: choices of single stages, kind by kind in place of those of every stage.
    """

    format: str
    version: int
    name: str
    base: str | dict[str, Any] | None = None
    operators: dict[str, OperatorFields | None] = {}
    every_stage: StageChoices = StageChoices()
    stages: tuple[OneStage, ...] = ()


def parse(document: object) -> SpaceDocument:
    """The document in decoded JSON.

    Raises:
        InputError: naming the field, its value and what is allowed.
    """
    if not isinstance(document, dict):
        raise InputError(f"a search space is a JSON object, not {type(document).__name__}")
    for field, wanted in (("format", FORMAT), ("version", VERSION)):
        if document.get(field) != wanted:
            raise FieldError(field, document.get(field), str(wanted))
    words = document.get("operators", {})
    for word, fields in words.items() if isinstance(words, dict) else ():
        if fields is not None:
            _converted(fields, OperatorFields, f"operators.{word}")  # here its path is known
    return _converted(document, SpaceDocument, "")


def _converted(document: object, kind: type[_T], path: str) -> _T:
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        complaint = _complaint(str(error), document)
        raise complaint.within(path) if path else complaint from None


_AT = re.compile(r"(.*?)(?: - at `\$\.?(.*)`)?")
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`")
_EXPECTED = re.compile(r"Expected `(.*)`, got `.*`")
_MISSING = re.compile(r"Object missing required field `(.*)`")
_JSON_WORDS = {"int": "an integer", "float": "a number", "bool": "true or false", "str": "text", "array": "a list"}


def _complaint(message: str, document: object) -> FieldError:
    """What msgspec says about a document, with the value and what is allowed."""
    found = _AT.fullmatch(message)
    text, path = (found[1], found[2] or "") if found else (message, "")
    holder = _value_at(document, path)
    if unknown := _UNKNOWN.fullmatch(text):
        value = holder.get(unknown[1]) if isinstance(holder, dict) else None
        return FieldError(_joined(path, unknown[1]), value, _known(path, unknown[1], document))
    if missing := _MISSING.fullmatch(text):
        return FieldError(_joined(path, missing[1]), None, "this field is required")
    wanted = _EXPECTED.fullmatch(text)
    words = [_JSON_WORDS.get(word, word) for word in wanted[1].split(" | ")] if wanted else [text]
    return FieldError(path, holder, " or ".join(words))


def _joined(path: str, field: str) -> str:
    return f"{path}.{field}" if path else field


def _known(path: str, field: str, document: object) -> str:
    """The fields that may stand where an unknown one stands."""
    top = SpaceDocument if isinstance(document, dict) and "format" in document else OperatorFields
    kinds = {"": top, "every_stage": StageChoices}
    fields = kinds.get(path, OneStage).__struct_fields__
    near = did_you_mean(field, fields)
    return f"no such field; {near}" if near else f"only {', '.join(fields)}"


def _value_at(document: object, path: str) -> object:
    """The value at a path such as `stages[0].kernel`; the last one that can be reached."""
    for name, index in re.findall(r"(\w+)|\[(\d+)\]", path):
        if index and isinstance(document, list):
            document = document[int(index)]
        elif name and isinstance(document, dict):
            document = document.get(name)
    return document
