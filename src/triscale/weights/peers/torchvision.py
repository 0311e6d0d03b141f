"""torchvision: one class, and one way of naming, for each family."""

from importlib import import_module

from triscale.errors import InputError
from triscale.spec import Network, Norm, Preprocessing
from triscale.weights.peers.base import Names, Naming, Peer, PeerModel, Place, require_known
from triscale.weights.peers.timm import residual_block

_TORCH = Norm(eps=1e-5, momentum=0.1)
_TENSORFLOW = Norm(eps=1e-3, momentum=0.01)

_SETTINGS: dict[str, tuple[str, Norm]] = {
    **{f"efficientnet_b{i}": (f"efficientnet_b{i}", _TORCH) for i in range(5)},
    **{f"efficientnet_b{i}": (f"efficientnet_b{i}", _TENSORFLOW) for i in (5, 6, 7)},
    **{f"efficientnet_v2_{size}": (f"efficientnetv2_{size}", Norm(eps=1e-3, momentum=0.1)) for size in "sml"},
    "mobilenet_v2": ("mobilenet_v2", _TORCH),
    "mobilenet_v3_large": ("mobilenet_v3_large", _TENSORFLOW),
    "mobilenet_v3_small": ("mobilenet_v3_small", _TENSORFLOW),
    "mnasnet1_0": ("mnasnet_b1", Norm(eps=1e-5, momentum=3e-4)),
    **{f"resnet{layers}": (f"resnet{layers}", _TORCH) for layers in (18, 34, 50, 101, 152)},
}

MODELS = {name: PeerModel(network=ours, padding="symmetric", norm=norm) for name, (ours, norm) in _SETTINGS.items()}


def _unit(place: Place) -> int:
    """The position of a layer's unit in its block; the two layers of squeeze-excite share one."""
    roles = [layer.role for layer in place.block.layers if layer.role != "excite"]
    return roles.index("squeeze" if place.layer.role == "excite" else place.layer.role)


def _block_unit(place: Place, block: str) -> Names:
    unit = f"{block}.block.{_unit(place)}"
    match place.layer.role:
        case "squeeze":
            return Names(f"{unit}.fc1")
        case "excite":
            return Names(f"{unit}.fc2")
    return Names(f"{unit}.0", f"{unit}.1")


def _efficientnet(place: Place) -> Names:
    if place.layer.role == "classifier":
        return Names("classifier.1")
    if place.stage <= 0:
        part = "features.0" if place.stage == 0 else f"features.{len(place.network.stages) + 1}"
        return Names(f"{part}.0", f"{part}.1")
    return _block_unit(place, f"features.{place.stage}.{place.position}")


def _mobilenet_ends(place: Place, classifier: str) -> Names:
    """Stem, head and classifier; the blocks are numbered through."""
    match place.layer.role:
        case "hidden":
            return Names("classifier.0")
        case "classifier":
            return Names(classifier)
    part = "features.0" if place.stage == 0 else f"features.{place.number + 2}"
    return Names(f"{part}.0", f"{part}.1")


def _mobilenet_v3(place: Place) -> Names:
    if place.stage <= 0:
        return _mobilenet_ends(place, "classifier.3")
    return _block_unit(place, f"features.{place.number + 1}")


def _mobilenet_v2(place: Place) -> Names:
    if place.stage <= 0:
        return _mobilenet_ends(place, "classifier.1")
    conv, unit = f"features.{place.number + 1}.conv", _unit(place)
    if place.layer.role == "project":
        return Names(f"{conv}.{unit}", f"{conv}.{unit + 1}")
    return Names(f"{conv}.{unit}.0", f"{conv}.{unit}.1")


def _mnasnet(place: Place) -> Names:
    """Units of three: convolution, norm, activation; the stem and the first block lie flat in the outer sequence."""
    if place.layer.role == "classifier":
        return Names("classifier.1")
    if place.stage < 0:
        return Names("layers.14", "layers.15")
    if place.stage > 1:
        outer, first = f"layers.{place.stage + 6}.{place.position}.layers", 3 * _unit(place)
    else:
        outer, first = "layers", 0 if place.stage == 0 else 3 + 3 * _unit(place)
    return Names(f"{outer}.{first}", f"{outer}.{first + 1}")


def _resnet(place: Place) -> Names:
    if place.stage > 0:
        return residual_block(place)
    return Names("conv1", "bn1") if place.stage == 0 else Names("fc")


_NAMINGS: dict[str, Naming] = {
    "efficientnet": _efficientnet,
    "mobilenet_v2": _mobilenet_v2,
    "mobilenet_v3": _mobilenet_v3,
    "mnasnet": _mnasnet,
    "resnet": _resnet,
}


def _naming(network: Network) -> Naming:
    name = require_known("torchvision", MODELS, network)
    return next(naming for family, naming in _NAMINGS.items() if name.startswith(family))


def _preprocessing(model: str, tag: str, file: str) -> Preprocessing:
    """It differs from one set of weights to another, so the installed torchvision tells it."""
    try:
        models = import_module("torchvision.models")
    except ImportError:
        raise InputError(
            f"only torchvision knows the preprocessing of {model}, and it is not installed.\n"
            "Install it beside torch: pip install 'triscale[imagenet]'."
        ) from None
    sets = list(models.get_model_weights(model))
    published = [one for one in sets if one.url.rpartition("/")[2] == file]
    chosen = [one for one in sets if one.name == tag] if tag else published or sets
    if len(chosen) != 1:
        names = " or ".join(f"torchvision:{model}.{one.name}" for one in sets)
        raise InputError(f"torchvision has {len(sets)} sets of weights of {model}; name the network {names}.")
    how = chosen[0].transforms()
    (side,), (resized,) = how.crop_size, how.resize_size
    return Preprocessing(
        mean=tuple(how.mean),
        std=tuple(how.std),
        interpolation=how.interpolation.value,
        crop=side / resized,
        resolution=(side, side),
    )


TORCHVISION = Peer(
    name="torchvision",
    models=MODELS,
    naming=_naming,
    preprocessing=_preprocessing,
    loading=(
        "model = torchvision.models.{model}(num_classes={classes}); "
        "model.load_state_dict(safetensors.torch.load_file({file!r}))"
    ),
)
