"""Keras applications: EfficientNet and EfficientNetV2. Names are `layer/field`, kernels have their channels last.

B0 to B7 keep mean and variance of images in a layer, `normalization`: see `triscale.weights.read.hdf5`.
"""

from dataclasses import replace

from triscale.errors import InputError
from triscale.families import network as registered
from triscale.spec import IMAGENET, Network, Norm, Preprocessing, padded_crop
from triscale.weights.peers.base import Change, Names, Naming, Peer, PeerModel, Place, require_known

_V1_NORM = Norm(eps=1e-3, momentum=0.01)
_V2_NORM = Norm(eps=1e-3, momentum=0.1)
_V1 = {f"EfficientNetB{i}": f"efficientnet_b{i}" for i in range(8)}
_V2_SMALL = {f"EfficientNetV2B{i}": f"efficientnetv2_b{i}" for i in range(4)}
_V2 = {f"EfficientNetV2{size.upper()}": f"efficientnetv2_{size}" for size in "sml"}

MODELS = {
    **{name: PeerModel(network=ours, padding="same", norm=_V1_NORM) for name, ours in _V1.items()},
    **{name: PeerModel(network=ours, padding="same", norm=_V2_NORM) for name, ours in (_V2_SMALL | _V2).items()},
}

_SQUEEZE = {"squeeze": "se_reduce", "excite": "se_expand"}


def _name(place: Place) -> Names:
    role = place.layer.role
    if place.stage == 0:
        return Names("stem_conv", "stem_bn")
    if place.stage < 0:
        return Names("predictions") if role == "classifier" else Names("top_conv", "top_bn")
    block = f"block{place.stage}{chr(ord('a') + place.position)}"
    if role in _SQUEEZE:
        return Names(f"{block}_{_SQUEEZE[role]}")
    if role == "depthwise":
        second = "2" if place.network.name.startswith("efficientnetv2") else ""
        return Names(f"{block}_dwconv{second}", f"{block}_bn")
    if role == "conv":  # of a fused block: it expands, or is all there is
        role = "expand" if place.block.inner_channels else "project"
    return Names(f"{block}_{role}_conv", f"{block}_{role}_bn")


def _naming(network: Network) -> Naming:
    require_known("Keras", MODELS, network)
    return _name


def _fields(_: Place) -> tuple[str, str]:
    return "/kernel", "/bias"


def _change(place: Place) -> Change:
    if place.layer.kind == "linear":
        return Change(axes=(1, 0))
    return Change(axes=(2, 3, 0, 1) if place.layer.role == "depthwise" else (2, 3, 1, 0))


def _preprocessing(model: str, tag: str, _file: str) -> Preprocessing:
    """V2-S, -M and -L take x / 128 - 1, the others ImageNet's mean and std."""
    if tag:
        raise InputError(f"Keras' {model} has no weights {tag!r}.")
    crop = padded_crop(registered(MODELS[model].network).resolution)
    if model in _V2:
        return replace(IMAGENET, mean=(128 / 255,) * 3, std=(128 / 255,) * 3, crop=crop)
    return replace(IMAGENET, crop=crop)


KERAS = Peer(
    name="keras",
    models=MODELS,
    naming=_naming,
    preprocessing=_preprocessing,
    layer_fields=_fields,
    norm_fields=("/gamma", "/beta", "/moving_mean", "/moving_variance"),
    counts=False,
    change=_change,
    loading="model = keras.applications.{model}(weights=None, classes={classes}); model.load_weights({file!r})",
)
