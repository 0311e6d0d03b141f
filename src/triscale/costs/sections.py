"""A network cut into consecutive sections, one a process, for pipeline parallelism (GPipe, arXiv 1811.06965).

A section is a stage of a pipeline; "stage" stays the word for a stage of the network. Backward takes twice the
multiply-adds of forward in every block, so equal counted MACs are equal counted work.
"""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from typing import Literal, NamedTuple, get_args

from triscale.costs.allowed_words import require_allowed
from triscale.costs.counts import Counts, count_block
from triscale.costs.memory.eager import Way
from triscale.costs.memory.footprint import Footprint
from triscale.costs.memory.forecast import (
    ITEMS,
    LONG,
    STATES,
    Optimizer,
    Precision,
    backward_pass,
    block_prints,
    buffer_bytes,
    forward_pass,
    parameter_bytes,
    update_bytes,
)
from triscale.costs.memory.onednn import FLOAT, Kernels
from triscale.errors import UsageError
from triscale.spec import Block, BlockRun, Network, Resolved, resolve

PipelineSchedule = Literal["gpipe", "1f1b"]
"""`gpipe`: forward of all micro-batches, then backward of all. `1f1b`: backward as soon as one can be, so that section
s of n holds the maps of n - s micro-batches and not of all. Gradients and idle time are the same."""

Shape = tuple[int, int, int]
"""Channels, height, width of a map."""


class Section(NamedTuple):
    """Blocks `first` to `end - 1` of `Resolved.flat`, in which 0 is the stem and the last one the head.

    Attributes:
        takes, gives: maps that come from the section before and go to the next; cells need two, the first of which is
            the current one. Images and logits do not count.
    """

    first: int
    end: int
    params: int
    macs: int
    activations: int
    takes: tuple[Shape, ...]
    gives: tuple[Shape, ...]


def cut(network: Network | Resolved, sections: int) -> tuple[Section, ...]:
    """The network in so many sections, of which the costliest in MACs costs as little as whole blocks allow.

    Raises:
        UsageError: more sections than blocks, or fewer than one.
    """
    resolved = resolve(network) if isinstance(network, Network) else network
    blocks = [block for _, block in resolved.flat()]
    if not 1 <= sections <= len(blocks):
        raise UsageError(
            f"{resolved.network.name} cannot be cut into {sections} sections; it has {len(blocks)} blocks."
        )
    return sections_at(resolved, balanced([count_block(one).macs for one in blocks], sections))


def sections_at(resolved: Resolved, ends: Sequence[int]) -> tuple[Section, ...]:
    """The sections that end before these blocks; the last end is the number of blocks."""
    blocks = [block for _, block in resolved.flat()]
    firsts = (0, *ends[:-1])
    between = [_maps(blocks[end - 1], blocks[end]) for end in ends[:-1]]
    found = []
    for first, end, takes, gives in zip(firsts, ends, [(), *between], [*between, ()], strict=True):
        counts = Counts(*map(sum, zip(*map(count_block, blocks[first:end]), strict=True)))
        found.append(Section(first, end, *counts, takes, gives))
    return tuple(found)


def balanced(costs: Sequence[int], runs: int) -> tuple[int, ...]:
    """The ends of consecutive runs, none empty, whose costliest costs the least possible; exact.

    With one run more, the best of the first j items is the least over i of the larger of two numbers: the best of the
    first i in the runs before, which grows with i, and the cost from i to j, which falls. Where they cross is found by
    bisection.
    """
    sums = list(accumulate(costs, initial=0))
    best, begins = sums, list[list[int]]()
    for run in range(1, runs):
        row, begin = [0] * len(sums), [0] * len(sums)
        for j in range(run + 1, len(sums)):
            row[j], begin[j] = min(
                (max(best[i], sums[j] - sums[i]), i) for i in _crossing(best, sums, range(run, j), j)
            )
        best = row
        begins.append(begin)
    ends = [len(costs)]
    for begin in reversed(begins):
        ends.append(begin[ends[-1]])
    return tuple(reversed(ends))


def _crossing(best: Sequence[int], sums: Sequence[int], places: range, j: int) -> range:
    """The two places between which the best of what lies before has come to exceed the cost from there to j."""
    after = bisect_left(places, 1, key=lambda i: int(best[i] >= sums[j] - sums[i]))
    return places[max(0, after - 1) : after + 1]


def microbatches_for(batch: int, sections: int) -> int:
    """The most that leave whole numbers of images, two at least; four a section keep them busy (GPipe, section 2.3).

    Raises:
        UsageError: a batch cannot be split into as many micro-batches as there are sections.
    """
    fitting = [n for n in range(sections, 4 * sections + 1) if batch % n == 0 and batch >= 2 * n]
    if not fitting:
        raise UsageError(
            f"a batch of {batch} cannot keep {sections} sections busy.\n"
            f"Give --batch a multiple of {sections}, {2 * sections} at least."
        )
    return fitting[-1]


def pipeline_memory(
    network: Network | Resolved, sections: Sequence[Section], batch: int, microbatches: int, *,
    schedule: PipelineSchedule = "1f1b", optimizer: Optimizer = "sgd", precision: Precision = "float32",
    recompute: bool = False, ema: bool = False, kernels: Kernels | None = None,
) -> tuple[int, ...]:  # fmt: skip
    """Peak bytes of each section in training: weights, gradients, optimizer, maps of the micro-batches in flight.

    The oracle is torch's CPU allocator under `torch.distributed.pipelining`. The first section holds the batch. For
    optimizer, precision, recompute, ema and kernels see `training_forecast`.

    Raises:
        UsageError: the batch is not a multiple of `microbatches`, or an unknown word.
    """
    require_allowed("schedule", schedule, get_args(PipelineSchedule))
    require_allowed("optimizer", optimizer, STATES)
    require_allowed("precision", precision, ITEMS)
    if batch < 1 or microbatches < 1 or batch % microbatches:
        raise UsageError(f"a batch of {batch} is not a whole number of images in each of {microbatches} micro-batches.")
    resolved = resolve(network) if isinstance(network, Network) else network
    runs = [BlockRun(block, 1, stage) for stage, block in resolved.flat()]
    way, found = Way(ITEMS[precision], recompute, kernels), []
    for index, section in enumerate(sections):
        part = Resolved(resolved.network, tuple(runs[section.first : section.end]))
        prints, stages = block_prints(part, batch // microbatches, way)
        held = microbatches if schedule == "gpipe" else min(microbatches, len(sections) - index)
        maps = _Maps.of(section, batch // microbatches, way.item)
        static = _static(section, part, batch, optimizer, ema=ema)
        found.append(
            static + max(_flight(prints, stages, maps, microbatches, held), update_bytes(part, optimizer, kernels))
        )
    return tuple(found)


class _Maps(NamedTuple):
    """Bytes of the maps of a micro-batch that come and go; `previous`: of those that go, all but the current one."""

    received: int
    sent: int
    previous: int

    @classmethod
    def of(cls, section: Section, batch: int, item: int) -> "_Maps":
        """Of `batch` images, with `item` bytes to an element."""
        return cls(*(_bytes(maps, batch, item) for maps in (section.takes, section.gives, section.gives[1:])))


def _maps(before: Block, after: Block) -> tuple[Shape, ...]:
    """What goes from a block to the next: after a cell, a cell takes the input of that one too."""
    current = (before.out_channels, *before.output)
    return (current, (before.in_channels, *before.input)) if before.cell and after.cell else (current,)


def _static(section: Section, part: Resolved, batch: int, optimizer: Optimizer, *, ema: bool) -> int:
    pictures = FLOAT * batch * part.network.input_channels * part.network.resolution[0] * part.network.resolution[1]
    labels = 2 * LONG * batch  # own and mixed in
    parameters, buffers = parameter_bytes(part), buffer_bytes(part)
    weights = parameters * (1 + STATES[optimizer].kept + ema) + buffers * (1 + ema)
    return weights + (0 if section.takes else pictures) + (0 if section.gives else labels)


def _flight(prints: Sequence[Footprint], stages: Sequence[int], maps: _Maps, microbatches: int, held: int) -> int:
    """The most that the micro-batches of one step hold, of which `held` are in flight at once.

    torch keeps what was received until its backward pass is done, and the gradient that it began with too. Where
    `held` is all, what is sent stays until all was sent, forward and backward.
    """
    forward_peak, saved = forward_pass(prints, stages)
    together = held == microbatches
    released = 0 if prints[-1].keeps_output else maps.sent
    live = peak = made = 0
    for done in range(microbatches):
        while made < min(microbatches, done + held):
            peak = max(peak, live + maps.received + forward_peak)
            live += maps.received + saved + maps.previous - (0 if together else released)
            made += 1
        live -= released * microbatches if together and not done else 0
        backward_peak, change = backward_pass(prints, again=done > 0)
        peak = max(peak, live + 2 * maps.sent + backward_peak)
        live += maps.sent + change - maps.received - (0 if together else maps.received)
    return peak


def _bytes(maps: Sequence[Shape], batch: int, item: int) -> int:
    return sum(item * batch * channels * height * width for channels, height, width in maps)
