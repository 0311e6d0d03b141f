"""torch's own files, `.pth`: pickles, read only on request and only by torch's restricted unpickler."""

import pickle
import warnings
import zipfile
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from triscale.errors import InputError
from triscale.weights.read.standins import Unread, names_in, program_in, standing_in
from triscale.weights.read.strict import shapes, shown
from triscale.weights.read.tensor_file import MOST_TENSORS, StoredTensors, Tensors, first_line, zip_members

_LEAST_TORCH = (2, 10)
"""The restricted unpickler of older versions can be made to run code (CVE-2025-32434, CVE-2026-24747)."""

_DEEPEST = 5
"""Dicts within each other; trainers go to four."""

_LONGEST_NAME = 200
"""Characters of an entry's name that are kept in the path to what it holds."""

_ARCHITECTURES = ("arch", "model", "model_name")
"""Where trainers write the name of the model: in the checkpoint, or in their options."""

SAVE_STATE = "Where it was made: torch.save(model.state_dict(), FILE)."


def read_pth(path: Path, *, allowed: bool) -> StoredTensors:
    """The tensors of a `.pth` file: a state dict, or a trainer's checkpoint with one or more in it.

    Raises:
        InputError: not allowed, damaged, a program, or without tensors by name.
    """
    if not allowed:
        raise InputError(
            f"{path} is a pickle of torch, a format that can carry programs; it was not read.\n"
            f"If you trust its source: triscale convert {path} --allow-pth --out FILE.safetensors"
        )
    if tuple(int(part) for part in torch.__version__.split(".")[:2]) < _LEAST_TORCH:
        raise InputError(f"reading {path} safely needs torch 2.10 or newer; this is torch {torch.__version__}.")
    if zipfile.is_zipfile(path):
        zip_members(path)
    found = _unpickled(path)
    _refuse_module(path, found)
    groups = tuple(_groups(found))
    if not groups:
        raise InputError(f"{path} holds {_kind(found)}, not tensors by name.\n{SAVE_STATE}")
    return StoredTensors(tensors=groups, architecture=_architecture(found), unread=tuple(sorted(_unread(found))))


def _unpickled(path: Path) -> object:
    try:
        return _loaded(path, nullcontext())
    except pickle.UnpicklingError as error:
        return _loaded_without_objects(path, error)


def _loaded(path: Path, context: AbstractContextManager[None]) -> object:
    try:
        with warnings.catch_warnings(), context:
            warnings.simplefilter("ignore")  # of torch about old files: nothing that a user could change
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise
    except Exception as error:  # noqa: BLE001  what a broken pickle raises is not to be foretold
        raise InputError(f"{path} is damaged: {first_line(error)}.") from None


def _loaded_without_objects(path: Path, why: Exception) -> object:
    """The file read again, with stand-ins for all that is not a tensor; InputError where the file holds a program."""
    try:
        names = names_in(path)
    except Exception:  # noqa: BLE001  what a broken pickle raises is not to be foretold
        names = set()
    program = program_in(names)
    try:
        if program is None and names:
            return _loaded(path, standing_in(names))
    except pickle.UnpicklingError as error:
        why = error
    if program is None and "Unsupported operand" in str(why):
        raise InputError(f"{path} is a pickle of another protocol than torch's own.\n{SAVE_STATE}") from None
    named = f"a program, {shown(program)}" if program else "a program, perhaps"
    raise InputError(f"{path} holds more than tensors ({named}); none of it was run. Do not use it.") from None


def _refuse_module(path: Path, found: object) -> None:
    """A module that was saved whole is a program; one beside a state dict does no harm."""
    within = _items(found).values()
    whole = next((one for one in (found, *within) if isinstance(one, Unread) and one.is_module), None)
    if whole is not None and not any(_anchoring(one) for one in (found, *within)):
        raise InputError(
            f"{path} holds a whole module ({shown(type(whole).__name__)}), a program; it was not run.\n{SAVE_STATE}"
        )


def _anchoring(found: object) -> bool:
    return any(isinstance(value, Tensor) for value in _items(found).values())


def _items(found: object) -> Mapping[Any, Any]:
    if isinstance(found, Unread):
        return found.held
    return found if isinstance(found, Mapping) else {}


def _groups(found: object) -> Iterator[Tensors]:
    """Every dict of tensors by name in what was read, with the path to it; each once, even where it holds itself."""
    seen: set[int] = set()
    waiting: deque[tuple[str, int, object]] = deque([("", 0, found)])
    while waiting:
        where, depth, one = waiting.popleft()
        if id(one) in seen:
            continue
        seen.add(id(one))
        items = {name: value for name, value in _items(one).items() if isinstance(name, str)}
        tensors = {name: value for name, value in items.items() if _plain(value)}
        if tensors and len(tensors) <= MOST_TENSORS:
            odd = {name: type(value).__name__ for name, value in items.items() if name not in tensors}
            yield Tensors(where, shapes(tensors), partial(_chosen, tensors), odd)
        if depth < _DEEPEST:
            waiting += [(_below(where, name), depth + 1, value) for name, value in items.items() if _items(value)]


def _below(where: str, name: str) -> str:
    """The path to an entry; a long name is cut, since many entries may share it."""
    return ".".join(filter(None, (where, name[:_LONGEST_NAME])))


def _chosen(tensors: Mapping[str, Tensor], names: Iterable[str]) -> dict[str, Tensor]:
    return {name: tensors[name] for name in names}


def _plain(value: Any) -> bool:
    """A dense tensor in memory, no subclass that does something of its own."""
    return (
        type(value) in (Tensor, nn.Parameter)
        and value.layout == torch.strided
        and value.device.type == "cpu"
        and not value.is_quantized
    )


def _architecture(found: object) -> str:
    items = _items(found)
    places = (items, *(_items(items.get(name)) for name in ("args", "hyper_parameters", "config")))
    names = (place.get(name) for place in places for name in _ARCHITECTURES)
    return next((name for name in names if isinstance(name, str)), "")


def _unread(found: object) -> set[str]:
    """The types of the objects at the top: those are what a reader misses."""
    return {type(value).__name__ for value in _items(found).values() if isinstance(value, Unread)}


def _kind(found: object) -> str:
    return shown(type(found).__name__)
