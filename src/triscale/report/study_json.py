"""The answer of a study as one document, for scripts: typed, computed from its records."""

import math
from collections.abc import Iterable

import msgspec

from triscale.errors import InputError
from triscale.report.study_facts import Facts, facts
from triscale.trials import Stored
from triscale.trials.study_records import CandidateRecord, CoefficientsRecord
from triscale.trials.surface_records import Interval, PlaceRecord, SharesRecord, TransferRecord, WithinRecord

_OWN = ("baseline", "compound")


class ChosenNetwork(msgspec.Struct, frozen=True, kw_only=True):
    """The network that the study took; accuracies are fractions on validation.

    Attributes:
        id, network: its content hash and its name.
        expected, interval: of its accuracy at exactly the target cost, and the 95% interval; None where means were
            compared.
    """

    id: str
    network: str
    expected: float | None
    interval: Interval | None


class CandidateResult(msgspec.Struct, frozen=True, kw_only=True):
    """A network that the study could train.

    Attributes:
        id, network: its content hash and its name.
        shares: where it lies on the triangle; None in studies older than the triangle.
        ratio: counted MACs over the baseline's.
        n, mean: its trainings, and the mean of their validation accuracy; None without any.
        expected: see `ChosenNetwork`.
    """

    id: str
    network: str | None
    shares: SharesRecord | None
    ratio: float
    n: int
    mean: float | None
    expected: float | None


class RivalResult(msgspec.Struct, frozen=True, kw_only=True):
    """A network scaled by a named rule, beside the compound member of the same phi.

    Attributes:
        rule, phi, id, network: what it is.
        cost_ratio: counted MACs over those of the compound member.
        n, mean: its trainings, and the mean of their validation accuracy; None without any.
        test: mean test accuracy; None before the test.
    """

    rule: str
    phi: float
    id: str
    network: str | None
    cost_ratio: float
    n: int
    mean: float | None
    test: float | None


class StudyDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What a finished study found; accuracies are fractions, shares sum to 1.

    Attributes:
        answer: its first line.
        coefficients: alpha, beta, gamma of the chosen network.
        chosen: see `ChosenNetwork`.
        region: the networks among which the best is with 95%, by their shares; None where means were compared.
        within_half_a_point: probabilities that the corners and the paper's point are; None likewise.
        smallest_difference: that the study could have seen; None likewise.
        transfer: what coefficients from another cost lose at this one; None where the study was given none.
        candidates: all networks at the target cost, see `CandidateResult`; best first.
        rivals: the named rules, see `RivalResult`.
    """

    answer: str
    coefficients: CoefficientsRecord
    chosen: ChosenNetwork
    region: tuple[SharesRecord, ...] | None
    within_half_a_point: WithinRecord | None
    smallest_difference: float | None
    transfer: TransferRecord | None
    candidates: tuple[CandidateResult, ...]
    rivals: tuple[RivalResult, ...]


def study_document(stored: Stored) -> StudyDocument:
    """The document of a finished study; one that compared means has no region and expects nothing.

    Raises:
        InputError: the study has no answer yet.
    """
    found = facts(stored)
    choice, surface = found.choice, None if found.choice is None else found.choice.surface
    if choice is None or not found.answer:
        raise InputError("the study has no answer yet; run the same command again to resume it.")
    places = {} if surface is None else {one.id: one for one in surface.places}
    return StudyDocument(
        answer=found.answer[0],
        coefficients=choice.coefficients,
        chosen=_chosen(found, choice.chosen, places.get(choice.chosen)),
        region=None if surface is None else tuple(one.shares for one in surface.places if one.in_region),
        within_half_a_point=None if surface is None else surface.within_half_a_point,
        smallest_difference=None if surface is None else surface.smallest_difference,
        transfer=None if surface is None else surface.transfer,
        candidates=tuple(_candidates(found, places)),
        rivals=tuple(_rivals(found)),
    )


def _chosen(found: Facts, id_: str, place: PlaceRecord | None) -> ChosenNetwork:
    expected, interval = (None, None) if place is None else (place.expected, place.interval)
    return ChosenNetwork(id=id_, network=found.network(id_).name, expected=expected, interval=interval)


def _candidates(found: Facts, places: dict[str, PlaceRecord]) -> Iterable[CandidateResult]:
    """By what is expected of them; else by what was measured."""
    plan = found.plan
    known = [] if plan is None else [_candidate(found, one, places.get(one.id)) for one in plan.candidates]
    return sorted(known, key=_worth, reverse=True)


def _worth(one: CandidateResult) -> float:
    """What is expected, or was measured; minus infinity where neither is known."""
    return next((value for value in (one.expected, one.mean) if value is not None), -math.inf)


def _candidate(found: Facts, one: CandidateRecord, place: PlaceRecord | None) -> CandidateResult:
    scores = found.validation(one.id)
    return CandidateResult(
        id=one.id, network=_name(found, one.id), shares=one.shares, ratio=one.ratio, n=scores.n, mean=scores.mean,
        expected=None if place is None else place.expected,
    )  # fmt: skip


def _rivals(found: Facts) -> Iterable[RivalResult]:
    for one in found.members:
        if one.rule not in _OWN:
            scores = found.validation(one.id)
            yield RivalResult(
                rule=one.rule, phi=one.phi, id=one.id, network=_name(found, one.id), cost_ratio=one.cost_ratio,
                n=scores.n, mean=scores.mean, test=found.test(one.id).mean,
            )  # fmt: skip


def _name(found: Facts, id_: str) -> str | None:
    """A store need not hold networks that were never trained."""
    try:
        return found.network(id_).name
    except InputError:
        return None
