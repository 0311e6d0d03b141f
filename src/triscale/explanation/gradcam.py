"""The map of one class in each image: exact (CAM) where the network allows it, else Grad-CAM.

CAM (Zhou et al., CVPR 2016) needs logits that are linear in the last map before pooling. Grad-CAM (Selvaraju et al.,
ICCV 2017) takes any map of any network: each channel is weighted by the mean over places of the logit's gradient, and
what speaks against the class is set to 0. On the last map of a network where CAM is possible, its weights are those
of the classifier divided by the number of places: the same map but for a positive factor and that cut at 0.
"""

from typing import Literal, NamedTuple

import torch
from torch import Tensor

from triscale.errors import UsageError
from triscale.explanation.cam import class_activation_maps
from triscale.nn import Model, device_of

LAST = "head"
"""The last map before pooling, as `Model.features` calls it."""

Method = Literal["CAM", "Grad-CAM"]


class ClassMaps(NamedTuple):
    """On the CPU: logits [n, classes], the class shown of each image [n], and its map [n, h', w']."""

    logits: Tensor
    chosen: Tensor
    maps: Tensor


def method_for(model: Model, layer: str = LAST) -> Method:
    """CAM for the last map of a network without a hidden layer behind it, Grad-CAM for all others.

    Raises:
        UsageError: the network has no such map.
    """
    stages = len(model.stages)
    if layer not in {"stem", *(f"stage{number}" for number in range(1, stages + 1)), LAST}:
        raise UsageError(f"{model.network.name} has no layer {layer!r}: give stem, stage1 to stage{stages}, or {LAST}.")
    return "CAM" if layer == LAST and not model.hidden else "Grad-CAM"


def class_maps(model: Model, pictures: Tensor, wanted: int | None = None, layer: str = LAST) -> ClassMaps:
    """Where each image speaks for a class, in evaluation mode, computed where the model lies.

    Args:
        model: any built network.
        pictures: [n, channels, h, w], preprocessed, on any device.
        wanted: the class; by default the most probable one of each image.
        layer: the map that is looked at: `stem`, `stage1` and so on, or `head`.

    Raises:
        UsageError: the network has no such map.
    """
    if method_for(model, layer) == "CAM":
        logits, maps = class_activation_maps(model, pictures)
        chosen = _chosen(logits, wanted)
        return ClassMaps(logits, chosen, maps[torch.arange(len(maps)), chosen])
    return _grad_cam(model.eval(), pictures, wanted, layer)


def _grad_cam(model: Model, pictures: Tensor, wanted: int | None, layer: str) -> ClassMaps:
    with torch.enable_grad():
        # A copy that wants a gradient: the parameters of a frozen network want none.
        features = model.features(pictures.to(device_of(model)).clone().requires_grad_())
        logits = model.classifier(model.hidden(features[LAST].mean((2, 3))))
        chosen = _chosen(logits, wanted)
        score = logits.gather(1, chosen[:, None]).sum()  # evaluation mode: no image touches another's logits
        (gradient,) = torch.autograd.grad(score, features[layer])
    maps = (gradient.mean((2, 3), keepdim=True) * features[layer].detach()).sum(1).relu()
    return ClassMaps(logits.detach().cpu(), chosen.cpu(), maps.cpu())


def _chosen(logits: Tensor, wanted: int | None) -> Tensor:
    return logits.argmax(1) if wanted is None else torch.full((len(logits),), wanted, device=logits.device)
