"""What is installed on this machine, and what to do about what is missing: `triscale doctor`."""

from triscale.diagnosis.examination import diagnose
from triscale.diagnosis.finding import TOPICS, Diagnosis, Finding, State, Topic

__all__ = ["TOPICS", "Diagnosis", "Finding", "State", "Topic", "diagnose"]
