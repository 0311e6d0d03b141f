"""The agenda of a study: every training it does, in the order of its phases.

What is not known yet (who leads, the coefficients of the family) is stood in for by networks that cost about as much.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from triscale.costs import ANYWHERE
from triscale.search.coefficients.baselines import baseline_of
from triscale.search.coefficients.candidates import Candidate
from triscale.search.coefficients.family import family
from triscale.search.coefficients.rivals import USUAL, Rival, rivals_of
from triscale.spec import AnyNetwork, content_hash


class Training(NamedTuple):
    """A network to train with one seed for a number of epochs; `purpose` says what for."""

    network: AnyNetwork
    purpose: str
    seed: int
    epochs: int

    @property
    def key(self) -> tuple[str, int, int]:
        """What makes it the same training within one study: content hash, seed, epochs."""
        return content_hash(self.network), self.seed, self.epochs


LEADERS = 3
"""Candidates that get further seeds beside the corners."""


def agenda(
    baseline: AnyNetwork,
    candidates: Sequence[Candidate],
    phis: Sequence[float],
    seeds: Sequence[int],
    epochs: int,
    *,
    leading: Collection[str] | None = None,
    members: Sequence[AnyNetwork] | None = None,
    rivals: Sequence[Rival] | None = None,
) -> list[Training]:
    """Every training once, under the first phase that needs it.

    Args:
        baseline: of the study.
        candidates: of the search, corners included.
        phis: of the family; for each above 0 the baseline is also trained as expensively.
        seeds: of the leaders, the corners, the baseline and the family; candidates get the first.
        epochs: length of a training.
        leading: ids of the candidates that lead after their first seed; None while that is not known.
        members: networks of the family; None while the coefficients are not known.
        rivals: of the family, by default the usual ones.
    """
    if leading is None:
        leading = [content_hash(one.network) for one in candidates if one.rule == "grid"][:LEADERS]
    if members is None:
        members = _expected_family(baseline, candidates, phis, rivals_of(USUAL) if rivals is None else rivals)
    further = [one.network for one in candidates if one.rule != "grid" or content_hash(one.network) in leading]
    trainings = [Training(baseline, "baseline", seed, epochs) for seed in seeds]
    trainings += [Training(one.network, "search", seeds[0], epochs) for one in candidates]
    trainings += [Training(network, "leaders", seed, epochs) for network in further for seed in seeds[1:]]
    trainings += [Training(network, "family", seed, epochs) for network in members for seed in seeds]
    trainings += [Training(baseline, "compute", seeds[0], longer_epochs(epochs, phi)) for phi in phis if phi > 0]
    unique: dict[tuple[str, int, int], Training] = {}
    for one in trainings:
        unique.setdefault(one.key, one)
    return list(unique.values())


def longer_epochs(epochs: int, phi: float) -> int:
    """Epochs for which the baseline must be trained to spend the training compute of a member at phi."""
    return max(epochs, round(epochs * 2**phi))


def _expected_family(
    baseline: AnyNetwork, chosen: Sequence[Candidate], phis: Sequence[float], rivals: Sequence[Rival]
) -> list[AnyNetwork]:
    corners = {one.rule: one for one in chosen if one.rule != "grid"}
    middle = next((one for one in chosen if one.rule == "grid"), chosen[0])
    coefficients = baseline_of(baseline).expected(middle)
    return [
        member.network for member in family(baseline, coefficients, phis[-1], {}, ANYWHERE, corners, middle, rivals)
    ]
