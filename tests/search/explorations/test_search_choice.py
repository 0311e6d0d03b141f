"""What a whole search takes in the end: by its objective, within its limits, with the costs of its own trainings."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from tests.latency.predictor.world import VECTORS, network_ms, sample
from tests.search.explorations.searches import SMALL, search
from triscale.cli.show.search_result import search_document
from triscale.costs import Target, count, known_here, parse_target, training_memory
from triscale.errors import InputError, UsageError
from triscale.latency.clocked_networks import Clocked
from triscale.latency.predictor import Calibration, calibration_path
from triscale.latency.predictor.calibration_networks import RECIPE, calibration_networks
from triscale.latency.predictor.calibration_store import installed_version, save
from triscale.latency.predictor.model_fit import fit
from triscale.machine import machine
from triscale.nn import kept_kernels
from triscale.search.explorations.architecture_search import ArchitectureSearch
from triscale.search.explorations.finals import clocked_finalists
from triscale.search.explorations.search_question import SearchQuestion
from triscale.spec import Network, content_hash
from triscale.trials import VALIDATION, Stored
from triscale.trials.searches.search_records import FinalistRecord, FoundRecord

SHORT = replace(SMALL, trials=4, seeds=1, final_epochs=3)
TARGET = parse_target("onnxruntime:float32:t1")


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRISCALE_CACHE", str(tmp_path_factory.getbasetemp() / "search-cache"))


@pytest.fixture
def calibrated() -> Iterator[None]:
    """A calibration of this machine, fitted to a formula."""
    random = Random(0)
    model = fit([sample(one, random) for one in calibration_networks()], VECTORS)
    made = Calibration(
        target=str(TARGET), engine_version=installed_version(TARGET), machine=machine(), made="2026-11-28",
        seconds=60.0, networks=25, recipe=RECIPE, model=model, whole={},
    )  # fmt: skip
    save(made, calibration_path(TARGET))
    yield
    shutil.rmtree(calibration_path(TARGET).parent)


def ended(
    question: SearchQuestion, folder: Path, monkeypatch: pytest.MonkeyPatch, *, baseline: float, others: float
) -> tuple[Stored, FoundRecord]:
    """A search whose last trainings have these validation accuracies, whatever they are."""
    answer = ArchitectureSearch._answer

    def with_these(self: ArchitectureSearch, ids: Sequence[str]) -> None:
        for one in list(self._store):
            if one.purpose == "final":
                top1 = baseline if content_hash(one.network) == content_hash(self.baseline) else others
                self._store.put(replace(one, metrics={**one.metrics, VALIDATION: top1}))
        answer(self, ids)

    monkeypatch.setattr(ArchitectureSearch, "_answer", with_these)
    stored = search(question, folder).run()
    found = stored.one(FoundRecord)
    assert found is not None
    return stored, found


def base_of(found: FoundRecord) -> FinalistRecord:
    return next(one for one in found.finalists if one.rule == "baseline")


def test_the_best_reward_is_found_though_the_baseline_is_more_accurate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = replace(SHORT, finalists=4, exponent=-0.5)
    stored, found = ended(question, tmp_path / "search", monkeypatch, baseline=0.50, others=0.49)
    base = base_of(found)
    rewards = {one.id: one.validation * (one.costs["macs"] / base.costs["macs"]) ** -0.5 for one in found.finalists}
    assert base.costs["macs"] == count(stored.network(base.id)).macs  # type: ignore[arg-type]
    assert found.best == max(rewards, key=rewards.__getitem__) != base.id
    document = search_document(stored, tmp_path / "search")
    assert document["score"] == pytest.approx(rewards[found.best])
    assert document["accuracy"] == 0.49
    assert document["id"] == found.best


def test_a_baseline_outside_the_budget_is_not_found_however_accurate_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    macs = search(SHORT).baseline_costs["macs"]
    question = replace(SHORT, objective="accuracy", budget={"macs": 0.9 * macs})
    stored, found = ended(question, tmp_path / "search", monkeypatch, baseline=0.99, others=0.10)
    assert found.finalists[-1].rule == "baseline"
    assert found.best != found.finalists[-1].id
    assert count(stored.network(found.best)).macs <= 0.9 * macs  # type: ignore[arg-type]
    assert f"The baseline breaks the budget (macs {macs:,.0f} > {0.9 * macs:,.0f}): " in " ".join(found.lines)
    assert (tmp_path / "search" / "best.json").exists()


@pytest.mark.usefixtures("calibrated")
def test_finalists_of_a_search_by_latency_are_measured_and_keep_the_limit_as_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The formula is the machine here, but that the baseline takes twice as long as predicted."""
    seen: list[Target] = []
    base = search(SHORT).baseline

    def stopwatch(networks: Sequence[Network], target: Target) -> list[Clocked]:
        seen.append(target)
        return [Clocked(network_ms(one) / 1e3 * (2 if one == base else 1)) for one in networks]

    monkeypatch.setattr(clocked_finalists, "clocked", stopwatch)
    limit = 1.5 * network_ms(base) / 1e3
    question = replace(SHORT, objective="accuracy", budget={"latency": limit}, target=str(TARGET))
    stored, found = ended(question, tmp_path / "search", monkeypatch, baseline=0.99, others=0.10)
    assert [str(one) for one in seen] == [str(TARGET)]
    assert found.best != base_of(found).id
    assert base_of(found).measured == pytest.approx(2 * network_ms(base) / 1e3)
    best = stored.network(found.best)
    assert isinstance(best, Network)
    assert found.finalists[0].measured == pytest.approx(network_ms(best) / 1e3)
    line = next(one for one in found.lines if one.startswith(f"Latency on {question.target}, measured: proposal "))
    assert line.endswith("which 1 of 2 break.")
    assert "The baseline breaks the budget (latency " in " ".join(found.lines)


@pytest.mark.parametrize("how", [{"cost": "latency"}, {"budget": {"latency": 0.01}}], ids=["a cost", "a limit"])
def test_a_missing_or_uncalibrated_target_is_found_before_any_image_is_read(how: dict[str, object]) -> None:
    question = replace(SMALL, data="nowhere", **how)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"give a target \(--target\)"):
        search(question)
    with pytest.raises(InputError, match="has not been calibrated on this machine"):
        search(replace(question, target=str(TARGET)))


def test_memory_is_that_of_the_search_s_own_trainings() -> None:
    found = search(replace(SMALL, cost="training_memory", batch=16))
    recipe = found.question.to_recipe()
    kernels = known_here(1, bfloat16=False) or kept_kernels(1)
    own = training_memory(found.baseline, 16, recipe.optimizer, ema=recipe.ema > 0, kernels=kernels)
    assert (recipe.optimizer, recipe.arithmetic) == ("adamw", "float32"), "which the default target has not"
    assert found.baseline_costs["training_memory"] == own
