"""The live bytes of cells. They share their inputs, so all cells in a row are run as one.

Each function is the shadow of a module of `nn.cells`: what a local variable holds there is held here as long.
"""

from collections.abc import Iterator
from functools import lru_cache, partial
from itertools import groupby

from triscale.costs.memory.eager import Eager, Map, Way
from triscale.costs.memory.footprint import Footprint, footprint, trace
from triscale.costs.memory.layer_allocations import (
    activation,
    average_pool,
    chain,
    concatenated,
    max_pool,
    norm,
    padded,
    then,
    unit,
)
from triscale.spec import Block, BlockRun, Branch, Pool, Resolved


def parts(resolved: Resolved, batch: int, way: Way, *, stochastic: bool) -> Iterator[tuple[Footprint, int, int]]:
    """Each distinct block's footprint, repeats and stage; of cells in a row, one for all, at the first one's stage."""
    for cells, runs in groupby(resolved.runs, lambda run: run.block.cell is not None):
        if cells:
            row = tuple(runs)
            yield _row(row, batch, way, stochastic=stochastic), 1, row[0].stage
        else:
            for run in runs:
                one = footprint(run.block, batch, way, stochastic=stochastic)
                yield one, run.repeats, run.stage


@lru_cache(maxsize=1 << 10)
def _row(row: tuple[BlockRun, ...], batch: int, way: Way, *, stochastic: bool) -> Footprint:
    forward = partial(_cells, row=row, stochastic=stochastic, recompute=way.recompute)
    return trace(forward, row[0].block, batch, way)


def _cells(run: Eager, x: Map, *, row: tuple[BlockRun, ...], stochastic: bool, recompute: bool) -> Map:
    current, previous = run.hold(x), run.hold(x)
    for _, runs in groupby(row, lambda one: one.stage):
        state = run.hold(current), run.hold(previous)  # whoever calls a stage holds what it is given
        for block in (one.block for one in runs for _ in range(one.repeats)):
            ops = partial(_cell, run, block, current, previous, stochastic=stochastic)
            y = run.recomputed(ops, (current, previous)) if recompute else ops()
            run.free(previous)
            current, previous = y, current
        run.free(*state)
    run.free(previous)
    return current


def _cell(run: Eager, block: Block, x: Map, previous: Map, *, stochastic: bool) -> Map:
    plan, act = block.plan, partial(activation, run, name=block.activation, keeps_input=True)
    before = act(previous) if plan.previous.activated else run.hold(previous)
    entered = act(x)
    states = [then(run, entered, _fit(run, plan.current, entered)), _fit(run, plan.previous, before)]
    activated: dict[int, Map] = {}
    terms: list[Map] = []
    for branch in plan.operations:
        if branch.activated and branch.source not in activated:
            activated[branch.source] = act(states[branch.source])
        given = (activated if branch.activated else states)[branch.source]
        terms.append(_operation(run, branch, given, stochastic=stochastic))
        if len(terms) == 2:  # the sum's gradient goes to both terms as it is
            states.append(run.op(terms, terms[0].size, passes=True))
            run.free(*terms)
            terms = []
    kept = [_fit(run, branch, states[branch.source]) for branch in plan.outputs]
    y = concatenated(run, kept)
    run.free(before, *states, *activated.values(), *kept)
    return y


def _fit(run: Eager, branch: Branch, x: Map) -> Map:
    if not branch.reduces:
        return chain(run, x, branch.layers)
    even, odd, both = branch.layers
    # the pixels right below the even ones, gathered and padded
    shifted = run.op((x,), run.bytes(odd.in_channels, *odd.output))
    halves = unit(run, x, even), unit(run, shifted, odd._replace(input=odd.output, stride=1, pad=(0, 0, 0, 0)))
    joined = concatenated(run, halves)
    run.free(*halves)
    y = then(run, joined, norm(run, joined, both.out_channels))
    run.free(shifted)
    return y


def _operation(run: Eager, branch: Branch, x: Map, *, stochastic: bool) -> Map:
    y = run.hold(x)
    if branch.pool:
        y = then(run, y, _pool(run, branch.pool, y))
    y = then(run, y, chain(run, y, branch.layers))
    if stochastic and branch.operation != "identity":
        y = then(run, y, run.op((y,), y.size))
    return y


def _pool(run: Eager, pool: Pool, x: Map) -> Map:
    """Torch reaches beyond the map by itself, but with stride 1 on one side alone it cannot."""
    size = run.bytes(pool.channels, *pool.output)
    if pool.kind == "avg":
        return average_pool(run, x, size)
    source = padded(run, x, pool.input, pool.pad) if pool.stride == 1 else run.hold(x)
    return then(run, source, max_pool(run, source, size))
