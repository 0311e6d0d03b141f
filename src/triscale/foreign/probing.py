"""The probe: logits of one fixed image, by which a checkpoint knows whether the code still computes what it did.

A fingerprint sees other tensors and other convolutions; another activation, norm or order of layers shows here only.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from triscale.errors import InputError
from triscale.foreign.building import ForeignModel, run
from triscale.spec import ForeignNetwork

TOLERANCE = 1e-3
"""Largest difference of a logit, relative to the largest; kernels of other processors stay far below."""


def probe_image(network: ForeignNetwork) -> Tensor:
    """[1, input channels, h, w]: waves of unit size, a function of channel, row and column alone."""
    height, width = network.resolution
    channel = torch.arange(1.0, network.input_channels + 1, dtype=torch.float64).reshape(-1, 1, 1)
    row = torch.arange(height, dtype=torch.float64).reshape(1, -1, 1)
    column = torch.arange(width, dtype=torch.float64).reshape(1, 1, -1)
    return (torch.sin(row * (0.7 * channel)) + torch.cos(column * (0.3 * channel) + row)).float()[None]


@torch.no_grad()
def probe(model: ForeignModel) -> tuple[float, ...]:
    """The logits of the probe image, in evaluation mode and fp32; the model is left in the mode that it was in.

    Raises:
        InputError: it fails, or its logits are not finite.
    """
    training = model.training
    parameter = next(model.parameters())
    try:
        logits = run(model.eval(), probe_image(model.network).to(parameter.device, parameter.dtype))[0].float()
    finally:
        model.train(training)
    if not bool(torch.isfinite(logits).all()):
        raise InputError(f"{model.network.path} returns logits that are not finite; its weights are broken.")
    return tuple(logits.tolist())


def require_probe(model: ForeignModel, expected: Sequence[float]) -> None:
    """InputError unless the model gives the logits that it gave when the checkpoint was written."""
    found = probe(model)
    largest = max(abs(one) for one in expected) or 1.0
    far = max((abs(one - other) for one, other in zip(found, expected, strict=False)), default=0.0)
    if len(found) != len(expected) or far > TOLERANCE * largest:
        raise InputError(
            f"the code of {model.network.path} changed: with the same weights it gives other logits ({far:.2g} off).\n"
            "Restore the code that these weights were trained with."
        )
