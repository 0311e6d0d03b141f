"""Trainings whose networks take faster ways: found once, kept with the state, and gone again to the same bits."""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.nn.machines import CROWD
from tests.training.durable import states
from tests.training.pictures import SMALL, class_folders
from tests.training.trainings import RECIPE, Heard, inside, job_of, kept, only, request, run
from triscale.machine import machine
from triscale.nn import build, kept_plan, kernels_everywhere
from triscale.nn.fast import native
from triscale.nn.fast.contest import STOCK, ContestResult
from triscale.nn.fast.machine_load import IDLE, Load
from triscale.nn.fast.tuning import Tuned
from triscale.speed_plan import SpeedPlan
from triscale.training import Interrupted, fit, numerics_here
from triscale.trials import VALIDATION, Trial


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the kernels are compiled once for these tests."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def data(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRISCALE_CACHE", str(cache))
    monkeypatch.delenv("TRISCALE_KERNELS")
    if why := native.missing():
        pytest.skip(f"no compiled kernels: {why}")
    return class_folders(tmp_path / "data")


@pytest.fixture
def everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the kernels won everywhere."""
    monkeypatch.setattr(inside("fitting"), "kept_plan", lambda model, *_: kernels_everywhere(model))


@pytest.mark.usefixtures("everywhere")
@pytest.mark.parametrize("stop", [1, 4])
def test_a_stopped_training_resumes_by_its_plan_to_the_same_bits(
    tmp_path: Path, data: Path, stop: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(request(data, recipe=RECIPE), tmp_path / "whole")
    with pytest.raises(Interrupted):
        run(request(data, recipe=RECIPE), tmp_path / "run", Heard(stop))
    monkeypatch.setattr(inside("fitting"), "kept_plan", lambda *_: pytest.fail("measured again"))
    run(request(data, recipe=RECIPE), tmp_path / "run")
    assert states(tmp_path / "run") == states(tmp_path / "whole")


@pytest.mark.usefixtures("everywhere")
def test_the_plan_is_recorded_and_changes_little(tmp_path: Path, data: Path) -> None:
    """Weights have the same names, the first loss is the same to rounding, and the accuracy to an image or two."""
    fast = run(request(data, recipe=RECIPE), tmp_path / "fast")
    plain = run(request(data, recipe=RECIPE), tmp_path / "plain", kernels=False)
    assert plan_of(fast).norms
    assert plan_of(plain) == SpeedPlan()
    assert kept(tmp_path / "fast").state.keys() == kept(tmp_path / "plain").state.keys()
    assert fast.metrics[VALIDATION] == pytest.approx(plain.metrics[VALIDATION], abs=0.25)
    assert fast.history[0].train_loss == pytest.approx(plain.history[0].train_loss, rel=1e-4)


@pytest.mark.usefixtures("everywhere")
def test_where_the_kernels_are_gone_a_warning_says_so_and_torch_goes_on(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Interrupted):
        run(request(data, recipe=RECIPE), tmp_path / "run", Heard(2))
    monkeypatch.setenv("TRISCALE_KERNELS", "off")
    heard = Heard(10**6)
    run(request(data, recipe=RECIPE), tmp_path / "run", heard)
    assert any("compiled kernels were used, and there are none here" in text for text in heard.said)
    trial = only(tmp_path / "run")
    assert [(one.kind, one.text) for one in trial.deviations] == [
        ("numerics", "compiled kernels were used, and there are none here")
    ]
    assert trial.paired


def test_a_plan_that_is_given_is_taken_as_it_is_and_nothing_is_measured(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inside("fitting"), "kept_plan", lambda *_: pytest.fail("measured"))
    asked = request(data, recipe=replace(RECIPE, epochs=1))
    everything = kernels_everywhere(build(replace(SMALL, classes=2)))
    for name, given in (("all", everything), ("none", SpeedPlan())):
        numerics = replace(numerics_here("cpu"), plan=given)
        trial = fit(job_of(asked), tmp_path / name, numerics, inputs=asked.inputs())
        assert plan_of(trial) == given
    assert everything.norms


def plan_of(trial: Trial) -> SpeedPlan:
    """The kernels that its training took."""
    assert trial.numerics is not None
    assert trial.numerics.plan is not None
    return trial.numerics.plan


def tuned(plan: SpeedPlan, load: Load = IDLE) -> Tuned:
    """As if a plan had been found."""
    return Tuned(plan=plan, step=None, load=load)


def again(*_: object) -> Tuned:
    """Nothing may be measured."""
    pytest.fail("measured again")


def test_a_plan_is_measured_once(data: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    del data
    model, before = build(SMALL), set(cache.iterdir())
    said: list[str] = []
    first = kept_plan(model, 4, (8, 8), "float32", said.append)
    assert [text.partition(" ")[0] for text in said] == ["measuring", "measured:"]
    monkeypatch.setattr("triscale.nn.fast.plan_cache.measured", again)
    assert kept_plan(model, 4, (8, 8), "float32", busy=lambda: True) == first
    (kept,) = set(cache.iterdir()) - before
    document = json.loads(kept.read_text())
    assert SpeedPlan.from_dict(document["plan"]) == first
    assert {"sure", "step", "load"} < document.keys()


def test_a_plan_that_was_measured_under_load_is_measured_again_when_the_machine_is_quiet(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not while it is busy, and not for ever on a machine that never is quiet."""
    del data
    model = build(SMALL)
    theirs = kernels_everywhere(model)

    def plan(result: Tuned | None, *, busy: bool) -> SpeedPlan:
        monkeypatch.setattr("triscale.nn.fast.plan_cache.measured", again if result is None else lambda *_: result)
        return kept_plan(model, 8, (8, 8), "float32", busy=lambda: busy)

    assert plan(tuned(theirs, CROWD), busy=True) == theirs
    assert plan(None, busy=True) == theirs
    assert plan(tuned(SpeedPlan(), CROWD), busy=False) == SpeedPlan()
    assert plan(tuned(theirs), busy=False) == theirs
    assert plan(None, busy=False) == theirs


def test_a_plan_that_stays_unsure_is_measured_three_times_in_all(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    del data
    model, count = build(SMALL), 0

    def unsure(*_: object) -> Tuned:
        nonlocal count
        count += 1
        return tuned(SpeedPlan(), CROWD)

    monkeypatch.setattr("triscale.nn.fast.plan_cache.measured", unsure)
    for _ in range(5):
        kept_plan(model, 10, (8, 8), "float32", busy=lambda: False)
    assert count == 3


@pytest.mark.parametrize(
    "change",
    [
        {"batch": 5},
        {"resolution": (8, 9)},
        {"precision": "bfloat16"},
        {"model": build(replace(SMALL, classes=7))},
        {"threads": 2},
        {"build": "another"},
        *({name: "another"} for name in ("cpu", "isa", "torch_isa", "isa_limits", "torch")),
    ],
    ids=str,
)
def test_a_plan_is_of_one_question_on_one_machine(
    data: Path, change: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Network, batch, size, precision, threads, torch and the instruction sets: whatever differs is measured again."""
    del data
    asked: dict[str, Any] = {"model": build(SMALL), "batch": 12, "resolution": (8, 8), "precision": "float32"}
    monkeypatch.setattr("triscale.nn.fast.plan_cache.measured", lambda *_: tuned(SpeedPlan()))
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    kept_plan(**asked)
    monkeypatch.setattr("triscale.nn.fast.plan_cache.measured", lambda model, *_: tuned(kernels_everywhere(model)))
    assert kept_plan(**asked) == SpeedPlan()
    if "threads" in change:
        monkeypatch.setattr(torch, "get_num_threads", lambda: change["threads"])
    if "build" in change:
        monkeypatch.setattr(native, "build_digest", lambda: change["build"])
    monkeypatch.setattr("triscale.nn.fast.plan_cache.machine", lambda: machine() | change)
    assert kept_plan(**asked | {name: change[name] for name in asked.keys() & change.keys()}) != SpeedPlan()


def test_of_two_that_measure_at_once_both_go_by_the_plan_that_was_kept_first(
    data: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trainings of one network with several seeds begin together in the workers of a study."""
    del data
    model = build(SMALL)
    theirs = kernels_everywhere(model)

    def meanwhile(*_: object) -> Tuned:
        monkeypatch.setattr("triscale.nn.fast.plan_cache.measured", lambda *_: tuned(theirs))
        assert kept_plan(model, 6, (8, 8), "float32") == theirs
        return tuned(SpeedPlan())

    monkeypatch.setattr("triscale.nn.fast.plan_cache.measured", meanwhile)
    before = set(cache.iterdir())
    assert kept_plan(model, 6, (8, 8), "float32") == theirs
    (kept,) = set(cache.iterdir()) - before
    kept.write_bytes(b"{")
    assert kept_plan(model, 6, (8, 8), "float32") == theirs, "a damaged one is measured again"
    assert SpeedPlan.from_dict(json.loads(kept.read_text())["plan"]) == theirs


def won(subjects: Iterable[str]) -> dict[str, ContestResult]:
    """As if every way were twice as fast as torch's."""
    return {name: ContestResult(stock=(2.0,) * 8, way=(1.0,) * 8, gain=1.0) for name in subjects if name != STOCK}


def test_without_a_compiler_it_is_told_and_what_plain_torch_can_do_is_used(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(native, "missing", lambda: "there is no g++")
    monkeypatch.setattr("triscale.nn.fast.bench.compare", lambda subjects, *_: won(subjects))
    heard = Heard(10**6)
    run(request(data, recipe=RECIPE), tmp_path / "run", heard)
    assert any("without compiled kernels" in text and "there is no g++" in text for text in heard.said)
    plan = plan_of(only(tmp_path / "run"))
    assert set(plan.convolutions.values()) == {"rewritten"}
    assert not plan.compiled
