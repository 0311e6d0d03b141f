"""A study from end to end: what it trains, and that neither kills nor workers change a bit of it."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.paths import ROOT
from tests.search.studies import SMALL, outcome, study, tensors
from tests.training.pictures import class_folders
from triscale import evaluate, train
from triscale.errors import BusyError, InputError, NumericError, OutOfMemoryError
from triscale.search.trainings import work
from triscale.search.trainings.work import Trained, TrialTask
from triscale.search.trainings.workers import Engine, Workers
from triscale.spec import content_hash
from triscale.training import Inputs, fit, numerics_here
from triscale.trials import TEST, Execution, TrialStore, read
from triscale.trials.executor import InlineExecutor, Tell
from triscale.trials.study_records import FamilyRecord, PlanRecord


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRISCALE_CACHE", str(tmp_path_factory.getbasetemp() / "study-cache"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A study that nothing disturbed, on one worker."""
    folder = tmp_path_factory.mktemp("study") / "whole"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRISCALE_CACHE", str(tmp_path_factory.getbasetemp() / "study-cache"))
        study(folder=folder).run()
        yield folder


def test_a_study_ends_with_exactly_the_trials_that_it_planned(whole: Path) -> None:
    stored = read(whole)
    plan = stored.one(PlanRecord)
    assert plan is not None
    assert len(stored) == plan.trainings == 8, "the baseline, once more twice as long, four candidates, two rivals"
    assert {trial.state for trial in stored} == {"done"}
    assert all((whole / str(trial.checkpoint)).exists() for trial in stored)
    assert not list(whole.glob("trials/*/last.safetensors")), "what a training resumes from is gone with its end"


@pytest.mark.slow
def test_two_workers_give_the_bytes_of_one(whole: Path, tmp_path: Path) -> None:
    study(folder=tmp_path / "two", jobs=2).run()
    assert outcome(tmp_path / "two") == outcome(whole)


@pytest.mark.slow
@pytest.mark.xdist_group("ray")
def test_two_workers_of_a_ray_cluster_give_the_bytes_of_one(whole: Path, tmp_path: Path) -> None:
    if find_spec("ray") is None:
        pytest.skip("Ray is not installed")
    folder = tmp_path / "ray"
    asked = [*command(folder, 2), "--engine", "ray", "--address", "local", "--json"]
    done = subprocess.run(asked, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["folder"] == str(folder)
    assert outcome(folder) == outcome(whole)


def test_a_training_by_itself_with_the_job_of_a_trial_gives_its_bytes(whole: Path, tmp_path: Path) -> None:
    trial = next(one for one in read(whole) if one.purpose == "search")
    one = fit(
        trial.job, tmp_path / "alone", numerics_here("cpu", 1), Execution(),
        inputs=Inputs(source=study(folder=tmp_path / "unused").source),
    )  # fmt: skip
    assert one.key == trial.key
    assert tensors(tmp_path / "alone" / str(one.checkpoint)) == tensors(whole / str(trial.checkpoint))


def test_weights_that_travel_back_are_those_of_a_shared_folder(whole: Path, tmp_path: Path) -> None:
    study(folder=tmp_path / "apart", engine=Here(folder_is_shared=False)).run()
    assert outcome(tmp_path / "apart") == outcome(whole)


def test_a_second_driver_is_busy(tmp_path: Path) -> None:
    with TrialStore(tmp_path / "study"), pytest.raises(BusyError):
        subprocess_study(tmp_path / "study")


def subprocess_study(folder: Path) -> None:
    """The same study in another process; raises what it ends with."""
    done = subprocess.run(command(folder), env=environment(), capture_output=True, text=True, check=False)
    if done.returncode == BusyError.exit_code:
        raise BusyError(done.stderr)


def command(folder: Path, jobs: int = 1) -> list[str]:
    """The command line of the small study."""
    return [
        sys.executable, "-m", "triscale", *SMALL.command().split()[1:], "--out", str(folder), "--jobs", str(jobs),
        "--device", "cpu", "--threads", "1",
    ]  # fmt: skip


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT))), "OMP_NUM_THREADS": "1"}


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_study_that_is_killed_at_random_points_ends_in_the_same_trials_and_bytes(
    whole: Path, tmp_path: Path, jobs: int
) -> None:
    """With all its processes; the same command resumes, until it is through."""
    draw, folder, kills = random.Random(jobs), tmp_path / "killed", 0
    begun = time.monotonic()
    assert subprocess.run(command(tmp_path / "timed", jobs), env=environment(), check=False).returncode == 0
    usual = time.monotonic() - begun
    while kills < 5:
        process = subprocess.Popen(command(folder, jobs), env=environment(), start_new_session=True)
        try:
            process.wait(timeout=draw.uniform(0.3, 0.8) * usual)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            kills += 1
        else:
            break
    assert subprocess.run(command(folder, jobs), env=environment(), check=False).returncode == 0
    assert kills, "it was hardly disturbed; the test shows nothing"
    assert outcome(folder) == outcome(whole)


class Fails:
    """Work that raises for one network at first, and then trains."""

    def __init__(self, error: Exception, times: int, calls_left: int = 10**9) -> None:
        self.error, self.left, self.calls_left = error, times, calls_left
        self.calls: list[str] = []

    def __call__(self, task: TrialTask, tell: Tell) -> Trained:
        """As `run_trial`."""
        if not self.calls_left:
            raise InputError("enough")
        self.calls_left -= 1
        self.calls.append(task.job.key)
        first = self.calls[0]
        if task.job.key == first and self.left:
            self.left -= 1
            raise self.error
        return work.run_trial(task, tell)


@pytest.mark.parametrize(("error", "again"), [
    (NumericError("the loss is nan"), False), (OutOfMemoryError("too large"), True), (ValueError("odd"), True),
])  # fmt: skip
def test_a_trial_that_fails_is_recorded_and_the_others_go_on(tmp_path: Path, error: Exception, again: bool) -> None:
    """What would come again is not tried again; want of memory is, by the same command, until the study is answered."""
    question, folder = replace(SMALL, seeds=2), tmp_path / "study"
    failing = Fails(error, times=1, calls_left=4)
    with pytest.raises(InputError, match="enough"):
        study(question, folder, engine=Here(work=failing)).run()
    failed = [one for one in read(folder) if one.state == "failed"]
    advice = "; train fewer at a time (--jobs)." if isinstance(error, OutOfMemoryError) else ""
    assert [(one.reason, one.failure) for one in failed] == [(f"{error}{advice}", type(error).__name__)]
    assert sum(one.state == "done" for one in read(folder)) == 3
    study(question, folder).run()
    assert {one.state for one in read(folder)} == ({"done"} if again else {"done", "failed"})


def test_an_answered_study_trains_nothing_again_and_its_answer_stays(tmp_path: Path) -> None:
    """Though a trial failed; weights that are gone come back from the trial that they are of."""
    folder = tmp_path / "study"
    study(replace(SMALL, seeds=2), folder, engine=Here(work=Fails(OutOfMemoryError("too large"), times=1))).run()
    before = {name: (folder / name).read_bytes() for name in ("records.jsonl", "best.safetensors", "best.json")}
    (folder / "best.safetensors").unlink()
    never = Fails(AssertionError("it trained"), times=10**9)
    study(replace(SMALL, seeds=2), folder, engine=Here(work=never)).run()
    assert {name: (folder / name).read_bytes() for name in before} == before
    assert never.calls == []


def test_a_trial_whose_weights_are_gone_is_trained_again(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    with pytest.raises(InputError, match="enough"):
        study(folder=folder, engine=Here(work=Fails(InputError("x"), times=0, calls_left=2))).run()
    done = next(one for one in read(folder) if one.state == "done")
    (folder / str(done.checkpoint)).unlink()
    study(folder=folder).run()
    assert all((folder / str(one.checkpoint)).exists() for one in read(folder))


def test_the_weights_of_a_candidate_that_was_not_chosen_are_not_needed(whole: Path, tmp_path: Path) -> None:
    """Records that were committed without weights resume; what the family needs is trained again to the same bits."""
    folder = tmp_path / "study"
    shutil.copytree(whole, folder)
    lines = (folder / "records.jsonl").read_bytes().splitlines(keepends=True)
    end = next(at for at, line in enumerate(lines) if b'"kind":"choice"' in line)
    (folder / "records.jsonl").write_bytes(b"".join(lines[:end]))
    shutil.rmtree(folder / "trials")
    trained = list[str]()

    def noted(task: TrialTask, tell: Tell) -> Trained:
        trained.append(task.job.key)
        return work.run_trial(task, tell)

    study(folder=folder, engine=Here(work=noted)).run()
    stored, family = read(folder), read(folder).one(FamilyRecord)
    assert family is not None
    members = {one.id for one in family.members}
    again = {key for key in trained if content_hash(stored.trial(key).network) in members}
    assert set(trained) == again
    assert {one.key for one in stored} - set(trained), "a candidate that is not a member is left alone"
    theirs = outcome(whole)
    assert all(outcome(folder, only=again)[key] == theirs[key] for key in again)


def test_a_training_and_a_study_share_no_folder(whole: Path, tmp_path: Path) -> None:
    train("smallnet_24@resolution=0.34", "flowers:240", out=tmp_path / "training", epochs=1, kernels=False)
    with pytest.raises(InputError, match="holds a training, not a study"):
        study(folder=tmp_path / "training").run()
    with pytest.raises(InputError, match="holds a study, not a training"):
        train("smallnet_24@resolution=0.34", "flowers:240", out=whole, epochs=1)


@dataclass(frozen=True, kw_only=True)
class Here(Engine):
    """A worker in this process."""

    work: Callable[[TrialTask, Tell], Trained] = work.run_trial
    folder_is_shared: bool = True

    def workers(self, *asked: object, **named: object) -> Workers:
        """As `Engine.workers`."""
        del asked, named
        return Workers(InlineExecutor(self.work), shared=self.folder_is_shared)


def test_an_error_that_concerns_all_trials_ends_the_study(tmp_path: Path) -> None:
    failing = Here(work=Fails(InputError("the data changed"), times=1))
    with pytest.raises(InputError, match="the data changed"):
        study(folder=tmp_path / "study", engine=failing).run()
    study(folder=tmp_path / "study").run()
    assert {one.state for one in read(tmp_path / "study")} == {"done"}


def test_a_recipe_of_random_crops_reads_the_originals_and_tests_by_its_own_preprocessing(tmp_path: Path) -> None:
    """The test accuracy of the record is that of `evaluate`."""
    (tmp_path / "crops.toml").write_text('epochs = 2\nbatch = 16\ncrop = "random"\nshift = 0.0\n')
    for split in ("train", "test"):
        class_folders(tmp_path / "data" / split, count=20)
    question = replace(
        SMALL, data=str(tmp_path / "data"), train_size=None, recipe=str(tmp_path / "crops.toml"), epochs=None
    )
    study(question, tmp_path / "study").run()
    stored = read(tmp_path / "study")
    assert {trial.job.recipe.crop for trial in stored} == {"random"}
    tested = next(trial for trial in stored if TEST in trial.metrics)
    found = evaluate(tmp_path / "study" / str(tested.checkpoint), tmp_path / "data", split="test")
    assert tested.metrics[TEST] == found.top1


def test_every_trial_uses_as_many_images_as_the_plan_says(tmp_path: Path) -> None:
    """The plan sizes them, where the question leaves it open."""
    study(replace(SMALL, train_size=None), tmp_path / "study").run()
    stored = read(tmp_path / "study")
    plan = stored.one(PlanRecord)
    assert plan is not None
    assert plan.train_size == 216
    assert {trial.job.data.subset for trial in stored} == {None}, (
        "all of them is not a subset: the key is that of train"
    )
    assert len(stored) == plan.trainings
    one = next(trial for trial in stored if trial.purpose == "search")
    alone = train(
        one.network, "flowers:240", out=tmp_path / "alone", recipe=one.job.recipe, seed=one.seed, keep="last",
        device="cpu", threads=1,
    )  # fmt: skip
    assert alone.trial.key == one.key
    assert tensors(alone.checkpoint) == tensors(tmp_path / "study" / str(one.checkpoint))
