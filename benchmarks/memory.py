"""Predicted memory beside what torch's CPU allocator and the operating system say.

Run `python -m benchmarks.memory` from the root of the repository; it appends two records, with `ways` the second
alone. The allocator is the oracle; resident-set growth also holds torch's own buffers, thread stacks and what the
allocator has not given back.
"""

import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import cast

import torch
from torch import nn
from torch.profiler import ProfilerActivity, profile

from benchmarks import harness
from triscale.cost import Optimizer, Precision, inference_memory, training_memory
from triscale.families import network
from triscale.nn import build
from triscale.spec import Network
from triscale.train import Recipe
from triscale.train.ema import Ema
from triscale.train.optim import make_optimizer

PAIRS = (
    ("efficientnet_b0", 96, 8),
    ("mobilenet_v2", 96, 8),
    ("mobilenet_v1", 96, 8),
    ("resnet18", 64, 8),
    ("resnet50", 64, 4),
    ("smallnet_32", 32, 128),
)
"""Name, side in pixels, batch."""

WAYS: dict[str, tuple[Precision, bool]] = {
    "bfloat16": ("bfloat16", False),
    "recompute": ("float32", True),
    "bfloat16_recompute": ("bfloat16", True),
}
"""Precision and recomputation beside plain training."""

OPTIMIZERS: dict[Optimizer, Callable[[nn.Module], torch.optim.Optimizer]] = {
    "sgd": lambda m: torch.optim.SGD(m.parameters(), lr=0.01, momentum=0.9),
    "rmsprop": lambda m: make_optimizer(m, Recipe(optimizer="rmsprop", learning_rate=0.001)),
    "adam": lambda m: torch.optim.Adam(m.parameters(), lr=0.001),
    "adamw": lambda m: make_optimizer(m, Recipe(optimizer="adamw", learning_rate=0.001)),
}


def at(name: str, side: int) -> Network:
    """A registered network at a square resolution in pixels."""
    return replace(network(name), resolution=(side, side))


def train_two_steps(
    of: Network, batch: int, optimizer: Optimizer, *,
    precision: Precision = "float32", recompute: bool = False, ema: bool = False,
) -> None:  # fmt: skip
    """Build a model and take two optimizer steps on random pictures."""
    model = build(of)
    model.recompute = recompute
    average = Ema(model, 0.99) if ema else None
    stepper = OPTIMIZERS[optimizer](model)
    x, labels = torch.randn(batch, of.input_channels, *of.resolution), torch.randint(of.classes, (batch,))
    for _ in range(2):
        stepper.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
            logits = model(x)
        loss = nn.functional.cross_entropy(logits.float(), labels)
        del logits
        loss.backward()  # type: ignore[no-untyped-call]
        stepper.step()
        if average:
            average.update(model, 1)


def infer(of: Network, batch: int) -> None:
    """Build a model and classify random pictures."""
    model = build(of).eval()
    x = torch.randn(batch, of.input_channels, *of.resolution)
    with torch.inference_mode():
        model(x)


def allocator_peak(work: Callable[[], object]) -> int:
    """Peak of the allocator's running total in bytes, from the profiler's events; all that `work` allocates counts."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as prof:
        work()
    if prof.profiler is None:
        raise RuntimeError("the profiler recorded nothing")
    events = [event for event in prof.profiler.kineto_results.events() if event.name() == "[memory]"]
    live = peak = 0
    for event in sorted(events, key=lambda event: cast("int", event.start_ns())):
        live += event.nbytes()
        peak = max(peak, live)
    return peak


def resident_growth(work: Callable[[], object]) -> int:
    """Growth in bytes from the resident set before `work` to its high-water mark (Linux).

    The mark is reset first: a process inherits that of its parent, and importing torch leaves one of its own.
    """
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = _status_bytes("VmRSS")
    work()
    return _status_bytes("VmHWM") - before


def _status_bytes(field: str) -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition(f"{field}:")[2].split()[0]) * 1024


def row(name: str, side: int, batch: int) -> dict[str, object]:
    """One pair: predicted, the allocator's peak and resident growth, training and inference, in bytes."""
    of = at(name, side)
    train, classify = partial(train_two_steps, of, batch, "sgd"), partial(infer, of, batch)
    found: dict[str, object] = {"network": name, "resolution": [side, side], "batch": batch}
    for mode, work, predicted in (
        ("training", train, training_memory(of, batch, "sgd")),
        ("inference", classify, inference_memory(of, batch)),
    ):
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as fresh:
            resident = fresh.submit(resident_growth, work).result()
        found[mode] = {"predicted": predicted, "allocator_peak": allocator_peak(work), "resident_growth": resident}
    return found


def row_of_ways(name: str, side: int, batch: int) -> dict[str, object]:
    """One pair: predicted and the allocator's peak of training in bfloat16 and with recomputed blocks, in bytes."""
    of = at(name, side)
    found: dict[str, object] = {"network": name, "resolution": [side, side], "batch": batch}
    for way, (precision, recompute) in WAYS.items():
        work = partial(train_two_steps, of, batch, "sgd", precision=precision, recompute=recompute)
        predicted = training_memory(of, batch, "sgd", precision=precision, recompute=recompute)
        found[way] = {"predicted": predicted, "allocator_peak": allocator_peak(work)}
    return found


def record(name: str, measure: Callable[[str, int, int], dict[str, object]]) -> None:
    """Measure each pair, print and record."""
    rows = []
    for pair in PAIRS:
        rows.append(measure(*pair))
        print(rows[-1], flush=True)
    facts = {"unit": "bytes", "rows": rows, "n": 1, "threads": torch.get_num_threads(), "torch": torch.__version__}
    harness.append(harness.provenance(name) | facts)


if __name__ == "__main__":
    if sys.argv[1:] != ["ways"]:
        record("memory", row)
    record("memory_ways", row_of_ways)
