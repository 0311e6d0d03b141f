"""A training of a study that is broken off in its middle goes on there, to the same record and the same weights."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from triscale.search.jobs import Job, Workplace, run_job

from tests.train.counting import counted_steps
from triscale.scaling import network
from triscale.search import jobs
from triscale.train import Engine, Keeper, Recipe
from triscale.weights import load


class BrokenError(Exception):
    """The process would be gone here."""


def place(folder: Path) -> Workplace:
    (folder / "runs").mkdir(parents=True)
    return Workplace(folder, "flowers:240", 0, 100, Recipe(batch=16))


def lasting(record: dict[str, Any]) -> dict[str, Any]:
    return {name: one for name, one in record.items() if name not in {"seconds", "images_per_second", "finished"}}


@pytest.mark.parametrize("step", [2, 6, 9])
def test_a_broken_training_goes_on_in_its_middle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    monkeypatch.setenv("TRISCALE_CACHE", str(tmp_path / "cache"))
    job = Job(network("smallnet_24@resolution=0.34"), "search", 0, 2)
    whole = place(tmp_path / "whole")
    job = job._replace(network=replace(job.network, classes=len(whole.source.classes)))
    expected = lasting(run_job(whole, job))

    broken, after_step = place(tmp_path / "broken"), Keeper.after_step

    def breaking(self: Keeper, engine: Engine) -> None:
        after_step(self, engine)
        if engine.step == step:
            raise BrokenError

    monkeypatch.setattr(jobs, "_SAVE_SECONDS", 0.0)
    monkeypatch.setattr(Keeper, "after_step", breaking)
    with pytest.raises(BrokenError):
        run_job(broken, job)
    monkeypatch.setattr(Keeper, "after_step", after_step)
    steps = counted_steps(monkeypatch)
    assert lasting(run_job(broken, job)) == expected
    assert steps == list(range(step, 12)), "what was learned is not learned again"
    one, other = (load(where.checkpoint(job.key)).state for where in (whole, broken))
    assert all(torch.equal(one[name], other[name]) for name in one)
    broken.forget(job.key)
    assert [path.suffix for path in (tmp_path / "broken" / "runs").iterdir()] == [".safetensors"]
