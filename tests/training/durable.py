"""Trainings as processes of their own that are killed on purpose, and what is left of them."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import safetensors

from tests.paths import ROOT
from tests.training.pictures import SMALL, class_folders
from triscale.spec import to_document

EPOCHS, STEPS = 6, 24
KINDS = (("shift", 0), ("random", 2), ("shift", 2), ("random", 0))
"""Crops and workers of the trainings that are killed, in turn; workers are threads, for random crops processes."""
LEFT_SECONDS = 3
"""Within which the processes of a killed training are gone."""

_RECIPE = f"""epochs = {EPOCHS}
batch = 16
optimizer = "rmsprop"
ema = 0.9
mixup = 0.2
cutmix = 1.0
clip = 1.0
"""
_CROPS = {"shift": "", "random": 'crop = "random"\nshift = 0.0\npolicy = "randaugment"\njitter = 0.2\nerase = 0.25\n'}

# Torch is imported once, and every training is a fork of a process that has computed nothing yet: a training takes a
# second, importing torch several. What a fault breaks, it breaks in its own fork alone.
_SERVER = """
import json, os, sys
import torch, torch._dynamo, PIL.PngImagePlugin, triscale.training, triscale.cli.show.progress.training_bar
from tests.training import faults
from triscale.cli import main
print("ready", flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    if (child := os.fork()) == 0:
        os.setsid()
        for stream, name in ((1, "out"), (2, "err")):
            os.dup2(os.open(asked["told"] + name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), stream)
        faults.arrange(asked["fault"])
        code = main(asked["arguments"])
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@dataclass(frozen=True)
class Ended:
    """How a training ended: its exit code (minus the signal that killed it), and what it said."""

    code: int
    out: str
    err: str


class Trainer:
    """Starts trainings, one at a time, each in a group of processes of its own.

    Attributes:
        place: where everything lies.
        process: the id of the last one, and of its group.
    """

    process: int

    def __init__(self, place: Path) -> None:
        self.place = place
        (place / "network.json").write_text(json.dumps(to_document(SMALL)))
        for crop, more in _CROPS.items():
            (place / f"{crop}.toml").write_text(_RECIPE + more)
        class_folders(place / "data", formats=("png", "jpg"))
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        paths = os.pathsep.join((str(ROOT / "src"), str(ROOT)))
        self._environment = {**os.environ, **threads, "TRISCALE_CACHE": str(place / "cache"), "PYTHONPATH": paths}
        self._server = subprocess.Popen(
            [sys.executable, "-c", _SERVER],
            env=self._environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert self._line() == "ready"

    def close(self) -> None:
        """End the server."""
        self._server.communicate("", timeout=30)

    def start(self, folder: str, *more: str, fault: str = "") -> int:
        """Begin a training in `folder`; its process id."""
        asked = {"arguments": self.arguments(folder, *more), "fault": fault, "told": str(self.place / "told.")}
        assert self._server.stdin is not None
        self._server.stdin.write(json.dumps(asked) + "\n")
        self._server.stdin.flush()
        self.process = int(self._line())
        return self.process

    def arguments(self, folder: str, *more: str) -> list[str]:
        """The command."""
        usual = {"--save-every": "0.1s", "--recipe": self.recipe("shift")}
        return [
            "train", "--network", str(self.place / "network.json"), "--data", str(self.place / "data"), "--out",
            str(self.place / folder), "--device", "cpu", "--threads", "1",
            *chain.from_iterable(pair for pair in usual.items() if pair[0] not in more), *more,
        ]  # fmt: skip

    def recipe(self, crop: str) -> str:
        """The file of the recipe with that crop."""
        return str(self.place / f"{crop}.toml")

    def anew(self, folder: str, **environment: str) -> Ended:
        """A whole training in an interpreter of its own."""
        command = [sys.executable, "-m", "triscale", *self.arguments(folder)]
        done = subprocess.run(
            command, env={**self._environment, **environment}, capture_output=True, text=True, check=False
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def end(self) -> Ended:
        """Wait for the training that was begun."""
        code = int(self._line())
        return Ended(code, *((self.place / f"told.{name}").read_text() for name in ("out", "err")))

    def run(self, folder: str, *more: str, fault: str = "") -> Ended:
        """A whole training."""
        self.start(folder, *more, fault=fault)
        return self.end()

    def killed(self, folder: str, saves: int, seconds: float, *more: str) -> Ended:
        """A training that is killed some seconds after that many states were on disk."""
        process, last, seen = self.start(folder, *more), self.place / folder / "last.safetensors", set[int]()
        deadline = time.monotonic() + 60
        while len(seen) < saves and time.monotonic() < deadline:
            with suppress(FileNotFoundError):
                seen.add(last.stat().st_mtime_ns)
        time.sleep(seconds)
        with suppress(ProcessLookupError):  # it was faster
            os.kill(process, signal.SIGKILL)
        return self.end()

    def _line(self) -> str:
        assert self._server.stdout is not None
        return self._server.stdout.readline().strip()


@dataclass(frozen=True)
class Killed:
    """A training that was killed once at random and begun again.

    Attributes:
        first, again: how both ended.
        saves: states that were on disk.
        left: processes of the first that outlived it by seconds.
    """

    first: Ended
    again: Ended
    saves: int
    left: set[int]


def killed_once(trainer: Trainer, folder: str, chance: random.Random, crop: str, workers: int) -> Killed:
    """Kill a training once at random, and begin it again at once, whatever its workers do meanwhile."""
    saves, seconds = chance.randint(1, STEPS - 6), chance.uniform(0, 0.02)
    options = ("--loader-workers", str(workers), "--recipe", trainer.recipe(crop))
    first = trainer.killed(folder, saves, seconds, "--save-every", "0.000001s", *options)
    group = trainer.process
    return Killed(first, trainer.run(folder, *options), saves, left_of(group))


def members(group: int) -> set[int]:
    """The living processes of a group, as Linux lists them."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it is gone
            state, _, its_group, *_ = path.read_text().rpartition(")")[2].split()
            if int(its_group) == group and state not in {"Z", "X"}:
                found.add(int(path.parent.name))
    return found


def left_of(group: int) -> set[int]:
    """Those that are still there after some seconds."""
    deadline = time.monotonic() + LEFT_SECONDS
    while (left := members(group)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left


def states(folder: Path) -> dict[str, Any]:
    """Every tensor of model, average and optimizer as bytes, and all counters but the seconds."""
    found: dict[str, Any] = {}
    for file in ("best.safetensors", "last.safetensors"):
        with safetensors.safe_open(folder / file, framework="pt") as opened:
            about = json.loads(opened.metadata()["triscale"])
            for name in opened.keys():  # noqa: SIM118  not a dict
                found[f"{file}:{name}"] = opened.get_tensor(name).numpy().tobytes()
        found[file] = {name: value for name, value in about.items() if name not in {"seconds", "training_seconds"}}
    return found
