"""What ranks networks without any search: params, MACs and depth, by Kendall's tau with what was measured."""

from collections.abc import Mapping, Sequence

from triscale.rank_correlation import kendall_tau, tau_interval
from triscale.trials.searches.worth_records import PredictorRecord


def trivial_predictors(
    numbers: Mapping[str, Sequence[float]], scores: Sequence[float], accuracies: Sequence[float]
) -> tuple[PredictorRecord, ...]:
    """How well each of some numbers ranks networks.

    Args:
        numbers: by name, one for each network.
        scores, accuracies: of the same networks.
    """
    return tuple(_predictor(name, values, scores, accuracies) for name, values in numbers.items())


def _predictor(
    name: str, values: Sequence[float], scores: Sequence[float], accuracies: Sequence[float]
) -> PredictorRecord:
    tau = kendall_tau(values, scores)
    interval = None if tau is None else tau_interval(tau, len(scores))
    return PredictorRecord(name=name, tau=tau, interval=interval, accuracy_tau=kendall_tau(values, accuracies))
