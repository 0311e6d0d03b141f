"""What an examination of the machine found, as values."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

Topic = Literal["required", "extras", "processor", "kernels", "gpu", "storage"]
"""What a finding is about."""

TOPICS: dict[Topic, str] = {
    "required": "Required",
    "extras": "Extras",
    "processor": "Processor and memory",
    "kernels": "Compiled kernels",
    "gpu": "GPU",
    "storage": "Storage",
}
"""The titles of the topics, in the order in which they are shown."""

State = Literal["ok", "absent", "slow", "broken"]
"""`ok`; `absent`: an extra that is not installed, or hardware that is not there; `slow`: all works, with less than the
machine could give; `broken`: a required part is missing or does not work."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        topic: what it is about.
        name: what was looked at, such as `torch` or `cache`.
        found: what was found, in a few words.
        state: how good that is.
        advice: what to do about it, in one line; None where there is nothing to do.
    """

    topic: Topic
    name: str
    found: str
    state: State = "ok"
    advice: str | None = None


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """All findings.

    Attributes:
        findings: in the order of `TOPICS`.
    """

    findings: tuple[Finding, ...]

    @property
    def broken(self) -> tuple[str, ...]:
        """The names of required parts that are missing or do not work."""
        return tuple(one.name for one in self.findings if one.state == "broken")

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: `fine`, `broken` and `findings`."""
        return {
            "fine": not self.broken,
            "broken": list(self.broken),
            "findings": [asdict(one) for one in self.findings],
        }
