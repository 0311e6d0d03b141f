"""Whether the store and the driver bear a large search: 100,000 trials, and 1,000 workers of which some die.

(a) a store of 100,000 trials opens in 5 s and appends in 5 ms; (b) a driver with 1,000 simulated workers, whose trials
compute nothing and of which 1% die, settles 200 trials a second into a real store, each exactly once.
Run `python -m benchmarks.trial_scale` from the root of the repository; it appends two records and fails if a bound is
passed. `--trials 2000 --settled 500` is a quick look, which appends nothing.
"""

import argparse
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

from benchmarks import harness
from benchmarks.simulated import Chances, SimulatedExecutor
from triscale.families import network
from triscale.intervals import interval
from triscale.machine import machine
from triscale.recipes import Recipe
from triscale.trials import DataUse, Epoch, TrainJob, Trial, TrialStore, read
from triscale.trials.executor import Ended, GivenUp, Settled, Task, settle_in_batches

OPENS, APPENDS, SETTLES = 5.0, 0.005, 200.0
"""Bounds: seconds to open, seconds to append one trial, trials settled a second."""
TRIALS, NETWORKS, EPOCHS, APPENDED = 100_000, 1_000, 10, 200
HERE = machine()
SETTLED, WORKERS, DYING = 5_000, 1_000, 0.01


def jobs(number: int) -> Iterator[TrainJob]:
    """Trainings of up to a thousand networks, some seeds each."""
    base = network("efficientnet_b0")
    data = DataUse(fingerprint="0" * 64, classes=tuple(map(str, range(1000))), images=1_281_167, rule=3)
    recipe = Recipe(epochs=EPOCHS, precision="float32")
    networks = [replace(base, resolution=(64 + index, 64)) for index in range(min(number, NETWORKS))]
    for index in range(number):
        yield TrainJob(network=networks[index % len(networks)], data=data, recipe=recipe, seed=index // len(networks))


def finished(job: TrainJob) -> Trial:
    """A trial with all that a training of ten epochs leaves."""
    history = tuple(
        Epoch(
            epoch=epoch + 1, samples=1_281_167 * (epoch + 1), train_loss=6.9 / (epoch + 1), validation_top1=epoch / 14,
            learning_rate=0.1 / (epoch + 1), gradient_norm=1.25, seconds=1_234.5 * (epoch + 1),
        )
        for epoch in range(EPOCHS)
    )  # fmt: skip
    return Trial(
        job=job, state="done", purpose="search", history=history, kept_epoch=EPOCHS, machine=HERE,
        metrics={"validation_top1": 0.701, "test_top1": 0.698, "seconds": 12_345.6},
        cost={"macs": 385_814_752.0, "params": 5_288_548.0, "activations": 6_728_608.0},
        checkpoint=f"trials/{job.key[:16]}/best.safetensors",
        started="2026-11-27T12:00:00+00:00", finished="2026-11-27T15:25:45+00:00",
    )  # fmt: skip


def _nothing(descriptor: object) -> None:
    """What a disk does that is not waited for."""


@contextmanager
def without_fsync() -> Iterator[None]:
    """Writes reach the system, not the disk."""
    real = os.fsync
    os.fsync = _nothing  # type: ignore[assignment]
    try:
        yield
    finally:
        os.fsync = real


def appended(store: TrialStore, trials: Sequence[Trial]) -> list[float]:
    """Seconds of each trial that is put."""
    seconds = []
    for trial in trials:
        start = perf_counter()
        store.put(trial)
        seconds.append(perf_counter() - start)
    return seconds


def measure_store(folder: Path, number: int) -> tuple[dict[str, object], bool]:
    """The record of (a), and whether the bounds are kept."""
    asked = list(jobs(number + 2 * APPENDED))
    with TrialStore(folder) as store, without_fsync():
        for first in range(0, number, 1_000):
            store.put(*map(finished, asked[first : min(first + 1_000, number)]))
    opening, work = [], []
    for _ in range(3):
        start, worked = perf_counter(), process_time()
        with TrialStore(folder) as store:
            opening.append(perf_counter() - start)
            work.append(process_time() - worked)
    with TrialStore(folder) as store:
        on_disk = appended(store, list(map(finished, asked[number : number + APPENDED])))
        with without_fsync():
            written = appended(store, list(map(finished, asked[number + APPENDED :])))
    kept = median(opening) <= OPENS and median(on_disk) <= APPENDS and len(read(folder)) == len(asked)
    facts = {
        **harness.provenance("trial_store"),
        "n": len(opening),
        "trials": number,
        "networks": min(number, NETWORKS),
        "epochs": EPOCHS,
        "bytes": (folder / "records.jsonl").stat().st_size,
        "open_seconds": asdict(interval(opening)),
        "open_processor_seconds": asdict(interval(work)),
        "append_seconds": {"with_fsync": asdict(interval(on_disk)), "without_fsync": asdict(interval(written))},
        "allowed": {"open_seconds": OPENS, "append_seconds": APPENDS},
        "kept": kept,
    }
    return facts, kept


def _recorded(planned: Trial, settled: Settled[str]) -> Trial:
    """What a driver writes of a trial that is settled."""
    if isinstance(settled, Ended):
        return replace(finished(planned.job), losses=settled.attempt - 1)
    reason = settled.reason if isinstance(settled, GivenUp) else str(settled.error)
    return replace(planned, state="failed", reason=reason, losses=settled.attempt)


def measure_driver(folder: Path, number: int) -> tuple[dict[str, object], bool]:
    """The record of (b), and whether its bounds are kept."""
    trials = {job.key: Trial(job=job) for job in jobs(number)}
    executor: SimulatedExecutor[None, str] = SimulatedExecutor(
        lambda task, _: task.key, WORKERS, Chances(die=DYING), seed=0, real=True
    )
    tasks = [Task(key, None) for key in trials]
    times: Counter[str] = Counter()
    with TrialStore(folder) as store:
        store.put(*trials.values())
        start, work = perf_counter(), process_time()
        for batch in settle_in_batches(executor, tasks, clock=executor.clock):
            times.update(settled.key for settled in batch)
            store.put(*(_recorded(trials[settled.key], settled) for settled in batch))
        seconds, work = perf_counter() - start, process_time() - work
    stored = read(folder)
    once = set(times) == set(trials) and set(times.values()) == {1} and len(stored) == len(trials)
    states = Counter(trial.state for trial in stored)
    kept = once and number / seconds >= SETTLES and states["done"] + states["failed"] == number
    facts = {
        **harness.provenance("trial_driver"),
        "n": number,
        "workers": WORKERS,
        "dying": DYING,
        "started": sum(executor.starts.values()),
        "lost": sum(trial.losses for trial in stored),
        "given_up": states["failed"],
        "each_exactly_once": once,
        "seconds": seconds,
        "processor_seconds": work,
        "settled_per_second": number / seconds,
        "allowed": {"settled_per_second": SETTLES},
        "kept": kept,
    }
    return facts, kept


def main() -> None:
    """Measure both, print, and append the records unless it was a quick look."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=TRIALS, help="in the store")
    parser.add_argument("--settled", type=int, default=SETTLED, help="by the driver")
    asked = parser.parse_args()
    whole = (asked.trials, asked.settled) == (TRIALS, SETTLED)
    good = True
    for measure, number in ((measure_store, asked.trials), (measure_driver, asked.settled)):
        with tempfile.TemporaryDirectory() as folder:
            facts, kept = measure(Path(folder), number)
        print({key: value for key, value in facts.items() if key != "machine"})
        good = good and kept
        if whole:
            harness.append(facts)
    sys.exit(0 if good else "a bound is passed")


if __name__ == "__main__":
    main()
