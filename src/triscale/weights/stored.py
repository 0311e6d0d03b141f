"""The tensors of a file before they are read: names and shapes; the numbers of a wrong file are never loaded."""

import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from triscale.errors import InputError
from triscale.weights.strict import Shape, shown

MOST_TENSORS = 100_000
"""More than a network of 10,000 layers can have."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """The tensors of a file, not read yet.

    Attributes:
        shapes: of every tensor, by name.
        read: all of them.
        about: what the file says of itself (safetensors).
        extras: small tensors that are no weights of ours, such as Keras' normalisation of pictures.
    """

    shapes: Mapping[str, Shape]
    read: Callable[[], dict[str, Tensor]]
    about: Mapping[str, str] = field(default_factory=dict)
    extras: Mapping[str, Tensor] = field(default_factory=dict)


def zip_members(path: Path) -> dict[str, zipfile.ZipInfo]:
    """The files in a zip, which must be as torch and Keras write them: not compressed, each name once."""
    try:
        with zipfile.ZipFile(path) as archive:
            listed = archive.infolist()
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} is damaged: {error}.") from None
    found = {member.filename: member for member in listed}
    if len(found) != len(listed) or len(listed) > 2 * MOST_TENSORS:
        raise InputError(f"{path} is no file of weights: it is a zip with {len(listed):,} members, some of one name.")
    for member in listed:
        if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1:
            raise InputError(
                f"{path} is no file of weights: {shown(member.filename)} in it is compressed or encrypted."
            )
    return found


def first_line(error: BaseException) -> str:
    """The first line of a library's message, without its full stop, at most 200 characters."""
    return shown((str(error) or type(error).__name__).splitlines()[0][:200].rstrip(" ."))
