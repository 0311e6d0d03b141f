"""Forecast memory beside what torch's CPU allocator and the operating system say.

Run `python -m benchmarks.memory` from the root of the repository; it appends two records, with `ways` the second
alone. Under `ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2` they are those of a processor without AVX-512. The
allocator is the oracle; resident-set growth also holds torch's own buffers, thread stacks and what the allocator has
not given back.
"""

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import product
from multiprocessing import get_context
from pathlib import Path

import torch
from torch import nn

from benchmarks import harness
from triscale.api import kernels_of
from triscale.costs import Forecast, Optimizer, Precision, inference_forecast, training_forecast
from triscale.families import network
from triscale.nn import build
from triscale.nn.fast.scratch import allocator_peak
from triscale.spec import Network
from triscale.training import Recipe
from triscale.training.learning.ema import Ema
from triscale.training.learning.optim import make_optimizer

PAIRS = (
    ("efficientnet_b0", 96, 8),
    ("mobilenet_v2", 96, 8),
    ("mobilenet_v1", 96, 8),
    ("resnet18", 64, 8),
    ("resnet50", 64, 4),
    ("smallnet_32", 32, 128),
)
"""Name, side in pixels, batch."""

MORE = (("resnet18", 96, 4), ("resnet50", 96, 2), ("senet154", 64, 2), ("efficientnetv2_b0", 96, 8))
"""More of them, for the forecast of kernels."""

WAYS: dict[str, tuple[Precision, bool]] = {
    "bfloat16": ("bfloat16", False),
    "recompute": ("float32", True),
    "bfloat16_recompute": ("bfloat16", True),
}
"""Precision and recomputation beside plain training."""
PLAIN: dict[str, tuple[Precision, bool]] = {"float32": ("float32", False)}

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
    layout: torch.memory_format = torch.channels_last,
) -> None:  # fmt: skip
    """Build a model and take two optimizer steps on random pictures, laid out as trainings have them."""
    model = build(of)
    if layout == torch.channels_last:
        model.to(memory_format=layout)
    model.recompute = recompute
    average = Ema(model, 0.99) if ema else None
    stepper = OPTIMIZERS[optimizer](model)
    x = torch.empty(batch, of.input_channels, *of.resolution).contiguous(memory_format=layout).normal_()
    labels = torch.randint(of.classes, (batch,))
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


def infer(of: Network, batch: int, *, layout: torch.memory_format = torch.channels_last) -> None:
    """Build a model and classify random pictures."""
    model = build(of).eval()
    if layout == torch.channels_last:
        model.to(memory_format=layout)
    x = torch.empty(batch, of.input_channels, *of.resolution).contiguous(memory_format=layout).normal_()
    with torch.inference_mode():
        model(x)


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
    """One pair: forecast, the allocator's peak and resident growth, training and inference, in bytes."""
    of, kernels = at(name, side), kernels_of()
    train, classify = partial(train_two_steps, of, batch, "sgd"), partial(infer, of, batch)
    found: dict[str, object] = {"network": name, "resolution": [side, side], "batch": batch}
    for mode, work, forecast in (
        ("training", train, training_forecast(of, batch, "sgd", kernels=kernels)),
        ("inference", classify, inference_forecast(of, batch, kernels=kernels)),
    ):
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as fresh:
            resident = fresh.submit(resident_growth, work).result()
        found[mode] = _beside(forecast, work) | {"resident_growth": resident}
    return found


def row_of_ways(name: str, side: int, batch: int) -> dict[str, object]:
    """One pair: forecast and the allocator's peak of training in every way and number of threads, in bytes."""
    of = at(name, side)
    found: dict[str, object] = {"network": name, "resolution": [side, side], "batch": batch}
    before = torch.get_num_threads()
    for threads, (way, (precision, recompute)) in product((1, 2), (PLAIN | WAYS).items()):
        torch.set_num_threads(threads)
        work = partial(train_two_steps, of, batch, "sgd", precision=precision, recompute=recompute)
        forecast = training_forecast(
            of, batch, precision=precision, recompute=recompute, kernels=kernels_of(precision=precision)
        )
        found[f"{way}_{threads}"] = _beside(forecast, work)
    torch.set_num_threads(before)
    return found


def _beside(forecast: Forecast, work: Callable[[], object]) -> dict[str, int]:
    return {"predicted": forecast.total, "kernels": forecast.kernels, "allocator_peak": allocator_peak(work)}


def record(name: str, pairs: Sequence[tuple[str, int, int]], measure: Callable[[str, int, int], object]) -> None:
    """Measure each pair, print and record."""
    rows = []
    for pair in pairs:
        rows.append(measure(*pair))
        print(rows[-1], flush=True)
    kernels = kernels_of()
    facts = {"unit": "bytes", "rows": rows, "n": 1, "threads": torch.get_num_threads(), "torch": torch.__version__}
    harness.append(harness.provenance(name) | facts | {"kernels": kernels and kernels.name})


if __name__ == "__main__":
    if sys.argv[1:] != ["ways"]:
        record("memory", PAIRS, row)
    record("memory_ways", (*PAIRS, *MORE), row_of_ways)
