"""The summaries of committed studies, from their records alone.

`python -m benchmarks.study_answers results/*` writes the summary of each folder that holds a study.
"""

import sys
from pathlib import Path

from triscale import trials
from triscale.report import summary_markdown
from triscale.search.rank import RULE, choose
from triscale.trials.study_records import ChoiceRecord, PlanRecord


def chosen_as_today(stored: trials.Stored) -> bool:
    """Whether the choice of a study is by today's rule, or would be the same by it."""
    plan, choice = stored.one(PlanRecord), stored.one(ChoiceRecord)
    if plan is None or choice is None or choice.rule == RULE:
        return choice is not None
    macs = {one.id: int(one.cost["macs"]) for one in plan.candidates}
    within = [one.id for one in plan.candidates if one.within]
    return choose(choice.ranking, macs, within) == choice.chosen


def main(folders: list[Path]) -> None:
    """Write what can be written."""
    for folder in folders:
        if (folder / trials.RECORDS).exists() and (stored := trials.read(folder)).one(ChoiceRecord) is not None:
            (folder / "README.md").write_text(summary_markdown(stored), encoding="utf-8")
            print(f"{folder}: {'by' if chosen_as_today(stored) else 'not by'} the rule of today")


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]])
