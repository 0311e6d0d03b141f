"""Exact class activation maps (Zhou et al., CVPR 2016; Figure 7 of the EfficientNet paper).

The networks end in global average pooling and a linear classifier, so the logit of a class is the mean over places of
`weight . features` plus a bias. The map is that quantity at each place: its mean plus the bias *is* the logit.
MobileNetV3 has a linear layer with an activation in between. Its activation is x times a gate of x, so that for one
image, with the gates as they stand, the logit is again linear in the features, and the map again exact.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from triscale.nn import Model, device_of


@torch.inference_mode()
def class_activation_maps(model: Model, pictures: Tensor) -> tuple[Tensor, Tensor]:
    """Logits and the map of every class, in evaluation mode, computed where the model lies.

    Args:
        model: any built network.
        pictures: [n, channels, h, w], preprocessed, on any device.

    Returns:
        on the CPU: logits [n, classes], and maps [n, classes, h', w'] whose mean is the logit minus what the biases
        give to it.
    """
    model.eval()
    last = model.forward_features(pictures.to(device_of(model)))
    pooled = last.mean((2, 3))
    logits = model.classifier(model.hidden(pooled))
    for gates, weight in _gated(model.hidden, pooled):
        last = torch.einsum("nchw,dc->ndhw", last, weight) * gates[:, :, None, None]
    return logits.cpu(), torch.einsum("nchw,kc->nkhw", last, model.classifier.weight).cpu()


def _gated(hidden: nn.Sequential, pooled: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """The gates [n, d] of the hidden layer for these images and its weight [d, c], if there is such a layer."""
    if not hidden:
        return
    linear, activation = hidden
    assert isinstance(linear, nn.Linear)  # noqa: S101  for the type checker
    before = linear(pooled)
    yield torch.where(before == 0, 0, activation(before) / before), linear.weight
