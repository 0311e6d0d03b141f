"""The tensors of a file before they are read: names and shapes; the numbers of a wrong file are never loaded."""

import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from triscale.errors import InputError
from triscale.weights.read.strict import Shape, shown

MOST_TENSORS = 100_000
"""More than a network of 10,000 layers can have."""


class Tensors(NamedTuple):
    """Tensors that stand together in a file under names of their own, such as one state dict, not read yet.

    Attributes:
        where: the entry of the file that holds them, such as `state_dict_ema`; empty for the file itself.
        shapes: of every tensor, by name.
        read: those of the names given.
        odd: what stands among them and is no plain tensor: its name, and what it is.
    """

    where: str
    shapes: Mapping[str, Shape]
    read: Callable[[Iterable[str]], dict[str, Tensor]]
    odd: Mapping[str, str] = {}


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredTensors:
    """What a file of weights holds.

    Attributes:
        tensors: one or more groups of them.
        about: what the file says about itself (safetensors).
        architecture: the model that a trainer's checkpoint names, such as `efficientnet_b0`; empty where none is named.
        unlike: a layer without weights that answers otherwise than any of ours, in Keras' own description; or empty.
        unread: the objects in a pickle that are not tensors and no plain data: the names of their types. None was made.
    """

    tensors: tuple[Tensors, ...]
    about: Mapping[str, str] = field(default_factory=dict)
    architecture: str = ""
    unlike: str = ""
    unread: tuple[str, ...] = ()

    def all(self) -> dict[str, Tensor]:
        """Every tensor of a file that holds one group."""
        (only,) = self.tensors
        return only.read(only.shapes)


def zip_members(path: Path) -> dict[str, zipfile.ZipInfo]:
    """The files in a zip, which must be as torch and Keras write them: not compressed, each name once."""
    try:
        with zipfile.ZipFile(path) as archive:
            listed = archive.infolist()
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} is damaged: {error}.") from None
    found = {member.filename: member for member in listed}
    if len(found) != len(listed) or len(listed) > 2 * MOST_TENSORS:
        raise InputError(
            f"{path} is not a file of weights: it is a zip with {len(listed):,} members, some of one name."
        )
    if any(name.count("/") == 1 and name.endswith("/constants.pkl") for name in found):
        raise InputError(
            f"{path} is a TorchScript program, not weights; it was not run.\n"
            "Where it was made: torch.save(torch.jit.load(FILE).state_dict(), NEW)."
        )
    for member in listed:
        if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1:
            raise InputError(
                f"{path} is not a file of weights: {shown(member.filename)} in it is compressed or encrypted."
            )
    return found


def first_line(error: BaseException) -> str:
    """The first line of a library's message, without its full stop, at most 200 characters."""
    return shown((str(error) or type(error).__name__).splitlines()[0][:200].rstrip(" ."))
