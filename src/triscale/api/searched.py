"""Searching for a network: in a script or a notebook as on the command line."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from triscale.api.counted import NamedNetwork, as_network
from triscale.api.notebook_progress import shown_study
from triscale.api.option_types import checked, typed
from triscale.api.training import engine_of, jobs_of, limits_of, loaders_of, warnings
from triscale.costs import read_limit
from triscale.quantities import seconds
from triscale.spec import Network
from triscale.trials import Stored, Trial
from triscale.trials.searches.search_outcomes import distinct, outcomes
from triscale.trials.searches.search_records import FoundRecord

if TYPE_CHECKING:
    from triscale.search.trainings.progress import StudyProgress
    from triscale.search.trainings.workers import Engine


@dataclass(frozen=True, kw_only=True, slots=True)
class FrontNetwork:
    """A network of a front.

    Attributes:
        network: the spec.
        accuracy: its validation top-1 in the search, after few epochs.
        costs: counted, by the name of the metric.
    """

    network: Network
    accuracy: float
    costs: Mapping[str, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchResult:
    """A finished search.

    Attributes:
        found: the network to take; the baseline where nothing is better.
        score: what the objective ranks by after the last trainings: the reward where there is one, else the accuracy.
        accuracy: its validation top-1 then, a mean over seeds.
        front: the networks that none beats in accuracy and cost, by rising cost.
        trials: all trainings: `purpose` is `search`, or `final` for those that compare the best with the baseline.
        answer: the answer in `lines`, the finalists, what each choice is worth, and what makes the answer doubtful.
        checkpoint: weights of the network to take.
        report: the page.
        folder: where all of it lies.
    """

    found: Network
    score: float
    accuracy: float
    front: tuple[FrontNetwork, ...]
    trials: list[Trial]
    answer: FoundRecord
    checkpoint: Path
    report: Path
    folder: Path

    def _repr_html_(self) -> str | None:
        return shown_study(self.folder)


def search_architecture(
    network: NamedNetwork | None = None,
    data: str | Path = "flowers",
    *,
    space: str | Path = "small_24",
    out: str | Path | None = None,
    budget: Mapping[str, float | str] | None = None,
    reward_target: float | str | None = None,
    time: float | str | None = None,
    jobs: int | None = None,
    device: str | None = None,
    threads: int = 1,
    kernels: bool = True,
    loader_workers: int = 0,
    engine: "Engine | None" = None,
    optuna_storage: str | None = None,
    progress: "StudyProgress | None" = None,
    **asked: Any,
) -> SearchResult:
    """Search a space of networks for the best one on these images; the same call resumes it, to the same proposals.

    Args:
        network: the baseline, around which the space lies: a network or its name; that of the space by default.
        data: see `triscale.data.open_data`.
        space: a name, or a .json file (docs/search-spaces.md).
        out: the folder of the search; by default `triscale-runs/` and the hash of the question.
        budget: limits that every network keeps, such as {"params": "100K"}.
        reward_target: cost at which the reward is the accuracy, such as "4M"; that of the baseline by default.
        time: sizes the search by the baseline's speed: seconds, or a text such as "60m". The search may take longer.
        jobs, device, threads, kernels, loader_workers, engine, progress: as in `triscale.study`.
        optuna_storage: the URL of a storage of Optuna that mirrors the trials.
        **asked: further fields of `triscale.search.explorations.search_question.SearchQuestion`, such as trials,
            sampler, objective, cost, epochs, seeds, finalists, recipe.

    Raises:
        UsageError, InputError, BusyError, OutputError, StorageError: see `triscale.study`.
    """
    from triscale.report import write_report  # noqa: PLC0415  plotly is loaded only here
    from triscale.search.explorations.architecture_search import ArchitectureSearch  # noqa: PLC0415  loads torch
    from triscale.search.explorations.search_question import SearchQuestion, metric_of_reward  # noqa: PLC0415
    from triscale.training import numerics_here  # noqa: PLC0415

    baseline = None if network is None else as_network(network)
    given = checked("search", asked, SearchQuestion)
    question = SearchQuestion(
        network="" if baseline is None else network if isinstance(network, str) else baseline.name,
        data=str(data),
        space=typed("space", str(space) if isinstance(space, Path) else space),
        budget=limits_of(budget),
        reward_target=_number(metric_of_reward(given.get("cost", "macs"), given.get("worth")), reward_target),
        time=seconds(time) if isinstance(time, str) else time,
        **given,
    )
    numerics, where = numerics_here(device, typed("threads", threads), kernels=kernels), engine_of(engine)
    search = ArchitectureSearch(
        question, None if out is None else Path(typed("out", out)), baseline=baseline,
        jobs=jobs_of(jobs, where, numerics.device, threads), numerics=numerics, engine=where,
        loader_workers=loaders_of(loader_workers), progress=progress or warnings(), optuna_storage=optuna_storage,
    )  # fmt: skip
    return search_result(search.run(), search.folder, write_report(search.folder))


def _number(metric: str, given: float | str | None) -> float | None:
    return read_limit(metric, given) if isinstance(given, str) else given


def search_result(stored: Stored, folder: Path, report: Path) -> SearchResult:
    """What a search that has ended holds."""
    found = stored.one(FoundRecord)
    if found is None:
        raise ValueError(f"the search in {folder} has no answer yet")
    best = found.finalists[0]
    return SearchResult(
        found=_spec(stored, found.best), score=best.validation if best.score is None else best.score,
        accuracy=best.validation, front=_front(stored, found.front), trials=list(stored), answer=found,
        checkpoint=folder / "best.safetensors", report=report, folder=folder,
    )  # fmt: skip


def _front(stored: Stored, ids: tuple[str, ...]) -> tuple[FrontNetwork, ...]:
    known = {one.proposal.network: one for one in distinct(outcomes(stored))}
    return tuple(
        FrontNetwork(
            network=_spec(stored, id_), accuracy=known[id_].accuracy or 0.0, costs=dict(known[id_].proposal.costs)
        )
        for id_ in ids
    )


def _spec(stored: Stored, id_: str) -> Network:
    found = stored.network(id_)
    assert isinstance(found, Network)  # noqa: S101  a space holds no others
    return found
