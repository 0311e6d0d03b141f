"""timm: its EfficientNet class holds all inverted-residual networks, its ResNet class ResNet and SENet-154.

The models `efficientnet_*` pad symmetrically with torch's norm; the `tf_*` ones are the TensorFlow authors' weights,
which need SAME padding and eps 1e-3.
"""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from triscale.errors import InputError
from triscale.spec import FitMode, Network, Norm, Preprocessing
from triscale.weights.peers.base import Change, Names, Naming, Peer, PeerModel, Place, require_known

_NATIVE_NORM = Norm(eps=1e-5, momentum=0.1)
_TF_NORM = Norm(eps=1e-3, momentum=0.1)

_V1 = (*(f"b{i}" for i in range(9)), "l2", *(f"lite{i}" for i in range(5)), "es", "em", "el")
_V2 = ("s", "m", "l", "xl")
_V2_SMALL = ("b0", "b1", "b2", "b3")
_V3 = {"large_075": "large_075", "large_100": "large", "small_075": "small_075", "small_100": "small"}
_RESNETS = (18, 34, 50, 101, 152, 200)

_JOINED = {"mobilenet_v3_large": (0, 1, 1, 2, 3, 3, 3, 4, 5), "mobilenet_v3_small": (0, 1, 1, 2, 2, 3, 4)}
"""timm's stage of each of our stages where it counts those as one that differ in their expand ratio alone."""

_NATIVE = {
    **{f"efficientnet_{size}": f"efficientnet_{size}" for size in _V1},
    **{f"efficientnetv2_{size}": f"efficientnetv2_{size}" for size in _V2},
    "mobilenetv1_100": "mobilenet_v1",
    "mobilenetv2_100": "mobilenet_v2",
    **{f"mobilenetv2_{width}": f"mobilenet_v2_{width}" for width in ("035", "050", "075", "140")},
    **{f"mobilenetv3_{theirs}": f"mobilenet_v3_{ours}" for theirs, ours in _V3.items()},
    "semnasnet_100": "mnasnet_a1",
    "mnasnet_100": "mnasnet_b1",
    "mnasnet_small": "mnasnet_small",
    **{f"resnet{layers}": f"resnet{layers}" for layers in _RESNETS},
    "senet154": "senet154",
}

_TF = {
    **{f"tf_efficientnet_{size}": f"efficientnet_{size}" for size in _V1},
    **{f"tf_efficientnetv2_{size}": f"efficientnetv2_{size}" for size in (*_V2, *_V2_SMALL)},
    **{f"tf_mobilenetv3_{theirs}": f"mobilenet_v3_{ours}" for theirs, ours in _V3.items()},
}

MODELS = {
    **{name: PeerModel(network=ours, padding="symmetric", norm=_NATIVE_NORM) for name, ours in _NATIVE.items()},
    **{name: PeerModel(network=ours, padding="same", norm=_TF_NORM) for name, ours in _TF.items()},
}

LEGACY_MODELS = {
    "legacy_senet154": PeerModel(network="senet154", padding="symmetric", norm=_NATIVE_NORM, pool_padding="same")
}
"""Its pooling pads nothing and rounds up, which is SAME wherever the stem leaves an even side, as at 224 px."""

_MBCONV = {"expand": ("conv_pw", "bn1"), "depthwise": ("conv_dw", "bn2"), "project": ("conv_pwl", "bn3")}
_SEPARABLE = {"depthwise": ("conv_dw", "bn1"), "project": ("conv_pw", "bn2"), "pointwise": ("conv_pw", "bn2")}
_FUSED = {"conv": ("conv_exp", "bn1"), "project": ("conv_pwl", "bn2")}
_PLAIN = {"conv": ("conv", "bn1")}
_SQUEEZE = {"squeeze": "se.conv_reduce", "excite": "se.conv_expand"}

_RESIDUAL = {
    "conv1": ("conv1", "bn1"),
    "conv2": ("conv2", "bn2"),
    "reduce": ("conv1", "bn1"),
    "conv": ("conv2", "bn2"),
    "project": ("conv3", "bn3"),
    "shortcut": ("downsample.0", "downsample.1"),
}


def _inverted(place: Place) -> Names:
    """EfficientNet, MobileNet and MnasNet."""
    role = place.layer.role
    if place.stage == 0:
        return Names("conv_stem", "bn1")
    if place.stage < 0:
        return _inverted_head(place)
    block = _inverted_block(place)
    if role in _SQUEEZE:
        return Names(f"{block}.{_SQUEEZE[role]}")
    conv, norm = _units(place)[role]
    return Names(f"{block}.{conv}", f"{block}.{norm}")


def _stages(network: Network) -> tuple[int, ...]:
    joined = (stages for family, stages in _JOINED.items() if network.name.startswith(family))
    return next(joined, tuple(range(len(network.stages))))


def _inverted_block(place: Place) -> str:
    theirs, ours = _stages(place.network), place.stage - 1
    before = sum(place.network.stages[i].repeats for i in range(ours) if theirs[i] == theirs[ours])
    return f"blocks.{theirs[ours]}.{before + place.position}"


def _units(place: Place) -> dict[str, tuple[str, str]]:
    block = place.block
    match block.operator:
        case "mbconv" if block.inner_channels != block.in_channels:
            return _MBCONV
        case "fused_mbconv":
            return _FUSED if block.inner_channels else _PLAIN
        case _:
            return _SEPARABLE


def _inverted_head(place: Place) -> Names:
    """MobileNetV3 pools between its last two layers: timm has the first among the blocks, the second as `conv_head`."""
    match place.layer.role:
        case "hidden":
            return Names("conv_head")
        case "classifier":
            return Names("classifier")
    if place.block.hidden_channels:
        block = f"blocks.{_stages(place.network)[-1] + 1}.0"
        return Names(f"{block}.conv", f"{block}.bn1")
    return Names("conv_head", "bn2")


def residual_block(place: Place, squeeze_excite: str = "se") -> Names:
    """A layer of ResNet's stages, as torchvision names it too."""
    block, role = f"layer{place.stage}.{place.position}", place.layer.role
    if role in ("squeeze", "excite"):
        return Names(f"{block}.{squeeze_excite}.{'fc1' if role == 'squeeze' else 'fc2'}")
    conv, norm = _RESIDUAL[role]
    return Names(f"{block}.{conv}", f"{block}.{norm}")


def _residual(place: Place) -> Names:
    role, deep = place.layer.role, len(place.block.deep)
    if place.stage > 0:
        return residual_block(place)
    if place.stage < 0:
        return Names("fc")
    if not deep:
        return Names("conv1", "bn1")
    if role == "conv":
        return Names(f"conv1.{3 * deep}", "bn1")
    first = 3 * (int(role.removeprefix("deep")) - 1)
    return Names(f"conv1.{first}", f"conv1.{first + 1}")


def _legacy(place: Place) -> Names:
    role, deep = place.layer.role, len(place.block.deep)
    if place.stage > 0:
        return residual_block(place, "se_module")
    if place.stage < 0:
        return Names("last_linear")
    number = deep + 1 if role == "conv" else int(role.removeprefix("deep"))
    return Names(f"layer0.conv{number}", f"layer0.bn{number}")


def _naming(network: Network) -> Naming:
    name = require_known("timm", MODELS, network)
    return _residual if name.startswith(("resnet", "senet")) else _inverted


def _legacy_naming(network: Network) -> Naming:
    require_known("timm's legacy_senet", LEGACY_MODELS, network)
    return _legacy


def _change(place: Place) -> Change:
    return Change(ones=2) if place.layer.role == "hidden" else Change()


def settings(config: Mapping[str, Any]) -> Preprocessing:
    """The preprocessing in a `pretrained_cfg`, as timm's `resolve_data_config` reads it.

    Raises:
        InputError: a field is missing or cannot be.
    """
    try:
        fit = _FITS[config.get("crop_mode", "center")]
        _, height, width = config["input_size"]
        return Preprocessing(
            mean=tuple(config["mean"]),
            std=tuple(config["std"]),
            interpolation=config["interpolation"],
            crop=config["crop_pct"],
            fit=fit,
            resolution=(height, width),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"the pretrained_cfg lacks or garbles {error}.") from None


_FITS: dict[str, FitMode] = {"center": "centre", "squash": "squash"}


def config(model: str, network: Network, classes: Sequence[str], how: Preprocessing) -> dict[str, Any]:
    """The `config.json` of weights on the hub, or in a folder: what timm builds, and how it prepares images.

    timm cannot average areas: where the weights ask for that, its nearest way, `bicubic`, is written.
    """
    modes = {ours: theirs for theirs, ours in _FITS.items()}
    first, last = ("conv1", "fc") if model.startswith(("resnet", "senet")) else ("conv_stem", "classifier")
    prepared = {
        "input_size": [network.input_channels, *(how.resolution or network.resolution)],
        "interpolation": "bicubic" if how.interpolation == "area" else how.interpolation,
        "crop_pct": how.crop,
        "crop_mode": modes[how.fit],
        "mean": list(how.mean),
        "std": list(how.std),
        "num_classes": network.classes,
        "first_conv": first,
        "classifier": last,
    }
    return {
        "architecture": model, "num_classes": network.classes, "label_names": list(classes), "pretrained_cfg": prepared,
    }  # fmt: skip


def _preprocessing(model: str, tag: str, _file: str) -> Preprocessing:
    """It differs from tag to tag, so the installed timm tells it."""
    name = f"{model}.{tag}" if tag else model
    try:
        models = import_module("timm.models")
    except ImportError:
        raise InputError(
            f"only timm knows the preprocessing of {name}, and it is not installed.\n"
            "Give the folder of the weights with the hub's config.json in it, or pip install 'triscale[imagenet]'."
        ) from None
    try:
        found = models.get_pretrained_cfg(name)
    except RuntimeError:
        raise InputError(f"timm has no weights {name}.") from None
    return settings(found.to_dict())


_LOADING = "timm.create_model({model!r}, num_classes={classes}, in_chans={channels}, checkpoint_path={file!r})"
LOADING_FOLDER = "timm.create_model({file!r}, pretrained=True)"
"""Of a folder, with `local-dir:` in front of its path."""

TIMM = Peer(name="timm", models=MODELS, naming=_naming, preprocessing=_preprocessing, change=_change, loading=_LOADING)
TIMM_LEGACY = Peer(
    name="timm_legacy", models=LEGACY_MODELS, naming=_legacy_naming, preprocessing=_preprocessing, loading=_LOADING
)
