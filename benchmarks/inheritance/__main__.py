"""What a child gains that begins with its parent's weights: `python -m benchmarks.inheritance [--pairs 16] [--jobs 2]`.

Parents are drawn from a space of small networks, and each child changes one choice, as in evolution. Of children that
can begin as the function of their parent (`triscale.weights.grown`) as many are trained as of those that cannot; all
from scratch for a short and a full length, and the former also from their parent's weights for the short one. Appends
one record: the paired difference with its interval, and how well short trainings rank full ones from scratch. The
trainings stay in a folder, so that the same command resumes.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import mean

from benchmarks.harness import ROOT, append, provenance
from benchmarks.inheritance.lessons import SEED, Trainings
from benchmarks.inheritance.pairs import Pair, pairs_of, share_that_grows
from triscale import intervals
from triscale.data import CheckOptions
from triscale.families import network
from triscale.rank_correlation import kendall_tau, tau_interval
from triscale.search.architecture import load_space
from triscale.search.explorations.search_question import SearchQuestion
from triscale.search.trainings.campaign import Terms, terms_of
from triscale.search.trainings.work import opened
from triscale.spec import content_hash
from triscale.training import numerics_here
from triscale.trials import VALIDATION, TrainJob, Trial


def accuracy(trial: Trial) -> float:
    """Validation top-1."""
    return trial.metrics[VALIDATION]


def difference(values: Sequence[float]) -> dict[str, float | int]:
    """The mean of paired differences with its 95% interval, in points."""
    points = [100 * value for value in values]
    sd = intervals.deviation(points) or 0.0
    margin = intervals.t_quantile(len(points) - 1) * sd / len(points) ** 0.5
    middle = mean(points)
    return {"n": len(points), "mean": middle, "low": middle - margin, "high": middle + margin}


def ranked(short: Sequence[float], full: Sequence[float]) -> dict[str, object]:
    """Kendall's tau of two rows, with its interval."""
    tau = kendall_tau(short, full)
    return {"n": len(short), "tau": tau, "interval": None if tau is None else tau_interval(tau, len(short))}


def result(
    pairs: Sequence[Pair], scratch: Mapping[str, float], full: Mapping[str, float], inherited: Mapping[str, float]
) -> dict[str, object]:
    """What the trainings say; accuracies by the id of the child, `inherited` of those that can."""
    ids = [content_hash(one.child) for one in pairs]
    grows = [one for one in ids if one in inherited]
    mixed = {**scratch, **inherited}

    def tau(short: Mapping[str, float], of: Sequence[str]) -> dict[str, object]:
        return ranked([short[one] for one in of], [full[one] for one in of])

    return {
        "gain": difference([inherited[one] - scratch[one] for one in grows]),
        "short_of_full": difference([scratch[one] - full[one] for one in ids]),
        "ranks": {
            "scratch": tau(scratch, ids),
            "inherited where possible": tau(mixed, ids),
            "scratch, of those that can inherit": tau(scratch, grows),
            "inherited, of those that can": tau(inherited, grows),
        },
    }


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=16, help="of each kind: children that can inherit, and others")
    parser.add_argument("--epochs", type=int, default=2, help="of a short training")
    parser.add_argument("--longer", type=int, default=4, help="times as many in a full training")
    parser.add_argument("--images", type=int, default=3_000, help="training images")
    parser.add_argument("--network", default="finenet_20", help="the base of the space")
    parser.add_argument("--space", default="small_24")
    parser.add_argument("--jobs", type=int, default=1, help="trainings at a time")
    parser.add_argument("--out", type=Path, default=ROOT / "triscale-runs" / "inheritance")
    parser.add_argument("--records", type=Path, help="append here instead of benchmarks/records.jsonl")
    return parser.parse_args()


def terms(asked: argparse.Namespace) -> Terms:
    """What all trainings share: those of a search with this question."""
    question = SearchQuestion(network=asked.network, space=asked.space, train_size=asked.images, epochs=asked.epochs)
    policy = CheckOptions()
    source = opened(question.data, policy)
    return terms_of(question, network(asked.network), source, policy, numerics_here("cpu", 1), 0, print)


def _of_pair(trainings: Trainings, pair: Pair, short: int, long: int) -> list[TrainJob]:
    """What is trained from scratch: the child for both lengths, and the parent where it has an heir."""
    parent = [trainings.job(pair.parent, short)] if pair.grows else []
    return [*parent, trainings.job(pair.child, short), trainings.job(pair.child, long)]


def measure(asked: argparse.Namespace) -> dict[str, object]:
    """Train what is missing, and put the record together."""
    shared = terms(asked)
    space = load_space(asked.space, replace(network(asked.network), classes=len(shared.job.data.classes)))
    pairs, long = pairs_of(space, asked.pairs, SEED), asked.epochs * asked.longer
    trainings = Trainings(shared, asked.out, asked.jobs, lambda text: print(text, flush=True))
    heirs = [one for one in pairs if one.grows]
    wanted = [job for one in pairs for job in _of_pair(trainings, one, asked.epochs, long)]
    trials = trainings.train(map(trainings.lesson, wanted))
    lessons = [trainings.inherited(one, asked.epochs, trials[trainings.job(one.parent, asked.epochs).key])
               for one in heirs]  # fmt: skip
    heirs_trials = trainings.train(lessons)

    def scores(epochs: int) -> dict[str, float]:
        return {content_hash(one.child): accuracy(trials[trainings.job(one.child, epochs).key]) for one in pairs}

    inherited = {content_hash(one.child): accuracy(heirs_trials[lesson.job.key])
                 for one, lesson in zip(heirs, lessons, strict=True)}  # fmt: skip
    return {
        **provenance("inheritance"), "data": "flowers", "space": asked.space, "network": asked.network,
        "images": asked.images, "epochs": asked.epochs, "full_epochs": long, "n": asked.pairs,
        "share_that_can_inherit": share_that_grows(space, SEED),
        **result(pairs, scores(asked.epochs), scores(long), inherited),
    }  # fmt: skip


def main() -> None:
    """Measure, print and append."""
    asked = arguments()
    entry = measure(asked)
    append(entry, asked.records) if asked.records else append(entry)
    for name in ("share_that_can_inherit", "gain", "short_of_full", "ranks"):
        print(f"{name}: {entry[name]}")


if __name__ == "__main__":
    main()
