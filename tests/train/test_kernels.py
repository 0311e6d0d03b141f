"""Trainings whose networks take faster ways: found once, kept with the state, and gone again to the same bits."""

import json
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest

from tests.train.durable import states
from tests.train.pictures import SMALL, class_folders
from tests.train.test_run import RECIPE, Silent, asked, run
from triscale import records
from triscale.nn import Plan, build, kept_plan, kernels_everywhere, native
from triscale.search import jobs
from triscale.search.jobs import Job, Workplace, run_job
from triscale.train import Interrupted, Recipe
from triscale.weights import load

RECIPE = replace(RECIPE, ema=0.9, mixup=0.2)


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
    monkeypatch.setattr("triscale.train.run.kept_plan", lambda model, *_: kernels_everywhere(model))


@pytest.mark.usefixtures("everywhere")
@pytest.mark.parametrize("stop", [1, 4])
def test_a_stopped_training_goes_on_by_its_plan_to_the_same_bits(
    tmp_path: Path, data: Path, stop: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(asked(data, recipe=RECIPE), tmp_path / "whole")
    with pytest.raises(Interrupted):
        run(asked(data, recipe=RECIPE), tmp_path / "run", Silent(stop))
    monkeypatch.setattr("triscale.train.run.kept_plan", lambda *_: pytest.fail("measured again"))
    run(asked(data, recipe=RECIPE), tmp_path / "run")
    assert states(tmp_path / "run") == states(tmp_path / "whole")


@pytest.mark.usefixtures("everywhere")
def test_the_plan_is_recorded_and_changes_little(tmp_path: Path, data: Path) -> None:
    """Weights have the same names, the first loss is the same to rounding, and the accuracy to a picture or two."""
    fast = run(asked(data, recipe=RECIPE), tmp_path / "fast")
    plain = run(asked(data, recipe=RECIPE), tmp_path / "plain", kernels=False)
    first, other = (records.read(tmp_path / name / "records.jsonl").all("train")[0] for name in ("fast", "plain"))
    assert first["plan"]["norms"]
    assert Plan.from_json(other["plan"]) == Plan()
    assert load(fast.checkpoint).state.keys() == load(plain.checkpoint).state.keys()
    assert fast.val_top1 == pytest.approx(plain.val_top1, abs=0.25)
    losses = [
        records.read(tmp_path / name / "records.jsonl").all("epoch")[0]["train_loss"] for name in ("fast", "plain")
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


@pytest.mark.usefixtures("everywhere")
def test_where_the_kernels_are_gone_a_warning_says_so_and_torch_goes_on(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Interrupted):
        run(asked(data, recipe=RECIPE), tmp_path / "run", Silent(2))
    monkeypatch.setenv("TRISCALE_KERNELS", "off")
    watch = Silent(10**6)
    run(asked(data, recipe=RECIPE), tmp_path / "run", watch)
    assert any("compiled kernels were used, and there are none here" in text for text in watch.said)


def test_a_plan_is_measured_once(data: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    del data
    model = build(SMALL)
    first = kept_plan(model, 4, (8, 8), "float32")
    monkeypatch.setattr("triscale.nn.kept.tune", lambda *_: pytest.fail("measured again"))
    assert kept_plan(model, 4, (8, 8), "float32") == first
    (kept,) = cache.glob("plan-*.json")
    assert Plan.from_json(json.loads(kept.read_text())) == first


def test_of_two_that_measure_at_once_both_go_by_the_plan_that_was_kept_first(
    data: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trainings of one network with several seeds begin together in the workers of a study."""
    del data
    model = build(SMALL)
    theirs = kernels_everywhere(model)

    def meanwhile(*_: object) -> Plan:
        monkeypatch.setattr("triscale.nn.kept.tune", lambda *_: theirs)
        assert kept_plan(model, 6, (8, 8), "float32") == theirs
        return Plan()

    monkeypatch.setattr("triscale.nn.kept.tune", meanwhile)
    before = set(cache.iterdir())
    assert kept_plan(model, 6, (8, 8), "float32") == theirs
    (kept,) = set(cache.iterdir()) - before
    kept.write_bytes(b"{")
    assert kept_plan(model, 6, (8, 8), "float32") == theirs, "a damaged one is measured again"
    assert Plan.from_json(json.loads(kept.read_text())) == theirs


def test_a_long_training_of_a_study_takes_the_kernels_and_says_which(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "kept_plan", lambda model, *_: kernels_everywhere(model))
    place = Workplace(tmp_path, str(data), 0, None, Recipe(batch=4))
    (tmp_path / "runs").mkdir()
    job = Job(replace(SMALL, classes=2), "search", 0, 2)
    assert run_job(place, job)["kernels"] is None, "too short for a measurement"
    monkeypatch.setattr(jobs, "_TUNED_FROM", 1)
    assert run_job(place, job)["kernels"] == native.build_digest()
    place.kernels = False
    assert run_job(place, job)["kernels"] is None


def test_without_a_compiler_it_is_told_and_what_plain_torch_can_do_is_used(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(native, "missing", lambda: "there is no g++")
    module = import_module("triscale.nn.tune")  # the package has the function by this name
    monkeypatch.setattr(module, "_fastest", lambda subjects: list(subjects)[-1])
    watch = Silent(10**6)
    run(asked(data, recipe=RECIPE), tmp_path / "run", watch)
    assert any("without compiled kernels" in text and "there is no g++" in text for text in watch.said)
    plan = Plan.from_json(records.read(tmp_path / "run" / "records.jsonl").all("train")[0]["plan"])
    assert set(plan.convolutions.values()) == {"rewritten"}
    assert not plan.compiled
