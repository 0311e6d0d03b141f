"""Weights written for a peer, who reads them with its own functions: safetensors, or HDF5 for Keras."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
from torch import Tensor

from triscale.errors import InputError
from triscale.weights.checkpoint import Checkpoint, write_atomically
from triscale.weights.hdf5 import NORMALIZATION
from triscale.weights.mapping import to_peer
from triscale.weights.peers import PEERS

PEERS_TO_WRITE = tuple(PEERS)


def write_for_peer(path: Path, checkpoint: Checkpoint, peer: str) -> None:
    """Write the weights under the peer's names; an existing file is replaced only once the new one is on disk.

    Keras loads the file with `model.load_weights(path)`, if the path ends in `.h5` but not in `.weights.h5`; the others
    with `safetensors.torch.load_file`.

    Raises:
        InputError: the peer has no such network, or the file's name does not suit it.
        OutputError, StorageError: it cannot be written.
    """
    tensors = to_peer(checkpoint.state, checkpoint.network, peer)
    if peer != "keras":
        write_atomically(path, safetensors.torch.save(tensors, metadata={"format": "pt"}))
        return
    if path.suffix != ".h5" or path.name.endswith(".weights.h5"):
        raise InputError(f"{path}: Keras reads these weights from a file that ends in .h5, and not in .weights.h5.")
    write_atomically(path, _hdf5(tensors, checkpoint))


def _hdf5(tensors: dict[str, Tensor], checkpoint: Checkpoint) -> bytes:
    """Keras' layout of a group a layer, with the names of all layers and of each one's fields as attributes."""
    try:
        import h5py  # noqa: PLC0415  an extra
    except ImportError:
        raise InputError("Keras' weights are HDF5 files: pip install 'triscale[keras]' to write them.") from None
    arrays: dict[str, Any] = {**_normalisation(checkpoint), **{name: t.numpy() for name, t in tensors.items()}}
    layers = list(dict.fromkeys(name.partition("/")[0] for name in arrays))
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.attrs["layer_names"] = layers
        for layer in layers:
            group = file.create_group(layer)
            names = [name for name in arrays if name.partition("/")[0] == layer]
            group.attrs["weight_names"] = names
            for name in names:
                group.create_dataset(name, data=arrays[name])
    return buffer.getvalue()


def _normalisation(checkpoint: Checkpoint) -> dict[str, Any]:
    """What the layer `normalization` of B0 to B7 holds; EfficientNetV2's has no weights."""
    if not checkpoint.network.name.startswith("efficientnet_b"):
        return {}
    how = checkpoint.preprocessing
    return {
        f"{NORMALIZATION}/mean": np.array(how.mean, np.float32),
        f"{NORMALIZATION}/variance": np.array(how.std, np.float32) ** 2,
        f"{NORMALIZATION}/count": np.array(0, np.int64),
    }
