"""The arena of a static plan: the maps that live at once where everything is known before the first image.

Engines that plan (and microcontrollers above all) fold norms into convolutions, apply a layer's activation as they
write its output, pad as they read, and let a map go after its last use. No sum and no product works in place.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from triscale.costs.target import TargetPrecision
from triscale.errors import UsageError
from triscale.spec import Block, Branch, Layer, Network, Resolved, resolve

ELEMENT: Mapping[TargetPrecision, int] = MappingProxyType({"float32": 4, "float16": 2, "bfloat16": 2, "int8": 1})
"""Bytes of an element of a map, and of an image."""


def arena(network: Network | Resolved, batch: int = 1, precision: TargetPrecision = "float32") -> int:
    """The most bytes of images, maps and logits that live at once; weights are not among them.

    No plan that runs these steps in this order takes less; one that places its maps with gaps takes more.

    Args:
        network: spec or resolved network.
        batch: images at once.
        precision: of images and maps.

    Raises:
        UsageError: the batch is below 1.
    """
    if batch < 1:
        raise UsageError(f"the batch is {batch}; give at least 1.")
    resolved = network if isinstance(network, Resolved) else resolve(network)
    return ELEMENT[precision] * batch * planned(resolved, Plan()).peak()


class Plan:
    """Ops in the order in which they run. Each makes one map, whose name is the number of its op."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.last_use: list[int] = []

    def op(self, inputs: Iterable[int], size: int) -> int:
        """An op that reads maps; the map that it makes, `size` elements of one image."""
        number = len(self.sizes)
        for one in inputs:
            self.last_use[one] = number
        self.sizes.append(size)
        self.last_use.append(number)
        return number

    def unit(self, x: int, layer: Layer) -> int:
        """A layer with the norm and the activation that follow it."""
        return self.op((x,), elements(layer))

    def alike(self, x: int) -> int:
        """An op that makes a map of the size of the one that it reads."""
        return self.op((x,), self.sizes[x])

    def peak(self) -> int:
        """The most elements that live while an op runs; what it reads and makes included."""
        ending = [0] * len(self.sizes)
        for size, last in zip(self.sizes, self.last_use, strict=True):
            ending[last] += size
        live = most = 0
        for made, ended in zip(self.sizes, ending, strict=True):
            live += made
            most = max(most, live)
            live -= ended
        return most


def elements(layer: Layer) -> int:
    """Elements of the map of one image that a layer makes."""
    return layer.out_channels * (1 if layer.kind == "linear" else layer.output[0] * layer.output[1])


def planned(resolved: Resolved, plan: Plan) -> Plan:
    """The plan, filled with the ops of a network."""
    network = resolved.network
    height, width = network.resolution
    x = previous = plan.op((), network.input_channels * height * width)
    for _, block in resolved.flat():
        if block.cell is None:
            x = previous = _block(plan, block, x)
        else:
            x, previous = _cell(plan, block, x, previous), x
    return plan


def _block(plan: Plan, block: Block, x: int) -> int:
    match block.operator:
        case "stem":
            y = _chain(plan, x, block.layers)
            return plan.op((y,), block.out_channels * block.output[0] * block.output[1]) if block.pool else y
        case "head" | "classifier":
            return _head(plan, block, x)
        case _:
            return _residual(plan, block, x)


def _head(plan: Plan, block: Block, x: int) -> int:
    vectors = [layer for layer in block.layers if layer.kind == "linear"]
    y = _chain(plan, x, block.layers[: -len(vectors)])
    if block.around == "activation":
        y = plan.alike(y)
    return _chain(plan, plan.op((y,), block.inner_channels), vectors)


def _residual(plan: Plan, block: Block, x: int) -> int:
    """A branch and, if there is one, the skip around it: identity, or a projection of what the branch begins with."""
    layers = list(block.layers)
    shortcut = layers.pop() if layers[-1].role == "shortcut" else None
    entered = plan.unit(x, layers.pop(0)) if layers[0].kind == "norm" else x
    y = _chain(plan, entered, layers)
    if not block.skip:
        return y
    kept = plan.unit(entered, shortcut) if shortcut else x
    return plan.op((kept, y), plan.sizes[y])


def _chain(plan: Plan, x: int, layers: Iterable[Layer]) -> int:
    rest = iter(layers)
    for layer in rest:
        x = _gated(plan, x, layer, next(rest)) if layer.role == "squeeze" else plan.unit(x, layer)
    return x


def _gated(plan: Plan, x: int, squeeze: Layer, excite: Layer) -> int:
    """Squeeze-excite: the mean of each channel, two layers, and the product with the map."""
    gate = plan.op((x,), squeeze.in_channels)
    for layer in (squeeze, excite):
        gate = plan.op((gate,), layer.out_channels)
    return plan.op((x, gate), plan.sizes[x])


def _cell(plan: Plan, block: Block, x: int, previous: int) -> int:
    drawn = block.plan
    activated: dict[int, int] = {}

    def active(one: int) -> int:
        """The activation of a map, once for all that read it."""
        if one not in activated:
            activated[one] = plan.alike(one)
        return activated[one]

    before = active(previous) if drawn.previous.activated else previous
    states = [_fit(plan, drawn.current, active(x)), _fit(plan, drawn.previous, before)]
    terms: list[int] = []
    for branch in drawn.operations:
        given = states[branch.source]
        terms.append(_operation(plan, branch, active(given) if branch.activated else given))
        if len(terms) == 2:
            states.append(plan.op(terms, plan.sizes[terms[0]]))
            terms = []
    kept = [_fit(plan, branch, states[branch.source]) for branch in drawn.outputs]
    return plan.op(kept, sum(plan.sizes[one] for one in kept))


def _fit(plan: Plan, branch: Branch, x: int) -> int:
    if not branch.reduces:
        return _chain(plan, x, branch.layers)
    even, odd, _ = branch.layers
    shifted = plan.op((x,), odd.in_channels * odd.output[0] * odd.output[1])
    halves = plan.unit(x, even), plan.unit(shifted, odd)
    return plan.op(halves, sum(plan.sizes[one] for one in halves))


def _operation(plan: Plan, branch: Branch, x: int) -> int:
    if branch.pool:
        x = plan.op((x,), branch.pool.channels * branch.pool.output[0] * branch.pool.output[1])
    return _chain(plan, x, branch.layers)
