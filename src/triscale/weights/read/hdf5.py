"""HDF5 files of Keras, read without TensorFlow: Keras 3's `.weights.h5`, also within a `.keras`, and the older `.h5`.

Each has its own layout; names come out as `layer/field` with the layer's own name, and with the layers around it in
front where a network stands in another, as in transfer learning: `efficientnetb0/stem_conv/kernel`. Links that lead
out of a file, data kept outside it, and filters that load libraries are rejected.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from torch import Tensor

from triscale.errors import InputError
from triscale.weights.read.strict import shown
from triscale.weights.read.tensor_file import MOST_TENSORS, StoredTensors, Tensors, first_line

NORMALIZATION = "normalization"
"""Keras' layer that holds mean and variance of images."""

_DEEPEST = 12
_HOLDERS = frozenset({"layers", "_layer_checkpoint_dependencies"})
"""What Keras 3 calls the group of a network's layers."""

_FILTERS = {1, 2, 3}
"""Of HDF5 itself: deflate, shuffle, checksum."""

_UNLIKE = ("GlobalMaxPooling2D", "Lambda")

_FIELDS = {
    "conv2d": ("kernel", "bias"),
    "depthwise_conv2d": ("kernel", "bias"),
    "dense": ("kernel", "bias"),
    "batch_normalization": ("gamma", "beta", "moving_mean", "moving_variance"),
    "normalization": ("mean", "variance", "count"),
}
"""Kind of a layer -> its variables in the order in which Keras 3 numbers them."""


@contextmanager
def opened_hdf5(source: Path | IO[bytes], path: Path, config: str = "") -> Iterator[StoredTensors]:
    """The tensors of an HDF5 file of Keras.

    Args:
        source: the file, or its bytes.
        path: the name to complain under.
        config: what Keras says about the model, as JSON, where it stands outside of the file.

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
            yield StoredTensors(
                tensors=(
                    Tensors(
                        "",
                        {name: tuple(data.shape) for name, data in found.items()},
                        lambda names: {name: _tensor(found[name]) for name in names},
                    ),
                ),
                unlike=_unlike(config or str(file.attrs.get("model_config", ""))),
            )
    except InputError:
        raise
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"{path} is damaged: {first_line(error)}.") from None


def _unlike(config: str) -> str:
    """The first layer in a model's description that answers otherwise than ours, and holds no weights to show it."""
    return next((name for name in _UNLIKE if f'"class_name": "{name}"' in config), "")


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
    *around, kind, _ = holder.split("/")
    stem, _, index = kind.rpartition("_")
    fields = _FIELDS.get(stem if index.isdecimal() else kind, ())
    field = fields[int(number)] if number.isdecimal() and int(number) < len(fields) else number
    layer = NORMALIZATION if fields == _FIELDS[NORMALIZATION] else file[holder].attrs.get("name", kind)
    return "/".join([*(part for part in around if part not in _HOLDERS), str(layer), field])


def _spelt(full: str) -> str:
    """Before: `model_weights/stem_conv/stem_conv/kernel:0`, without the first part where weights alone are kept."""
    *around, layer, field = full.removeprefix("model_weights/").split("/")
    field = field.partition(":")[0]
    if around and around[-1] == layer:
        around.pop()
    if layer.startswith(NORMALIZATION):
        layer = NORMALIZATION
    return "/".join([*around, layer, "kernel" if field == "depthwise_kernel" else field])


def _tensor(data: Any) -> Tensor:
    return torch.from_numpy(np.asarray(data[()], dtype=np.float32))
