"""A network that somebody else's Python makes, as data: the import path of a callable and what it is called with.

Nothing here imports the path: a file may name any code, so importing is a step of its own (`triscale.foreign`), which
happens only where a user names the callable.
"""

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from triscale.errors import InputError, UsageError
from triscale.spec.fields import FieldError, require_integer, require_number
from triscale.spec.foreign_text import fields_of, text_of
from triscale.spec.network import MAX_SIDE
from triscale.spec.rounding import Size
from triscale.spec.scaled import scale_size

FORMAT = "triscale.foreign_network"
VERSION = 1

Constant = None | bool | int | float | str | tuple["Constant", ...]
"""What an argument can be: what JSON holds, objects left out."""

Role = Literal["depth", "width", "resolution", "classes", "input_channels"]
"""What triscale can pass to the callable; the first three can be scaled."""

ROLES: tuple[Role, ...] = get_args(Role)
UNKNOWN: Size = (0, 0)
"""A resolution that is left to the callable."""

_PATH = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")
_NAME = re.compile(r"[^\W\d]\w*")
_LARGEST = 1e6


Arguments = tuple[tuple[str, Constant], ...]
Names = tuple[tuple[Role, str], ...]


@dataclass(frozen=True, init=False, slots=True)
class ForeignNetwork:
    """A network by its callable, which returns an `nn.Module`.

    Attributes:
        path: `module:callable`, such as "my_package.models:build" or "my_package.models:Net.small".
        resolution: input (height, width) in pixels, or one number for both; (0, 0): the default of the callable's
            parameter for it, else 224x224.
        depth, width: factors of the callable's own depth and width.
        classes: outputs; 0: as many as the callable makes by default.
        input_channels: of an image.
        arguments: constants that the callable gets, by name, sorted.
        names: parameter of the callable by role, where it is not called `depth`, `width`, `resolution`, `num_classes`
            or `in_chans`; "": the callable does not get it, and the dimension stays as it is.
        fingerprint: hash of what the callable built (shapes of its tensors, MACs by operation); "": not built yet.
    """

    path: str
    resolution: Size
    depth: float
    width: float
    classes: int
    input_channels: int
    arguments: Arguments
    names: Names
    fingerprint: str

    def __init__(
        self,
        path: str,
        *,
        resolution: int | Sequence[int] = UNKNOWN,
        depth: float = 1.0,
        width: float = 1.0,
        classes: int = 0,
        input_channels: int = 3,
        arguments: Mapping[str, object] | Arguments = (),
        names: Mapping[str, str] | Names = (),
        fingerprint: str = "",
    ) -> None:
        size = (resolution, resolution) if isinstance(resolution, int) else tuple(resolution)
        numbers = {"resolution": size, "depth": depth, "width": width}
        numbers |= {"classes": classes, "input_channels": input_channels}
        pairs = {"arguments": _pairs("arguments", arguments), "names": _pairs("names", names)}
        for name, value in {"path": path, **numbers, **pairs, "fingerprint": fingerprint}.items():
            object.__setattr__(self, name, value)
        if not isinstance(path, str) or not _PATH.fullmatch(path):
            raise FieldError("path", path, "module:callable, such as my_package.models:build")
        _check_numbers(self)
        _check_words(self)

    @property
    def name(self) -> str:
        """The text that means this network; see `foreign_text`. It may be given wherever a network's name is."""
        plain: dict[str, object] = {
            "resolution": UNKNOWN, "depth": 1.0, "width": 1.0, "classes": 0, "input_channels": 3,
        }  # fmt: skip
        numbers = {role: value for role, usual in plain.items() if (value := getattr(self, role)) != usual}
        return text_of(self.path, numbers, dict(self.names), dict(self.arguments))

    @classmethod
    def parse(cls, text: str) -> "ForeignNetwork":
        """The network that a text means, such as "my_package.models:build@resolution=64,blocks=2".

        Raises:
            UsageError: malformed settings.
            InputError: a value that is out of range.
        """
        return cls(**fields_of(text))

    @property
    def is_known(self) -> bool:
        """Whether it was built once, so that its size, outputs and fingerprint are filled in."""
        return bool(self.fingerprint and self.classes and self.resolution != UNKNOWN)

    def scaled(self, *, depth: float = 1.0, width: float = 1.0, resolution: float = 1.0) -> "ForeignNetwork":
        """The network with its depth, width and sides multiplied; a factor of 1 changes nothing.

        Raises:
            UsageError: a factor that is not a finite number above 0, or a size that is not known yet.
        """
        for label, factor in (("depth", depth), ("width", width), ("resolution", resolution)):
            if not (math.isfinite(factor) and factor > 0):
                raise UsageError(f"{label} factor is {factor}; give a finite number above 0, such as 1.2")
        if (depth, width, resolution) == (1.0, 1.0, 1.0):
            return self
        if resolution != 1 and self.resolution == UNKNOWN:
            raise UsageError(f"the resolution of {self.path} is not known; give it, such as {self.path}@resolution=64")
        return replace(
            self,
            depth=self.depth * depth,
            width=self.width * width,
            resolution=scale_size(self.resolution, resolution),
            fingerprint="",
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: `format`, `version`, then every field."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "path": self.path,
            "resolution": list(self.resolution),
            "depth": _whole(self.depth),
            "width": _whole(self.width),
            "classes": self.classes,
            "input_channels": self.input_channels,
            "arguments": {name: _listed(value) for name, value in self.arguments},
            "names": dict(self.names),
            "fingerprint": self.fingerprint,
        }

    @classmethod
    def from_dict(cls, document: object) -> "ForeignNetwork":
        """The network in a document of `to_dict`; nothing is imported.

        Raises:
            InputError: naming the field, its value and what is allowed.
        """
        if not is_foreign_document(document) or not isinstance(document, Mapping):
            raise InputError(f"a foreign network is a JSON object of format {FORMAT}")
        fields = {name: value for name, value in document.items() if name not in ("format", "version")}
        if document.get("version") != VERSION:
            raise FieldError("version", document.get("version"), f"{VERSION} (this triscale reads no other)")
        for name in fields.keys() - cls.__dataclass_fields__.keys():
            raise FieldError(str(name), fields[name], f"only {', '.join(cls.__dataclass_fields__)}")
        if not isinstance(fields.get("resolution", []), list):
            raise FieldError("resolution", fields["resolution"], "[height, width]")
        return cls(**{"path": None, **fields})

    def content_hash(self) -> str:
        """SHA-256 (64 hex digits) of the canonical JSON: equal networks, equal hash."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def is_foreign_document(document: object) -> bool:
    """Whether a document says that it is a foreign network."""
    return isinstance(document, Mapping) and document.get("format") == FORMAT


def _check_numbers(network: ForeignNetwork) -> None:
    if len(network.resolution) != 2:
        raise FieldError("resolution", network.resolution, "[height, width]")
    for index, side in enumerate(network.resolution):
        require_integer(f"resolution[{index}]", side, 0 if network.resolution == UNKNOWN else 1, MAX_SIDE)
    for name in ("depth", "width"):
        require_number(name, getattr(network, name), 1e-6, _LARGEST)
    require_integer("classes", network.classes, 0, 10_000_000)
    require_integer("input_channels", network.input_channels, 1, 100_000)


def _check_words(network: ForeignNetwork) -> None:
    for name, value in network.arguments:
        if not _NAME.fullmatch(name):
            raise FieldError("arguments", name, "names of parameters")
        _require_constant(f"arguments.{name}", value)
    for role, name in network.names:
        if role not in ROLES:
            raise FieldError("names", role, ", ".join(ROLES))
        if not isinstance(name, str) or (name and not _NAME.fullmatch(name)):
            raise FieldError(f"names.{role}", name, "the name of a parameter, or nothing")
    if not isinstance(network.fingerprint, str) or not re.fullmatch(r"[0-9a-f]*", network.fingerprint):
        raise FieldError("fingerprint", network.fingerprint, "hexadecimal digits")


def _require_constant(path: str, value: object) -> None:
    if isinstance(value, tuple):
        for index, item in enumerate(value):
            _require_constant(f"{path}[{index}]", item)
    elif not (
        value is None or isinstance(value, bool | int | str) or (isinstance(value, float) and math.isfinite(value))
    ):
        raise FieldError(path, value, "a number, text, true, false, null, or a list of these")


def _pairs(path: str, given: object) -> tuple[tuple[Any, Any], ...]:
    """A mapping or pairs as sorted pairs, lists in them as tuples."""
    try:
        found = dict(given)  # type: ignore[call-overload]
    except (TypeError, ValueError):
        raise FieldError(path, given, "an object of names and values") from None
    return tuple(sorted((str(name), _frozen(value)) for name, value in found.items()))


def _frozen(value: object) -> object:
    return tuple(map(_frozen, value)) if isinstance(value, list | tuple) else value


def _listed(value: Constant) -> object:
    return [_listed(item) for item in value] if isinstance(value, tuple) else value


def _whole(value: float) -> float:
    """1.0 and 1 are one factor and must have one hash."""
    return int(value) if float(value).is_integer() else value
