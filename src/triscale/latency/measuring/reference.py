"""A piece of work that is always the same, a product of matrices: by its time a disturbed machine is found."""

from statistics import median
from time import perf_counter_ns, process_time_ns

from triscale.latency.measuring.messages import Timed
from triscale.machine import allowed_cores, pin

SIDE, BLOCKS, BLOCK_MS = 256, 3, 4.0
"""Rows of the square matrices; blocks of a reading, and how long each runs at least."""


def multiply_on(cores: tuple[int, ...]) -> Timed:
    """Milliseconds of one product on each core: the median of three blocks, so that one interrupt does not count.

    The library of the products is held to one thread by the environment of the process.
    """
    before = allowed_cores()
    found = []
    try:
        for core in cores:
            pin((core,))
            found.append(_reading())
    finally:
        pin(tuple(before))
    return Timed(wall=[wall for wall, _ in found], cpu=[cpu for _, cpu in found])


def _reading() -> tuple[float, float]:
    import numpy as np  # noqa: PLC0415  the process is pinned before its threads are made

    draws = np.random.default_rng(0)
    left, right = (draws.standard_normal((SIDE, SIDE), dtype=np.float32) for _ in range(2))
    out = left @ right
    blocks = []
    for _ in range(BLOCKS):
        products, worked, start = 0, process_time_ns(), perf_counter_ns()
        while (passed := perf_counter_ns() - start) < BLOCK_MS * 1e6:
            np.matmul(left, right, out=out)
            products += 1
        blocks.append((passed / products / 1e6, (process_time_ns() - worked) / products / 1e6))
    return median(wall for wall, _ in blocks), median(cpu for _, cpu in blocks)
