"""Files of weights of any kind that we read, told by their first bytes, not by their names.

Nothing in a file is executed: a pickle is rejected unless the user allows it, and is then read by
torch's restricted unpickler.
"""

import json
import zipfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import NoReturn

import safetensors

from triscale.errors import InputError
from triscale.weights.read.hdf5 import opened_hdf5
from triscale.weights.read.pth import read_pth
from triscale.weights.read.tensor_file import MOST_TENSORS, StoredTensors, Tensors, first_line, zip_members

_HDF5 = b"\x89HDF\r\n\x1a\n"
_ZIP = b"PK\x03\x04"
_PICKLES = (b"\x80", b"(", b"c", b"]", b"}")
_LONGEST_HEADER = 16 << 20
"""Bytes that name the tensors of a safetensors file: 160 for each of the most. Reading them takes ten times that."""

_KERAS_MEMBER, _KERAS_CONFIG = "model.weights.h5", "config.json"

INDEX = ".index.json"
"""How the name of a list of shards ends: `model.safetensors.index.json`."""

_OTHERS = {
    b"version https://git-lfs": "is a pointer of Git LFS, not the file itself: git lfs pull fetches it",
    b"<": "is a web page or XML, not weights: download the file itself",
    b"\x1f\x8b": "is compressed: unpack it first",
    b"BZh": "is compressed: unpack it first",
    b"\xfd7zXZ": "is compressed: unpack it first",
    b"\x93NUMPY": "is an array of NumPy, not weights by name",
    b"GGUF": "is GGUF, the weights of a language model",
    b"\x08": "is an ONNX file, whose weights have no names of layers: convert those that it was exported from",
}
"""First bytes of files that are taken for weights -> what they are, and what to do."""

_TFLITE = b"TFL3"

_FOLDERS = {
    "saved_model.pb": "is a SavedModel of TensorFlow: in Keras, model.save('FILE.keras') or model.save('FILE.h5')",
    "checkpoint": "is a checkpoint of TensorFlow: in Keras, model.save('FILE.keras') or model.save('FILE.h5')",
    ".metadata": "is a distributed checkpoint: python -m torch.distributed.checkpoint.format_utils dcp_to_torch",
    "zero_to_fp32.py": "is a checkpoint of DeepSpeed: python zero_to_fp32.py FOLDER OUT makes a file of weights",
}
"""A file in a folder that is taken for weights -> what the folder is, and what to do."""


@contextmanager
def opened(path: Path, *, allow_pth: bool = False) -> Iterator[StoredTensors]:
    """The tensors of a file of weights: safetensors, Keras' `.h5`, `.weights.h5` and `.keras`, and torch's `.pth`.

    Args:
        path: the file, or the list of a model's shards (`model.safetensors.index.json`), which are read as one.
        allow_pth: read a pickle, which is rejected otherwise.

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
        kind: AbstractContextManager[StoredTensors] = _opened_safetensors(path)
    elif start.startswith(_HDF5):
        kind = opened_hdf5(path, path)
    elif start.startswith(_ZIP) and _KERAS_MEMBER in zip_members(path):
        kind = _opened_keras(path)
    elif path.name.endswith(INDEX):
        kind = _opened_shards(path, allow_pth=allow_pth)
    elif start.startswith((_ZIP, *_PICKLES)):
        kind = nullcontext(read_pth(path, allowed=allow_pth))
    else:
        _refuse_other(path, start)
    with kind as stored:
        yield stored


def refuse_other_folder(folder: Path) -> None:
    """InputError where a folder holds weights in a form that we do not read."""
    for name, what in _FOLDERS.items():
        if (folder / name).is_file():
            raise InputError(f"{folder} {what}.")


def _refuse_other(path: Path, start: bytes) -> NoReturn:
    for first, what in _OTHERS.items():
        if start.startswith(first):
            raise InputError(f"{path} {what}.")
    if start[4:8] == _TFLITE:
        raise InputError(f"{path} is a TensorFlow Lite file, whose weights have no names of layers.")
    raise InputError(f"{path} holds no weights: it is not a safetensors, HDF5, Keras or torch file, or it is cut off.")


def _start(path: Path) -> tuple[bytes, int]:
    try:
        if not path.is_file():
            raise InputError(f"{path}: no such file of weights.")
        with path.open("rb") as file:
            return file.read(32), path.stat().st_size
    except (OSError, ValueError) as error:  # ValueError: a null character
        raise InputError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}.") from None


@contextmanager
def _opened_keras(path: Path) -> Iterator[StoredTensors]:
    with (
        zipfile.ZipFile(path) as archive,
        archive.open(_KERAS_MEMBER) as inner,
        opened_hdf5(inner, path, _config(archive)) as stored,
    ):
        yield stored


def _config(archive: zipfile.ZipFile) -> str:
    """What Keras says about the model; a file without it is read for its weights alone."""
    if _KERAS_CONFIG not in archive.namelist():
        return ""
    return archive.read(_KERAS_CONFIG).decode("utf-8", "replace")


@contextmanager
def _opened_safetensors(path: Path) -> Iterator[StoredTensors]:
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            names = file.keys()
            if len(names) > MOST_TENSORS:
                raise InputError(f"{path} holds {len(names):,} tensors; no network has more than {MOST_TENSORS:,}.")
            found = {name: tuple(file.get_slice(name).get_shape()) for name in names}
            yield StoredTensors(
                tensors=(Tensors("", found, lambda wanted: {name: file.get_tensor(name) for name in wanted}),),
                about=file.metadata() or {},
            )
    except (OSError, safetensors.SafetensorError) as error:
        raise InputError(f"{path} is damaged: {first_line(error)}.") from None


@contextmanager
def _opened_shards(path: Path, *, allow_pth: bool) -> Iterator[StoredTensors]:
    """The shards that a list names, each opened once, as if they were one file."""
    with ExitStack() as stack:
        shards = [stack.enter_context(opened(shard, allow_pth=allow_pth)).tensors for shard in shards_of(path)]
        flat = [tensors for groups in shards for tensors in groups]
        holders = {name: tensors for tensors in flat for name in tensors.shapes}
        found = {name: tensors.shapes[name] for name, tensors in holders.items()}
        yield StoredTensors(
            tensors=(Tensors("", found, lambda names: {n: holders[n].read([n])[n] for n in names}),),
        )


def shards_of(path: Path) -> list[Path]:
    """The files that a list of shards names, which lie beside it.

    Raises:
        InputError: it is no such list, or leads elsewhere.
    """
    try:
        if path.stat().st_size > _LONGEST_HEADER:
            raise ValueError("it is too large")
        names = sorted(set(json.loads(path.read_text(encoding="utf-8"))["weight_map"].values()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"{path} is not a list of shards: {first_line(error)}.") from None
    if not names or not all(isinstance(name, str) and name == Path(name).name != ".." for name in names):
        raise InputError(f"{path} is not a list of shards: it names files that do not lie beside it.")
    if any(name.endswith(INDEX) for name in names):
        raise InputError(f"{path} is not a list of shards: it names another list.")
    return [path.with_name(name) for name in names]
