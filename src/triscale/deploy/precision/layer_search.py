"""Which layers go back to float32 where int8 loses too much: those without whose quantisation answers change least."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from time import monotonic

import torch
from torch import Tensor

from triscale.deploy.exported import RunLogits
from triscale.deploy.precision.calibration_images import CalibrationImages
from triscale.deploy.precision.quantizer import Quantizer

Logits = Callable[[Tensor], Tensor]

RANKED_ON = 64
"""Calibration images that layers are compared on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Deadline:
    """When a search for layers ends."""

    at: float

    @property
    def passed(self) -> bool:
        """Whether the time is up."""
        return monotonic() >= self.at


def deadline(seconds: float) -> Deadline:
    """So many seconds from now."""
    return Deadline(at=monotonic() + seconds)


def divergence(truth: Tensor, found: Tensor) -> float:
    """Mean Kullback-Leibler divergence of answers from true ones, of logits [n, classes]: 0 where they are equal."""
    one, other = (logits.double().log_softmax(1) for logits in (truth, found))
    return float((one.exp() * (one - other)).sum(1).mean())


def costly_layers(
    quantizer: Quantizer,
    answering: Callable[[RunLogits], Logits],
    truth: Logits,
    images: CalibrationImages,
    until: Deadline,
) -> list[str]:
    """The layers of a graph, first those whose quantisation costs most on calibration images.

    The cost of a layer is how much nearer to float32 the answers are when it alone is back in it, see
    `Quantizer.together`.

    Args:
        quantizer: of the graph.
        answering: from what runs a graph to its logits.
        truth: the logits in float32.
        images: that calibrate; the first `RANKED_ON` are used.
        until: layers that are not reached by then come last, in the order of the graph.
    """
    given = images.images[:RANKED_ON]
    wanted = truth(given)
    left: dict[str, float] = {}
    for layer in quantizer.layers:
        if until.passed:
            break
        left[layer] = divergence(wanted, answering(quantizer.running((layer,)))(given))
    ranked = sorted(left, key=lambda layer: left[layer])
    return ranked + [layer for layer in quantizer.layers if layer not in left]


def growing_sets(quantizer: Quantizer, ranked: Sequence[str], until: Deadline) -> Iterator[tuple[str, ...]]:
    """The 1, 2, 4, ... most costly layers with what goes back with them.

    At most half of all layers, since beyond that little of a network is in int8.
    """
    size = 1
    while not until.passed:
        kept = quantizer.together(ranked[:size])
        if 2 * len(kept) > len(ranked):
            return
        yield kept
        size *= 2


def changed_answers(truth: Logits, found: Logits, images: CalibrationImages) -> float:
    """The part of the calibration images whose most probable class is another one."""
    differs = truth(images.images).argmax(1) != found(images.images).argmax(1)
    return float(torch.mean(differs.double()))
