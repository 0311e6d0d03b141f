"""The search for alpha, beta and gamma, and the study around it: plan, trainings, choice, family, answer."""

from triscale.search.question import Question
from triscale.search.study import Progress, Study

__all__ = ["Progress", "Question", "Study"]
