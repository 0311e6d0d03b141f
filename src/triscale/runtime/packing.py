"""Weights in the order in which the kernels read them: one blob of floats, and where each step's begin."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from triscale.layer_weights import Floats, LayerWeights
from triscale.runtime.arena import Plan
from triscale.runtime.blocking import FLOAT, Place, Widths, is_gathered, panels, ring_widths, widths
from triscale.runtime.steps import Combine, Convolve, Depthwise, Ring, Step
from triscale.runtime.winograd import MATRICES, widths_of_tiles, winograd_weights
from triscale.spec import Layer

LINE = 16
"""Floats of a cache line, on which everything begins."""


class Packed(NamedTuple):
    """The weights of a network.

    Attributes:
        blob: float32, everything one after the other; offsets of inputs are int32 in the same place.
        offsets: of each step's weights in the blob, in floats; None: it has none.
    """

    blob: Floats
    offsets: tuple[int | None, ...]


def weights_of(plan: Plan) -> int:
    """How many weights the convolutions have, biases and padding left out."""
    both = ((step.first, step.second) if isinstance(step, Ring) else (step,) for step in plan.steps)
    return sum(_weights(step) for pair in both for step in pair if isinstance(step, Convolve | Depthwise))


def _weights(step: Convolve | Depthwise) -> int:
    layer = step.layer
    taps = MATRICES if isinstance(step, Convolve) and step.winograd else layer.kernel**2
    return layer.out_channels * layer.in_channels // layer.groups * taps


def pack(plan: Plan, weights: LayerWeights) -> Packed:
    """The blob of a plan.

    Raises:
        InputError: the weights are of another network.
    """
    parts: list[Floats] = []
    offsets: list[int | None] = []
    size = 0
    for step in plan.steps:
        found = [part.astype(np.float32).ravel() for part in _of_step(plan, step, weights)]
        offsets.append(size if found else None)
        for part in found:
            parts += [part, np.zeros(-len(part) % LINE, dtype=np.float32)]
            size += len(part) + len(parts[-1])
    return Packed(np.concatenate(parts), tuple(offsets))


def _of_step(plan: Plan, step: Step, weights: LayerWeights) -> Iterator[Floats]:
    match step:
        case Convolve(layer=layer) if is_gathered(layer, plan.lanes):
            yield gathered_weights(*_folded(weights, step), layer, plan.lanes)
            yield gathered_offsets(layer, plan.places[step.x], plan.lanes)
        case Convolve(winograd=True):
            yield winograd_weights(*_folded(weights, step), plan.lanes, widths_of(plan, step))
        case Convolve():
            yield _product(plan, step, weights, widths_of(plan, step))
        case Ring():
            yield _product(plan, step.first, weights, ring_widths_of(plan, step))
            yield depthwise_weights(*_folded(weights, step.second), plan.lanes)
        case Depthwise():
            yield depthwise_weights(*_folded(weights, step), plan.lanes)
        case Combine(norm=str(norm), layer=Layer() as layer):
            of = weights.norm(norm, layer)
            factor = of.scale.astype(np.float64) / np.sqrt(of.variance.astype(np.float64) + plan.network.norm.eps)
            parts = factor, of.bias - of.mean * factor
            yield np.concatenate([_padded(part.astype(np.float32), plan.lanes) for part in parts])


def widths_of(plan: Plan, step: Convolve) -> Widths:
    """Panels of outputs at a time."""
    layer = step.layer
    if step.winograd:
        return widths_of_tiles(layer, plan.lanes)
    return widths(panels(layer.out_channels // layer.groups, plan.lanes), layer.output[0] * layer.output[1])


def ring_widths_of(plan: Plan, step: Ring) -> Widths:
    """Panels at a time in a ring."""
    return ring_widths(panels(step.first.layer.out_channels, plan.lanes), plan.places[step.first.y].panel * FLOAT)


def _product(plan: Plan, step: Convolve, weights: LayerWeights, wide: Widths) -> Floats:
    return product_weights(*_folded(weights, step), step.layer, plan.places[step.x].block, plan.lanes, wide)


def _folded(weights: LayerWeights, step: Convolve | Depthwise) -> tuple[Floats, Floats]:
    """Weight [out, in / groups, k, k] and bias [out]."""
    weight, bias = weights.folded(step.conv, step.norm, step.layer)
    weight = weight.reshape(*weight.shape[:2], step.layer.kernel, step.layer.kernel)
    return weight, np.zeros(len(weight), np.float32) if bias is None else bias


def _padded(values: Floats, lanes: int) -> Floats:
    """With zeros up to whole panels along the first axis."""
    missing = -len(values) % lanes
    return np.concatenate([values, np.zeros((missing, *values.shape[1:]), values.dtype)])


def product_weights(weight: Floats, bias: Floats, layer: Layer, block: int, lanes: int, wide: Widths) -> Floats:
    """For each group and each panels of outputs: bias, then [panel of inputs][i][j][channel][outputs].

    Args:
        weight: [out, in / groups, k, k].
        bias: [out].
        layer: whose they are.
        block: channels of a panel of inputs.
        lanes: channels of a panel of outputs.
        wide: panels of outputs at a time.
    """
    parts: list[Floats] = []
    for group in range(layer.groups):
        outputs = layer.out_channels // layer.groups
        chosen = slice(group * outputs, (group + 1) * outputs)
        whole, shift = _padded(weight[chosen], lanes), _padded(bias[chosen], lanes)
        at, count = 0, wide.first * lanes
        while at < len(whole):
            piece = slice(at, at + count)
            parts.append(shift[piece])
            inputs = (whole[piece, first : first + block] for first in range(0, whole.shape[1], block))
            parts += [part.transpose(2, 3, 1, 0).ravel() for part in inputs]
            at, count = at + count, wide.wide * lanes
    return np.concatenate(parts)


def depthwise_weights(weight: Floats, bias: Floats, lanes: int) -> Floats:
    """For each panel: bias, then [i][j]. Weight [channels, 1, k, k], bias [channels]."""
    taps = np.concatenate([bias[:, None], weight.reshape(len(weight), -1)], axis=1)
    whole = _padded(taps, lanes).reshape(-1, lanes, taps.shape[1])
    return whole.transpose(0, 2, 1).ravel()


def gathered_weights(weight: Floats, bias: Floats, layer: Layer, lanes: int) -> Floats:
    """For each panel of outputs: bias, then [i][j][input of a group][lane]."""
    taps = weight.transpose(0, 2, 3, 1).reshape(layer.out_channels, -1)
    whole = _padded(np.concatenate([bias[:, None], taps], axis=1), lanes)
    return whole.reshape(-1, lanes, whole.shape[1]).transpose(0, 2, 1).ravel()


def gathered_offsets(layer: Layer, place: Place, lanes: int) -> Floats:
    """[panel][input of a group][lane]: where a lane's input lies, in floats from the first panel; int32 as floats."""
    inputs, outputs = layer.in_channels // layer.groups, layer.out_channels // layer.groups
    lane = np.minimum(np.arange(panels(layer.out_channels, lanes) * lanes), layer.out_channels - 1)
    channel = (lane // outputs * inputs)[:, None] + np.arange(inputs)
    offsets = channel // place.block * place.panel + channel % place.block
    return offsets.reshape(-1, lanes, inputs).transpose(0, 2, 1).astype(np.int32).view(np.float32).ravel()
