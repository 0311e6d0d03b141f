"""What the time of a compiled network depends on: the terms of each of its steps, as `triscale.runtime` cuts them.

The steps are those that the network is compiled to, so joined layers are one kernel, and what transformed tiles save is
counted. Each term is at least 0, as in `kernel_features`.
"""

from functools import lru_cache

from triscale.latency.predictor.kernel_features import KERNEL_SIDES, Kernel
from triscale.runtime.blocking import FLOAT, Widths, is_gathered, panels, ring_widths, widths
from triscale.runtime.drafting import steps_of
from triscale.runtime.fusing import fused
from triscale.runtime.steps import Combine, Convolve, Depthwise, Enter, Leave, Map, MaxPool, Mean, Ring, Step
from triscale.runtime.winograd import MATRICES, tiles_of
from triscale.spec import Layer, Network

_NEAR = 24 * 1024
"""Bytes of weights that stay in the innermost cache while all pixels pass."""

_FAR = 1 << 18
"""Floats of maps that no near cache holds."""

_FREE = (None, "relu")
"""Activations that take no time: a maximum on the way to memory."""

Terms = dict[str, float]
Maps = tuple[Map, ...]


@lru_cache(maxsize=64)
def step_kernels(network: Network, lanes: int) -> tuple[Kernel, ...]:
    """A kernel for each step of a compiled network, in their order; its role is the step's number and name.

    Raises:
        InputError: the network has a block that the runtime does not know.
    """
    steps, maps = fused(steps_of(network), lanes)
    return tuple(
        Kernel(kind, step_name(number, step), terms)
        for number, step in enumerate(steps)
        for kind, terms in [_step(step, maps, lanes)]
    )


def step_name(number: int, step: Step) -> str:
    """What a step is called in a profile: names alone may come twice."""
    return f"{number} {step.name}"


def _step(step: Step, maps: Maps, lanes: int) -> tuple[str, Terms]:
    match step:
        case Convolve():
            return _convolution(step, maps, lanes)
        case Depthwise():
            return f"depthwise{_side(step.layer)}s{min(step.layer.stride, 2)}", _depthwise(step, lanes)
        case Ring():
            return _ring(step, maps, lanes)
        case _:
            return _simple(step, maps, lanes)


def _simple(step: MaxPool | Mean | Combine | Enter | Leave, maps: Maps, lanes: int) -> tuple[str, Terms]:
    elements = _floats(maps[step.x if isinstance(step, Mean | Leave) else step.y], lanes)
    terms = {"elements": elements, "one": 1.0}
    match step:
        case MaxPool():
            return "pool", terms | {"elements": elements * step.kernel**2}
        case Mean():
            return "mean", terms
        case Combine():
            behind = _activation(step.activation, elements)
            return "combine", terms | behind | {"residual": elements * (step.residual is not None)}
        case _:
            return "copy", terms


def _convolution(step: Convolve, maps: Maps, lanes: int) -> tuple[str, Terms]:
    layer, left = step.layer, _floats(maps[step.y], lanes)
    inputs, pixels = layer.in_channels // layer.groups * layer.kernel**2, layer.output[0] * layer.output[1]
    outputs = panels(layer.out_channels // layer.groups, lanes)
    weights = float(inputs * outputs * layer.groups * lanes)
    behind = _activation(step.activation, left) | {"residual": left * (step.residual is not None), "one": 1.0}
    if is_gathered(layer, lanes):
        work = float(inputs * pixels * panels(layer.out_channels, lanes))
        return "grouped", behind | {"work": work, "out": left}
    if pixels == 1 and layer.kernel == 1:
        return "vector", behind | {"weights": weights, "outputs": left}
    behind |= {"gate": weights * (step.gate is not None)}
    if step.winograd:
        return "winograd", behind | _winograd(layer, outputs, lanes)
    kind = "stem" if maps[step.x].planes else "pointwise" if layer.kernel == 1 else "dense"
    return kind, behind | _product(layer, maps[step.x], widths(outputs, pixels), left, lanes)


def _product(layer: Layer, x: Map, cut: Widths, left: float, lanes: int) -> Terms:
    """Of a convolution whose tiles of pixels stay in registers; `left` floats are written."""
    inputs = layer.in_channels // layer.groups * layer.kernel**2
    outputs, (height, width) = panels(layer.out_channels // layer.groups, lanes), layer.output
    if layer.kernel == layer.stride == 1 and not x.planes and not x.ring:
        height, width = 1, height * width
    chunks = [cut.first, *[cut.wide] * (cut.chunks(outputs) - 1)]
    runs = [height * -(-width // _most_pixels(wide, lanes)) for wide in chunks]
    bytes_of = [inputs * wide * lanes * FLOAT for wide in chunks]
    again = sum(size * (count - 1) for size, count in zip(bytes_of, runs, strict=True) if size > _NEAR)
    work, taken = float(inputs * layer.groups * outputs * height * width), _floats(x, lanes)
    return {
        "work": work,
        "strided": work * (layer.stride > 1),
        "runs": float(inputs * layer.groups * sum(runs)),
        "tiles": float(layer.groups * sum(runs)),
        "weights": float(inputs * layer.groups * outputs * lanes),
        "again": float(layer.groups * again),
        "in": taken * len(chunks),
        "out": left,
        "far": max(0.0, taken + left - _FAR),
    }


def _winograd(layer: Layer, outputs: int, lanes: int) -> Terms:
    tiles, inputs = tiles_of(layer), panels(layer.in_channels, lanes)
    return {
        "work": float(MATRICES * layer.in_channels * outputs * tiles),
        "transforms": float((inputs + outputs) * tiles),
        "weights": float(MATRICES * layer.in_channels * outputs * lanes),
        "far": max(0.0, float((inputs + outputs) * tiles * 4 * lanes) - _FAR),
    }


def _depthwise(step: Depthwise, lanes: int) -> Terms:
    layer = step.layer
    blocks, (height, width) = panels(layer.out_channels, lanes), layer.output
    elements = float(blocks * height * width * lanes)
    return {
        "work": float(layer.kernel**2 * blocks * height * width),
        "rows": float(layer.kernel * blocks * height),
        "in": float(blocks * layer.input[0] * layer.input[1] * lanes),
        "out": elements,
        "mean": elements * (step.mean is not None),
        "panels": float(blocks),
        "one": 1.0,
    } | _activation(layer.activation, elements)


def _ring(step: Ring, maps: Maps, lanes: int) -> tuple[str, Terms]:
    """Both layers are one kernel: how its time is shared between them nobody sees."""
    first, second = step.first.layer, step.second.layer
    ring, x = maps[step.first.y], maps[step.first.x]
    height, width = second.input
    outputs = panels(second.in_channels, lanes)
    cut = ring_widths(outputs, second.kernel * width * lanes * FLOAT)
    made = float(outputs * height * width * lanes)
    by_rows = x._replace(ring=ring.ring)  # each row of the map between is made by itself
    before = _product(first, by_rows, cut, made, lanes) | _activation(step.first.activation, made)
    terms = {f"first.{name}": value for name, value in before.items()}
    kind = f"{'stem' if x.planes else ''}ring{_side(second)}s{min(second.stride, 2)}"
    return kind, terms | _depthwise(step.second, lanes)


def _activation(name: str | None, elements: float) -> Terms:
    return {} if name in _FREE else {str(name): elements}


def _floats(one: Map, lanes: int) -> float:
    """Of a map in memory."""
    channels = one.channels if one.planes else panels(one.channels, lanes) * lanes
    return float(channels * one.size[0] * one.size[1])


def _most_pixels(wide: int, lanes: int) -> int:
    """Pixels of a tile, as `kernels/convolve.h` has it for the registers of each instruction set."""
    if lanes == 16:
        return 24 if wide == 1 else (32 - wide - 2) // wide
    return (16 - wide - 1) // wide


def _side(layer: Layer) -> int:
    return min(KERNEL_SIDES, key=lambda one: abs(one - layer.kernel))
