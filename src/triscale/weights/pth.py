"""torch's own files, `.pth`: pickles, read only on request and only by torch's restricted unpickler."""

import pickle
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from triscale.errors import InputError
from triscale.weights.stored import Stored, first_line, zip_members
from triscale.weights.strict import shapes, shown

_LEAST_TORCH = (2, 10)
"""The restricted unpickler of older versions can be made to run code (CVE-2025-32434, CVE-2026-24747)."""

_WRAPPERS = ("state_dict", "model")


def read_pth(path: Path, *, allowed: bool) -> Stored:
    """The tensors of a `.pth` file: a state dict, or a dict with one under `state_dict` or `model`.

    Raises:
        InputError: not allowed, damaged, or holding anything but tensors.
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
    tensors = _tensors(path, _unpickled(path))
    return Stored(shapes=shapes(tensors), read=lambda: tensors)


def _unpickled(path: Path) -> object:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch about old files: nothing that a user could change
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise InputError(
            f"{path} holds more than tensors (a program, perhaps); none of it was run. Do not use it."
        ) from None
    except Exception as error:  # noqa: BLE001  what a broken pickle raises is not to be foretold
        raise InputError(f"{path} is damaged: {first_line(error)}.") from None


def _tensors(path: Path, found: object) -> dict[str, Tensor]:
    for key in _WRAPPERS:
        if isinstance(found, Mapping) and isinstance(found.get(key), Mapping):
            found = found[key]
    if not isinstance(found, Mapping):
        raise InputError(f"{path} holds {type(found).__name__}, not tensors by name.")
    for name, value in found.items():
        if not isinstance(name, str) or not _plain(value):
            raise InputError(f"{path} holds something other than tensors: {shown(name)} is {type(value).__name__}.")
    return dict(found)


def _plain(value: Any) -> bool:
    """A dense tensor in memory, no subclass that does something of its own."""
    return (
        type(value) in (Tensor, nn.Parameter)
        and value.layout == torch.strided
        and value.device.type == "cpu"
        and not value.is_quantized
    )
