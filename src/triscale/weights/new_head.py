"""Weights for other images and other classes than they were trained on; what was learned is kept."""

from dataclasses import replace

import torch
from torch import Tensor

from triscale.errors import UsageError
from triscale.foreign import ForeignModel, last_layer_prefix
from triscale.weights.checkpoint import AnyModel, Checkpoint
from triscale.weights.read.strict import refuse_differences, shapes

CLASSIFIER = "classifier."
"""How the names of the last layer's weights begin."""


def with_input_channels(checkpoint: Checkpoint, channels: int) -> Checkpoint:
    """The checkpoint for images of another number of channels; mean and std are repeated, or averaged for one.

    The rule is timm's (`timm.models.adapt_input_conv`): for one channel the kernels are summed over the channels, so
    that a grey image gives what it gave as RGB; for n of them they are repeated in turn and scaled by old / n, so
    that an image whose channels are all alike gives what it gave before, exactly if n is a multiple of the old number.

    Raises:
        UsageError: fewer than one channel.
    """
    if channels < 1:
        raise UsageError(f"an image has at least 1 channel, not {channels}.")
    network = checkpoint.spec
    if channels == network.input_channels:
        return checkpoint
    first = "stem.deep.0.conv.weight" if network.stem.deep else "stem.conv.weight"
    return replace(
        checkpoint,
        network=replace(network, input_channels=channels),
        state={**checkpoint.state, first: _adapted(checkpoint.state[first], channels)},
        preprocessing=checkpoint.preprocessing.for_channels(channels),
    )


def begin_with(model: AnyModel, checkpoint: Checkpoint, *, classifier: bool) -> None:
    """Give a model the weights of a checkpoint of the same network; what the checkpoint lacks stays as it is.

    This is the one way to a new classifier: that of the model, which is fresh, stays.

    Args:
        model: changed in place.
        checkpoint: whose classes may be others, without its classifier.
        classifier: whether its classifier is taken too.

    Raises:
        InputError: the weights do not belong to the network; up to ten names are listed. Or it is not known which
            layer of a foreign network gives the classes.
    """
    own = model.state_dict()
    last = "" if classifier else last_layer_prefix(model) if isinstance(model, ForeignModel) else CLASSIFIER
    taken, wanted = (
        {name: one for name, one in some.items() if classifier or not name.startswith(last)}
        for some in (checkpoint.state, own)
    )
    lacking = set(wanted) - set(taken) if checkpoint.lacks else set()
    refuse_differences(shapes(taken), {name: shape for name, shape in shapes(wanted).items() if name not in lacking})
    model.load_state_dict({**own, **taken})


def _adapted(weight: Tensor, channels: int) -> Tensor:
    """[out, in, k, k] -> [out, channels, k, k]."""
    if channels == 1:
        return weight.sum(1, keepdim=True)
    before = weight.shape[1]
    order = torch.arange(channels) % before
    return weight[:, order] * (before / channels)
