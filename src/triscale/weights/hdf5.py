"""HDF5 files of Keras, read without TensorFlow: Keras 3's `.weights.h5`, also within a `.keras`, and the older `.h5`.

Each has its own layout; names come out as `layer/field` with the layer's own name. Links that lead out of a file, data
kept outside it, and filters that load libraries are refused.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from torch import Tensor

from triscale.errors import InputError
from triscale.weights.stored import MOST_TENSORS, Stored, first_line
from triscale.weights.strict import Shape, shown

NORMALIZATION = "normalization"
"""Keras' layer that holds mean and variance of pictures."""

_DEEPEST = 8
_FILTERS = {1, 2, 3}
"""Of HDF5 itself: deflate, shuffle, checksum."""

_FIELDS = {
    "conv2d": ("kernel", "bias"),
    "depthwise_conv2d": ("kernel", "bias"),
    "dense": ("kernel", "bias"),
    "batch_normalization": ("gamma", "beta", "moving_mean", "moving_variance"),
    "normalization": ("mean", "variance", "count"),
}
"""Kind of a layer -> its variables in the order in which Keras 3 numbers them."""


@contextmanager
def opened_hdf5(source: Path | IO[bytes], path: Path) -> Iterator[Stored]:
    """The tensors of an HDF5 file of Keras; `path` is the name to complain under.

    Raises:
        InputError: h5py is not installed, or the file is damaged, or is not as Keras writes it.
    """
    try:
        import h5py  # noqa: PLC0415  an extra
    except ImportError:
        raise InputError(f"{path} is an HDF5 file: pip install 'triscale[keras]' to read it.") from None
    try:
        with h5py.File(source, "r") as file:
            found = _named(file, dict(_datasets(h5py, file, path)), path)
            extras = {name: _tensor(data) for name, data in found.items() if _is_extra(name, data.shape)}
            weights = {name: data for name, data in found.items() if not name.startswith(f"{NORMALIZATION}/")}
            yield Stored(
                shapes={name: tuple(data.shape) for name, data in weights.items()},
                read=lambda: {name: _tensor(data) for name, data in weights.items()},
                extras=extras,
            )
    except InputError:
        raise
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"{path} is damaged: {first_line(error)}.") from None


def _is_extra(name: str, shape: Shape) -> bool:
    return name in (f"{NORMALIZATION}/mean", f"{NORMALIZATION}/variance") and shape in ((1,), (3,))


def _datasets(h5py: Any, file: Any, path: Path) -> Iterator[tuple[str, Any]]:
    """Every dataset by its full name; a group that contains itself ends at a depth that no network has."""
    left, waiting = MOST_TENSORS * 4, [("", file, 0)]
    while waiting:
        prefix, group, depth = waiting.pop()
        for name in group:
            left -= 1
            if left < 0 or depth > _DEEPEST or not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise InputError(
                    f"{path} is not as Keras writes it: {shown(prefix + name)} is a link, or nested too deep."
                )
            item, full = group[name], f"{prefix}{name}"
            if isinstance(item, h5py.Group):
                waiting.append((f"{full}/", item, depth + 1))
            elif not full.startswith("optimizer"):
                yield full, _checked(item, full, path)


def _checked(data: Any, name: str, path: Path) -> Any:
    plan = data.id.get_create_plist()
    filters = {plan.get_filter(index)[0] for index in range(plan.get_nfilters())}
    if data.external or data.is_virtual or not filters <= _FILTERS or data.dtype.kind not in "fiu":
        raise InputError(f"{path} is not as Keras writes it: {shown(name)} holds no plain numbers of its own.")
    return data


def _named(file: Any, datasets: dict[str, Any], path: Path) -> dict[str, Any]:
    """The datasets by `layer/field`."""
    found: dict[str, Any] = {}
    for full, data in datasets.items():
        name = _numbered(file, full) if "/vars/" in full else _spelt(full)
        if name in found:
            raise InputError(f"{path} holds {shown(name)} twice.")
        found[name] = data
    return found


def _numbered(file: Any, full: str) -> str:
    """Keras 3: `layers/conv2d_1/vars/0`, where the group `vars` has the layer's name as an attribute."""
    holder, _, number = full.rpartition("/")
    kind = holder.split("/")[-2]
    stem, _, index = kind.rpartition("_")
    fields = _FIELDS.get(stem if index.isdecimal() else kind, ())
    field = fields[int(number)] if number.isdecimal() and int(number) < len(fields) else number
    layer = "normalization" if fields == _FIELDS["normalization"] else file[holder].attrs.get("name", kind)
    return f"{layer}/{field}"


def _spelt(full: str) -> str:
    """Before: `model_weights/stem_conv/stem_conv/kernel:0`, without the first part where weights alone are kept."""
    layer, *_, field = full.removeprefix("model_weights/").split("/")
    field = field.partition(":")[0]
    if layer.startswith(NORMALIZATION):
        layer = NORMALIZATION
    return f"{layer}/{'kernel' if field == 'depthwise_kernel' else field}"


def _tensor(data: Any) -> Tensor:
    return torch.from_numpy(np.asarray(data[()], dtype=np.float32))
