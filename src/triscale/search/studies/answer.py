"""The answer of a study in five lines, and the tests that back it. Test accuracies are read nowhere earlier."""

import math
from collections.abc import Sequence
from statistics import mean
from typing import NamedTuple

from triscale.search.coefficients.baselines import RIVALS
from triscale.search.coefficients.rank import RULE, Noise, Scores, paired_noise
from triscale.search.coefficients.rivals import PAPERS
from triscale.search.decisions.trial_scores import scores_of
from triscale.trials import TEST, Stored
from triscale.trials.study_records import (
    CandidateRecord,
    ChoiceRecord,
    FamilyRecord,
    MemberRecord,
    PlanRecord,
    StudyRecord,
)
from triscale.trials.surface_records import Interval, PlaceRecord, SurfaceRecord
from triscale.trials.triangle_words import cost_word, times, where

_SAME = "; the coefficients from another cost give this network"


class Comparison(NamedTuple):
    """The compound member against its best rival at one phi: paired difference in test top-1 and its 95% margin."""

    phi: float
    rival: str
    difference: float
    margin: float
    cost_ratio: float


def compare(members: Sequence[MemberRecord], scores: Scores, noise: Noise) -> list[Comparison]:
    """For each phi the compound member against the rival with the highest mean test top-1."""
    found = []
    for member in members:
        rivals = [
            one for one in members
            if one.phi == member.phi and one.rule not in ("compound", "baseline")
            and one.id != member.id and one.id in scores
        ]  # fmt: skip
        if member.rule != "compound" or member.id not in scores or not rivals:
            continue
        rival = max(rivals, key=lambda one: mean(scores[one.id].values()))
        common = scores[member.id].keys() & scores[rival.id].keys()
        difference = mean(scores[member.id][seed] - scores[rival.id][seed] for seed in common)
        margin = noise.margin(len(common))
        found.append(Comparison(member.phi, rival.rule, difference, margin, rival.cost_ratio))
    return found


def answer_lines(stored: Stored, best: MemberRecord, folder: str) -> tuple[str, ...]:
    """Five lines: coefficients, accuracies, the verdict, equal training compute, the network to take.

    Raises:
        ValueError: the study has not come so far.
    """
    study, plan = stored.one(StudyRecord), stored.one(PlanRecord)
    choice, family = stored.one(ChoiceRecord), stored.one(FamilyRecord)
    if study is None or plan is None or choice is None or family is None:
        raise ValueError("the study has no study, plan, choice or family yet")
    scores = scores_of(stored, TEST, plan.epochs)
    noise = paired_noise(scores, study.data.test)
    return (
        _coefficients_line(plan, choice),
        _accuracy_line(family.members, scores),
        _verdict(compare(family.members, scores, noise), _corner(plan, choice), one_seed=not noise.freedom),
        _compute_line(stored, family.members, scores, plan.epochs),
        _best_line(best, folder),
    )


def _coefficients_line(plan: PlanRecord, choice: ChoiceRecord) -> str:
    found = choice.coefficients
    triple = f"{_doubt(choice)}alpha {found.alpha:.3f}, beta {found.beta:.3f}, gamma {found.gamma:.3f}"
    if choice.surface is not None:
        return f"{triple}: {_of_surface(choice.surface, plan)}."
    best = next(row for row in choice.ranking if row.id == choice.chosen)
    chosen = next(one for one in plan.candidates if one.id == choice.chosen)
    label = f"{where(chosen.shares)}, " if chosen.shares else ""
    cost = f"{times(plan.target)} the {cost_word(plan.cost)}"
    product = found.alpha * found.beta**2 * found.gamma**2
    return (
        f"{triple} (product {product:.2f}): {label}{_standing(choice, len(choice.ranking), cost)}, "
        f"validation {_percent(best.mean)}{_of_transfer_by_means(choice, plan)}."
    )


def _doubt(choice: ChoiceRecord) -> str:
    """What stands before an answer that is none."""
    if choice.guessing is None:
        return ""
    return f"No network is better than guessing ({_percent(choice.guessing)}), so this says nothing: "


def _of_surface(surface: SurfaceRecord, plan: PlanRecord) -> str:
    """What was found, in plain words: where the cost goes, what is expected, and how sure that is."""
    chosen = next(one for one in surface.places if one.id == surface.chosen)
    low, high = chosen.interval
    return (
        f"{where(chosen.shares)}, expected validation {_percent(chosen.expected)} ({_percent(low)} to "
        f"{_percent(high)}) at {times(plan.target)} the {cost_word(plan.cost)}; {_of_region(surface, chosen)}"
        f"{_of_paper(surface, plan)}{_of_transfer(surface)}"
    )


def _of_region(surface: SurfaceRecord, chosen: PlaceRecord) -> str:
    """The surface names the region; the chosen network may be ahead of it by what is its own, and lie outside."""
    inside, whole = sum(one.in_region for one in surface.places), len(surface.places)
    if chosen.in_region and inside == 1:
        return f"with 95% none of the other {whole - 1} networks is the best"
    return f"the region of the best holds {inside} of {whole} networks{'' if chosen.in_region else ', not this one'}"


def _of_paper(surface: SurfaceRecord, plan: PlanRecord) -> str:
    if any(one.id == surface.chosen and one.lattice == "paper" for one in plan.candidates):
        return "; it is the paper's point"
    paper = surface.within_half_a_point.paper
    return "" if paper is None else f"; the paper's point is within half a point of the best with {_percent(paper)}"


def _of_transfer(surface: SurfaceRecord) -> str:
    """What the coefficients of another cost lose here."""
    if (found := surface.transfer) is None:
        return ""
    if found.id == surface.chosen:
        return _SAME
    return _lost(found.loss, found.interval)


def _of_transfer_by_means(choice: ChoiceRecord, plan: PlanRecord) -> str:
    """The same where there is no surface: a paired difference, if both were trained and the chosen one is the best."""
    if plan.transferred is None:
        return ""
    if plan.transferred == choice.chosen:
        return _SAME
    row = next((one for one in choice.ranking if one.id == plan.transferred), None)
    if row is None or choice.ranking[0].id != choice.chosen:
        return "; what the coefficients from another cost lose here is not known"
    return _lost(row.difference, row.interval)


def _lost(loss: float, interval: Interval) -> str:
    low, high = interval
    return f"; the coefficients from another cost lose {_points(loss)} points here ({_points(low)} to {_points(high)})"


def _standing(choice: ChoiceRecord, trained: int, cost: str = "twice the cost") -> str:
    """Where the chosen network stands among those that were trained; the older rule took the cheapest of the tied."""
    among = f"{trained} networks of {cost}"
    if choice.rule != RULE and len(choice.tied) > 1:
        return f"the cheapest of {len(choice.tied)} tied among {among}"
    others = sum(one != choice.chosen for one in choice.tied)
    apart = f", tied with {others} other{'s' if others > 1 else ''}" if others else ""
    return f"the best of {among}{apart}"


def _accuracy_line(members: Sequence[MemberRecord], scores: Scores) -> str:
    parts = [
        f"{_place(one)} {_percent(mean(scores[one.id].values()))} at {_millions(one.cost['macs'])} MACs"
        for one in members
        if one.rule in ("baseline", "compound") and one.id in scores
    ]
    return "Test top-1: " + ", ".join(parts) + "."


def _corner(plan: PlanRecord, choice: ChoiceRecord) -> str | None:
    """The single dimension that the choice scales, or None where it scales several."""
    chosen: CandidateRecord = next(one for one in plan.candidates if one.id == choice.chosen)
    return None if chosen.rule == "grid" else chosen.rule


def _verdict(compared: Sequence[Comparison], corner: str | None, *, one_seed: bool = False) -> str:
    if not compared:
        return "No rival at equal counted cost was trained, so nothing is said about compound scaling here."
    parts = []
    for one in compared:
        winner = "beats" if one.difference > 0 else "loses to"
        word = "ties with" if abs(one.difference) <= one.margin else winner
        cost = "" if abs(one.cost_ratio - 1) <= 0.03 else f", which costs {one.cost_ratio:.2f}x"
        parts.append(
            f"phi {one.phi:.3g}: {word} {_in_words(one.rival)}{cost} "
            f"({_points(one.difference, '+')} +- {100 * one.margin:.1f} points)"
        )
    subject = "Compound scaling" if corner is None else f"The choice, {corner} only and not a compound,"
    margins = " With one seed the margins are the sampling error of the test alone." if one_seed else ""
    return f"{subject} against its best rival at the nearest counted cost: {'; '.join(parts)}.{margins}"


def _in_words(rival: str) -> str:
    if rival == PAPERS:
        return "the paper's coefficients"
    return f"{rival} only" if rival in RIVALS else rival


def _compute_line(stored: Stored, members: Sequence[MemberRecord], scores: Scores, epochs: int) -> str:
    """The baseline trained as expensively as the last compound member."""
    longer = [trial for trial in stored if trial.epochs > epochs and TEST in trial.metrics]
    last = [one for one in members if one.rule == "compound" and one.id in scores]
    if not longer or not last:
        return "Equal training compute was not compared."
    most = max(trial.epochs for trial in longer)
    baseline = mean(trial.metrics[TEST] for trial in longer if trial.epochs == most)
    member = min(last, key=lambda one: abs(math.log2(most / epochs) - one.phi))
    return (
        f"Equal training compute: the baseline trained {most / epochs:.3g} times as long gets {_percent(baseline)}, "
        f"the compound member at phi {member.phi:.3g} {_percent(mean(scores[member.id].values()))}."
    )


def _best_line(best: MemberRecord, folder: str) -> str:
    cost = f"{_millions(best.cost['macs'])} MACs, {_millions(best.cost['params'])} params"
    return f"Best of the family by validation: {best.rule} at phi {best.phi:.3g}, {cost}: {folder}/best.safetensors"


def _place(member: MemberRecord) -> str:
    return "baseline" if member.rule == "baseline" else f"phi {member.phi:.3g}"


def _percent(value: float) -> str:
    return f"{100 * value:.1f}%"


def _points(difference: float, sign: str = "") -> str:
    """In points; `sign` + shows the sign of what is above 0 too. What is shown as 0 has none."""
    rounded = round(100 * difference, 1)
    return f"{rounded:{sign}.1f}" if rounded else "0.0"


def _millions(value: float) -> str:
    return f"{value / 1e6:.3g} M"
