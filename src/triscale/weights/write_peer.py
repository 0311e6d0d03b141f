"""Weights written for a peer, who reads them with its own functions: safetensors, or HDF5 for Keras."""

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import safetensors.torch
from torch import Tensor

from triscale.errors import InputError, OutputError
from triscale.files import write_atomically
from triscale.weights import hub
from triscale.weights.checkpoint import Checkpoint
from triscale.weights.match.mapping import to_peer
from triscale.weights.peer_metadata import metadata, model_of
from triscale.weights.peers import PEERS, Peer
from triscale.weights.peers.timm import LOADING_FOLDER, config
from triscale.weights.read.hdf5 import NORMALIZATION

PEERS_TO_WRITE = tuple(name for name, peer in PEERS.items() if peer.loading)


class Written(NamedTuple):
    """What was written for a peer.

    Attributes:
        model: the peer's name of the model; None where it has none such.
        loading: the line of code with which the peer loads it; None likewise.
        notes: sentences on what the peer will do otherwise.
    """

    model: str | None
    loading: str | None
    notes: tuple[str, ...] = ()


def write_for_peer(path: Path, checkpoint: Checkpoint, peer: str) -> Written:
    """Write the weights under the peer's names; an existing file is replaced only once the new one is on disk.

    Safetensors also hold, beside the tensors, what we know of them (`triscale.weights.peer_metadata`), so that reading
    the file back restores the checkpoint whole.

    Args:
        path: for Keras a file that ends in `.h5` but not in `.weights.h5`, for others safetensors; for timm also a
            folder, which gets `model.safetensors` and the `config.json` that tells timm how to prepare images.
        checkpoint: the weights.
        peer: one of `PEERS_TO_WRITE`.

    Raises:
        InputError: the peer has no such network, or the file's name does not suit it.
        OutputError, StorageError: it cannot be written.
    """
    tensors = to_peer(checkpoint.state, checkpoint.spec, peer)
    to = PEERS[peer]
    model, wrong = model_of(to, checkpoint.spec)
    notes = [wrong] if wrong else []
    if peer == "keras":
        if path.suffix != ".h5" or path.name.endswith(".weights.h5"):
            raise InputError(f"{path}: Keras reads these weights from a file that ends in .h5, and not in .weights.h5.")
        write_atomically(path, _hdf5(tensors, checkpoint))
        return _written(to, model, to.loading, str(path), checkpoint, notes)
    about = {"format": "pt", **metadata(checkpoint, to, model, tensors)}
    payload = safetensors.torch.save(tensors, metadata=about)
    if not path.suffix or path.is_dir():
        notes += _write_folder(path, payload, checkpoint, to, model)
        return _written(to, model, LOADING_FOLDER, f"local-dir:{path}", checkpoint, notes)
    write_atomically(path, payload)
    return _written(to, model, to.loading, str(path), checkpoint, notes)


def _written(
    to: Peer, model: str | None, loading: str, file: str, checkpoint: Checkpoint, notes: Sequence[str]
) -> Written:
    if model is None:
        return Written(None, None, tuple(notes))
    network = checkpoint.network
    line = loading.format(model=model, classes=network.classes, channels=network.input_channels, file=file)
    return Written(f"{to.name}:{model}", line, tuple(notes))


def _write_folder(folder: Path, payload: bytes, checkpoint: Checkpoint, to: Peer, model: str | None) -> list[str]:
    """The two files that timm reads; the notes on what its config cannot say."""
    if not to.name.startswith("timm") or model is None:
        raise InputError(f"{folder}: only timm reads a folder, and only of a model that it has: give a file.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        others = [one.name for one in folder.iterdir() if one.name not in (hub.CONFIG, hub.WEIGHTS)]
    except OSError as error:
        raise OutputError(f"cannot write into {folder}: {error.strerror or error}.") from None
    if others:
        raise OutputError(f"{folder} holds something else, such as {others[0]}: give an empty folder or a new one.")
    how = checkpoint.preprocessing
    described = config(model, checkpoint.spec, checkpoint.classes, how)
    write_atomically(folder / hub.WEIGHTS, payload)
    write_atomically(folder / hub.CONFIG, (json.dumps(described, indent=2) + "\n").encode())
    if how.interpolation != "area":
        return []
    return ["timm cannot average areas as these weights want it: its config.json says bicubic, which is near."]


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
