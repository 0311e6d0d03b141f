"""One way in for weights of every kind: from a run folder, a file, a hub id or an installed package to a checkpoint."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from triscale.errors import InputError, UsageError
from triscale.scaling import network as named
from triscale.spec import IMAGENET, Network, Preprocessing, content_hash, value_text
from triscale.weights import hub
from triscale.weights.checkpoint import Checkpoint, load
from triscale.weights.described import ABOUT, read_described
from triscale.weights.files import opened
from triscale.weights.identify import Identity, identify, spoken_of
from triscale.weights.imagenet import CLASSES, imagenet_names
from triscale.weights.mapping import from_peer, wanted_shapes
from triscale.weights.packages import PACKAGES, packaged_file
from triscale.weights.peers import PEERS
from triscale.weights.peers.timm import config as timm_config
from triscale.weights.peers.timm import settings
from triscale.weights.stored import Stored
from triscale.weights.strict import refuse_differences, refuse_values

BEST = "best.safetensors"
"""The file of a run folder that holds the network to take."""

_ABOUT = "triscale"
"""The entry of a safetensors file's metadata that makes it a checkpoint of ours."""


def load_weights(
    source: str | Path | None, network: str | None = None, *, allow_pth: bool = False, classes: int | None = None
) -> Checkpoint:
    """The checkpoint in weights of any kind; a foreign one brings its padding, norm and preprocessing with it.

    Args:
        source: a run folder; a checkpoint of ours; a file of torchvision, timm, EfficientNet-PyTorch or Keras; a folder
            with timm's `config.json` and `model.safetensors`; or `hf-hub:OWNER/NAME[@REVISION]`. None takes the weights
            of an installed package.
        network: the network that the weights must belong to; `PEER:MODEL[.TAG]`, such as `timm:tf_efficientnet_b0`,
            where the file leaves open which model it is.
        allow_pth: read pickles of torch, by its restricted unpickler.
        classes: of the file, where they are not the network's own and no config tells.

    Raises:
        UsageError: an unknown name, or neither source nor network.
        InputError: no such weights, damaged, hostile, of another network (up to ten names are listed), or not finite.
        OutputError: the hub's cache cannot be written to.
    """
    if source is None:
        return from_package(network)
    if isinstance(source, str) and hub.is_hub_id(source):
        files = hub.fetch(source, allow_pth=allow_pth)
        return _of_timm(files.weights, files.config, network, allow_pth=allow_pth)
    path = Path(source)
    if path.is_dir() and (path / hub.CONFIG).exists():
        return _of_timm(path / hub.WEIGHTS, path / hub.CONFIG, network, allow_pth=allow_pth)
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
    if network not in PACKAGES:
        wanted = spoken_of(network)
        name = wanted.network.name if wanted else named(network).name
        raise UsageError(
            f"there are no weights for {name} here.\n"
            f"Give --weights FILE or hf-hub:OWNER/NAME; packages hold those of {', '.join(PACKAGES)}."
        )
    known, path = PACKAGES[network], packaged_file(network)
    with opened(path, allow_pth=True) as stored:
        found = _foreign(path, stored, f"{known.peer}:{known.model}", None)
    return replace(found, notes=())  # the file is the known one, and so is its preprocessing


def checkpoint_path(run_or_weights: str | Path) -> Path:
    """The file of weights itself, or the best one of a run folder."""
    path = Path(run_or_weights)
    if not path.is_dir():
        if path.exists():
            return path
        raise InputError(f"{path}: no such run folder or checkpoint.")
    if not (path / BEST).exists():
        raise InputError(
            f"{path} holds no {BEST}: no study's folder, or an unfinished study (the same command goes on)."
        )
    return path / BEST


def _own(path: Path, network: str | None) -> Checkpoint:
    found = load(path)
    if network is not None:
        _require_same(found.network, network, path)
    with _naming(path):
        refuse_values(found.state)
    return found


def _require_same(found: Network, text: str, path: Path) -> None:
    """What travels with the weights is their own: resolution, classes, channels of the pictures, padding and norm."""
    spoken = spoken_of(text)
    wanted = spoken.network if spoken else named(text)
    free = replace(wanted, resolution=found.resolution, classes=found.classes, input_channels=found.input_channels)
    if not spoken:
        stem = replace(free.stem, pool_padding=found.stem.pool_padding)
        free = replace(free, padding=found.padding, norm=found.norm, stem=stem)
    if content_hash(free) != content_hash(found):
        raise InputError(
            f"{path} holds weights of {found.name}, not of {text}.\nLeave the network's name out, or give its weights."
        )


def _described(path: Path, stored: Stored, network: str | None) -> Checkpoint:
    """A peer's file that we wrote, which says of itself what a checkpoint does."""
    with _naming(path):
        found, model = read_described(path, stored)
    if network is not None and network != model:
        _require_same(found.network, network, path)
    return found


def _of_timm(path: Path, config_path: Path, network: str | None, *, allow_pth: bool) -> Checkpoint:
    """Weights beside the `config.json` that timm writes for the hub."""
    config = hub.read_config(config_path)
    details = config.get("pretrained_cfg", config)
    classes = config.get("num_classes", CLASSES)
    if not isinstance(details, dict) or type(classes) is not int or classes < 1:
        raise InputError(f"{config_path} is no config.json of timm.")
    identity = _configured(config["architecture"], config_path)
    if network is not None and network != identity.network.name:
        spoken = spoken_of(network)
        if spoken is None or (spoken.peer, spoken.model) != (identity.peer, identity.model):
            named(network)
            raise InputError(f"{path.parent} holds weights of {identity.peer.name}:{identity.model}, not of {network}.")
    with _naming(config_path):
        identity = identity._replace(network=replace(identity.network, classes=classes))
        how = settings(details)
    labels = config.get("label_names", details.get("label_names"))
    with opened(path, allow_pth=allow_pth) as stored:
        if ABOUT in stored.about:
            return _described_beside(config_path, _described(path, stored, None), identity, how)
        return _checkpoint(path, stored, identity, how, labels)


def _described_beside(config_path: Path, found: Checkpoint, identity: Identity, how: Preprocessing) -> Checkpoint:
    """The checkpoint that we wrote, unless the config beside it was changed since."""
    expected = settings(
        timm_config(identity.model, found.network, found.classes, found.preprocessing)["pretrained_cfg"]
    )
    if how != expected or identity.network.classes != found.network.classes:
        raise InputError(
            f"{config_path} and the weights beside it do not say the same: one of them was changed.\n"
            "Give the file of the weights alone, or the folder without the metadata of triscale in its weights."
        )
    return found


def _configured(architecture: str, path: Path) -> Identity:
    for peer in PEERS.values():
        if peer.name.startswith("timm") and architecture in peer.models:
            return Identity(peer, architecture, "", peer.network(architecture))
    raise InputError(f"{path}: triscale has no network for timm's {architecture[:100]!r}.")


def _foreign(path: Path, stored: Stored, network: str | None, classes: int | None) -> Checkpoint:
    with _naming(path):
        identity = identify(stored.shapes, network, classes)
        _refuse_shapes(stored, identity)  # before the preprocessing is asked for: the graver fault first
        how = identity.peer.preprocessing(identity.model, identity.tag, path.name)
    how = _keras_colours(stored, how)
    found = _checkpoint(path, stored, identity, how, None)
    return found if identity.tag else replace(found, notes=(_assumed(path, identity, how),))


def _assumed(path: Path, identity: Identity, how: Preprocessing) -> str:
    """What was taken for lack of a word in the file; it may be wrong for weights that somebody trained otherwise."""
    taken = ", ".join(
        f"{name} {value_text(value)}"
        for name in ("resolution", "crop", "interpolation", "mean", "std")
        if (value := getattr(how, name)) is not None
    )
    return (
        f"{path.name} does not say how its pictures are prepared; taken as {identity.peer.name} has it for "
        f"{identity.model}: {taken}. If its weights want another way: --override NAME=VALUE."
    )


def _checkpoint(path: Path, stored: Stored, identity: Identity, how: Preprocessing, labels: Any) -> Checkpoint:
    with _naming(path):
        _refuse_shapes(stored, identity)
        state = from_peer(stored.read(), identity.network, identity.peer.name)
    return Checkpoint(
        network=identity.network, state=state, classes=_names(identity.network.classes, labels), preprocessing=how
    )


def _refuse_shapes(stored: Stored, identity: Identity) -> None:
    refuse_differences(stored.shapes, wanted_shapes(identity.network, identity.peer.name, stored.shapes))


def _names(classes: int, labels: Any) -> tuple[str, ...]:
    """Names of the classes: the file's own, ImageNet's where there are a thousand, else numbers."""
    if isinstance(labels, list) and len(labels) == classes and all(isinstance(label, str) for label in labels):
        return tuple(labels)
    return imagenet_names() if classes == CLASSES else tuple(f"class {index}" for index in range(classes))


def _keras_colours(stored: Stored, how: Preprocessing) -> Preprocessing:
    """Mean and std of Keras' normalisation layer, where the file has one.

    Keras' own ImageNet weights keep in `variance` what is the std: a second layer, without weights, makes up for it.
    """
    found = {name.partition("/")[2]: tensor.reshape(-1).tolist() for name, tensor in stored.extras.items()}
    if len(found.get("mean", ())) != 3 or len(found.get("variance", ())) != 3:
        return how
    variance = found["variance"]
    published = all(abs(one - other) < 1e-4 for one, other in zip(variance, IMAGENET.std, strict=True))
    std = variance if published else [max(one, 0.0) ** 0.5 for one in variance]
    return replace(how, mean=tuple(found["mean"]), std=tuple(std))


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Puts the file in front of a complaint about what is in it."""
    try:
        yield
    except InputError as error:
        text = str(error)
        raise InputError(text if str(path) in text else f"{path}: {text}") from None
