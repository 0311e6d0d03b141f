"""Trainings of several processes, as `torchrun` starts them."""

import os
import subprocess
import sys
from pathlib import Path

from tests.paths import ROOT


def start(processes: int, arguments: list[str], cache: Path) -> subprocess.Popen[str]:
    """Begin `triscale ARGUMENTS` in so many processes of one thread each, in a group of their own."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    paths = os.pathsep.join((str(ROOT / "src"), str(ROOT)))
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes), "-m"]
    return subprocess.Popen(
        [*launcher, "triscale", *arguments],
        env={**os.environ, **threads, "TRISCALE_CACHE": str(cache), "PYTHONPATH": paths, "PYTHONWARNINGS": "default"},
        text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip


def children(process: int) -> list[int]:
    """The processes that a process has begun."""
    found = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii")
    return [int(one) for one in found.split()]
