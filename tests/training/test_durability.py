"""Killed anywhere, a training goes on with the same command to the very bits that an unbroken one gives.

Shuffling, random shifts or crops, flips, RandAugment, erasing, dropout, stochastic depth, mixup, CutMix, clipping and
the moving average are on. The processes are real, and so are the signals.
"""

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.training.durable import EPOCHS, KINDS, STEPS, Ended, Trainer, killed_once, left_of, members, states
from tests.training.faults import NTH, POINTS
from tests.training.trainings import epochs


@pytest.fixture(scope="module")
def trainer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trainer]:
    found = Trainer(tmp_path_factory.mktemp("durable"))
    yield found
    found.close()


@pytest.fixture(scope="module")
def whole(trainer: Trainer) -> dict[str, object]:
    """What an unbroken training leaves."""
    assert trainer.run("whole").code == 0
    return states(trainer.place / "whole")


@pytest.fixture(scope="module")
def cropped(trainer: Trainer) -> dict[str, object]:
    """What an unbroken training on random crops leaves."""
    assert trainer.run("cropped", "--recipe", trainer.recipe("random")).code == 0
    return states(trainer.place / "cropped")


def finish(trainer: Trainer, folder: str) -> Ended:
    """The same command again, to the end."""
    ended = trainer.run(folder)
    refuse_remains(trainer, folder, ended)
    return ended


def refuse_remains(trainer: Trainer, folder: str, ended: Ended) -> None:
    """It came to its end, every epoch has one record, and nothing of a killed process is left."""
    assert ended.code == 0, ended.err
    found = [one.epoch for one in epochs(trainer.place / folder)]
    assert found == list(range(1, EPOCHS + 1))
    assert not list((trainer.place / folder).glob(".*.tmp"))


def kill_and_go_on(trainer: Trainer, wholes: dict[str, dict[str, object]], kills: int, seed: int) -> None:
    """All kinds in turn."""
    chance = random.Random(seed)
    for number in range(kills):
        folder, (crop, workers) = f"killed-{seed}-{number}", KINDS[number % len(KINDS)]
        found = killed_once(trainer, folder, chance, crop, workers)
        assert found.first.code == -signal.SIGKILL, "it ended before it was killed; the test shows nothing"
        refuse_remains(trainer, folder, found.again)
        assert "resuming at step" in found.again.err
        assert states(trainer.place / folder) == wholes[crop]
        assert not found.left


def test_killed_at_random_points_it_ends_in_the_same_bits(
    trainer: Trainer, whole: dict[str, object], cropped: dict[str, object]
) -> None:
    kill_and_go_on(trainer, {"shift": whole, "random": cropped}, 5, seed=1)


@pytest.mark.slow
def test_killed_twenty_times_it_ends_in_the_same_bits_every_time(
    trainer: Trainer, whole: dict[str, object], cropped: dict[str, object]
) -> None:
    seed = int(os.environ.get("TRISCALE_KILL_SEED", "2"))
    kill_and_go_on(trainer, {"shift": whole, "random": cropped}, 20, seed)


def test_killed_beside_its_worker_processes_it_frees_its_folder_and_leaves_none_of_them(
    trainer: Trainer, cropped: dict[str, object]
) -> None:
    """The same command at once, while they may still be there."""
    options = ("--recipe", trainer.recipe("random"), "--loader-workers", "2")
    group = trainer.start("beside", *options)
    wait_for(trainer.place / "beside" / "records.jsonl", b'"kind":"epoch"')
    deadline = time.monotonic() + 60
    while len(members(group)) < 3 and time.monotonic() < deadline:
        time.sleep(0.001)
    os.kill(group, signal.SIGKILL)
    assert trainer.end().code == -signal.SIGKILL
    assert members(group), "no worker outlived it; the test shows nothing"
    refuse_remains(trainer, "beside", trainer.run("beside", *options))
    assert not left_of(group)
    assert states(trainer.place / "beside") == cropped


@pytest.mark.parametrize("point", POINTS)
def test_killed_inside_a_save_it_goes_on_from_the_save_before_or_this_one(
    trainer: Trainer, whole: dict[str, object], point: str
) -> None:
    folder = f"save-{POINTS.index(point)}"
    assert trainer.run(folder, "--save-every", "0.000001s", fault=point).code == -signal.SIGKILL
    again = finish(trainer, folder)
    assert any(f"resuming at step {step} of {STEPS}" in again.err for step in (NTH - 1, NTH)), again.err
    assert states(trainer.place / folder) == whole


def test_a_disk_that_is_full_leaves_the_old_state_and_says_what_is_needed(
    trainer: Trainer, whole: dict[str, object]
) -> None:
    trainer.killed("full", 1, 0.0)
    last = trainer.place / "full" / "last.safetensors"
    before = hashlib.sha256(last.read_bytes()).hexdigest()
    ended = trainer.run("full", fault=f"limit {last.stat().st_size - 100}")
    assert ended.code == 74
    assert str(last) in ended.err
    assert "bytes" in ended.err
    assert "free" in ended.err
    assert hashlib.sha256(last.read_bytes()).hexdigest() == before
    finish(trainer, "full")
    assert states(trainer.place / "full") == whole


def test_a_disk_that_fails_is_told_before_the_first_step(trainer: Trainer) -> None:
    """Of a new training, and of one that goes on."""
    ended = trainer.run("fails", fault="EIO")
    assert (ended.code, "Input/output error" in ended.err) == (74, True), ended.err
    assert not (trainer.place / "fails" / "records.jsonl").exists()
    trainer.killed("failing", 1, 0.0)
    last = trainer.place / "failing" / "last.safetensors"
    before = last.read_bytes()
    ended = trainer.run("failing", fault="EIO")
    assert ended.code == 74
    assert "resuming" not in ended.err
    assert last.read_bytes() == before
    finish(trainer, "failing")


@pytest.mark.parametrize("folder", ["shift.toml/run", "/proc/run"])
def test_a_folder_that_cannot_be_made_is_told_before_the_first_step(trainer: Trainer, folder: str) -> None:
    """Below what is not a folder, and where not even root may write."""
    ended = trainer.run(folder)
    assert (ended.code, ended.out) == (73, "")
    assert folder in ended.err
    assert "use another --out" in ended.err.lower()


@pytest.mark.parametrize("hashes", ["1", *(pytest.param(f"{k}", marks=pytest.mark.slow) for k in range(2, 6))])
def test_another_interpreter_gives_the_same_bits(trainer: Trainer, whole: dict[str, object], hashes: str) -> None:
    """Not a fork of the same one, and with another seed of its hashes, which decides the order of sets."""
    ended = trainer.anew(f"anew-{hashes}", PYTHONHASHSEED=hashes)
    assert ended.code == 0, ended.err
    found = states(trainer.place / f"anew-{hashes}")
    assert found == whole
    where = found["last.safetensors"]["numerics"]
    assert (where["threads"], where["torch"], where["device"]) == (1, str(torch.__version__), "cpu")


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGUSR1, 143)])
def test_a_signal_saves_within_a_step_and_the_same_command_goes_on(
    trainer: Trainer, whole: dict[str, object], sent: signal.Signals, code: int
) -> None:
    """With saves an hour apart, so that what is gone on with was saved because of the signal."""
    folder = f"signal-{sent.name}"
    process = trainer.start(folder, "--save-every", "1h", "--loader-workers", "2")
    wait_for(trainer.place / folder / "records.jsonl", b'"kind":"epoch"')
    os.kill(process, sent)
    ended = trainer.end()
    assert ended.code == code
    assert "stopped; the same command resumes in" in ended.err
    assert "resuming at step" in finish(trainer, folder).err
    assert states(trainer.place / folder) == whole


def test_a_second_training_in_the_folder_is_busy_and_a_killed_one_frees_it(trainer: Trainer) -> None:
    process = trainer.start("busy")
    wait_for(trainer.place / "busy" / "records.jsonl", b'"kind":"epoch"')
    enter = (
        "import sys; from pathlib import Path; from triscale.lock import locked; locked(Path(sys.argv[1])).__enter__()"
    )
    command = [sys.executable, "-c", enter, str(trainer.place / "busy")]
    second = subprocess.run(command, capture_output=True, text=True, check=False)
    os.kill(process, signal.SIGKILL)
    trainer.end()
    assert f"another process ({process}) is at work" in second.stderr
    assert trainer.run("busy").code == 0


def wait_for(path: Path, text: bytes) -> None:
    """Until a file holds a text."""
    deadline = time.monotonic() + 60
    while not (path.exists() and text in path.read_bytes()) and time.monotonic() < deadline:
        time.sleep(0.001)
