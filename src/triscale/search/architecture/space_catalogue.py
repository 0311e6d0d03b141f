"""Search spaces by name or from a JSON file, around their own base or another one."""

import json
from importlib import resources
from pathlib import Path

import msgspec

from triscale.errors import InputError, UsageError, did_you_mean
from triscale.families import network as registered
from triscale.families.by_name import registry
from triscale.search.architecture.space import Space, space_around
from triscale.search.architecture.space_document import SpaceDocument, parse
from triscale.spec import Network, from_dict, read, to_document
from triscale.spec.fields import FieldError

_FOLDER = resources.files("triscale.search.architecture") / "spaces"


def space_names() -> tuple[str, ...]:
    """The spaces that come with triscale."""
    return tuple(sorted(file.name.removesuffix(".json") for file in _FOLDER.iterdir() if file.name.endswith(".json")))


def load_space(name: str | Path, base: Network | None = None) -> Space:
    """A space that comes with triscale, or one in a JSON file, around its own base or the one given.

    Raises:
        UsageError: no space of that name; the nearest are named.
        InputError: the file is missing or wrong, or the space has no base and none is given.
    """
    if str(name).endswith(".json"):
        return _named(str(name), _text(Path(name)), base, Path(name).parent)
    if str(name) not in space_names():
        near = did_you_mean(str(name), space_names())
        wanted = near or f"there are {', '.join(space_names())}, or a .json file."
        raise UsageError(f"there is no search space {str(name)!r}; {wanted}")
    return _named(str(name), space_text(str(name)), base, Path())


def space_text(name: str) -> str:
    """The JSON of a space that comes with triscale, to be edited."""
    return (_FOLDER / f"{name}.json").read_text("utf-8")


def read_space(document: object, base: Network | None = None, folder: Path = Path()) -> Space:
    """The space in decoded JSON; a base that is a file is looked for in `folder`.

    Raises:
        InputError: naming the field, its value and what is allowed.
    """
    parsed = parse(document)
    return space_around(parsed, base or _base(parsed, folder))


def document_of(space: Space) -> dict[str, object]:
    """The space as a JSON-ready document of its own: its base by name where that is registered, else whole."""
    known = registry().get(space.base.name)
    held = space.base.name if known and known[1] == space.base else to_document(space.base)
    document: dict[str, object] = msgspec.to_builtins(msgspec.structs.replace(space.document, base=held))
    return document


def _base(document: SpaceDocument, folder: Path) -> Network:
    try:
        match document.base:
            case None:
                raise FieldError("base", None, "the name of a network, a spec file (.json) or a spec")
            case dict():
                return from_dict(document.base)
            case name if name.endswith(".json"):
                return read(folder / name)
            case name:
                return registered(name)
    except UsageError as error:
        raise InputError(f"base: {error}") from None
    except FieldError as error:
        raise error if document.base is None else error.within("base") from None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:  # ValueError: not UTF-8, or a path with a null character
        raise InputError(f"cannot read the search space {path}: {getattr(error, 'strerror', None) or error}") from None


def _named(name: str, text: str, base: Network | None, folder: Path) -> Space:
    try:
        return read_space(json.loads(text), base, folder)
    except (ValueError, RecursionError) as error:
        raise InputError(f"the search space {name} is not JSON: {error}") from None
    except InputError as error:
        raise InputError(f"the search space {name}: {error}") from None
