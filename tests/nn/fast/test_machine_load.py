"""What other programs take of the machine, beside counters that are written here and a real program."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from triscale.nn.fast.machine_load import Load, LoadWatch, _Moment


def counters(folder: Path, *cores: str, waited: int = 0) -> Path:
    """A folder as /proc: fields of each core (user nice system idle iowait irq softirq steal), in ticks."""
    rows = [f"cpu{one} {fields}" for one, fields in zip(sorted(os.sched_getaffinity(0)), cores, strict=False)]
    (folder / "stat").write_text("\n".join(["cpu 9 9 9 9 9 9 9 9 0 0", *rows, "cpu4096 7 7 7 7 7 7 7 7 0 0", "ctxt 1"]))
    task = folder / "self" / "task" / "1"
    task.mkdir(parents=True, exist_ok=True)
    (task / "schedstat").write_text(f"0 {waited} 3\n")
    return folder


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="counters of Linux")
def test_others_are_what_the_cores_did_without_this_process(tmp_path: Path) -> None:
    ticks = os.sysconf("SC_CLK_TCK")
    before = _Moment.now(counters(tmp_path, "0 0 0 50 60 0 0 0 0 0"))._replace(wall=0.0, own=0.0)
    after = _Moment.now(counters(tmp_path, f"{ticks} 0 {ticks} 90 90 0 0 {2 * ticks} 0 0", waited=10**9))
    load = before.load(after._replace(wall=2.0, own=1.0), threads=1)
    assert load == Load(others=1.5, waiting=0.5, cores=1, threads=1), "stolen time counts, idle time and waiting do not"


@pytest.mark.parametrize(
    ("others", "waiting", "cores", "threads", "crowded"),
    [
        (0.1, 0.0, 2, 2, False),
        (1.0, 0.0, 2, 1, False),  # a neighbour on a core of its own, as in a study
        (1.0, 0.0, 2, 2, True),
        (1.5, 0.0, 2, 1, True),
        (40.0, 0.0, 64, 8, False),
        (0.0, 0.5, 64, 8, True),  # a container's quota
    ],
)
def test_it_is_a_crowd_where_there_are_too_few_cores_for_all(
    others: float, waiting: float, cores: int, threads: int, *, crowded: bool
) -> None:
    assert Load(others, waiting, cores, threads).crowded is crowded


def test_a_system_that_counts_nothing_still_gives_a_load(tmp_path: Path) -> None:
    assert LoadWatch(1, tmp_path)().cores >= 1


@pytest.mark.skipif(not Path("/proc/stat").exists(), reason="counters of Linux")
def test_a_program_that_computes_is_seen() -> None:
    """Each core that this process may use gets one."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(len(os.sched_getaffinity(0)))]
    try:
        watch = LoadWatch(1)
        deadline = time.perf_counter() + 20
        while not watch().crowded and time.perf_counter() < deadline:
            sum(range(10_000))
        assert watch().crowded
    finally:
        for one in busy:
            one.kill()
            one.wait()
