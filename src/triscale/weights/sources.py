"""One way in for weights of every kind: from a run folder, a file, a hub id or an installed package to a checkpoint."""

from dataclasses import replace
from pathlib import Path

from triscale.errors import InputError, UsageError
from triscale.families import full_name
from triscale.scaling import network as named
from triscale.spec import IMAGENET, ForeignNetwork, Network, Preprocessing, content_hash, diff, is_foreign_text
from triscale.units import some
from triscale.weights import hub
from triscale.weights.checkpoint import Checkpoint, load
from triscale.weights.config_folder import of_folder
from triscale.weights.match.fitted import Fitted
from triscale.weights.match.identify import identify, spoken_of
from triscale.weights.match.reading import Told, assumed, naming, read
from triscale.weights.packages import PACKAGES, packaged_file
from triscale.weights.peer_metadata import ABOUT, read_described
from triscale.weights.peers import PEERS
from triscale.weights.read.hdf5 import NORMALIZATION
from triscale.weights.read.sniff import opened, refuse_other_folder
from triscale.weights.read.strict import refuse_values
from triscale.weights.read.tensor_file import StoredTensors

BEST = "best.safetensors"
"""The file of a run folder that holds the network to take."""

_SHOWN = 2
_ABOUT = "triscale"
"""The entry of a safetensors file's metadata that makes it a checkpoint of ours."""


def load_weights(
    source: str | Path | None,
    network: str | None = None,
    *,
    allow_pth: bool = False,
    classes: int | None = None,
    headless: bool = False,
) -> Checkpoint:
    """The checkpoint in weights of any kind; a foreign one brings its padding, norm and preprocessing with it.

    Args:
        source: a run folder; a checkpoint of ours; a file of torchvision, timm, EfficientNet-PyTorch, transformers or
            Keras, also as a trainer saved it; a folder with a `config.json` of timm or transformers; or
            `hf-hub:OWNER/NAME[@REVISION]`. None takes the weights of an installed package.
        network: the network that the weights must belong to; `PEER:MODEL[.TAG]`, such as `timm:tf_efficientnet_b0`,
            where the file leaves open which model it is. For a checkpoint of a foreign network, its callable
            (`module:callable`), which is imported only if it is named here.
        allow_pth: read pickles of torch, by its restricted unpickler.
        classes: that the file must have; by default, those that it has.
        headless: take weights without a classifier too, for a training that makes a new one: the checkpoint has no
            classes then, and its state lacks the layers that the file lacks.

    Raises:
        UsageError: an unknown name, or neither source nor network.
        InputError: no such weights, damaged, hostile, of another network (up to ten names are listed), not finite, or
            without a classifier.
        OutputError: the hub's cache cannot be written to.
    """
    found = _loaded(source, network, allow_pth, classes)
    if found.lacks and not headless:
        raise InputError(
            f"{source} cannot answer: {found.lacks}.\nTraining can start from it: triscale train --weights {source}"
        )
    return found


def _loaded(source: str | Path | None, network: str | None, allow_pth: bool, classes: int | None) -> Checkpoint:
    if source is None:
        return from_package(network)
    if isinstance(source, str) and hub.is_hub_id(source):
        return of_folder(hub.fetch(source, allow_pth=allow_pth), network, allow_pth, classes)
    path = Path(source)
    if path.is_dir() and (files := hub.files_in(path, allow_pth=allow_pth)):
        return of_folder(files, network, allow_pth, classes)
    path = checkpoint_path(path)
    with opened(path, allow_pth=allow_pth) as stored:
        if ABOUT in stored.about:
            return _described(path, stored, network)
        if _ABOUT not in stored.about:
            return _foreign(path, stored, network, classes)
    return _own(path, network)


def from_package(network: str | None) -> Checkpoint:
    """The weights of a network in an installed package; see `triscale.weights.packages` for the errors."""
    if network is None:
        raise UsageError("no weights are named: give a run folder, a file of weights, or a network.")
    if is_foreign_text(network) and network.partition(":")[0] not in PEERS:
        raise UsageError(f"there are no weights for {network} here; give --weights FILE, or a RUN.")
    network = full_name(network)
    if network not in PACKAGES:
        wanted = spoken_of(network)
        name = wanted.network.name if wanted else named(network).name
        raise UsageError(
            f"there are no weights for {name} here.\n"
            f"Give a file or hf-hub:OWNER/NAME (--weights); packages hold those of {', '.join(PACKAGES)}."
        )
    known, path = PACKAGES[network], packaged_file(network)
    with opened(path, allow_pth=True) as stored:
        found = _foreign(path, stored, f"{known.peer}:{known.model}", None)
    return replace(found, notes=())  # the file is the known one, and so is its preprocessing


def checkpoint_path(run_or_weights: str | Path) -> Path:
    """The file of weights itself, the best one of a run folder, or that of a folder made for the hub."""
    path = Path(run_or_weights)
    if not path.is_dir():
        if path.exists():
            return path
        raise InputError(f"{path}: no such run folder or checkpoint.")
    if (path / BEST).exists():
        return path / BEST
    refuse_other_folder(path)
    weights = hub.weights_in(path)
    if weights is None:
        raise InputError(
            f"{path} holds no {BEST}: no study's folder, or an unfinished study (the same command resumes it)."
        )
    return weights


def _own(path: Path, network: str | None) -> Checkpoint:
    found = load(path, named=network)
    if network is not None and not isinstance(found.network, ForeignNetwork):
        _require_same(found.network, network, path)
    with naming(path):
        refuse_values(found.state)
    return found


def _require_same(found: Network, text: str, path: Path) -> None:
    """What travels with the weights is their own: resolution, classes, channels of the images, padding and norm."""
    if is_foreign_text(text) and text.partition(":")[0] not in PEERS:
        raise InputError(f"{path} holds weights of {found.name}, not of {text}.\nLeave --network out.")
    spoken = spoken_of(text)
    wanted = spoken.network if spoken else named(text)
    if not spoken:
        stem = replace(wanted.stem, pool_padding=found.stem.pool_padding)
        wanted = replace(wanted, padding=found.padding, norm=found.norm, stem=stem)
    require_same(found, wanted, text, path)


def require_same(found: Network, wanted: Network, name: str, where: object) -> None:
    """InputError, with the first differences, unless weights of `found` are weights of `wanted`, here called `name`.

    Resolution, classes and channels of the images are the weights' own.
    """
    free = replace(wanted, resolution=found.resolution, classes=found.classes, input_channels=found.input_channels)
    if content_hash(free) != content_hash(found):
        differences = diff(replace(free, name=found.name), found)
        raise InputError(
            f"{where} holds weights of {found.name}, not of {name}.\n"
            f"They differ in {some(differences, _SHOWN)}.\n"
            "Leave the network's name out, or give its weights."
        )


def _described(path: Path, stored: StoredTensors, network: str | None) -> Checkpoint:
    """A peer's file that we wrote, which says about itself what a checkpoint does."""
    with naming(path):
        found, model = read_described(path, stored)
    if network is not None and network != model:
        _require_same(found.spec, network, path)
    return found


def _foreign(path: Path, stored: StoredTensors, network: str | None, classes: int | None) -> Checkpoint:
    with naming(path):
        found = identify(stored, network, classes)
        identity = found.identity
        how = _keras_colours(found, identity.peer.preprocessing(identity.model, identity.tag, path.name))
    told = Told(preprocessing=how, classes=classes, notes=() if identity.tag else (assumed(path, identity, how),))
    return read(path, stored, found, told)


def _keras_colours(found: Fitted, how: Preprocessing) -> Preprocessing:
    """Mean and std of Keras' normalisation layer, where the file has one.

    Keras' own ImageNet weights keep in `variance` what is the std: a second layer, without weights, makes up for it.
    """
    names = [found.part.names.get(f"{NORMALIZATION}/{field}") for field in ("mean", "variance")]
    held = found.part.tensors.read([name for name in names if name])
    mean, variance = (held[name].reshape(-1).tolist() if name else [] for name in names)
    if len(mean) != len(variance) or len(mean) not in (1, 3):
        return how
    published = len(variance) == 3 and all(abs(a - b) < 1e-4 for a, b in zip(variance, IMAGENET.std, strict=True))
    std = variance if published else [max(one, 0.0) ** 0.5 for one in variance]
    return replace(how, mean=tuple(mean), std=tuple(std))
