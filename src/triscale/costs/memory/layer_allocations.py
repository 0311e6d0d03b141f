"""What the layers allocate, forward and backward, as torch runs them eagerly in fp32 or under autocast to bfloat16.

What is modelled is mechanism: what each caller and each saved tensor still holds, what each backward function allocates
before it lets go, and what the kernels of a machine take beside it. Every function returns a map that its caller holds;
the map it is given stays the caller's.
"""

from collections.abc import Iterable, Sequence

from triscale.costs.memory.eager import Eager, Map
from triscale.costs.memory.onednn import FLOAT, workspace
from triscale.spec import Activation, Gate, Layer, Size

_INDEX = 8
"""Bytes of a position."""
_OF_OUTPUT: tuple[Activation | Gate, ...] = ("relu", "sigmoid")
"""Their backward needs their output; that of the others needs their input."""


def chain(run: Eager, x: Map, layers: Iterable[Layer]) -> Map:
    """The layers in the order of the data; each one's input lives until it returns."""
    run.hold(x)
    rest = iter(layers)
    for layer in rest:
        x = then(run, x, squeeze_excite(run, x, layer, next(rest)) if layer.role == "squeeze" else unit(run, x, layer))
    return x


def unit(run: Eager, x: Map, layer: Layer) -> Map:
    """Convolution, norm, activation, as far as the layer has them."""
    y = run.hold(x)
    if layer.kind == "conv":
        y = then(run, y, convolution(run, y, layer))
    elif layer.kind == "linear":
        y = then(run, y, linear(run, y, layer))
    if layer.norm:
        y = then(run, y, norm(run, y, layer.out_channels))
    return then(run, y, activation(run, y, layer.activation)) if layer.activation else y


def convolution(run: Eager, x: Map, layer: Layer) -> Map:
    """A convolution; its kernels may hold more while they run."""
    given = padded(run, x, layer.input, layer.pad)
    pictures = run.item < FLOAT and not x.needs_gradient  # autocast copies them too
    x = run.op((given,), run.item * given.size // FLOAT) if pictures else run.hold(given)
    output, (forward, backward) = run.bytes(layer.out_channels, *layer.output), _workspaces(run, x, layer)
    weights = layer.kernel**2 * layer.out_channels * (layer.in_channels // layer.groups)
    parameters, copied = _learned(run, weights + layer.bias * layer.out_channels)
    y = run.op(
        (x,), output, saves=(x,), workspace=forward, backward_workspace=backward, parameters=parameters, copied=copied
    )
    run.free(x, given)
    return y


def _workspaces(run: Eager, x: Map, layer: Layer) -> tuple[int, int]:
    if run.kernels is None:
        return 0, 0
    return workspace(layer, run.batch, run.kernels, run.item, needs_gradient=x.needs_gradient)


def padded(run: Eager, x: Map, size: Size, pad: tuple[int, int, int, int]) -> Map:
    """Where the padding differs between the sides, a padded copy; else x itself, as the op pads by itself."""
    top, bottom, left, right = pad
    if top == bottom and left == right:
        return run.hold(x)
    height, width = size
    return run.op((x,), x.size // (height * width) * (height + top + bottom) * (width + left + right))


def max_pool(run: Eager, x: Map, output: int) -> Map:
    """Saves its input and where each maximum was; `output` in bytes."""
    return run.op((x,), output, saves=(x,), extra=output // run.item * _INDEX)


def average_pool(run: Eager, x: Map, output: int) -> Map:
    """Saves its input, although its backward needs the size alone; `output` in bytes."""
    return run.op((x,), output, saves=(x,))


def concatenated(run: Eager, maps: Sequence[Map]) -> Map:
    """Channels side by side; backward hands out views of its gradient."""
    return run.op(maps, sum(one.size for one in maps), passes=True)


def norm(run: Eager, x: Map, channels: int) -> Map:
    """Batch norm: saves its input, mean and deviation; the kernel of its backward holds two maps for a moment."""
    vectors, scratch = 2 * FLOAT * channels, 2 * x.size if run.kernels else 0
    return run.op((x,), x.size, saves=(x,), extra=vectors, parameters=vectors, backward_workspace=scratch)


def activation(run: Eager, x: Map, name: Activation | Gate, *, keeps_input: bool = False) -> Map:
    """ReLU alone works in place, unless it `keeps_input`."""
    in_place, of_output = name == "relu" and not keeps_input, name in _OF_OUTPUT
    return run.op((x,), None if in_place else x.size, saves=() if of_output else (x,), saves_output=of_output)


def linear(run: Eager, x: Map, layer: Layer) -> Map:
    """A linear layer on a vector for each image."""
    parameters, copied = _learned(run, (layer.in_channels + 1) * layer.out_channels)
    return run.op((x,), run.bytes(layer.out_channels), saves=(x,), parameters=parameters, copied=copied)


def mean(run: Eager, x: Map, channels: int) -> Map:
    """Global average pooling, by a copy in float32 where the map is in less; backward spreads a vector over the map."""
    output = run.bytes(channels)
    copy = FLOAT * (x.size + output) // run.item + output if run.item < FLOAT and run.kernels else 0
    return run.op((x,), output, workspace=copy)


def squeeze_excite(run: Eager, x: Map, squeeze: Layer, excite: Layer) -> Map:
    """Pool, two 1x1 convolutions, multiply; backward makes both factors' gradients as large as the map at first."""
    gate = mean(run, x, squeeze.in_channels)
    for layer in (squeeze, excite):
        gate = then(run, gate, unit(run, gate, layer))
    y = run.op((x, gate), x.size, saves=(x, gate), backward_workspace=2 * x.size)
    run.free(gate)
    return y


def then(run: Eager, before: Map, after: Map) -> Map:
    """The caller lets the input go once the output is there."""
    run.free(before)
    return after


def _learned(run: Eager, weights: int) -> tuple[int, int]:
    """Bytes of the gradients of so many weights, and of the copies that autocast makes of the weights."""
    return FLOAT * weights, run.item * weights if run.item < FLOAT else 0
