"""One training in several processes: the same images in the same order, and nothing lost when one of them dies."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from tests.paths import ROOT
from tests.training.durable import states
from tests.training.pictures import SMALL, class_folders
from tests.training.torchrun import children, start
from tests.training.trainings import epochs, job_of, only
from triscale.data.feed.rank_share import Share
from triscale.errors import InputError
from triscale.nn import build, synchronise_norms
from triscale.spec import IMAGENET, to_document
from triscale.training import Recipe, TrainRequest
from triscale.training.distributed.processes import _differences
from triscale.training.learning.mix import mixed
from triscale.training.supply import feeds_of
from triscale.trials import RECORDS, Epoch

NETWORK = replace(SMALL, stochastic_depth=0.0, head=replace(SMALL.head, dropout=0.0))
RECIPE = "epochs = {}\nbatch = 16\nema = 0.9\nmixup = 0.2\ncutmix = 1.0\nclip = 1.0\nsync_norms = true\n"
RECIPE += 'class_weights = "balanced"\n'
GONE = 30.0
"""Seconds after which nothing of a broken training may be left."""


@given(n=st.integers(2, 200), of=st.integers(1, 9))
def test_shares_are_a_batch_cut_into_pieces(n: int, of: int) -> None:
    places = [Share(rank, of).places(n) for rank in range(of)]
    assert sorted(np.concatenate(places).tolist()) == list(range(n))
    assert max(map(len, places)) - min(map(len, places)) <= 3
    turns = [Share(rank, of).turns(np.arange(n)) for rank in range(of)]
    assert sorted(np.concatenate(turns).tolist()) == list(range(n))


def test_alone_a_share_is_the_batch_in_its_order() -> None:
    assert Share().places(7).tolist() == list(range(7))


@given(n=st.integers(2, 40), of=st.integers(1, 4), step=st.integers(0, 20))
def test_a_share_mixes_what_the_whole_batch_mixes(n: int, of: int, step: int) -> None:
    pictures, labels = torch.rand(n, 3, 4, 4), torch.arange(n)
    whole = mixed(pictures, labels, 0.2, 1.0, 0, step)
    for rank in range(of):
        places = torch.from_numpy(Share(rank, of).places(n))
        part = mixed(pictures[places], labels[places], 0.2, 1.0, 0, step)
        assert torch.equal(part.pictures, whole.pictures[places])
        assert torch.equal(part.others, whole.others[places])
        assert part.share == whole.share


def test_more_processes_than_pictures_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRISCALE_CACHE", str(tmp_path / "cache"))
    asked = TrainRequest(network=SMALL, data=str(class_folders(tmp_path / "data", count=10)), recipe=Recipe(batch=16))
    with pytest.raises(InputError, match="9 processes cannot share batches of"):
        feeds_of(job_of(asked), asked.inputs().source, IMAGENET, 0, lambda *_: None, Share(0, 9))


def test_alone_a_synchronised_norm_is_a_batch_norm() -> None:
    torch.manual_seed(0)
    plain = build(SMALL)
    same = synchronise_norms(build(SMALL))
    same.load_state_dict(plain.state_dict())
    pictures = torch.rand(4, 3, 8, 8)
    torch.manual_seed(1)
    expected = plain(pictures)
    torch.manual_seed(1)
    assert torch.equal(same(pictures), expected)
    assert isinstance(plain, nn.Module)


@pytest.fixture
def group() -> Iterator[None]:
    """A group of this process alone."""
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)  # type: ignore[attr-defined]
    yield
    dist.destroy_process_group()


@pytest.mark.usefixtures("group")
def test_a_synchronised_norm_in_bfloat16_counts_pixels_that_bfloat16_has_no_number_for() -> None:
    norm = nn.BatchNorm2d(8, momentum=1.0).train()
    synchronise_norms(nn.Sequential(norm))
    torch.manual_seed(0)
    x = (torch.randn(33, 8, 57, 57) + 3).bfloat16()
    norm(x)
    assert norm.running_mean is not None
    assert torch.allclose(norm.running_mean, x.float().mean((0, 2, 3)), rtol=1e-5)
    with pytest.raises(ValueError, match="more than one value a channel"):
        norm(torch.ones(1, 8, 1, 1))


def test_what_one_process_alone_was_asked_is_found_and_long_values_are_cut() -> None:
    usual = {"seed": 0, "classes": list("abc") * 100}
    assert _differences([usual, usual]) == []
    assert _differences([usual, {**usual, "teacher": "1a2b"}]) == [
        "process 1 has another teacher than process 0: 1a2b, not None."
    ]
    (told,) = _differences([usual, {**usual, "classes": []}])
    assert len(told) < 200


class Trainings:
    """Trainings of one question in folders of their own."""

    def __init__(self, place: Path, epochs: int) -> None:
        self.place = place
        class_folders(place / "data")
        for index in range(20):  # of unequal classes, which the recipe weighs
            (place / "data" / "1" / f"{index}.png").unlink()
        (place / "network.json").write_text(json.dumps(to_document(NETWORK)))
        (place / "recipe.toml").write_text(RECIPE.format(epochs))

    def begin(self, folder: str, processes: int, *more: str) -> "subprocess.Popen[str]":
        """Start one."""
        return start(processes, [*self.command(folder), *more], self.place / "cache")

    def command(self, folder: str) -> list[str]:
        """What it is asked."""
        return [
            "train", "--network", str(self.place / "network.json"), "--data", str(self.place / "data"),
            "--recipe", str(self.place / "recipe.toml"), "--out", str(self.place / folder), "--device", "cpu",
            "--save-every", "0.1s",
        ]  # fmt: skip

    def whole(self, folder: str, processes: int, *more: str) -> str:
        """One that is left alone; what it said."""
        process = self.begin(folder, processes, *more)
        _, told = process.communicate(timeout=240)
        assert process.returncode == 0, told
        return told

    def epochs(self, folder: str) -> Sequence[Epoch]:
        """Those of its trial."""
        return epochs(self.place / folder)

    def wait_for_a_state(self, folder: str) -> None:
        """Until the second state is on disk."""
        deadline = time.monotonic() + 120
        while not (self.place / folder / "previous.safetensors").exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)


@pytest.fixture(scope="module")
def trainings(tmp_path_factory: pytest.TempPathFactory) -> Trainings:
    """With an unbroken training of two processes."""
    made = Trainings(tmp_path_factory.mktemp("world"), epochs=20)
    made.whole("whole", 2)
    return made


def test_two_processes_learn_what_one_learns(trainings: Trainings) -> None:
    """The same images in the same order, norms over all of them: losses within 1e-5; each image validated once."""
    trainings.whole("one", 1)
    alone, together = trainings.epochs("one"), trainings.epochs("whole")
    assert [one.epoch for one in together] == list(range(1, 21))
    for one, other in zip(alone[:3], together[:3], strict=True):
        assert other.train_loss == pytest.approx(one.train_loss, rel=1e-5)
        assert other.gradient_norm == pytest.approx(one.gradient_norm, rel=1e-4)
        assert (other.samples, other.validation_top1) == (one.samples, one.validation_top1)


def test_a_killed_process_ends_the_job_and_the_same_command_resumes_to_the_same_bits(trainings: Trainings) -> None:
    process = trainings.begin("killed", 2)
    trainings.wait_for_a_state("killed")
    ranks = children(process.pid)
    assert len(ranks) == 2
    os.kill(ranks[1], signal.SIGKILL)
    _, told = process.communicate(timeout=GONE)
    assert process.returncode not in {0, None}
    assert "rank      : 1" in told
    assert all(not Path(f"/proc/{rank}").exists() for rank in ranks)
    assert len(trainings.epochs("killed")) < 20
    trainings.whole("killed", 2)
    assert states(trainings.place / "killed") == states(trainings.place / "whole")


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_launcher_that_is_asked_to_stop_leaves_a_state_that_resumes_to_the_same_bits(
    trainings: Trainings, how: signal.Signals
) -> None:
    process = trainings.begin(how.name, 2)
    trainings.wait_for_a_state(how.name)
    ranks = children(process.pid)
    process.send_signal(how)
    process.communicate(timeout=GONE)
    assert all(not Path(f"/proc/{rank}").exists() for rank in ranks)
    trainings.whole(how.name, 2)
    assert states(trainings.place / how.name) == states(trainings.place / "whole")


@pytest.mark.slow
def test_a_launcher_that_is_killed_leaves_nobody_behind(trainings: Trainings) -> None:
    process = trainings.begin("orphans", 2)
    trainings.wait_for_a_state("orphans")
    ranks = children(process.pid)
    process.kill()
    deadline = time.monotonic() + GONE
    while any(Path(f"/proc/{rank}").exists() and _runs(rank) for rank in ranks):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.communicate()
    trainings.whole("orphans", 2)
    assert states(trainings.place / "orphans") == states(trainings.place / "whole")


@pytest.mark.slow
def test_one_process_goes_on_with_what_two_began(trainings: Trainings) -> None:
    """The order of the images is the same; a warning says that the last bits may differ."""
    process = trainings.begin("fewer", 2)
    trainings.wait_for_a_state("fewer")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=GONE)
    told = trainings.whole("fewer", 1)
    assert "processes 2 then, 1 now" in told
    trial = only(trainings.place / "fewer")
    assert ([one.kind for one in trial.deviations], trial.job.processes, trial.paired) == (["processes"], 2, False)
    for one, other in zip(trainings.epochs("fewer")[:5], trainings.epochs("whole")[:5], strict=True):
        assert one.train_loss == pytest.approx(other.train_loss, rel=1e-4)


def test_processes_that_are_asked_different_things_are_refused(trainings: Trainings) -> None:
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "--no-python"]
    command = " ".join([sys.executable, "-m", "triscale", *trainings.command("different"), "--seed", "$RANK"])
    told = subprocess.run(
        [*launcher, "bash", "-c", command], capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT)))},
    )  # fmt: skip
    assert told.returncode != 0
    assert "process 1 has another seed than process 0: 1, not 0." in told.stderr
    assert "triscale/cli" not in told.stderr  # no traceback of ours
    assert not (trainings.place / "different" / RECORDS).exists()


def test_others_that_never_come_are_waited_for_no_longer_than_agreed() -> None:
    code = (
        "import torch\nfrom triscale.errors import StorageError\nfrom triscale.training import here, joined\n"
        "try:\n    with joined(here(), torch.device('cpu'), patience=1.0): pass\n"
        "except StorageError as error: print(error)"
    )
    alone = {"RANK": "0", "WORLD_SIZE": "2", "LOCAL_RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "0"}
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True,
        env={**os.environ, **alone, "PYTHONPATH": str(ROOT / "src")},
    )  # fmt: skip
    assert "process 0 of 2 did not meet the others at 127.0.0.1:0 in 1 s" in told.stdout


def test_an_environment_that_cannot_be_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from triscale.training import here

    for rank, size in (("2", "2"), ("x", "2")):
        monkeypatch.setenv("RANK", rank)
        monkeypatch.setenv("WORLD_SIZE", size)
        with pytest.raises(InputError, match="invalid RANK or WORLD_SIZE"):
            here()


def _runs(process: int) -> bool:
    """Whether it is more than a name that nobody has asked after."""
    with suppress(OSError):
        return Path(f"/proc/{process}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0] != "Z"
    return False
