"""The live bytes of one block while it runs: inference, forward with what is saved, and backward."""

from collections.abc import Callable
from functools import lru_cache, partial
from typing import NamedTuple

from triscale.costs.memory.eager import Eager, Map, Storage, Way
from triscale.costs.memory.layer_allocations import activation, chain, max_pool, mean, padded, then, unit
from triscale.costs.memory.onednn import FLOAT
from triscale.spec import Block
from triscale.spec.rounding import pad_side

_ENDS = ("stem", "head", "classifier")


class Footprint(NamedTuple):
    """Bytes of one block. Peaks count above what lives when the pass starts, its input (or gradient) included.

    Attributes:
        output: the block's output.
        inference_peak, forward_peak, backward_peak: the most that lives at once.
        forward, backward: what a pass adds and leaves (backward: gradients, minus all that forward saved).
        cached: of `forward`, what lives until the whole forward pass ends.
        gradients: those of the weights, which backward leaves.
        again_peak: `backward_peak` where these are added to others that live already.
        keeps_input: the block saves its input for backward.
        keeps_output: the block itself needs its output for backward.
    """

    output: int
    inference_peak: int
    forward_peak: int
    forward: int
    backward_peak: int
    backward: int
    cached: int
    gradients: int
    again_peak: int
    keeps_input: bool
    keeps_output: bool


@lru_cache(maxsize=1 << 16)
def footprint(block: Block, batch: int, way: Way, *, stochastic: bool) -> Footprint:
    """The live bytes of a block at a batch; `stochastic`: its branch passes stochastic depth."""

    def forward(run: Eager, x: Map) -> Map:
        ops = partial(_forward, run, block, x, stochastic=stochastic and run.training)
        return run.recomputed(ops, (x,)) if way.recompute and block.operator not in _ENDS else ops()

    return trace(forward, block, batch, way)


def trace(forward: Callable[[Eager, Map], Map], first: Block, batch: int, way: Way) -> Footprint:
    """The live bytes of whatever takes the input of the block `first` and returns what its caller holds."""
    inference, training = Eager(batch, way, training=False), Eager(batch, way, training=True)
    forward(inference, _input(inference, first))
    x = _input(training, first)
    y = forward(training, x)
    keeps_input, keeps_output = x.storage.holders > 1, y.storage.holders > 1
    added, forward_peak, cached = training.live, training.peak, training.cached
    y.storage.holders -= 1  # what the caller does with it is not the block's
    y.gradient = Storage(y.size)
    training.live = training.peak = training.peak_again = 0
    training.backward()
    return Footprint(
        y.size, inference.peak, forward_peak, added, training.peak, training.live, cached,
        training.gradients, training.peak_again, keeps_input, keeps_output,
    )  # fmt: skip


def _input(run: Eager, block: Block) -> Map:
    pictures = block.operator == "stem"  # which no autocast has touched
    size = run.bytes(block.in_channels, *block.input) * (FLOAT // run.item if pictures else 1)
    return Map(Storage(size), needs_gradient=not pictures)


def _forward(run: Eager, block: Block, x: Map, *, stochastic: bool) -> Map:
    match block.operator:
        case "stem":
            return _stem(run, block, x)
        case "head" | "classifier":
            return _head(run, block, x)
        case _:
            return _residual(run, block, x, stochastic=stochastic)


def _stem(run: Eager, block: Block, x: Map) -> Map:
    """The convolutions and, if any, the max pooling."""
    y = chain(run, x, block.layers)
    if block.pool:
        size = block.layers[-1].output
        top, bottom, left, right = (pad for side in size for pad in pad_side(side, 3, 2, block.pool_padding))
        source = padded(run, y, size, (top, bottom, left, right))
        pooled = then(run, source, max_pool(run, source, run.bytes(block.out_channels, *block.output)))
        return then(run, y, pooled)
    return y


def _head(run: Eager, block: Block, x: Map) -> Map:
    """The convolution, norm or activation in front, if any, pooling, the linear layers and cross entropy."""
    vectors = [layer for layer in block.layers if layer.kind == "linear"]
    y = chain(run, x, block.layers[: -len(vectors)])
    if block.around == "activation":
        y = then(run, y, activation(run, y, block.activation, keeps_input=True))
    y = then(run, y, mean(run, y, block.inner_channels))
    logits = then(run, y, chain(run, y, vectors))
    if not run.training:
        return logits
    if run.item < FLOAT:
        logits = then(run, logits, run.op((logits,), FLOAT * logits.size // run.item))
    log_softmax = then(run, logits, run.op((logits,), logits.size, saves_output=True))
    return then(run, log_softmax, run.op((log_softmax,), 0, saves=(log_softmax,)))


def _residual(run: Eager, block: Block, x: Map, *, stochastic: bool) -> Map:
    """A branch and, if there is one, the skip around it: identity, or a projection of what the branch begins with."""
    layers = list(block.layers)
    shortcut = layers.pop() if layers[-1].role == "shortcut" else None
    entered = unit(run, x, layers.pop(0)) if layers[0].kind == "norm" else run.hold(x)
    y = chain(run, entered, layers)
    if block.skip:
        kept = unit(run, entered, shortcut) if shortcut else run.hold(x)
        branch = run.op((y,), y.size) if stochastic else run.hold(y)
        y = then(run, y, run.op((kept, branch), y.size, passes=True))
        run.free(kept, branch)
    if block.operator in ("basic", "bottleneck"):
        y = then(run, y, activation(run, y, block.activation))
    return then(run, entered, y)
