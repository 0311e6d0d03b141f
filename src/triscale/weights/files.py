"""Files of weights of any kind that we read, told by their first bytes, not by their names.

Nothing in a file is executed: a pickle is refused unless it is asked for, and is read by torch's restricted unpickler
then.
"""

import zipfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import safetensors

from triscale.errors import InputError
from triscale.weights.hdf5 import opened_hdf5
from triscale.weights.pth import read_pth
from triscale.weights.stored import MOST_TENSORS, Stored, first_line, zip_members

_HDF5 = b"\x89HDF\r\n\x1a\n"
_ZIP = b"PK\x03\x04"
_PICKLES = (b"\x80", b"(", b"c", b"]", b"}")
_LONGEST_HEADER = 16 << 20
"""Bytes that name the tensors of a safetensors file: 160 for each of the most. Reading them takes ten times that."""

_KERAS_MEMBER = "model.weights.h5"


@contextmanager
def opened(path: Path, *, allow_pth: bool = False) -> Iterator[Stored]:
    """The tensors of a file of weights: safetensors, Keras' `.h5`, `.weights.h5` and `.keras`, and torch's `.pth`.

    Args:
        path: the file.
        allow_pth: read a pickle, which is refused otherwise.

    Raises:
        InputError: missing, no weights, damaged, or a pickle that is not allowed.
    """
    start, size = _start(path)
    header = int.from_bytes(start[:8], "little")
    if start[8:9] == b"{" and header < size:
        if header > _LONGEST_HEADER:
            raise InputError(
                f"{path} holds no weights: its list of tensors, {header:,} bytes, is longer than a network's."
            )
        kind: AbstractContextManager[Stored] = _opened_safetensors(path)
    elif start.startswith(_HDF5):
        kind = opened_hdf5(path, path)
    elif start.startswith(_ZIP) and _KERAS_MEMBER in zip_members(path):
        kind = _opened_keras(path)
    elif start.startswith((_ZIP, *_PICKLES)):
        kind = nullcontext(read_pth(path, allowed=allow_pth))
    else:
        raise InputError(f"{path} holds no weights: it is no safetensors, HDF5, Keras or torch file, or it is cut off.")
    with kind as stored:
        yield stored


def _start(path: Path) -> tuple[bytes, int]:
    try:
        if not path.is_file():
            raise InputError(f"{path}: no such file of weights.")
        with path.open("rb") as file:
            return file.read(16), path.stat().st_size
    except (OSError, ValueError) as error:  # ValueError: a null character
        raise InputError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}.") from None


@contextmanager
def _opened_keras(path: Path) -> Iterator[Stored]:
    with zipfile.ZipFile(path) as archive, archive.open(_KERAS_MEMBER) as inner, opened_hdf5(inner, path) as stored:
        yield stored


@contextmanager
def _opened_safetensors(path: Path) -> Iterator[Stored]:
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            names = file.keys()
            if len(names) > MOST_TENSORS:
                raise InputError(f"{path} holds {len(names):,} tensors; no network has more than {MOST_TENSORS:,}.")
            yield Stored(
                shapes={name: tuple(file.get_slice(name).get_shape()) for name in names},
                read=lambda: {name: file.get_tensor(name) for name in names},
                about=file.metadata() or {},
            )
    except (OSError, safetensors.SafetensorError) as error:
        raise InputError(f"{path} is damaged: {first_line(error)}.") from None
