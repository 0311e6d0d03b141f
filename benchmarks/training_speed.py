"""Training steps of EfficientNet-B0 beside timm's in its best stock configuration, interleaved.

Run `python -m benchmarks.training_speed` from the root of the repository; it appends a record for each resolution and
number of threads. With `ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2 TRISCALE_ISA=avx2` before it, torch and our
kernels are held to AVX2, and the records say so. What the allocator gains is timm beside timm that keeps freed memory;
what the kernels gain is ours tuned beside ours that keeps it. Every subject lives in a process of its own, because
keeping freed memory belongs to a process; one computes while the others wait. `--resume` leaves out what this commit
has recorded. With `--device cuda` the subjects take turns on the GPU, eager and compiled; plans of ways are for CPUs,
so ours is measured as it is built.
"""

import argparse
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any, Literal

import torch
from torch import nn

from benchmarks import harness
from benchmarks.remote import Prepared, Remote
from triscale.families import network
from triscale.machine import machine
from triscale.nn import apply_plan, build, keep_freed_memory
from triscale.nn.fast.scratch import allocator_peak
from triscale.nn.fast.tuning import Tuned, measured
from triscale.speed_plan import SpeedPlan

Precision = Literal["float32", "bfloat16"]
PRECISIONS: tuple[Precision, ...] = ("float32", "bfloat16")
NAME = "training_speed"
NETWORK = "efficientnet_b0"
BATCHES = {"cpu": {224: 32, 64: 64}, "cuda": {224: 128, 64: 1024}}
"""Pictures of a step, by device and resolution."""


@dataclass(frozen=True)
class Subject:
    """One way of training the network; `keeps` memory that was freed; `tuned` by `triscale.nn.tune`."""

    library: Literal["timm", "triscale"]
    precision: Precision
    channels_last: bool = True
    compiled: bool = False
    keeps: bool = False
    tuned: bool = False

    @property
    def stock(self) -> bool:
        """What a user of timm would write."""
        return self.library == "timm" and not self.keeps

    def __str__(self) -> str:
        """Its name in the record."""
        words = [self.library, self.precision, *(["compiled"] if self.compiled else [])]
        words += [] if self.channels_last else ["channels-first"]
        return " ".join([*words, *(["tuned"] if self.tuned else []), *(["keeps memory"] if self.keeps else [])])


SUBJECTS = (
    Subject("timm", "float32"),
    Subject("timm", "float32", channels_last=False),
    Subject("timm", "bfloat16"),
    Subject("timm", "bfloat16", channels_last=False),
    Subject("timm", "float32", keeps=True),
    Subject("triscale", "float32", keeps=True),
    Subject("triscale", "float32", keeps=True, tuned=True),
    Subject("triscale", "bfloat16", keeps=True, tuned=True),
)
COMPILED = (Subject("timm", "float32", compiled=True), Subject("timm", "bfloat16", compiled=True))
ON_GPU = (
    *SUBJECTS[:4],
    *(Subject("triscale", precision) for precision in PRECISIONS),
    *COMPILED,
    *(Subject("triscale", precision, compiled=True) for precision in PRECISIONS),
)


def make(subject: Subject) -> nn.Module:
    """The network, drawing nothing in training, as timm's does by default."""
    if subject.library == "timm":
        import timm

        model: nn.Module = timm.create_model(NETWORK)
    else:
        model = build(network(NETWORK))
        for part in model.modules():
            if hasattr(part, "rate"):
                vars(part)["rate"] = 0.0
            elif isinstance(part, nn.Dropout):
                part.p = 0.0
    return model.train().to(memory_format=torch.channels_last if subject.channels_last else torch.contiguous_format)


def stepper(subject: Subject, side: int, device: str) -> tuple[Callable[[], None], Tuned | None]:
    """One training step on random pictures, and how its plan was found."""
    torch.manual_seed(0)
    batch, model, tuned = BATCHES[device][side], make(subject).to(device), None
    if subject.tuned:
        tuned = measured(model, batch, (side, side), subject.precision)
        apply_plan(model, tuned.plan)
    layout = torch.channels_last if subject.channels_last else torch.contiguous_format
    pictures = torch.randn(batch, 3, side, side).to(device, memory_format=layout)
    labels = torch.randint(1000, (batch,)).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    forward = torch.compile(model) if subject.compiled else model

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(device, torch.bfloat16, enabled=subject.precision == "bfloat16"):
            logits = forward(pictures)
        nn.functional.cross_entropy(logits.float(), labels).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if device == "cuda":
            torch.cuda.synchronize()

    return step, tuned


def cuda_peak(step: Callable[[], None]) -> int:
    """Peak of what tensors hold on the GPU during a step, in bytes."""
    torch.cuda.reset_peak_memory_stats()
    step()
    return torch.cuda.max_memory_allocated()


def prepare(subject: Subject, side: int, threads: int, device: str) -> Prepared:
    """A subject in its process; at its end it says the peak of memory in a step, in bytes."""
    torch.set_num_threads(threads)
    if subject.keeps:
        keep_freed_memory()
    step, tuned = stepper(subject, side, device)
    kinds = (tuned.plan if tuned else SpeedPlan()).to_dict()
    ways = {kind: dict(Counter(kinds[kind].values())) for kind in ("convolutions", "norms", "blocks")}
    facts = {"ways": ways, "tuned": tuned and tuned.to_dict()}
    return Prepared(step, facts, partial(cuda_peak if device == "cuda" else allocator_peak, step))


def compare(subjects: tuple[Subject, ...], side: int, threads: int, rounds: int, device: str) -> dict[str, object]:
    """The record of one resolution, number of threads and device."""
    stock = [str(subject) for subject in subjects if subject.stock]
    if not stock:
        raise SystemExit('--subjects leaves out timm as it comes, the reference; add "timm float32"')
    remotes = {str(subject): Remote(prepare, subject, side, threads, device) for subject in subjects}
    steps = {name: remote.step for name, remote in remotes.items()}
    seconds = harness.interleave(steps, rounds=rounds, warmup=2)
    best = min(stock, key=lambda name: median(seconds[name]))
    batch = BATCHES[device][side]
    return harness.record(
        NAME, seconds, against=best, network=NETWORK, resolution=[side, side], batch=batch, threads=threads,
        device=torch.cuda.get_device_name() if device == "cuda" else device,
        images_per_second={name: batch / median(values) for name, values in seconds.items()},
        images_per_core_second={name: batch / median(one.core_seconds[2:]) for name, one in remotes.items()},
        facts={name: one.facts for name, one in remotes.items()},
        peak_bytes={name: one.end() for name, one in remotes.items()},
        versions={"torch": torch.__version__, "timm": _timm()},
    )  # fmt: skip


def main() -> None:
    """Measure, print and record, one configuration after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", choices=sorted(BATCHES), default="cpu")
    parser.add_argument(
        "--resolution", type=int, nargs="+", default=sorted(BATCHES["cpu"]), choices=sorted(BATCHES["cpu"])
    )
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--subjects", nargs="+", default=[], help="only those whose name holds one of these words")
    parser.add_argument("--no-compiled", action="store_true", help="leave out torch.compile, whose start takes minutes")
    parser.add_argument("--resume", action="store_true", help="leave out what this commit has recorded")
    parser.add_argument(
        "--table", action="store_true", help="only print the newest records as the documentation shows them"
    )
    given = parser.parse_args()
    if given.table:
        print("\n".join(table()))
        return
    if given.device == "cuda" and not torch.cuda.is_available():
        parser.error("there is no GPU that torch can use")
    every = ON_GPU if given.device == "cuda" else SUBJECTS + COMPILED
    every = tuple(one for one in every if not (given.no_compiled and one.compiled))
    subjects = tuple(one for one in every if not given.subjects or any(word in str(one) for word in given.subjects))
    for side in given.resolution:
        for threads in given.threads:
            if given.resume and given.device == "cpu" and _recorded(side, threads):
                continue
            entry = compare(subjects, side, threads, given.rounds, given.device)
            print(json.dumps(entry, indent=1))
            harness.append(entry)


_COLUMNS = ("processor", "px, batch, threads", "timm at its best", "timm that keeps memory", "triscale, fp32",
            "triscale, bf16", "beside timm that keeps", "memory, bf16")  # fmt: skip


def table() -> list[str]:
    """The newest record of each configuration on each processor, or on what it was held to, as a row.

    Speeds in pictures a second and ratios to timm's best; the same of a timm that keeps freed memory, which is what the
    allocator alone gains; ours beside that one; and the peak of memory over timm's best.
    """
    newest = {(harness.processor(one), one["resolution"][0], one["threads"]): one for one in _records()}
    rows = [
        f"| {' | '.join(_COLUMNS)} |",
        "|---|---|---|---|---|---|---|---|",
    ]
    return rows + [_row(processor, one) for (processor, *_), one in sorted(newest.items(), reverse=True)]


def _row(processor: str, one: dict[str, Any]) -> str:
    speed, best, peak = one["images_per_second"], one["against"], one["peak_bytes"]
    ours = {precision: str(Subject("triscale", precision, keeps=True, tuned=True)) for precision in PRECISIONS}
    keeping = max(value for name, value in speed.items() if name.startswith("timm") and name.endswith("keeps memory"))
    cells = [
        processor,
        f"{one['resolution'][0]}, {one['batch']}, {one['threads']}",
        f"{speed[best]:.1f}/s ({best[5:]})",
        f"{keeping:.1f}/s, {keeping / speed[best]:.2f}x",
        *(_speed(one, name) for name in ours.values()),
        " and ".join(f"{speed[name] / keeping:.2f}x" if name in speed else "-" for name in ours.values()),
        f"{peak[ours['bfloat16']] / peak[best]:.2f}x" if ours["bfloat16"] in peak else "-",
    ]
    return f"| {' | '.join(cells)} |"


def _speed(one: dict[str, Any], name: str) -> str:
    """Of a subject; a dash where it was left out, as bf16 is on a processor without instructions for it."""
    if name not in one["images_per_second"]:
        return "-"
    return f"{one['images_per_second'][name]:.1f}/s, {one['times_faster'][name]['median']:.2f}x"


def _records() -> list[dict[str, Any]]:
    lines = harness.RECORDS.read_text(encoding="utf-8").splitlines()
    return [one for line in lines if (one := json.loads(line))["name"] == NAME and one.get("device", "cpu") == "cpu"]


def _recorded(side: int, threads: int) -> bool:
    commit, limits = harness.provenance(NAME)["commit"], machine()["isa_limits"]
    own = [one for one in _records() if (one["commit"], one["machine"].get("isa_limits")) == (commit, limits)]
    return (side, threads) in {(one["resolution"][0], one["threads"]) for one in own}


def _timm() -> str:
    import timm

    return str(timm.__version__)


if __name__ == "__main__":
    main()
