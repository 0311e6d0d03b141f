"""The key of a job: what decides the result changes it, and nothing else does."""

import shutil
from collections.abc import Callable
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.pictures import SMALL, class_folders
from tests.training.trainings import RECIPE, job_of, request
from triscale.errors import UsageError
from triscale.recipes import Recipe
from triscale.spec import Norm
from triscale.training import Inputs, TrainRequest, numerics_here, resolve
from triscale.training.distributed.processes import ALONE
from triscale.trials import DataUse, Execution, FirstWeights, Pipeline, TrainJob, Trial, TrialStore, read

DATA = DataUse(fingerprint="f", classes=("0", "1"), images=80, rule=2)
JOB = TrainJob(
    network=SMALL, data=DATA, recipe=Recipe(crop="random", shift=0.0), weights=FirstWeights(digest="d", network="n"),
    pipeline=Pipeline(stages=2, schedule="gpipe"),
)  # fmt: skip
OTHER_WORDS = {
    "optimizer": "sgd", "schedule": "staircase", "rate_scaling": "sqrt", "decayed": "all_but_norms",
    "precision": "bfloat16", "crop": "shift", "policy": "randaugment", "norms": "precise", "not_finite": "skip",
    "class_weights": "balanced",
}  # fmt: skip
OTHER_NUMBERS: dict[str, dict[str, Any]] = {
    "warmup_epochs": {"warmup": 0.0, "warmup_epochs": 1.0}, "schedule": {"warmup": 0.0, "schedule": "staircase"},
    "shift": {"crop": "shift", "shift": 0.125}, "layer_decay": {"layer_decay": 0.5}, "spike": {"spike": 2.0},
    "first_size": {"first_size": 0.5}, "first_strength": {"first_strength": 0.5},
}  # fmt: skip
"""Changes of fields that go with others, or have a range of their own."""


def of_recipe(name: str) -> dict[str, Any]:
    """Another value of a field."""
    before = getattr(JOB.recipe, name)
    if name in OTHER_NUMBERS:
        return dict(OTHER_NUMBERS[name])
    if isinstance(before, str):
        return {name: OTHER_WORDS[name]}
    if isinstance(before, bool):
        return {name: not before}
    return {name: before + 1 if isinstance(before, int) or before >= 1 else before / 2 + 0.1}


JOB_CHANGES: dict[str, Any] = {
    "seed": 1, "parts": 2, "processes": 2, "pipeline": None, "keep": "last", "weights": None, "teacher": "t",
}  # fmt: skip
DATA_CHANGES: dict[str, Any] = {
    "fingerprint": "g", "classes": ("1", "0"), "images": 81, "rule": 1, "group_by": "near", "fraction": 0.1,
    "subset": 40, "seed": 1,
}  # fmt: skip
NETWORK_CHANGES = {"resolution": (9, 8), "classes": 3, "norm": Norm(momentum=0.2), "stochastic_depth": 0.3}


def with_job(changed: dict[str, Any], job: TrainJob) -> TrainJob:
    """Other fields of the job itself."""
    return replace(job, **changed)


def with_data(changed: dict[str, Any], job: TrainJob) -> TrainJob:
    """Other data."""
    return replace(job, data=replace(job.data, **changed))


def with_network(changed: dict[str, Any], job: TrainJob) -> TrainJob:
    """Another network."""
    return replace(job, network=replace(job.network, **changed))


def with_recipe(name: str, job: TrainJob) -> TrainJob:
    """Another value of a field of the recipe."""
    return replace(job, recipe=replace(job.recipe, **of_recipe(name)))


DECISIVE: dict[str, Callable[[TrainJob], TrainJob]] = {
    **{f"job.{name}": partial(with_job, {name: one}) for name, one in JOB_CHANGES.items()},
    **{f"data.{name}": partial(with_data, {name: one}) for name, one in DATA_CHANGES.items()},
    **{f"network.{name}": partial(with_network, {name: one}) for name, one in NETWORK_CHANGES.items()},
    **{f"recipe.{one.name}": partial(with_recipe, one.name) for one in fields(Recipe)},
    "weights.digest": lambda job: replace(job, weights=FirstWeights(digest="e", network="n")),
    "weights.grow": lambda job: replace(job, weights=FirstWeights(digest="d", network="n", grow=True)),
    "pipeline.stages": lambda job: replace(job, pipeline=Pipeline(stages=4, schedule="gpipe")),
    "pipeline.schedule": lambda job: replace(job, pipeline=Pipeline(stages=2, schedule="1f1b")),
}
SILENT: dict[str, Callable[[TrainJob], TrainJob]] = {
    "network.name": lambda job: with_network({"name": "renamed"}, job),
    "data.contents": lambda job: replace(job, data=replace(job.data, contents=("40 images", "40 images"))),
    "weights.network": lambda job: replace(
        job, weights=job.weights and replace(job.weights, network="renamed")
    ),
}  # fmt: skip


@given(
    decisive=st.sampled_from(sorted(DECISIVE)),
    silent=st.lists(st.sampled_from(sorted(SILENT)), unique=True),
    more=st.lists(st.sampled_from(sorted(SILENT)), unique=True),
)
def test_a_field_that_decides_the_result_changes_the_key_and_others_do_not(
    decisive: str, silent: list[str], more: list[str]
) -> None:
    same = JOB
    for name in silent:
        same = SILENT[name](same)
    assert same.key == JOB.key
    other = DECISIVE[decisive](same)
    for name in more:
        other = SILENT[name](other)
    assert other.key != JOB.key


def test_every_field_is_among_them_and_each_gives_a_key_of_its_own() -> None:
    named = {*DECISIVE, *SILENT, "job.network", "job.data", "job.recipe"}
    kinds = {"job": TrainJob, "data": DataUse, "recipe": Recipe, "weights": FirstWeights, "pipeline": Pipeline}
    assert {f"{room}.{one.name}" for room, kind in kinds.items() for one in fields(kind)} <= named
    keys = [change(JOB).key for change in DECISIVE.values()]
    assert len({*keys, JOB.key}) == len(keys) + 1


def test_a_whole_number_for_a_fraction_is_the_same_training_in_a_store_too(tmp_path: Path) -> None:
    """JSON tells 1 from 1.0."""
    whole, exact = (replace(JOB, recipe=replace(JOB.recipe, clip=one, ema=0)) for one in (1, 1.0))
    assert whole.key == exact.key
    with TrialStore(tmp_path) as store:
        store.put(Trial(job=whole))
    (found,) = read(tmp_path)
    assert found.key == whole.key
    network = replace(SMALL, stochastic_depth=0)
    assert replace(JOB, network=network).key == replace(JOB, network=replace(SMALL, stochastic_depth=0.0)).key


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[TrainRequest, Inputs, TrainRequest, Inputs]:
    """A request, and the same for data that were moved."""
    place = tmp_path_factory.mktemp("key")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRISCALE_CACHE", str(place / "cache"))
        here = request(class_folders(place / "data", count=12))
        there = request(Path(shutil.copytree(place / "data", place / "elsewhere")))
        return here, here.inputs(), there, there.inputs()


@given(
    execution=st.builds(
        Execution, loader_workers=st.integers(0, 8), gradient_checkpointing=st.booleans(),
        save_every=st.floats(0, 1e6), keep_freed_memory=st.booleans(), forget_state=st.booleans(),
        out_of_memory=st.sampled_from(["stop", "halve"]),
    ),
    moved=st.booleans(), threads=st.integers(1, 4), kernels=st.booleans(),
)  # fmt: skip
def test_where_the_data_lie_and_how_it_is_carried_out_change_no_key(
    found: tuple[TrainRequest, Inputs, TrainRequest, Inputs],
    execution: Execution, moved: bool, threads: int, kernels: bool,
) -> None:  # fmt: skip
    here, inputs, *_ = found
    asked, own = found[2:] if moved else found[:2]
    numerics = replace(numerics_here("cpu", kernels=kernels), threads=threads)
    first = resolve(here, inputs, numerics_here("cpu"), Execution(), ALONE, lambda _: None)
    assert resolve(asked, own, numerics, execution, ALONE, lambda _: None).key == first.key


def test_a_seed_of_the_split_keeps_the_split_whatever_the_seed_of_the_training(tmp_path: Path) -> None:
    data = class_folders(tmp_path / "data", count=12)
    one, two, own = (
        request(data, seed=seed, split_seed=split) for seed, split in ((1, 0), (2, 0), (2, None))
    )  # fmt: skip
    jobs = [job_of(asked) for asked in (one, two, own)]
    splits = [
        asked.inputs().source.training_split(seed=job.data.seed, train_size=job.data.subset)
        for asked, job in zip((one, two, own), jobs, strict=True)
    ]
    assert [(job.seed, job.data.seed) for job in jobs] == [(1, 0), (2, 0), (2, 2)]
    assert splits[0].validation.tolist() == splits[1].validation.tolist() != splits[2].validation.tolist()
    assert splits[0].training.tolist() == splits[1].training.tolist()
    assert len({job.key for job in jobs}) == 3


def test_a_negative_seed_is_refused(tmp_path: Path) -> None:
    data = class_folders(tmp_path / "data", count=12)
    for wrong in ({"seed": -1}, {"split_seed": -1}):
        with pytest.raises(UsageError, match="seed must be at least 0, got -1"):
            job_of(request(data, recipe=RECIPE, **wrong))


def test_where_nothing_is_drawn_the_seed_of_the_split_is_no_part_of_the_key(tmp_path: Path) -> None:
    """With validation images of their own, and all training images."""
    for split in ("train", "val", "test"):
        class_folders(tmp_path / "data" / split, count=12)
    asked = request(tmp_path / "data", seed=1)
    assert job_of(replace(asked, split_seed=5)).key == job_of(replace(asked, split_seed=6)).key
    some = replace(asked, subset=10)
    assert job_of(replace(some, split_seed=5)).key != job_of(replace(some, split_seed=6)).key
    assert job_of(replace(asked, subset=24)).key == job_of(asked).key
