"""Tables in JSON: a record in each line, a list of records, labels by path, columns, and the boxes of COCO."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from triscale.data.names.words import looks_like_picture
from triscale.data.tables.sheet import SheetLine
from triscale.errors import InputError

JSON = frozenset((".json", ".jsonl", ".ndjson"))
WANTED = 'Wanted: {"path": "cat/0.jpg", "label": "cat"} in each line, or a list of such records.'


def read_json(text: str, name: str) -> list[SheetLine]:
    """The records as a table: its first line are the names of their fields; a line's number is the record's from 1.

    Raises:
        InputError: it is not JSON, or has no records of images; the message names the record.
    """
    records = _records(text, name)
    if not records:
        raise InputError(f"{name!r} holds no record.\n{WANTED}")
    titles = list(dict.fromkeys(field for _, record in records for field in record))
    return [
        SheetLine(0, tuple(titles)),
        *(SheetLine(number, tuple(_cell(record.get(title)) for title in titles)) for number, record in records),
    ]


def _records(text: str, name: str) -> list[tuple[int, Mapping[str, Any]]]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        return _by_line(text, name, error)
    if isinstance(found, Mapping) and isinstance(found.get("images"), list) and "annotations" in found:
        found = list(_coco(found, name))
    elif isinstance(found, Mapping):
        found = list(_mapping(found))
    if not isinstance(found, list) or not all(isinstance(record, Mapping) for record in found):
        raise InputError(f"{name!r} is not a table of images.\n{WANTED}")
    return list(enumerate(found, 1))


def _by_line(text: str, name: str, whole: Exception) -> list[tuple[int, Mapping[str, Any]]]:
    records = list[tuple[int, Mapping[str, Any]]]()
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                record = json.loads(line)
            except (ValueError, RecursionError):
                record = None
            if not isinstance(record, Mapping):
                said = f"{' '.join(str(whole).split())[:80]}" if number == 1 else f"line {number} is not a record"
                raise InputError(f"{name!r} cannot be read: {said}.\n{WANTED}")
            records.append((number, record))
    return records


def _mapping(found: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Records under one name, images by label, columns as pandas writes them, else labels by path."""
    values = list(found.values())
    if len(values) == 1 and isinstance(values[0], list) and all(isinstance(one, Mapping) for one in values[0]):
        yield from values[0]
    elif values and all(isinstance(value, list) and value and all(map(_is_picture, value)) for value in values):
        yield from ({"path": path, "label": label} for label, paths in found.items() for path in paths)
    elif values and all(isinstance(value, Mapping) for value in values):
        if len({tuple(value) for value in values}) == 1 and len(values) < len(values[0]):
            yield from ({title: column[row] for title, column in found.items()} for row in values[0])
        else:
            yield from ({"path": path, **record} for path, record in found.items())
    elif values and all(isinstance(value, list) for value in values) and len({len(value) for value in values}) == 1:
        yield from (dict(zip(found, row, strict=True)) for row in zip(*values, strict=True))
    else:
        yield from ({"path": path, "label": label} for path, label in found.items())


def _is_picture(value: Any) -> bool:
    return isinstance(value, str) and looks_like_picture(value)


def _coco(found: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    """A record for each image that has boxes of one category.

    Raises:
        InputError: an image has several.
    """
    try:
        names = {one["id"]: one["name"] for one in found.get("categories", ())}
        there = defaultdict[Any, set[str]](set)
        for box in found["annotations"]:
            there[box["image_id"]].add(str(names.get(box["category_id"], box["category_id"])))
        files = [(image["file_name"], sorted(there[image["id"]])) for image in found["images"]]
    except (KeyError, TypeError) as error:
        raise InputError(f"{name!r} is not a COCO file: {str(error)[:60]} is missing.\n{WANTED}") from error
    for file, labels in files:
        if len(labels) > 1:
            raise InputError(
                f"{name!r}: the image {file!r} shows {labels[0]!r} and {labels[1]!r}.\n"
                "A classifier needs one class for each image: cut the boxes out, or list one label."
            )
        yield {"path": file, "label": labels[0] if labels else ""}


def _cell(value: Any) -> str:
    """A field as the cell of a table; a list of one is that one."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _cell(value[0]) if len(value) == 1 else ""
    return "" if value is None or isinstance(value, Mapping) else str(value)
