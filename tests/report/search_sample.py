"""A synthetic search over a real space: networks and costs are real, accuracies are invented, for tests alone."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from tests.report.sample import CLASSES, DATA, MACHINE, RECIPE
from tests.search.explorations.fronts_of import front_of
from triscale.costs import count
from triscale.search.architecture import document_of, load_space, sample
from triscale.search.architecture.space import Space
from triscale.search.explorations.finals.finalist_ranking import ranked
from triscale.search.explorations.finals.finalists import finalists, told
from triscale.search.explorations.search_answer import answer_lines
from triscale.search.explorations.search_question import SearchQuestion
from triscale.search.explorations.search_worth import search_worth
from triscale.spec import Network, content_hash
from triscale.trials import TEST, VALIDATION, Numerics, TrainJob, Trial, TrialStore
from triscale.trials.searches.search_outcomes import SEARCH
from triscale.trials.searches.search_records import FoundRecord, ProposalRecord, SearchRecord
from triscale.trials.study_records import DataFacts

TRIALS, DRAWN, EPOCHS, FINAL = 48, 20, 5, 20
QUESTION = SearchQuestion(data="pictures", trials=TRIALS, finalists=2, seeds=3)
ROW = dict[str, "str | int | float | bool | None"]


def space() -> Space:
    """`small_24` around its own base."""
    return load_space("small_24", None)


def skill(chosen: ROW) -> float:
    """What the invented accuracy is made of: kernels and channels of the last stage, and operators."""
    worth = {"conv": -0.02, "dconv": -0.03, "mbconv2": 0.0, "mbconv4": 0.02, "mbconv6": 0.03}
    operators = sum(worth[str(value)] for name, value in chosen.items() if name.endswith(".operator"))
    kernels = sum(0.01 for name, value in chosen.items() if name.endswith(".kernel") and value == 5)
    return 0.4 + operators / 2 + kernels


def trial(network: Network, purpose: str, seed: int, epochs: int, top1: float, **more: object) -> Trial:
    """One that is done."""
    job = TrainJob(network=network, data=DATA, recipe=replace(RECIPE, epochs=epochs), seed=seed)
    metrics = {VALIDATION: top1, "seconds": 12.5}
    found = Trial(
        job=job, state="done", purpose=purpose, metrics=metrics, cost=count(network)._asdict(),
        numerics=Numerics(device="cpu", threads=1), machine=MACHINE,
    )  # fmt: skip
    return replace(found, **more)  # type: ignore[arg-type]


Costs = Callable[[Network], dict[str, float]]


def macs(network: Network) -> dict[str, float]:
    """The costs of a search by the default reward."""
    return {"macs": float(count(network).macs)}


def opening(of: Space, question: SearchQuestion = QUESTION, costs: Costs = macs) -> SearchRecord:
    data = DataFacts(
        source="images", fingerprint="da7a" * 16, classes=CLASSES, train=8_000, validation=900, test=1_500,
        test_from="test", native=(32, 32),
    )  # fmt: skip
    return SearchRecord(
        triscale="0.2", command=question.command(), question=question.to_dict(), question_hash="a" * 12, data=data,
        machine=MACHINE, jobs=2, device="cpu", threads=1, started="2026-11-28T00:00:00+00:00",
        space=document_of(of), size=of.size, baseline=content_hash(of.base), epochs=EPOCHS, train_size=2_000,
        final_epochs=FINAL, trials=TRIALS, predicted_seconds=1_200, recipe=RECIPE, costs=costs(of.base),
    )  # fmt: skip


def chosen_rows(of: Space, dice: random.Random) -> list[ROW]:
    """Draws, then children of the best that are drawn: as evolution does."""
    rows: list[ROW] = [dict(sample(of, dice)) for _ in range(DRAWN)]
    while len(rows) < TRIALS:
        parent = max(dice.sample(rows[-20:], 10), key=skill)
        child = dict(dice.choice(list(of.neighbours(parent))))
        if child not in rows:
            rows.append(child)
    return rows


def write_search(folder: Path, *, stop: int = TRIALS, question: SearchQuestion = QUESTION, costs: Costs = macs) -> Path:
    """Write the store of a search; with `stop`, one that was interrupted after so many trials."""
    of, dice = space(), random.Random(3)
    with TrialStore(folder) as store:
        record = opening(of, question, costs)
        store.add(record, [of.base])
        for number, chosen in enumerate(chosen_rows(of, dice)[:stop]):
            network = of.network(chosen)
            id_ = content_hash(network)
            store.add(ProposalRecord(number=number, chosen=chosen, network=id_, costs=costs(network)), [network])
            one = trial(network, SEARCH, 0, EPOCHS, skill(chosen) + dice.gauss(0, 0.008))
            if number % 17 == 5:
                one = replace(one, state="failed", metrics={}, reason="the loss is nan <b>", failure="NumericError")
            store.put(one)
        if stop == TRIALS:
            _finish(store, of, record, question, dice)
    return folder


def _finish(store: TrialStore, of: Space, record: SearchRecord, question: SearchQuestion, dice: random.Random) -> None:
    costs = dict(record.costs)
    objective = question.to_objective(costs)
    scores = told(store, record.epochs, objective.scores, 0)
    ids = sorted(scores, key=lambda one: scores[one], reverse=True)[: question.finalists]
    for id_, top1 in zip((*ids, record.baseline), (0.61, 0.60, 0.58), strict=False):
        network = store.network(id_)
        assert isinstance(network, Network)
        for seed in range(question.seeds):
            accuracy = top1 + dice.gauss(0, 0.004)
            last = trial(network, "final", seed, FINAL, accuracy)
            store.put(replace(last, metrics={**last.metrics, TEST: accuracy - 0.01}))
    rows = ranked(finalists(store, record, ids, costs), objective.scores, objective.limits)
    worth = search_worth(store, scores, of.choices, drawn_first=DRAWN, images=900, guessing=1 / len(CLASSES))
    found = FoundRecord(
        best=rows[0].id, finalists=rows, front=front_of(store, objective.goal.metrics), lines=(),
        scores=scores, **worth._asdict(),
    )  # fmt: skip
    lines = answer_lines(
        record, found, store.all(ProposalRecord), failed=0, drawn_first=DRAWN, folder="runs/search"
    )  # fmt: skip
    store.add(msgspec.structs.replace(found, lines=lines))


def changed(folder: Path, **fields: object) -> None:
    """Write the `found` line again with other fields."""
    with TrialStore(folder) as store:
        found = store.one(FoundRecord)
        assert found is not None
        store.add(msgspec.structs.replace(found, **fields))


__all__: Sequence[str] = ("QUESTION", "TRIALS", "changed", "macs", "space", "write_search")
