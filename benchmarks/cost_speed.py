"""Cost scaled EfficientNet-B0s, each a different one, against building the same ones in timm and counting them.

Run `python -m benchmarks.cost_speed` from the root of the repository; it appends a record.
"""

import random
from collections.abc import Iterator
from time import process_time

import timm
import torch
from timm.models.efficientnet import _gen_efficientnet
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import harness
from triscale.costs import Counts, count
from triscale.families import network
from triscale.intervals import interval
from triscale.spec import Network, scale

NETWORKS, ROUNDS = 2000, 8
B0 = network("efficientnet_b0")
OURS, THEIRS = "triscale", "timm and FlopCounterMode"


def factors(seed: int = 0) -> Iterator[dict[str, float]]:
    """Depth, width and resolution up to about B5's; no triple comes twice."""
    draw = random.Random(seed)
    while True:
        yield {"depth": draw.uniform(0.7, 2.2), "width": draw.uniform(0.7, 1.6), "resolution": draw.uniform(0.7, 2.0)}


def count_ours(source: Iterator[dict[str, float]]) -> float:
    """Scale and count `NETWORKS` networks; the CPU seconds it took, which other work on the core does not lengthen."""
    start = process_time()
    for _ in range(NETWORKS):
        count(scale(B0, **next(source)))
    return process_time() - start


def count_theirs(depth: float, width: float, scaled: Network) -> Counts:
    """Build one network in timm on the meta device and run it under torch's counter; activations are not counted."""
    with torch.device("meta"):
        model = _gen_efficientnet("efficientnet_b0", channel_multiplier=width, depth_multiplier=depth)
        with FlopCounterMode(display=False) as counter:
            model.eval()(torch.empty(1, 3, *scaled.resolution))
    return Counts(sum(p.numel() for p in model.parameters()), counter.get_total_flops() // 2, 0)


def check_same(drawn: dict[str, float]) -> None:
    """Make sure that both sides count the same network; timm's symmetric padding changes no count at even sizes."""
    scaled = scale(B0, **drawn)
    ours, theirs = count(scaled), count_theirs(drawn["depth"], drawn["width"], scaled)
    if ours.params != theirs.params:
        raise SystemExit(f"not the same network: {drawn}: {ours} and {theirs}")


def main() -> None:
    """Compare, print and record."""
    torch.set_num_threads(1)
    cold = NETWORKS / count_ours(factors(1))
    for _, drawn in zip(range(3), factors(2), strict=False):
        check_same(drawn)
    ours, theirs = factors(3), factors(4)
    busy: list[float] = []

    def build_one() -> None:
        drawn = next(theirs)
        count_theirs(drawn["depth"], drawn["width"], scale(B0, **drawn))

    seconds = harness.interleave({OURS: lambda: busy.append(count_ours(ours)), THEIRS: build_one}, rounds=ROUNDS)
    each = {OURS: [value / NETWORKS for value in seconds[OURS]], THEIRS: seconds[THEIRS]}
    entry = harness.record(
        "cost_speed",
        each,
        against=THEIRS,
        per="network",
        networks_per_call=NETWORKS,
        networks_per_cpu_second=round(NETWORKS / interval(busy).median),
        networks_per_cpu_second_in_a_fresh_process=round(cold),
        versions={"timm": timm.__version__, "torch": torch.__version__},
    )
    harness.append(entry)
    print(f"{entry['networks_per_cpu_second']:,} networks a CPU second ({cold:,.0f} in a fresh process)")
    print(f"times faster than {THEIRS}: {entry['times_faster']}")


if __name__ == "__main__":
    main()
