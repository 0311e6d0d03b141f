"""The candidates that get further seeds."""

from triscale.search.agenda import LEADERS
from triscale.search.scores import scores_of
from triscale.spec import content_hash
from triscale.trials import VALIDATION, Stored
from triscale.trials.study_records import PlanRecord


def leading(stored: Stored, plan: PlanRecord) -> list[str] | None:
    """Ids of the best candidates of the first seed; None before all of them are trained or failed."""
    seed = plan.seeds[0]
    over = {
        content_hash(one.network)
        for one in stored
        if one.seed == seed and one.epochs == plan.epochs and one.state in ("done", "failed")
    }
    if any(one.id not in over for one in plan.candidates):
        return None
    scores = scores_of(stored, VALIDATION, plan.epochs)
    within = [one.id for one in plan.candidates if one.within and seed in scores.get(one.id, {})]
    return sorted(within, key=lambda one: scores[one][seed], reverse=True)[:LEADERS]
