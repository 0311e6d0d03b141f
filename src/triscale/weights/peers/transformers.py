"""Hugging Face transformers: EfficientNet, ported from Keras, with the settings in JSON files beside the weights.

Its strided convolutions pad as SAME does at the size that the model was made for: `depthwise_padding` lists those whose
input has odd sides there. Weights are read, not written.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from triscale.errors import InputError
from triscale.spec import IMAGENET, Interpolation, Network, Norm, Preprocessing, Size, resolve
from triscale.weights.peers.base import Names, Naming, Peer, PeerModel, Place, require_known

MODEL_TYPE = "efficientnet"
_NORM = Norm(eps=1e-3, momentum=0.01)

MODELS = {
    f"efficientnet-b{size}": PeerModel(network=f"efficientnet_b{size}", padding="same", norm=_NORM) for size in range(8)
}

_BLOCK = {
    "expand": ("expansion.expand_conv", "expansion.expand_bn"),
    "depthwise": ("depthwise_conv.depthwise_conv", "depthwise_conv.depthwise_norm"),
    "squeeze": ("squeeze_excite.reduce", ""),
    "excite": ("squeeze_excite.expand", ""),
    "project": ("projection.project_conv", "projection.project_bn"),
}

_FILTERS: dict[int, Interpolation] = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic"}
"""Pillow's numbers of filters, which `resample` holds."""

_SAME_FUNCTION = {
    "hidden_act": ("swish", "silu"),
    "pooling_type": ("mean",),
    "strides": ([1, 2, 2, 2, 1, 2, 1],),
}
"""What decides the answer and does not show in the tensors: field of `config.json` -> what ours computes."""


def _name(place: Place) -> Names:
    if place.stage == 0:
        return Names("efficientnet.embeddings.convolution", "efficientnet.embeddings.batchnorm")
    if place.layer.role == "classifier":
        return Names("classifier")
    if place.stage < 0:
        return Names("efficientnet.encoder.top_conv", "efficientnet.encoder.top_bn")
    layer, norm = _BLOCK[place.layer.role]
    block = f"efficientnet.encoder.blocks.{place.number}"
    return Names(f"{block}.{layer}", f"{block}.{norm}")


def _naming(network: Network) -> Naming:
    require_known("transformers", MODELS, network)
    return _name


def _preprocessing(model: str, tag: str, _file: str) -> Preprocessing:
    """That of Google's weights of the hub, where no file says it."""
    if tag:
        raise InputError(f"transformers' {model} has no weights {tag!r}.")
    return replace(IMAGENET, interpolation="nearest", fit="squash", crop=1.0)


def refuse_config(config: Mapping[str, Any]) -> None:
    """InputError where a `config.json` is of another architecture, or asks for what our network does not compute."""
    if config.get("model_type") != MODEL_TYPE:
        raise InputError(
            f"its config.json is of transformers' {str(config.get('model_type'))[:60]!r}; "
            f"of transformers triscale reads {MODEL_TYPE!r} alone."
        )
    for name, computed in _SAME_FUNCTION.items():
        if (value := config.get(name, computed[0])) not in computed:
            raise InputError(f"its config.json has {name} {str(value)[:60]}; triscale computes {computed[0]}.")


def normed(network: Network, config: Mapping[str, Any]) -> Network:
    """The network with the `batch_norm_eps` of a `config.json`."""
    eps = config.get("batch_norm_eps", network.norm.eps)
    if not isinstance(eps, float) or not 0 < eps < 1:
        raise InputError(f"its config.json has batch_norm_eps {str(eps)[:60]}.")
    return replace(network, norm=replace(network.norm, eps=eps))


def labels(config: Mapping[str, Any]) -> dict[str, Any]:
    """The names of the classes, by number; those that transformers makes up (LABEL_0) are none."""
    found = config.get("id2label")
    if not isinstance(found, dict) or all(value == f"LABEL_{key}" for key, value in found.items()):
        return {}
    return found


def image_size(config: Mapping[str, Any], otherwise: Size) -> Size:
    """(height, width) of the images that a `config.json` is made for."""
    size = config.get("image_size", otherwise)
    both = (size, size) if isinstance(size, int) else tuple(size) if isinstance(size, list | tuple) else ()
    return both if len(both) == 2 and all(type(side) is int and side > 0 for side in both) else otherwise


def pads_otherwise(network: Network, size: Size, config: Mapping[str, Any]) -> bool:
    """Whether transformers pads a strided convolution otherwise than ours at this size of images."""
    listed = config.get("depthwise_padding") or []
    height, width = ((side + 1) // 2 for side in size)
    odd = [side % 2 == 1 for side in size]
    number = -1
    for stage, block in resolve(network).flat():
        number += stage > 0
        if stage > 0 and block.stride == 2:
            odd += [(side % 2 == 1) != (number in listed) for side in (height, width)]
            height, width = (height + 1) // 2, (width + 1) // 2
    return any(odd)


def settings(how: Mapping[str, Any], size: Size) -> Preprocessing:
    """The preprocessing in a `preprocessor_config.json`, as `EfficientNetImageProcessor` reads it.

    A value x of 0..255 becomes (x * rescale_factor - offset - mean) / std; `include_top` divides by std once more.

    Args:
        how: the file.
        size: of images, where it has none.

    Raises:
        InputError: a field is garbled, or asks for what we do not do.
    """
    efficientnet = "EfficientNet" in str(how.get("image_processor_type", "EfficientNet"))
    try:
        scale = 255 * float(how.get("rescale_factor", 1 / 255)) if how.get("do_rescale", True) else 255.0
        offset = 1.0 if efficientnet and how.get("do_rescale", True) and how.get("rescale_offset", False) else 0.0
        mean, std = [0.0] * 3, [1.0] * 3
        if how.get("do_normalize", True):
            mean, std = ([float(one) for one in how[name]] for name in ("image_mean", "image_std"))
        again = [float(one) for one in how["image_std"]] if efficientnet and how.get("include_top", True) else [1.0] * 3
        side, crop = _sides(how, size)
        return Preprocessing(
            mean=tuple((offset + one) / scale for one in mean),
            std=tuple(one * more / scale for one, more in zip(std, again, strict=True)),
            interpolation=_FILTERS[how.get("resample", 3 if efficientnet else 2)],
            fit="squash",
            crop=crop,
            resolution=side,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"the preprocessor_config.json lacks or garbles {error}.") from None


def _sides(how: Mapping[str, Any], size: Size) -> tuple[Size, float]:
    """The size of images, and the part of the resized image that it is."""
    resized = _size(how["size"]) if how.get("do_resize", True) and "size" in how else size
    if not how.get("do_center_crop", False):
        return resized, 1.0
    cut = _size(how["crop_size"])
    crops = {one / whole for one, whole in zip(cut, resized, strict=True)}
    if len(crops) != 1:
        raise ValueError("size and crop_size")
    return cut, crops.pop()


def _size(value: Any) -> Size:
    if isinstance(value, int):
        return value, value
    return int(value["height"]), int(value["width"])


TRANSFORMERS = Peer(
    name="transformers",
    models=MODELS,
    naming=_naming,
    preprocessing=_preprocessing,
    outer="efficientnet.",
    loading="",
)
