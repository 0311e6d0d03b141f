"""torch's eager mode as its allocator sees it: what an op allocates, who holds a tensor, what backward lets go.

A block is run on it like the module that it stands for, with sizes in place of numbers; the peak follows.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from triscale.costs.memory.onednn import FLOAT, Kernels

_GENERATOR = 5056
"""Bytes of the state of torch's generator of random numbers, which a block that is run again must begin with."""


class Way(NamedTuple):
    """How a network is run, as far as its memory depends on it.

    Attributes:
        item: bytes of an element of a map in training: 4, or 2 under autocast to bfloat16.
        recompute: backward runs the blocks of stages again.
        kernels: what convolutions take beside tensors; None: nothing counts but tensors.
    """

    item: int = FLOAT
    recompute: bool = False
    kernels: Kernels | None = None


class Storage:
    """Bytes that live as long as somebody holds them."""

    __slots__ = ("holders", "size")

    def __init__(self, size: int) -> None:
        self.size, self.holders = size, 1


class Map:
    """A tensor to autograd: its storage (an op in place shares that of its input) and, in backward, its gradient."""

    __slots__ = ("gradient", "needs_gradient", "storage")

    def __init__(self, storage: Storage, *, needs_gradient: bool = True) -> None:
        self.storage, self.needs_gradient = storage, needs_gradient
        self.gradient: Storage | None = None

    @property
    def size(self) -> int:
        """Bytes."""
        return self.storage.size


class _Node(NamedTuple):
    inputs: Sequence[Map]
    output: Map
    saved: list[Storage]
    parameters: int
    workspace: int
    passes: bool
    copied: int = 0
    again: Callable[[], Map] | None = None


class Eager:
    """Live bytes at a batch and their peak, above what lived at the start; in training also the graph of the ops.

    Attributes:
        item: bytes of an element of a map; inference is in fp32.
        kernels: see `Way`.
        live, peak: bytes.
        cached: of the live bytes, copies of weights that autocast alone holds, until the forward pass ends.
        gradients: bytes of those of the weights, which stay.
        peak_again: the peak where these do not stay but are added to others, as of micro-batches before.
    """

    def __init__(self, batch: int, way: Way, *, training: bool) -> None:
        self.batch, self.training, self.kernels = batch, training, way.kernels
        self.item = way.item if training else FLOAT
        self.live = self.peak = self.peak_again = self.cached = self.gradients = 0
        self._nodes: list[_Node] = []
        self._saving = training

    def spike(self, size: int) -> None:
        """Allocates bytes that are gone when the op returns."""
        self._note(self.live + size)

    def bytes(self, channels: int, height: int = 1, width: int = 1) -> int:
        """Size of the batch's map."""
        return self.item * self.batch * channels * height * width

    def hold(self, one: Map) -> Map:
        """Somebody else holds it too."""
        one.storage.holders += 1
        return one

    def free(self, *maps: Map) -> None:
        """The caller holds these no longer."""
        for one in maps:
            self._drop(one.storage)

    def op(
        self, inputs: Sequence[Map], size: int | None, *,
        saves: Sequence[Map] = (), saves_output: bool = False, extra: int = 0, workspace: int = 0,
        parameters: int = 0, copied: int = 0, backward_workspace: int = 0, passes: bool = False,
    ) -> Map:  # fmt: skip
        """Runs an op and returns its output, which the caller holds.

        Args:
            inputs: what it is done to; each that needs a gradient gets one in backward.
            size: bytes of the output; None: the op works in place on its first input.
            saves, saves_output: what backward will need.
            extra: bytes made beside the output, kept for backward.
            workspace, backward_workspace: the most that the op and its backward hold while they run, outputs included.
            parameters: bytes of the gradients that stay.
            copied: bytes of the copies that autocast makes of the op's weights, and of those copies' gradients.
            passes: backward hands its gradient on instead of allocating others.
        """
        copies = self._take(copied)
        self.spike(max(workspace, (size or 0) + extra))
        storage = self.hold(inputs[0]).storage if size is None else self._take(size)
        output = Map(storage, needs_gradient=parameters > 0 or any(one.needs_gradient for one in inputs))
        if self._saving and output.needs_gradient:
            saved = [one.storage for one in saves] + ([storage] if saves_output else [])
            for one in saved:
                one.holders += 1
            if extra:
                saved.append(self._take(extra))
            self._nodes.append(_Node(inputs, output, [*saved, copies], parameters, backward_workspace, passes, copied))
        else:
            self.cached += copied
        return output

    def recomputed(self, ops: Callable[[], Map], inputs: Sequence[Map]) -> Map:
        """Runs ops on the inputs; what they save for backward is not kept, and backward runs them again."""
        if not self.training:
            return ops()
        self._saving = False
        output = ops()
        self._saving = output.needs_gradient = True
        saved = [self.hold(one).storage for one in inputs]
        self._nodes.append(_Node(inputs, output, [*saved, self._take(_GENERATOR)], 0, 0, passes=False, again=ops))
        return output

    def backward(self) -> None:
        """Undoes the ops, the latest first, as autograd's queue does; the last output's gradient is there already."""
        while self._nodes:
            node = self._nodes.pop()
            if node.again:
                self._run_again(node, node.again)
                continue
            given = node.output.gradient
            self.spike(node.workspace)
            made = [self._gradient(one, given, passes=node.passes) for one in node.inputs]
            of_copies = self._take(node.copied)
            if not node.copied:
                self._take(node.parameters)
            if given:
                self._drop(given)
            for storage in node.saved:
                self._drop(storage)
            if node.copied:
                self._take(node.parameters)
            self._drop(of_copies)
            self.gradients += node.parameters
            for one, gradient in zip(node.inputs, made, strict=True):
                if gradient:
                    self._accumulate(one, gradient)

    def _run_again(self, node: _Node, ops: Callable[[], Map]) -> None:
        earlier, self._nodes = self._nodes, []
        output = ops()
        output.gradient = node.output.gradient
        self.free(output)
        self.backward()
        self._nodes = earlier
        for storage in node.saved:
            self._drop(storage)

    def _gradient(self, of: Map, given: Storage | None, *, passes: bool) -> Storage | None:
        if not of.needs_gradient:
            return None
        if passes and given:
            given.holders += 1
            return given
        return self._take(of.size)

    def _accumulate(self, of: Map, gradient: Storage) -> None:
        """A second gradient is added to the first in place, unless somebody else holds that one too."""
        if of.gradient is None:
            of.gradient = gradient
            return
        if of.gradient.holders > 1:
            self._drop(of.gradient)
            of.gradient = self._take(of.size)
        self._drop(gradient)

    def _take(self, size: int) -> Storage:
        self.live += size
        self._note(self.live)
        return Storage(size)

    def _note(self, live: int) -> None:
        self.peak = max(self.peak, live)
        self.peak_again = max(self.peak_again, live - self.gradients)

    def _drop(self, storage: Storage) -> None:
        storage.holders -= 1
        if not storage.holders:
            self.live -= storage.size
