"""The choice of a study: which candidate is best, and what the noise between seeds allows to say of it."""

from triscale.errors import InputError
from triscale.search.rank import RULE, chance_warning, choose, half_warning, paired_noise, ranking
from triscale.search.scores import half_scores, scores_of
from triscale.trials import VALIDATION, Stored
from triscale.trials.study_records import ChoiceRecord, CoefficientsRecord, PlanRecord


def make_choice(stored: Stored, plan: PlanRecord, validation: int, classes: int) -> ChoiceRecord:
    """Choose among the candidates of a plan, all of which were trained.

    Args:
        stored: the store of the study.
        plan: of the study.
        validation: images that the accuracies were measured on.
        classes: of the data.

    Raises:
        InputError: every training of a candidate inside the tolerance failed.
    """
    everything = scores_of(stored, VALIDATION, plan.epochs)
    scores = {one.id: everything[one.id] for one in plan.candidates if one.id in everything}
    if not any(one.within and one.id in scores for one in plan.candidates):
        reasons = [trial.reason for trial in stored if trial.state == "failed"]
        raise InputError(f"every training of a candidate failed. The last reason: {reasons[-1] if reasons else 'none'}")
    noise = paired_noise(everything, validation)
    rows = ranking(scores, half_scores(stored, plan.epochs), noise, len(plan.seeds))
    macs = {one.id: int(one.cost["macs"]) for one in plan.candidates}
    chosen = choose(rows, macs, [one.id for one in plan.candidates if one.within])
    factors = next(one.factors for one in plan.candidates if one.id == chosen)
    half = half_warning(rows)
    warning = " ".join(text for text in (half, chance_warning(rows, classes, validation)) if text)
    return ChoiceRecord(
        ranking=tuple(rows),
        tied=tuple(row.id for row in rows if row.tied),
        chosen=chosen,
        rule=RULE,
        coefficients=CoefficientsRecord(alpha=factors.depth, beta=factors.width, gamma=factors.resolution),
        noise_sd=noise.sd,
        noise_freedom=noise.freedom,
        half_agrees=half is None,
        warning=warning or None,
    )
