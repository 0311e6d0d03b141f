"""What may change when a training resumes, what is recorded of it, and what is rejected."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.training.durable import states
from tests.training.pictures import class_folders
from tests.training.trainings import RECIPE, Heard, inside, job_of, kept, only, request, run
from triscale.errors import BusyError, InputError, NumericError, OutOfMemoryError
from triscale.lock import locked
from triscale.training import Interrupted, Trainer, fit, numerics_here
from triscale.training.saved import LAST, packed, unpacked
from triscale.trials import RECORDS, VALIDATION, Deviation, Execution, Trial, TrialStore, read

SHORT = replace(RECIPE, epochs=2)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRISCALE_CACHE", str(tmp_path / "cache"))
    return class_folders(tmp_path / "data")


@pytest.fixture
def _threads() -> Iterator[None]:
    """Those of this process, whatever a test does to them."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


class Failing(Heard):
    """Fails behind the third step, unless blocks compute their maps again."""

    def step(self, engine: Trainer) -> None:
        """As if memory had run out."""
        if engine.step == 3 and not vars(engine.model)["recompute"]:
            raise RuntimeError("std::bad_alloc")


def test_a_training_that_ran_out_of_memory_resumes_with_gradient_checkpointing_to_the_same_bits(
    tmp_path: Path, data: Path
) -> None:
    whole = run(request(data, recipe=SHORT), tmp_path / "whole")
    with pytest.raises(OutOfMemoryError, match="--gradient-checkpointing") as caught:
        run(request(data, recipe=SHORT), tmp_path / "run", Failing(), save_every=0.0)
    assert len(str(caught.value).splitlines()) <= 3
    assert only(tmp_path / "run").state == "running"
    heard = Failing()
    resumed = run(request(data, recipe=SHORT), tmp_path / "run", heard, gradient_checkpointing=True)
    assert "resuming at step 2 of 8" in heard.said
    assert states(tmp_path / "run") == states(tmp_path / "whole")
    assert (resumed.key, resumed.deviations) == (whole.key, ())
    assert [one.train_loss for one in resumed.history] == [one.train_loss for one in whole.history]


@pytest.mark.usefixtures("_threads")
def test_another_number_of_threads_is_reported_and_recorded_and_leaves_the_trial_paired(
    tmp_path: Path, data: Path
) -> None:
    with pytest.raises(Interrupted):
        run(request(data, recipe=SHORT), tmp_path / "run", Heard(3), threads=1)
    heard = Heard()
    trial = run(request(data, recipe=SHORT), tmp_path / "run", heard, threads=2)
    assert "warning: the last bits of the result may differ: threads 1 then, 2 now." in heard.said
    assert trial.deviations == (Deviation(step=3, kind="numerics", text="threads 1 then, 2 now"),)
    assert trial.paired
    assert trial.numerics is not None
    assert trial.numerics.threads == 1, "those of its first step"
    assert only(tmp_path / "run") == trial


class Killed(Heard):
    """The process is gone after the first epoch, before any state was saved."""

    def epoch(self, engine: Trainer) -> None:
        """Raise."""
        del engine
        raise KeyboardInterrupt


@pytest.mark.usefixtures("_threads")
def test_a_training_whose_state_is_lost_begins_again_and_its_trial_with_it(tmp_path: Path, data: Path) -> None:
    """What the first try computed on, and its epochs, say nothing of the second."""
    asked = request(data, recipe=SHORT)
    whole = run(asked, tmp_path / "whole", threads=2)
    with pytest.raises(KeyboardInterrupt):
        run(asked, tmp_path / "run", Killed(), threads=1, save_every=1e9)
    assert len(only(tmp_path / "run").history) == 1
    assert not (tmp_path / "run" / LAST).exists()
    trial = run(asked, tmp_path / "run", threads=2)
    assert trial.numerics is not None
    assert (trial.numerics.threads, trial.deviations) == (2, ())
    assert [one.train_loss for one in trial.history] == [one.train_loss for one in whole.history]


def test_another_number_of_processes_is_reported_and_recorded_and_the_trial_is_not_paired(
    tmp_path: Path, data: Path
) -> None:
    """As two processes would have left it; tests/training/test_world.py has two."""
    asked = request(data, recipe=SHORT)
    job = replace(job_of(asked), processes=2)
    with pytest.raises(Interrupted):
        fit(job, tmp_path / "run", numerics_here("cpu"), callbacks=Heard(3), inputs=asked.inputs())
    about, tensors = unpacked(tmp_path / "run" / LAST)
    (tmp_path / "run" / LAST).write_bytes(packed({**about, "processes": 2}, tensors))
    heard = Heard()
    trial = run(asked, tmp_path / "run", heard)
    assert "warning: the last bits of the result may differ: processes 2 then, 1 now." in heard.said
    assert trial.deviations == (Deviation(step=3, kind="processes", text="processes 2 then, 1 now"),)
    assert (trial.key, trial.paired) == (job.key, False)


def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no batch fit in fewer parts than four."""
    backward = Trainer._backward

    def failing(self: Trainer, *batch: Any) -> Tensor:
        if self.parts < 4:
            raise MemoryError
        return backward(self, *batch)

    monkeypatch.setattr(Trainer, "_backward", failing)


def test_a_batch_that_is_halved_for_want_of_memory_is_recorded_once_and_the_trial_is_not_paired(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the halving is made again, since no state was saved behind it."""

    class Killed(Heard):
        def step(self, engine: Trainer) -> None:
            """End at the second step, and save nothing."""
            if engine.step == 2:
                raise KeyboardInterrupt

    narrow(monkeypatch)
    asked = request(data, recipe=SHORT)
    with pytest.raises(KeyboardInterrupt):
        run(asked, tmp_path / "run", Killed(), out_of_memory="halve")
    assert [one.kind for one in only(tmp_path / "run").deviations] == ["parts"]
    trial = run(asked, tmp_path / "run", Heard(), out_of_memory="halve")
    assert trial.deviations == (Deviation(step=0, kind="parts", text="1 parts of a batch then, 4 now"),)
    assert ([one.parts for one in trial.history], trial.job.parts, trial.paired) == ([4, 4], 1, False)


def test_where_halving_is_not_asked_for_a_batch_that_does_not_fit_ends_the_training(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    narrow(monkeypatch)
    with pytest.raises(OutOfMemoryError, match="use --gradient-checkpointing"):
        run(request(data), tmp_path / "run")


def test_kept_last_are_the_weights_of_the_last_epoch_and_kept_best_those_of_the_best(
    tmp_path: Path, data: Path
) -> None:
    """Without mixup and warm-up the accuracy falls somewhere, so that the two differ."""
    recipe = replace(RECIPE, epochs=6, mixup=0.0)
    last = run(request(data, recipe=recipe, keep="last"), tmp_path / "last")
    best = run(request(data, recipe=recipe), tmp_path / "best")
    tops = [one.validation_top1 for one in best.history]
    assert [one.validation_top1 for one in last.history] == tops
    assert (last.kept_epoch, last.metrics[VALIDATION]) == (6, tops[-1])
    assert (best.kept_epoch, best.metrics[VALIDATION]) == (tops.index(max(tops)) + 1, max(tops))
    assert best.kept_epoch != 6, "the best is not the last; else the test shows nothing"
    assert last.right is not None
    n = int.from_bytes(last.right, "big").bit_count()
    assert n / tops[-1] == pytest.approx(round(n / tops[-1])), "as many right answers as the accuracy says"
    assert len(last.right) == -(-round(n / tops[-1]) // 8)
    assert best.right is None, "of an earlier epoch they are not known"
    again = run(request(data, recipe=recipe, keep="last"), tmp_path / "last")
    assert again.right == read(tmp_path / "last").trial(last.key).right == last.right
    _, tensors = unpacked(tmp_path / "last" / LAST)
    ours, theirs = kept(tmp_path / "last").state, kept(tmp_path / "best").state
    assert all(torch.equal(ours[name], tensors[f"average.{name}"]) for name in ours)
    assert any(not torch.equal(ours[name], theirs[name]) for name in ours)
    with pytest.raises(InputError, match="kept epoch: last then, best now"):
        run(request(data, recipe=recipe), tmp_path / "last")


def test_what_is_left_open_is_resolved_before_the_key_and_stays_when_the_training_resumes(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Norms, and the parts of a batch; precision has tests of its own."""
    auto = request(data, recipe=replace(SHORT, norms="auto"), split_for_memory=True)
    monkeypatch.setattr(inside("request"), "forecast_parts", lambda *_: 2)
    with pytest.raises(Interrupted):
        run(auto, tmp_path / "run", Heard(3))
    job = only(tmp_path / "run").job
    assert (job.recipe.norms, job.parts) == ("precise", 2)
    assert job.key == replace(job_of(request(data, recipe=replace(SHORT, norms="precise"))), parts=2).key
    monkeypatch.setattr(inside("request"), "forecast_parts", lambda *_: 1)
    monkeypatch.setattr(inside("request"), "chosen", lambda *_, **__: "learn")
    assert job_of(auto).key != job.key, "this machine would choose otherwise now; else the test shows nothing"
    trial = run(auto, tmp_path / "run")
    assert (trial.key, trial.deviations, [one.parts for one in trial.history]) == (job.key, (), [2, 2])


def test_a_second_training_in_the_folder_is_busy_from_another_thread_too(tmp_path: Path, data: Path) -> None:
    """The thread that holds the folder may enter it again, as a command does that prepares a training."""
    met: list[BusyError] = []

    def second() -> None:
        try:
            run(request(data, recipe=SHORT), tmp_path / "run")
        except BusyError as error:
            met.append(error)

    class Joined(Heard):
        def step(self, engine: Trainer) -> None:
            """Let another thread try at the second step."""
            if engine.step == 2:
                other = threading.Thread(target=second)
                other.start()
                other.join()

    with locked(tmp_path / "run"):
        trial = run(request(data, recipe=SHORT), tmp_path / "run", Joined())
    assert trial.state == "done"
    (error,) = met
    assert error.exit_code == 75
    assert "is at work in" in str(error)


@pytest.mark.usefixtures("_threads")
def test_the_process_has_its_threads_again_however_a_training_ends(tmp_path: Path, data: Path) -> None:
    seen: list[int] = []

    class Counting(Heard):
        def step(self, engine: Trainer) -> None:
            """Keep the threads of the training."""
            super().step(engine)
            seen.append(torch.get_num_threads())

    torch.set_num_threads(2)
    for stop in (1, 10**9):
        try:
            run(request(data, recipe=SHORT), tmp_path / "run", Counting(stop), threads=3)
        except Interrupted:
            assert stop == 1
        assert torch.get_num_threads() == 2
    assert set(seen) == {3}


def test_a_training_of_triscale_0_1_is_refused_with_the_remedy(tmp_path: Path, data: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text('{"identity": {}}')
    with pytest.raises(InputError, match=r"holds a training of triscale 0\.1") as caught:
        run(request(data), tmp_path / "run")
    assert "Use another --out, or resume it with triscale 0.1." in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 3
    assert not (tmp_path / "run" / RECORDS).exists()


def test_a_training_whose_numbers_went_wrong_is_a_failed_trial_that_the_same_command_tries_again(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learn = Trainer.learn

    def broken(self: Trainer, images: Tensor, labels: Tensor) -> None:
        learn(self, images * torch.nan if self.step == 5 else images, labels)

    asked, whole = request(data, recipe=SHORT), run(request(data, recipe=SHORT), tmp_path / "whole")
    monkeypatch.setattr(Trainer, "learn", broken)
    with pytest.raises(NumericError, match="the loss is nan") as caught:
        run(asked, tmp_path / "run", save_every=0.0)
    failed = only(tmp_path / "run")
    assert (failed.state, failed.failure, failed.reason) == ("failed", "NumericError", str(caught.value))
    assert (failed.checkpoint, failed.finished, len(failed.history)) == (None, None, 1)
    monkeypatch.setattr(Trainer, "learn", learn)
    again = run(asked, tmp_path / "run")
    assert (again.state, again.failure, again.reason) == ("done", None, None)
    assert again.history[-1].train_loss == whole.history[-1].train_loss
    assert states(tmp_path / "run") == states(tmp_path / "whole")


def test_the_store_of_another_training_is_refused_by_fit_itself(tmp_path: Path, data: Path) -> None:
    asked = request(data, recipe=SHORT)
    with TrialStore(tmp_path / "run") as store:
        store.put(Trial(job=replace(job_of(asked), seed=7)))
    with pytest.raises(InputError, match="seed: 7 then, 1 now"):
        fit(job_of(asked), tmp_path / "run", numerics_here("cpu"), Execution(), inputs=asked.inputs())
