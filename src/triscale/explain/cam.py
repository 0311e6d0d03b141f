"""Exact class activation maps (Zhou et al., CVPR 2016; Figure 7 of the EfficientNet paper).

The networks end in global average pooling and a linear classifier, so the logit of a class is the mean over places of
`weight . features` plus the bias. The map is that quantity at each place: its mean plus the bias *is* the logit.
"""

import torch
from torch import Tensor

from triscale.nn import Model, device_of


@torch.inference_mode()
def class_activation_maps(model: Model, pictures: Tensor) -> tuple[Tensor, Tensor]:
    """Logits and the map of every class, in evaluation mode, computed where the model lies.

    Args:
        model: any built network.
        pictures: [n, channels, h, w], preprocessed, on any device.

    Returns:
        on the CPU: logits [n, classes], and maps [n, classes, h', w'] with `maps.mean((2, 3)) + bias == logits`.
    """
    model.eval()
    last = model.forward_features(pictures.to(device_of(model)))
    maps = torch.einsum("nchw,kc->nkhw", last, model.classifier.weight)
    logits = maps.mean((2, 3)) + model.classifier.bias
    return logits.cpu(), maps.cpu()
