"""Weights for other pictures and other classes than they were trained on; what was learned is kept."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from triscale.errors import UsageError
from triscale.nn import build
from triscale.weights.checkpoint import Checkpoint


def with_input_channels(checkpoint: Checkpoint, channels: int) -> Checkpoint:
    """The checkpoint for pictures of another number of channels; mean and std are repeated, or averaged for one.

    The rule is timm's (`adapt_input_conv`): for one channel the kernels are summed over the channels, so that a grey
    picture gives what it gave as RGB; for n of them they are repeated in turn and scaled by old / n, so that a picture
    whose channels are all alike gives what it gave before, exactly if n is a multiple of the old number.

    Raises:
        UsageError: fewer than one channel.
    """
    if channels < 1:
        raise UsageError(f"a picture of {channels} channels cannot be.")
    network, how = checkpoint.spec, checkpoint.preprocessing
    if channels == network.input_channels:
        return checkpoint
    first = "stem.deep.0.conv.weight" if network.stem.deep else "stem.conv.weight"
    state = {**checkpoint.state, first: _adapted(checkpoint.state[first], channels)}
    colours = {name: for_channels(getattr(how, name), channels) for name in ("mean", "std")}
    return replace(
        checkpoint,
        network=replace(network, input_channels=channels),
        state=state,
        preprocessing=replace(how, mean=colours["mean"], std=colours["std"]),
    )


def with_new_head(checkpoint: Checkpoint, classes: Sequence[str]) -> Checkpoint:
    """The checkpoint for other classes: a fresh classifier, all else as it was. Uses torch's random numbers.

    Raises:
        UsageError: fewer than two classes.
    """
    if len(classes) < 2:
        raise UsageError(f"{len(classes)} classes leave nothing to tell apart; give at least two.")
    network = replace(checkpoint.spec, classes=len(classes))
    fresh = build(network).classifier.state_dict()
    state = {**checkpoint.state, **{f"classifier.{name}": tensor for name, tensor in fresh.items()}}
    return replace(checkpoint, network=network, state=state, classes=tuple(classes))


def _adapted(weight: Tensor, channels: int) -> Tensor:
    """[out, in, k, k] -> [out, channels, k, k]."""
    if channels == 1:
        return weight.sum(1, keepdim=True)
    before = weight.shape[1]
    order = torch.arange(channels) % before
    return weight[:, order] * (before / channels)


def for_channels(values: tuple[float, ...], channels: int) -> tuple[float, ...]:
    """Mean or std of another number of channels: averaged for one, repeated in turn for more."""
    if channels == 1:
        return (sum(values) / len(values),)
    return tuple(values[index % len(values)] for index in range(channels))
