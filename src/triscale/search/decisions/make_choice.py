"""The choice of a study: which candidate is best, and what the noise allows to say about it."""

from triscale.errors import InputError
from triscale.scaling import Factors
from triscale.search.coefficients.baselines import coefficients_of
from triscale.search.coefficients.rank import RULE, choose, half_warning, is_guessing, paired_noise, ranking
from triscale.search.coefficients.triangle.surface_record import to_record
from triscale.search.decisions.study_surface import surface_of
from triscale.search.decisions.trial_scores import half_scores, scores_of
from triscale.trials import VALIDATION, Stored
from triscale.trials.study_records import ChoiceRecord, CoefficientsRecord, PlanRecord
from triscale.trials.surface_records import SurfaceRecord

SURFACE = "surface"
"""What a `choice` record calls the rule that takes the highest expected accuracy."""


def make_choice(stored: Stored, plan: PlanRecord, validation: int, chance: float, at_phi: float) -> ChoiceRecord:
    """Choose among the candidates of a plan, after the search.

    The network with the highest expected accuracy at the target cost, by the surface over all trainings; where they
    are too few for a surface, the best mean, and the warning says so.

    Args:
        stored: the store of the study.
        plan: of the study.
        validation: images that the accuracies were measured on.
        chance: what guessing gets right of them, a fraction.
        at_phi: where the candidates lie.

    Raises:
        InputError: every training of a candidate inside the tolerance failed.
    """
    everything = scores_of(stored, VALIDATION, plan.epochs)
    scores = {one.id: everything[one.id] for one in plan.candidates if one.id in everything}
    if not any(one.within and one.id in scores for one in plan.candidates):
        reasons = [trial.reason for trial in stored if trial.state == "failed"]
        raise InputError(f"every training of a candidate failed. The last reason: {reasons[-1] if reasons else 'none'}")
    surface = _surface(stored, plan, validation)
    noise = paired_noise(everything, validation)
    full = min(len(plan.seeds), max(map(len, scores.values()))) if isinstance(surface, str) else 1
    rows = ranking(scores, half_scores(stored, plan.epochs), noise, full)
    ratios = {one.id: one.ratio for one in plan.candidates}
    allowed = [one.id for one in plan.candidates if one.within]
    chosen = choose(rows, ratios, allowed) if isinstance(surface, str) else surface.chosen
    factors = next(one.factors for one in plan.candidates if one.id == chosen)
    centre = coefficients_of(Factors(factors.depth, factors.width, factors.resolution), at_phi)
    half = half_warning(rows)
    means = f"Means were compared: {surface}." if isinstance(surface, str) else None
    guessed = is_guessing(rows, chance, validation)
    nothing = f"No network is better than guessing ({chance:.1%}), so the ranking says nothing. Train longer."
    warning = " ".join(text for text in (means, half, nothing if guessed else None) if text)
    return ChoiceRecord(
        ranking=tuple(rows),
        tied=_tied(surface) or tuple(row.id for row in rows if row.tied),
        chosen=chosen,
        rule=RULE if isinstance(surface, str) else SURFACE,
        coefficients=CoefficientsRecord(alpha=centre.alpha, beta=centre.beta, gamma=centre.gamma),
        noise_sd=noise.sd,
        noise_freedom=noise.freedom,
        half_agrees=half is None,
        warning=warning or None,
        guessing=chance if guessed else None,
        surface=None if isinstance(surface, str) else surface,
    )


def _surface(stored: Stored, plan: PlanRecord, images: int) -> SurfaceRecord | str:
    found = surface_of(stored, plan, images)
    if isinstance(found, str):
        return found
    standing = {one.lattice: one.id for one in plan.candidates if one.lattice is not None}
    return to_record(
        found,
        depth=standing.get("depth"),
        width=standing.get("width"),
        resolution=standing.get("resolution"),
        paper=standing.get("paper"),
        transferred=plan.transferred,
    )


def _tied(surface: SurfaceRecord | str) -> tuple[str, ...]:
    """The region of the best."""
    return () if isinstance(surface, str) else tuple(one.id for one in surface.places if one.in_region)
