"""Steps that go faster another way: a map between two is never whole, weights take a gate, tiles are transformed."""

from collections import Counter
from dataclasses import replace

from triscale.runtime.drafting import Steps
from triscale.runtime.steps import Combine, Convolve, Depthwise, Map, Ring, Step, read
from triscale.runtime.winograd import pays


def fused(steps: Steps, lanes: int) -> Steps:
    """The same network in fewer steps, for registers of so many lanes."""
    return _transformed(_gated(_ringed(steps)), lanes)


def _transformed(given: Steps, lanes: int) -> Steps:
    """Convolutions of maps in panels are made in fewer multiplications where that is faster."""
    steps = (
        replace(step, winograd=True)
        if isinstance(step, Convolve) and not given.maps[step.x].planes and pays(step.layer, lanes)
        else step
        for step in given.steps
    )
    return Steps(tuple(steps), given.maps)


def _readers(steps: tuple[Step, ...]) -> Counter[int]:
    return Counter(one for step in steps for one in read(step))


def _ringed(given: Steps) -> Steps:
    """A convolution and a depthwise one behind it, where nobody else reads the map between them, become one step."""
    readers, maps = _readers(given.steps), list(given.maps)
    found: list[Step] = []
    for step in given.steps:
        last = found[-1] if found else None
        if (
            isinstance(step, Depthwise) and isinstance(last, Convolve)
            and last.y == step.x and readers[step.x] == 1 and last.residual is None and last.layer.groups == 1
        ):  # fmt: skip
            found[-1] = Ring(name=step.name, first=last, second=step)
            maps[step.x] = maps[step.x]._replace(ring=step.layer.kernel)
        else:
            found.append(step)
    return Steps(tuple(found), tuple(maps))


def _gated(given: Steps) -> Steps:
    """A gate in front of a 1x1 convolution multiplies its weights where they are fewer than the pixels."""
    readers, maps = _readers(given.steps), list(given.maps)
    found: list[Step] = []
    for step in given.steps:
        last = found[-1] if found else None
        if isinstance(step, Convolve) and isinstance(last, Combine) and _may_gate(last, step, readers):
            maps[last.y] = Map(f"{step.name}.gated", step.layer.out_channels, (step.layer.in_channels + 1, 1))
            found[-1] = replace(step, x=last.x, gate=last.gate, gated=last.y)
        else:
            found.append(step)
    return Steps(tuple(found), tuple(maps))


def _may_gate(gate: Combine, step: Convolve, readers: Counter[int]) -> bool:
    layer = step.layer
    return (
        gate.y == step.x and readers[step.x] == 1 and gate.gate is not None
        and gate.residual is None and gate.activation is None and gate.norm is None
        and layer.kernel == layer.stride == layer.groups == 1
        and layer.out_channels < layer.output[0] * layer.output[1]
    )  # fmt: skip
