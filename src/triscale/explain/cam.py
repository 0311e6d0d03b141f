"""Exact class activation maps (Zhou et al., CVPR 2016; Figure 7 of the EfficientNet paper).

The networks end in global average pooling and a linear classifier, so the logit of a class is the mean over places of
`weight . features` plus a bias. The map is that quantity at each place: its mean plus the bias *is* the logit.
MobileNetV3 has a linear layer with an activation in between. Its activation is x times a gate of x, so that for one
picture, with the gates as they stand, the logit is again linear in the features, and the map again exact.
"""

import torch
from torch import Tensor

from triscale.nn import Model


@torch.inference_mode()
def class_activation_maps(model: Model, pictures: Tensor) -> tuple[Tensor, Tensor]:
    """Logits and the map of every class, in evaluation mode.

    Args:
        model: any built network.
        pictures: [n, channels, h, w], preprocessed.

    Returns:
        logits [n, classes], and maps [n, classes, h', w'] whose mean is the logit minus what the biases give to it.
    """
    model.eval()
    last = model.forward_features(pictures)
    if not model.hidden:
        maps = torch.einsum("nchw,kc->nkhw", last, model.classifier.weight)
        return maps.mean((2, 3)) + model.classifier.bias, maps
    linear = model.hidden[0]
    before = linear(last.mean((2, 3)))
    after = model.hidden[1](before)
    gates = torch.where(before == 0, 0, after / before)
    seen = torch.einsum("nchw,dc->ndhw", last, linear.weight) * gates[:, :, None, None]
    return model.classifier(after), torch.einsum("ndhw,kd->nkhw", seen, model.classifier.weight)
