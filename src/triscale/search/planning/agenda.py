"""The agenda of a study: every training it does, in the order of its phases.

What is not known yet (which candidates the search asks for, the coefficients of the family) is stood in for by
networks that cost about as much.
"""

from collections.abc import Sequence
from itertools import islice, product

from triscale.costs import ANYWHERE
from triscale.search.coefficients.baselines import baseline_of
from triscale.search.coefficients.candidates import Candidate, corners
from triscale.search.coefficients.family import family
from triscale.search.coefficients.rivals import USUAL, Rival, rivals_of
from triscale.search.trainings.shared_terms import Training
from triscale.spec import AnyNetwork, content_hash


def agenda(
    baseline: AnyNetwork,
    candidates: Sequence[Candidate],
    phis: Sequence[float],
    seeds: Sequence[int],
    epochs: int,
    search: int,
    *,
    at_phi: float = 1.0,
    asked: Sequence[tuple[AnyNetwork, int]] = (),
    members: Sequence[AnyNetwork] | None = None,
    rivals: Sequence[Rival] | None = None,
) -> list[Training]:
    """Every training once, under the first phase that needs it.

    Args:
        baseline: of the study.
        candidates: of the search, the lattice first.
        phis: of the family; for each above 0 the baseline is also trained as expensively.
        seeds: of the baseline and the family.
        epochs: length of a training.
        search: trainings of candidates.
        at_phi: where candidates lie.
        asked: networks and seeds that the search has asked for so far; the others are stood in for.
        members: networks of the family; None while the coefficients are not known.
        rivals: of the family, by default the usual ones.
    """
    if members is None:
        known_rivals = rivals_of(USUAL) if rivals is None else rivals
        members = _expected_family(baseline, candidates, phis, at_phi, known_rivals)
    known = {(content_hash(network), seed) for network, seed in asked}
    others = ((one.network, seed) for seed, one in product(seeds, candidates) if (one.id, seed) not in known)
    searched = [*asked, *islice(others, max(0, search - len(known)))]
    trainings = [Training(baseline, "baseline", seed, epochs) for seed in seeds]
    trainings += [Training(network, "search", seed, epochs) for network, seed in searched]
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
    baseline: AnyNetwork, chosen: Sequence[Candidate], phis: Sequence[float], at_phi: float, rivals: Sequence[Rival]
) -> list[AnyNetwork]:
    middle = next((one for one in chosen if one.rule == "grid"), chosen[0])
    coefficients = baseline_of(baseline).expected(middle, at_phi)
    members = family(baseline, coefficients, phis[-1], {}, ANYWHERE, corners(chosen), middle, rivals, at_phi=at_phi)
    return [member.network for member in members]
