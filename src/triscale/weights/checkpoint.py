"""Checkpoints: one safetensors file that holds the weights and, as JSON beside them, all that is needed to use them.

No pickle anywhere. A digest of it all is stored and checked, because a flipped bit loads silently otherwise.
"""

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from triscale.costs import cost
from triscale.errors import InputError, first_line
from triscale.files import write_atomically
from triscale.foreign import ForeignModel, counted, known, probe, require_probe
from triscale.foreign import build as foreign_module
from triscale.nn import Model, build
from triscale.spec import (
    AnyNetwork,
    FieldError,
    ForeignNetwork,
    Network,
    Preprocessing,
    any_from_document,
    preprocessing_from_dict,
    preprocessing_to_dict,
    to_document,
)
from triscale.trained_on import TrainedOn
from triscale.weights.read.strict import refuse_differences, shapes, shown

_Part = TypeVar("_Part")

AnyModel = Model | ForeignModel

FORMAT = "triscale.checkpoint"
VERSION = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint:
    """A trained network with the names of its classes and the preprocessing that it was trained with.

    Attributes:
        network: what the weights are of.
        state: the weights by their names in our `state_dict`.
        classes: in the order of the outputs; none where `lacks` says why.
        preprocessing: of its images.
        notes: sentences on what was chosen or taken for granted when the file was read; not written into files.
        trained_on: which images made the weights; None where that is not known.
        lacks: why it cannot answer, where layers at the end are missing; a training makes them again.
        probe: logits of the probe image, where the network is foreign; `save` computes them.
    """

    network: AnyNetwork
    state: Mapping[str, Tensor]
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    notes: tuple[str, ...] = ()
    trained_on: TrainedOn | None = None
    lacks: str = ""
    probe: tuple[float, ...] = ()

    @property
    def spec(self) -> Network:
        """The network, where it must be one of ours.

        Raises:
            InputError: it is foreign.
        """
        if isinstance(self.network, ForeignNetwork):
            raise InputError(f"the weights are of {self.network.path}; this works for triscale's own networks only.")
        return self.network

    @property
    def digest(self) -> str:
        """SHA-256 of all that decides what it answers, wherever and however it was stored."""
        return state_digest(_described(replace(self, trained_on=None, probe=())), self.state)

    def model(self) -> AnyModel:
        """The network with these weights, its classes and its preprocessing, in evaluation mode.

        A foreign network's path is imported.

        Raises:
            InputError: the weights do not belong to the network; up to ten names are listed. The code of a foreign
                network is missing, fails, or changed.
        """
        if isinstance(self.network, ForeignNetwork):
            return self._foreign(self.network)
        held = sum(tensor.numel() for tensor in self.state.values())
        if held < cost(self.network).params:  # a small file must not make a large network
            with torch.device("meta"):
                refuse_differences(shapes(self.state), shapes(build(self.network).state_dict()))
        model = build(self.network, self.classes, self.preprocessing, self.trained_on)
        load_strictly(model, self.state)
        return model.eval()

    def _foreign(self, network: ForeignNetwork) -> ForeignModel:
        counted(network)  # its fingerprint, before memory is taken
        model = foreign_module(network, self.classes, self.preprocessing, self.trained_on).eval()
        load_strictly(model, self.state)
        if self.probe:
            require_probe(model, self.probe)
        return model


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint; an existing file is replaced only once the new one is safely on disk.

    Raises:
        OutputError: the folder cannot be written to.
        StorageError: writing failed; the old file is untouched.
    """
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in checkpoint.state.items()}
    checkpoint = _probed(replace(checkpoint, state=tensors))
    metadata = {"triscale": _described(checkpoint), "sha256": ""}
    metadata["sha256"] = state_digest(metadata["triscale"], tensors)
    if checkpoint.notes:
        metadata["notes"] = json.dumps(checkpoint.notes)  # for people: where the weights come from
    payload = safetensors.torch.save(tensors, metadata=metadata)
    write_atomically(path, payload)


def _probed(checkpoint: Checkpoint) -> Checkpoint:
    """With the logits by which the code of a foreign network is known again."""
    if not isinstance(checkpoint.network, ForeignNetwork) or checkpoint.probe:
        return checkpoint
    model = checkpoint.model()
    assert isinstance(model, ForeignModel)  # noqa: S101  for the type checker
    return replace(checkpoint, network=known(checkpoint.network), probe=probe(model))


def _described(checkpoint: Checkpoint) -> str:
    """What stands beside the tensors, as canonical JSON."""
    return json.dumps({"format": FORMAT, "version": VERSION, **description(checkpoint)}, sort_keys=True)


def load(path: Path, named: str | None = None) -> Checkpoint:
    """Read a checkpoint and check its digest.

    Args:
        path: the file.
        named: the callable of a foreign network, `module:callable`, which the user names: a checkpoint may say any
            path, and using its network imports that path, which runs code.

    Raises:
        InputError: missing, not a checkpoint, of another version, damaged, or of a foreign network that is not named.
    """
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            about = json.loads(metadata["triscale"])
            if not isinstance(about, dict):
                raise ValueError("its description is not an object")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  not a dict
    except (OSError, KeyError, ValueError, safetensors.SafetensorError) as error:
        raise InputError(f"{path} is not a triscale checkpoint: {first_line(error)}") from None
    if metadata.get("sha256") != state_digest(metadata["triscale"], tensors):
        raise InputError(f"{path} is damaged: its content does not match its digest. Use another copy.")
    if (about.get("format"), about.get("version")) != (FORMAT, VERSION):
        kind = f"{about.get('format')} version {about.get('version')}"
        raise InputError(f"{path} is {shown(kind)}; this triscale reads version {VERSION} of {FORMAT}.")
    found = described_by(path, about, tensors)
    require_named(path, found.network, named)
    return found


def require_named(path: Path, network: AnyNetwork, named: str | None) -> None:
    """InputError where a network is foreign and the user did not name its callable."""
    if not isinstance(network, ForeignNetwork) or (named or "").partition("@")[0] == network.path:
        return
    raise InputError(
        f"{path} holds weights of the Python code {network.path}, which loading them would run.\n"
        f"If you trust that code, name it: --network {network.path}\n"
        f'(in Python: network="{network.path}").'
    )


def description(checkpoint: Checkpoint) -> dict[str, Any]:
    """All of a checkpoint but its tensors, JSON-ready."""
    used = checkpoint.trained_on
    return {
        "network": to_document(checkpoint.network),
        "classes": list(checkpoint.classes),
        "preprocessing": preprocessing_to_dict(checkpoint.preprocessing),
        **({} if used is None else {"trained_on": used.to_dict()}),
        **({"probe": list(checkpoint.probe)} if checkpoint.probe else {}),
    }


def described_by(path: Path, about: Mapping[str, Any], state: Mapping[str, Tensor]) -> Checkpoint:
    """The checkpoint of a `description` and its tensors; InputError, with the file in front, where it is none."""
    classes = about.get("classes")
    if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes):
        raise InputError(f"{path} is damaged: its classes are not list of names.")
    return Checkpoint(
        network=_part(path, about, "network", any_from_document),
        state=state,
        classes=tuple(classes),
        preprocessing=_part(path, about, "preprocessing", preprocessing_from_dict),
        trained_on=TrainedOn.from_dict(about.get("trained_on")),
        probe=_numbers(path, about.get("probe", [])),
    )


def _numbers(path: Path, found: object) -> tuple[float, ...]:
    if not isinstance(found, list) or not all(isinstance(one, int | float) and math.isfinite(one) for one in found):
        raise InputError(f"{path} is damaged: its probe is not a list of numbers.")
    return tuple(found)


def _part(path: Path, about: Mapping[str, Any], name: str, read: Callable[[Any], _Part]) -> _Part:
    try:
        return read(about.get(name))
    except FieldError as error:
        raise InputError(f"{path}: {error.within(name)}.") from None
    except InputError as error:
        raise InputError(f"{path}: {error}.") from None


def load_strictly(model: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Load every tensor exactly once; InputError lists up to ten missing, extra or misshapen names."""
    refuse_differences(shapes(state), shapes(model.state_dict()))
    model.load_state_dict(dict(state))


def state_digest(about: str, tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 of a description and of every tensor with its name, type and shape."""
    digest = hashlib.sha256(about.encode())
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
