"""The live bytes of one block while it runs: inference, forward with what is saved, and backward."""

from functools import lru_cache
from typing import NamedTuple

from triscale.cost.unit import FLOAT, IN_PLACE, Tape, Unit
from triscale.spec import Block, Layer
from triscale.spec.rounding import pad_side

_INDEX = 8


class Footprint(NamedTuple):
    """Bytes of one block. Peaks count above what lives when the pass starts, its input (or gradient) included.

    Attributes:
        output: the block's output.
        inference_peak, forward_peak, backward_peak: the most that lives at once.
        forward, backward: what a pass adds and leaves (backward: gradients, minus all that forward saved).
        keeps_input: the block saves its input for backward.
        keeps_output: the block itself needs its output for backward.
    """

    output: int
    inference_peak: int
    forward_peak: int
    forward: int
    backward_peak: int
    backward: int
    keeps_input: bool
    keeps_output: bool


@lru_cache(maxsize=1 << 16)
def footprint(block: Block, batch: int, *, stochastic: bool) -> Footprint:
    """The live bytes of a block at a batch; `stochastic`: its branch passes stochastic depth."""
    if block.operator == "stem":
        return _stem(block, batch)
    if block.operator in ("head", "classifier"):
        return _head(block, batch)
    return _stage_block(block, batch, stochastic=stochastic)


def _stem(block: Block, batch: int) -> Footprint:
    layer = block.layers[0]
    unit = Unit(layer, batch)
    inference, forward, backward = Tape(), Tape(), Tape()
    unit.infer(inference, 0)
    unit.forward(forward)
    if not block.pool:
        unit.backward(backward, first=True)
        return _footprint(unit.output, inference, forward, backward, keeps_input=True, keeps_output=unit.in_place)
    pads = [pad_side(side, 3, 2, block.padding) for side in layer.output]
    copied = any(before != after for before, after in pads)
    sides = [side + sum(pad) for side, pad in zip(layer.output, pads, strict=True)]
    padded = FLOAT * batch * layer.out_channels * sides[0] * sides[1] if copied else 0
    output = FLOAT * batch * block.out_channels * block.output[0] * block.output[1]
    indices = output * _INDEX // FLOAT
    inference.spike(unit.output + padded + output + indices)
    forward.add(padded + output + indices)
    released = 0 if unit.in_place else unit.output
    forward.add(-released if padded else 0)
    backward.add(padded or unit.output)
    backward.add(-output - indices - (padded or released))
    if padded:
        backward.spike(unit.output)
        backward.add(unit.output - padded)
    unit.backward(backward, first=True)
    return _footprint(output, inference, forward, backward, keeps_input=True, keeps_output=False)


def _head(block: Block, batch: int) -> Footprint:
    """The head's convolution, if any, pooling, dropout, linear layer and cross entropy."""
    linear = block.layers[-1]
    pooled, logits = FLOAT * batch * linear.in_channels, FLOAT * batch * linear.out_channels
    pixels = block.input[0] * block.input[1]
    inference, forward, backward = Tape(), Tape(), Tape()
    unit = Unit(block.layers[0], batch) if block.operator == "head" else None
    if unit:
        unit.infer(inference, 0)
        unit.forward(forward)
        forward.add(0 if unit.in_place else -unit.output)
    inference.spike((unit.output if unit else 0) + pooled + logits)
    forward.add(pooled + 2 * logits)
    backward.spike(2 * logits)
    backward.add(FLOAT * (linear.in_channels + 1) * linear.out_channels)
    backward.add(pooled * pixels - pooled - 2 * logits)
    if unit:
        unit.backward(backward)
    return _footprint(0, inference, forward, backward, keeps_input=unit is not None, keeps_output=False)


def _stage_block(block: Block, batch: int, *, stochastic: bool) -> Footprint:
    layers = {layer.role: layer for layer in block.layers}
    excite = [layers.pop("squeeze"), layers.pop("excite")] if block.squeeze_channels else []
    shortcut = Unit(layers.pop("shortcut"), batch) if "shortcut" in layers else None
    chain = [Unit(layer, batch) for layer in layers.values()]
    return _Branch(block, chain, excite, shortcut, stochastic=stochastic and block.skip).footprint()


class _Branch:
    """A chain of units, squeeze-excite before the last one, a skip around all, an activation after the sum."""

    def __init__(
        self, block: Block, chain: list[Unit], excite: list[Layer], shortcut: Unit | None, *, stochastic: bool
    ) -> None:
        self.chain, self.shortcut, self.skip, self.stochastic = chain, shortcut, block.skip, stochastic
        self.excite = FLOAT * sum(layer.out_channels * (layer.in_channels + 1) for layer in excite)
        self.input, self.output = chain[0].input, chain[-1].output
        after_sum = block.operator in ("basic", "bottleneck")
        self.in_place = after_sum and block.activation in IN_PLACE
        self.out_of_place = after_sum and not self.in_place

    def footprint(self) -> Footprint:
        keeps_input = not self.chain[0].padded or self.shortcut is not None
        keeps_output = self.in_place or self.chain[-1].in_place
        return _footprint(
            self.output, self._infer(), self._forward(), self._backward(),
            keeps_input=keeps_input, keeps_output=keeps_output,
        )  # fmt: skip

    def _infer(self) -> Tape:
        tape, held = Tape(), 0
        for unit in self.chain:
            if self.excite and unit is self.chain[-1]:
                tape.spike(2 * held)
            unit.infer(tape, held)
            held = unit.output
        if self.shortcut:
            self.shortcut.infer(tape, held)
            held += self.output
        tape.spike(held + self.output if self.skip else (1 + self.out_of_place) * held)
        return tape

    def _forward(self) -> Tape:
        tape, before = Tape(), None
        for unit in self.chain:
            if self.excite and unit is self.chain[-1]:
                tape.add(unit.input)  # the product, beside its saved factor
            unit.forward(tape)
            if unit.padded and before and not before.in_place:
                tape.add(-unit.input)
            before = unit
        if self.shortcut:
            self.shortcut.forward(tape)
        if self.skip:
            tape.add(self.output * (1 + self.stochastic))
            tape.add(-self.output * (1 + self.stochastic + (self.shortcut is not None)))
        tape.add(self.output * self.out_of_place)
        return tape

    def _backward(self) -> Tape:
        tape = Tape()
        if self.in_place or self.out_of_place:
            tape.spike(self.output)
            tape.add(-self.output)
        if self.shortcut:
            self.shortcut.backward(tape, shared=True)
        identity = self.skip and not self.shortcut
        if self.stochastic:
            tape.add(self.output)
            tape.add(0 if identity else -self.output)
        for index in reversed(range(len(self.chain))):
            unit, before = self.chain[index], self.chain[index - 1] if index else None
            last = index == len(self.chain) - 1
            unit.backward(tape, shared=last and identity and not self.stochastic)
            if before and not unit.padded and ((self.excite and last) or not before.in_place):
                tape.add(-unit.input)
            if self.excite and last:
                self._excite_backward(tape, unit.input, released=0 if before and before.in_place else unit.input)
        tape.add(-self.output if identity else -self.input if self.shortcut else 0)
        return tape

    def _excite_backward(self, tape: Tape, size: int, *, released: int) -> None:
        """Both factors of the product get a gradient; then the mean spreads its own over the map."""
        tape.spike(2 * size)
        tape.add(self.excite - released)
        tape.spike(size)


def _footprint(
    output: int, inference: Tape, forward: Tape, backward: Tape, *, keeps_input: bool, keeps_output: bool
) -> Footprint:
    return Footprint(
        output, inference.peak, forward.peak, forward.live, backward.peak, backward.live, keeps_input, keeps_output
    )
