"""lukemelas/EfficientNet-PyTorch (PyPI: efficientnet-pytorch), whose names RangiLyu's EfficientNet-Lite has too.

The weights are those of the TensorFlow authors: SAME padding, eps 1e-3, their own preparation of images.
"""

from dataclasses import replace

from triscale.errors import InputError
from triscale.families import official_preprocessing
from triscale.spec import INCEPTION, Network, Norm, Preprocessing
from triscale.weights.peers.base import Names, Naming, Peer, PeerModel, Place, require_known

_SIZES = (*(f"b{i}" for i in range(9)), "l2", *(f"lite{i}" for i in range(5)))
_NORM = Norm(eps=1e-3, momentum=0.01)

MODELS = {
    f"efficientnet-{size}": PeerModel(network=f"efficientnet_{size}", padding="same", norm=_NORM) for size in _SIZES
}

ADVPROP = "advprop"
"""The tag of weights from adversarial training, which take images in [-1, 1]."""

_ENDS = {"classifier": Names("_fc"), "conv": Names("_conv_head", "_bn1")}
_BLOCK = {
    "expand": ("_expand_conv", "_bn0"),
    "depthwise": ("_depthwise_conv", "_bn1"),
    "squeeze": ("_se_reduce", ""),
    "excite": ("_se_expand", ""),
    "project": ("_project_conv", "_bn2"),
}


def _name(place: Place) -> Names:
    if place.stage == 0:
        return Names("_conv_stem", "_bn0")
    if place.stage < 0:
        return _ENDS[place.layer.role]
    layer, norm = _BLOCK[place.layer.role]
    block = f"_blocks.{place.number}"
    return Names(f"{block}.{layer}", f"{block}.{norm}")


def _naming(network: Network) -> Naming:
    require_known("EfficientNet-PyTorch", MODELS, network)
    return _name


def _preprocessing(model: str, tag: str, file: str) -> Preprocessing:
    official = official_preprocessing(MODELS[model].network)
    if tag not in ("", ADVPROP):
        raise InputError(f"{model} has no weights {tag!r}; there are the plain ones and {ADVPROP!r}.")
    adversarial = tag or file.startswith("adv-")
    return replace(official, mean=INCEPTION.mean, std=INCEPTION.std) if adversarial else official


LUKEMELAS = Peer(
    name="lukemelas",
    models=MODELS,
    naming=_naming,
    preprocessing=_preprocessing,
    loading=(
        "model = EfficientNet.from_name({model!r}, num_classes={classes}, in_channels={channels}); "
        "model.load_state_dict(safetensors.torch.load_file({file!r}))"
    ),
)
