"""Searches whose trainings are real and take a tenth of a second: 8 px, two stages, images that colours tell apart.

What happens to a training is decided by files in a folder, which workers on any machine of a test see.
"""

import json
import os
import resource
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from triscale.families import network
from triscale.search.explorations.search_question import SearchQuestion
from triscale.search.trainings.work import Progressed, Trained, TrialTask, run_trial
from triscale.spec import Network, Stem, content_hash, to_document
from triscale.trials import Stored
from triscale.trials.executor import Tell

_COLOURS = np.array([[90, 120, 120], [120, 90, 120], [120, 120, 90], [120, 120, 120]])
FATES = ("raise", "nan", "memory")
_KILLS, _NODES, _FATES, _ENDED = "kills", "nodes", "fates.json", "ended"


def tiny_data(folder: Path) -> Path:
    """120 images to learn from and 40 to test on, 8 px, four classes that differ in colour beneath much noise."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True)
    for split, n in (("train", 120), ("test", 40)):
        labels = np.arange(n) % 4
        images = _COLOURS[labels][:, None, None, :] + rng.normal(0, 60, (n, 8, 8, 3))
        pixels = np.clip(images, 0, 255).astype(np.uint8)
        np.savez_compressed(folder / f"{split}.npz", images=pixels, labels=labels, classes=np.array([*"abcd"]))
    return folder


def tiny_base() -> Network:
    """Two stages of two blocks of 8 channels."""
    base = network("finenet_24")
    stages = tuple(replace(one, channels=8, repeats=2) for one in base.stages[:2])
    return replace(base, name="tiny", resolution=(8, 8), stem=Stem(channels=8, stride=1), stages=stages)


def tiny_space(folder: Path) -> Path:
    """256 networks around it, as a file."""
    document = {
        "format": "triscale.space", "version": 1, "name": "tiny", "base": to_document(tiny_base()),
        "operators": {
            "dconv": {"operator": "mbconv", "expand": 1}, "mbconv2": {"operator": "mbconv", "expand": 2},
        },
        "every_stage": {
            "operator": ["dconv", "mbconv2"], "kernel": [3, 5], "channel_factor": [0.5, 1], "layers": [-1, 0],
        },
    }  # fmt: skip
    path = folder / "tiny.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def tiny_question(folder: Path, trials: int) -> SearchQuestion:
    """Of that many trials of two epochs; the data and the space are written into `folder` if they are not there."""
    data, space = folder / "data", folder / "tiny.json"
    return SearchQuestion(
        data=str(data if data.exists() else tiny_data(data)),
        space=str(space if space.exists() else tiny_space(folder)),
        trials=trials, lag=4, epochs=2, final_epochs=3, seeds=1, batch=16,
    )  # fmt: skip


def kill_one(folder: Path, name: str) -> None:
    """Some worker that completes an epoch from now on is killed (SIGKILL) there."""
    (folder / _KILLS).mkdir(parents=True, exist_ok=True)
    (folder / _KILLS / name).touch()


def kill_node(folder: Path, process: int) -> None:
    """That process, the node of a cluster, is killed by the next of its workers that completes an epoch."""
    (folder / _NODES).mkdir(parents=True, exist_ok=True)
    (folder / _NODES / str(process)).touch()


def doom(folder: Path, fates: dict[str, str]) -> None:
    """What becomes of trainings, by the id of the network: `raise`, `nan` or `memory`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _FATES).write_text(json.dumps(fates), encoding="utf-8")


def ended(folder: Path) -> list[str]:
    """The keys of the trainings that came to their end, each as often as it did."""
    return (folder / _ENDED).read_text(encoding="utf-8").split()


def fated(folder: Path, task: TrialTask, tell: Tell) -> Trained:
    """`run_trial` for a task whose fate stands in the folder."""

    def telling(message: object = None, /) -> None:
        tell(message)
        if isinstance(message, Progressed):
            _die_if_told(folder / _KILLS)
            _die_with_node(folder / _NODES)

    with _fate(folder, task) as altered:
        trained = run_trial(altered, telling)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _ENDED).open("a", encoding="utf-8") as file:
        file.write(f"{task.job.key}\n")
    return trained


def _die_if_told(kills: Path) -> None:
    """Each file kills one worker: who removes it."""
    for path in kills.glob("*"):
        try:
            path.unlink()
        except FileNotFoundError:
            continue
        os.kill(os.getpid(), signal.SIGKILL)


def _die_with_node(nodes: Path) -> None:
    if (nodes / str(os.getppid())).exists():
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(600)  # who works for a node ends soon after it


@contextmanager
def _fate(folder: Path, task: TrialTask) -> Iterator[TrialTask]:
    path = folder / _FATES
    fates = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    match fates.get(content_hash(task.job.network)):
        case "raise":
            raise ValueError("the work of this trial raises")
        case "nan":
            recipe = replace(task.job.recipe, learning_rate=1e30, clip=0.0)
            yield replace(task, job=replace(task.job, recipe=recipe))
        case "memory":
            with _little_memory():
                yield replace(task, job=replace(task.job, network=replace(task.job.network, resolution=(1024, 1024))))
        case _:
            yield task


@contextmanager
def _little_memory() -> Iterator[None]:
    """This process may grow by 32 MB and no more."""
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (32 << 20), before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def check_reasons(stored: Stored) -> None:
    """Each of the three fates has its failure and its words."""
    failed = {one.failure: one.reason or "" for one in stored if one.state == "failed"}
    assert failed.keys() == {"ValueError", "NumericError", "OutOfMemoryError"}
    assert failed["ValueError"] == "the work of this trial raises"
    assert "nan in epoch 1" in failed["NumericError"]
    assert "not enough memory to train" in failed["OutOfMemoryError"]
    assert "--jobs" in failed["OutOfMemoryError"]
