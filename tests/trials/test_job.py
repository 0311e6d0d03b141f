"""The key of a job: other for any other training, the same for the same one."""

from dataclasses import fields, replace
from typing import Any, get_args, get_origin, get_type_hints

import pytest

from tests.trials import made
from triscale.errors import UsageError
from triscale.recipes import Recipe
from triscale.trials import DataUse, FirstWeights, Pipeline, TrainJob

OTHER_JOBS: dict[str, list[Any]] = {
    "network": [replace(made.NETWORK, resolution=(32, 32)), replace(made.NETWORK, classes=4)],
    "data": [replace(made.DATA, images=301)],
    "recipe": [Recipe(epochs=3)],
    "seed": [1],
    "parts": [2],
    "processes": [2],
    "pipeline": [Pipeline(stages=2, schedule="1f1b"), Pipeline(stages=2, schedule="gpipe")],
    "keep": ["last"],
    "weights": [FirstWeights(digest="d1", network="n"), FirstWeights(digest="d1", network="n", grow=True)],
    "teacher": ["d1", "d2"],
}
OTHER_DATA: dict[str, list[Any]] = {
    "fingerprint": ["beef"], "classes": [("b", "a", "c")], "images": [299], "rule": [1], "group_by": ["near"],
    "fraction": [None, 0.2], "subset": [100], "seed": [1],
}  # fmt: skip
# With it, each field can be changed alone.
BASE = Recipe(
    epochs=8, schedule="staircase", warmup=0.0, warmup_epochs=2.0, crop="random", shift=0.0, first_size=0.5,
    policy="randaugment",
)  # fmt: skip


def test_jobs_that_differ_in_any_field_have_other_keys() -> None:
    assert OTHER_JOBS.keys() == {one.name for one in fields(TrainJob)}
    others = [replace(made.JOB, **{name: value}) for name, values in OTHER_JOBS.items() for value in values]
    assert len({one.key for one in (made.JOB, *others)}) == 1 + len(others)


def test_data_that_differ_in_any_field_but_words_have_other_keys() -> None:
    assert OTHER_DATA.keys() == {one.name for one in fields(DataUse)} - {"contents"}
    others = [replace(made.DATA, **{name: value}) for name, values in OTHER_DATA.items() for value in values]
    keys = {replace(made.JOB, data=one).key for one in (made.DATA, *others)}
    assert len(keys) == 1 + len(others)


def changed(name: str) -> Recipe:
    """The recipe with another value in one field, by its type."""
    hint, value = get_type_hints(Recipe)[name], getattr(BASE, name)
    if get_origin(hint) is not None:
        tries = [one for one in get_args(hint) if one not in (value, "auto")]
    elif isinstance(value, bool):
        tries = [not value]
    else:
        tries = [value + 1, *(one for one in (0.5, 0.25, 2.0) if one != value)]
    for one in tries:
        try:
            return replace(BASE, **{name: one})
        except UsageError:
            continue
    raise AssertionError(f"no other value of {name} was found")


@pytest.mark.parametrize("name", sorted({one.name for one in fields(Recipe)} - {"warmup", "shift", "crop"}))
def test_recipes_that_differ_in_any_field_give_other_keys(name: str) -> None:
    assert replace(made.JOB, recipe=changed(name)).key != replace(made.JOB, recipe=BASE).key


def test_recipes_that_differ_in_what_excludes_other_fields_give_other_keys() -> None:
    found = [Recipe(), Recipe(warmup=0.1), Recipe(shift=0.0), Recipe(crop="random", shift=0.0)]
    assert len({replace(made.JOB, recipe=one).key for one in found}) == len(found)


def test_a_renamed_network_and_moved_data_have_the_same_key() -> None:
    renamed = replace(made.JOB, network=replace(made.NETWORK, name="other"))
    told = replace(made.JOB, data=replace(made.DATA, contents=("a: 100 images",)))
    assert made.JOB.key == renamed.key == told.key


def test_a_whole_number_given_for_a_fraction_makes_the_same_training() -> None:
    """A file of a recipe may say `shift = 0`; the store gives back 0.0."""
    whole, fraction = (replace(made.JOB, recipe=Recipe(shift=zero, clip=five)) for zero, five in ((0, 5), (0.0, 5.0)))
    assert (whole, whole.key) == (fraction, fraction.key)


def test_what_is_not_resolved_makes_no_job() -> None:
    for unresolved in (Recipe(precision="auto"), Recipe(norms="auto")):
        with pytest.raises(ValueError, match="must be resolved"):
            replace(made.JOB, recipe=unresolved)
    for wrong in ({"seed": -1}, {"data": replace(made.DATA, seed=-1)}):
        with pytest.raises(UsageError, match="seed must be at least 0, got -1"):
            replace(made.JOB, **wrong)
