"""Options given by name in Python: a wrong name or type is an error before anything is written."""

from pathlib import Path

import pytest

import triscale
from triscale.errors import UsageError

TRAIN = [
    ({"workers": 2}, "loader_workers"),
    ({"recompute": True}, "gradient_checkpointing"),
    ({"epochs": "2"}, "epochs is '2'"),
    ({"epochs": 1.5}, "whole number"),
    ({"epochs": True}, "whole number"),
    ({"batch": "many"}, "batch is 'many'"),
    ({"split_seed": "a"}, "split_seed"),
    ({"seed": "x"}, "seed is 'x'"),
    ({"threads": "2"}, "threads is '2'"),
    ({"keep": "first"}, "best, last"),
    ({"save_every": "abc"}, "save_every is 'abc'"),
    ({"save_every": -1}, "above 0"),
    ({"gradient_checkpointing": "yes"}, "True or False"),
    ({"out": None}, "path of a folder"),
]
STUDY = [
    ({"workers": 2}, "jobs"),
    ({"budget": "macs=4M"}, "limits by name"),
    ({"budget": {"nosuch": 3}}, "unknown limit"),
    ({"phi": "1"}, "phi is '1'"),
    ({"batch": "auto"}, "whole number"),
    ({"seed": "a"}, "seed is 'a'"),
    ({"strict": "yes"}, "True or False"),
    ({"jobs": "2"}, "jobs is '2'"),
    ({"jobs": 0}, "at least 1"),
    ({"loader_workers": -1}, "0 or more"),
    ({"engine": "ray"}, "workers.Engine"),
    ({"baseline": 3}, "not a network"),
    ({"out": 3}, "path of a folder"),
]
SEARCH = [
    ({"workers": 2}, "'jobs'"),
    ({"baseline": "finenet_24"}, "'network'"),
    ({"trials": "many"}, "trials is 'many'"),
    ({"exponent": "-0.07"}, "exponent is '-0.07'"),
    ({"exponent": 0.07}, "wrong sign"),
    ({"sampler": 3}, "sampler is 3; give a text"),
    ({"sampler": "annealing"}, "unknown sampler"),
    ({"space": 3}, "space is 3"),
    ({"space": "huge"}, "no search space"),
    ({"reward_target": "4 apples"}, "4 apples"),
    ({"target": "onnxruntime:float32:t1"}, "--target is for a limit or a cost"),
    ({"budget": {"latency": "8ms"}}, "latency depends on an engine"),
    ({"network": 3}, "not a network"),
    ({"budget": {"nosuch": 3}}, "unknown limit"),
    ({"jobs": 0}, "at least 1"),
    ({"out": 3}, "path of a folder"),
]


@pytest.mark.parametrize(("options", "said"), TRAIN, ids=str)
def test_a_wrong_option_of_train_is_a_users_mistake(options: dict[str, object], said: str, tmp_path: Path) -> None:
    """It names the option, and nothing is written."""
    given: dict[str, object] = {"out": tmp_path / "run", **options}
    with pytest.raises(UsageError, match=said):
        triscale.train("smallnet_24", "flowers:240", **given)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("options", "said"), STUDY, ids=str)
def test_a_wrong_option_of_study_is_a_users_mistake(options: dict[str, object], said: str, tmp_path: Path) -> None:
    """It names the option, and nothing is written."""
    given: dict[str, object] = {"data": "flowers:240", "out": tmp_path / "study", "device": "cpu", **options}
    with pytest.raises(UsageError, match=said):
        triscale.study(**given)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("options", "said"), SEARCH, ids=str)
def test_a_wrong_option_of_a_search_is_a_users_mistake(options: dict[str, object], said: str, tmp_path: Path) -> None:
    """It names the option, and nothing is written."""
    given: dict[str, object] = {"data": "flowers:240", "out": tmp_path / "search", "device": "cpu", **options}
    with pytest.raises(UsageError, match=said):
        triscale.search_architecture(**given)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())
