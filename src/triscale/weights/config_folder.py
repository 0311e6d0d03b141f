"""Weights in a folder, or on the hub, beside the `config.json` of timm or of transformers."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from triscale.errors import InputError
from triscale.scaling import network as named
from triscale.spec import Preprocessing, value_text
from triscale.weights.checkpoint import Checkpoint
from triscale.weights.hub import HubFiles, read_config
from triscale.weights.imagenet import CLASSES
from triscale.weights.match.fitted import Identity
from triscale.weights.match.identify import identify, spoken_of
from triscale.weights.match.reading import Told, assumed, naming, read
from triscale.weights.peer_metadata import ABOUT, read_described
from triscale.weights.peers import PEERS, Peer, transformers
from triscale.weights.peers.timm import config as timm_config
from triscale.weights.peers.timm import settings
from triscale.weights.read.sniff import opened


def of_folder(files: HubFiles, network: str | None, allow_pth: bool, classes: int | None) -> Checkpoint:
    """The checkpoint in the files of a model; see `triscale.weights.load_weights` for the other arguments.

    Raises:
        InputError: a config of another network or library, or weights that are not those of the config.
    """
    config = read_config(files.config)
    if isinstance(config.get("architecture"), str):
        return _of_timm(files, config, network, allow_pth, classes)
    if "model_type" in config:
        return _of_transformers(files, config, network, allow_pth, classes)
    raise InputError(f"{files.config} is not a config.json of timm, which names an architecture, nor of transformers.")


def _of_timm(
    files: HubFiles, config: Mapping[str, Any], network: str | None, allow_pth: bool, classes: int | None
) -> Checkpoint:
    details = config.get("pretrained_cfg", config)
    number = config.get("num_classes", CLASSES)
    if not isinstance(details, dict) or type(number) is not int or number < 0:
        raise InputError(f"{files.config} is not a config.json of timm.")
    identity = _configured(config["architecture"], files.config)
    _require_configured(identity, network, files.config.parent)
    with naming(files.config):
        if number:  # 0 is that of a network without a classifier
            classes = classes or replace(identity.network, classes=number).classes
        told = "pretrained_cfg" in config or "input_size" in config  # transformers' timm_wrapper may leave both out
        how = settings(details) if told else identity.peer.preprocessing(identity.model, "", "")
    labels = config.get("label_names", details.get("label_names"))
    with opened(files.weights, allow_pth=allow_pth) as stored, naming(files.weights):
        if ABOUT in stored.about:
            return _unchanged(files.config, read_described(files.weights, stored).checkpoint, identity, number, how)
        found = identify(stored, identity, classes)
        notes = () if told else (assumed(files.weights, identity, how),)
        return read(files.weights, stored, found, Told(preprocessing=how, labels=labels, classes=classes, notes=notes))


def _require_configured(identity: Identity, network: str | None, folder: Path) -> None:
    """InputError where a config names another model than the user does."""
    if network is None or network == identity.network.name:
        return
    spoken = spoken_of(network)
    if spoken is None or (spoken.peer, spoken.model) != (identity.peer, identity.model):
        named(network)
        raise InputError(f"{folder} holds weights of {identity.peer.name}:{identity.model}, not of {network}.")


def _of_transformers(
    files: HubFiles, config: Mapping[str, Any], network: str | None, allow_pth: bool, classes: int | None
) -> Checkpoint:
    with naming(files.config):
        transformers.refuse_config(config)
    with opened(files.weights, allow_pth=allow_pth) as stored, naming(files.weights):
        models = [_model(transformers.TRANSFORMERS, model) for model in transformers.MODELS]
        found = identify(stored, models, classes)
        identity = replace(found.identity, network=transformers.normed(found.identity.network, config))
        _require_configured(identity, network, files.config.parent)
        told = _as_transformers(files, config, identity)
        return read(files.weights, stored, replace(found, identity=identity), told)


def _as_transformers(files: HubFiles, config: Mapping[str, Any], identity: Identity) -> Told:
    """What transformers' files say, with notes on what they leave open, or do otherwise."""
    size, notes = transformers.image_size(config, identity.network.resolution), []
    if files.preprocessor is None:
        how = replace(identity.peer.preprocessing(identity.model, "", ""), resolution=size)
        notes.append(assumed(files.weights, identity, how))
    else:
        with naming(files.preprocessor):
            how = transformers.settings(read_config(files.preprocessor), size)
    size = how.resolution or size
    if transformers.pads_otherwise(identity.network, size, config):
        notes.append(
            f"{files.config}: its depthwise_padding is made for images of another size than {value_text(size)}; "
            "transformers itself answers a little otherwise at this one."
        )
    labels = transformers.labels(config)
    return Told(preprocessing=how, labels=labels, classes=len(labels) if labels else None, notes=tuple(notes))


def _unchanged(
    config_path: Path, found: Checkpoint, identity: Identity, classes: int | None, how: Preprocessing
) -> Checkpoint:
    """The checkpoint that we wrote, unless the config beside it was changed since."""
    expected = settings(timm_config(identity.model, found.spec, found.classes, found.preprocessing)["pretrained_cfg"])
    if how != expected or classes != found.network.classes:
        raise InputError(
            f"{config_path} and the weights beside it do not say the same: one of them was changed.\n"
            "Give the file of the weights alone, or the folder without the metadata of triscale in its weights."
        )
    return found


def _configured(architecture: str, path: Path) -> Identity:
    for peer in PEERS.values():
        if peer.name.startswith("timm") and architecture in peer.models:
            return _model(peer, architecture)
    raise InputError(f"{path}: triscale has no network for timm's {architecture[:100]!r}.")


def _model(peer: Peer, model: str) -> Identity:
    return Identity(peer=peer, model=model, tag="", network=peer.network(model))
