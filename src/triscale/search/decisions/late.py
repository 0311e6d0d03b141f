"""What a study gives up where its trainings take longer than predicted: further trainings of candidates."""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from triscale import units
from triscale.search.trainings.shared_terms import Training
from triscale.trials.study_records import PlanRecord

_LATE = 1.1
"""Times the predicted seconds from which on a plan is late; less is noise."""


class Change(NamedTuple):
    """The plan as it stands from now on, and what was changed, in words."""

    plan: PlanRecord
    text: str


def kept_to_time(
    plan: PlanRecord,
    predicted: Mapping[Training, float],
    took: Mapping[Training, float],
    jobs: int,
    time: float,
    asked: int,
) -> Change | None:
    """The plan with fewer trainings of candidates, or None where it is in time or nothing can be left out.

    The trainings that are done say by how much the others will take longer. Only those that no round has asked for yet
    are left out, so that a study that resumes has the same rounds.

    Args:
        plan: as it stands.
        predicted: seconds of one worker for every training of the study.
        took: of those that are done.
        jobs: trainings at a time.
        time: seconds for all trainings.
        asked: trainings of candidates that rounds have asked for.
    """
    known = sum(predicted[one] for one in took)
    late = sum(took.values()) / known if known else 1.0
    left = {one: late * seconds for one, seconds in predicted.items() if one not in took}
    over = (sum(took.values()) + sum(left.values())) / jobs - time
    further = sorted((seconds for one, seconds in left.items() if one.purpose == "search"), reverse=True)
    if late < _LATE or over <= 0 or plan.search <= asked or not further:
        return None
    fewer = 0
    for seconds in further[: plan.search - asked]:
        if over <= 0:
            break
        over, fewer = over - seconds / jobs, fewer + 1
    expected = round(time + over)
    text = f"trainings take {late:.1f} times as long as predicted: {fewer} fewer of candidates"
    if over > 0:
        text += f", and still {units.duration(expected)} in all"
    changed = msgspec.structs.replace(
        plan, search=plan.search - fewer, trainings=plan.trainings - fewer, predicted_seconds=expected
    )
    return Change(changed, text)
