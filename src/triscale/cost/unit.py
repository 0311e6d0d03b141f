"""What the layers allocate, forward and backward, as torch runs them eagerly in fp32.

What is modelled is mechanism: what each caller and each saved tensor still holds, what each backward function allocates
before it lets go, and oneDNN's copies of maps and weights in its blocked layout. Every function returns a map that its
caller holds; the map it is given stays the caller's.
"""

from collections.abc import Iterable

from triscale.cost.eager import FLOAT, Eager, Map
from triscale.spec import Activation, Gate, Layer, Size

_LANES = 16
"""oneDNN groups channels by 16 (AVX-512)."""
_INDEX = 8
_IN_PLACE: tuple[Activation | Gate, ...] = ("relu",)
"""These overwrite their input and need their output for backward; the others need their input."""


def chain(run: Eager, x: Map, layers: Iterable[Layer]) -> Map:
    """The layers in the order of the data; each one's input lives until it returns."""
    run.hold(x)
    rest = iter(layers)
    for layer in rest:
        x = _then(run, x, squeeze_excite(run, x, layer, next(rest)) if layer.role == "squeeze" else unit(run, x, layer))
    return x


def unit(run: Eager, x: Map, layer: Layer) -> Map:
    """Convolution, norm, activation, as far as the layer has them."""
    y = run.hold(x)
    if layer.kind == "conv":
        y = _then(run, y, convolution(run, y, layer))
    elif layer.kind == "linear":
        y = _then(run, y, linear(run, y, layer))
    if layer.norm:
        y = _then(run, y, norm(run, y, layer.out_channels))
    return _then(run, y, activation(run, y, layer.activation)) if layer.activation else y


def convolution(run: Eager, x: Map, layer: Layer) -> Map:
    """A convolution; the most that it holds is input, weights and output blocked, or the output in both layouts."""
    x = padded(run, x, layer.in_channels, layer.input, layer.pad)
    weights = FLOAT * layer.out_channels * (layer.in_channels // layer.groups) * layer.kernel**2
    # a picture's few channels are read where they lie
    blocked_in = x.size * _blocked(layer.in_channels) // layer.in_channels if layer.in_channels > 4 else 0
    output, blocked_out = (run.bytes(c, *layer.output) for c in (layer.out_channels, _blocked(layer.out_channels)))
    blocked = blocked_in + weights + blocked_out
    y = run.op(
        (x,), output, saves=(x,),
        workspace=max(blocked, blocked_out + output),
        parameters=weights + FLOAT * layer.bias * layer.out_channels,
        backward_workspace=max(blocked, 2 * weights) + (x.size if x.needs_gradient else 0),
    )  # fmt: skip
    run.free(x)
    return y


def padded(run: Eager, x: Map, channels: int, size: Size, pad: tuple[int, int, int, int]) -> Map:
    """Where the padding differs between the sides, a padded copy; else x itself, as the op pads by itself."""
    top, bottom, left, right = pad
    if top == bottom and left == right:
        return run.hold(x)
    return run.op((x,), run.bytes(channels, size[0] + top + bottom, size[1] + left + right))


def max_pool(run: Eager, x: Map, output: int) -> Map:
    """Saves its input and where each maximum was; `output` in bytes."""
    return run.op((x,), output, saves=(x,), extra=output // FLOAT * _INDEX)


def norm(run: Eager, x: Map, channels: int) -> Map:
    """Batch norm: saves its input, mean and deviation; its backward holds two maps for a moment."""
    vectors = 2 * FLOAT * channels
    return run.op((x,), x.size, saves=(x,), extra=vectors, parameters=vectors, backward_workspace=2 * x.size)


def activation(run: Eager, x: Map, name: Activation | Gate) -> Map:
    """In place, or on a map of its own."""
    return run.op((x,), None, saves_output=True) if name in _IN_PLACE else run.op((x,), x.size, saves=(x,))


def linear(run: Eager, x: Map, layer: Layer) -> Map:
    """A linear layer on a vector for each picture."""
    weights = FLOAT * (layer.in_channels + 1) * layer.out_channels
    return run.op((x,), run.bytes(layer.out_channels), saves=(x,), parameters=weights)


def mean(run: Eager, x: Map, channels: int) -> Map:
    """Global average pooling; its backward spreads a vector over the map."""
    return run.op((x,), run.bytes(channels))


def squeeze_excite(run: Eager, x: Map, squeeze: Layer, excite: Layer) -> Map:
    """Pool, two 1x1 convolutions, multiply; backward makes both factors' gradients as large as the map at first."""
    gate = mean(run, x, squeeze.in_channels)
    for layer in (squeeze, excite):
        gate = _then(run, gate, unit(run, gate, layer))
    y = run.op((x, gate), x.size, saves=(x, gate), backward_workspace=2 * x.size)
    run.free(gate)
    return y


def _then(run: Eager, before: Map, after: Map) -> Map:
    """The caller lets the input go once the output is there."""
    run.free(before)
    return after


def _blocked(channels: int) -> int:
    return -(-channels // _LANES) * _LANES
