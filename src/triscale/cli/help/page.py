"""What a page of help shows, as data."""

from dataclasses import dataclass
from typing import Literal

Part = Literal["look", "scale", "train", "search", "use", "paper", "more"]
"""Under which title `triscale --help` lists a command."""

PARTS: dict[Part, str] = {
    "look": "Look",
    "scale": "Scale",
    "train": "Train",
    "search": "Search",
    "use": "Use",
    "paper": "Paper",
    "more": "More",
}
"""The titles, in the order in which they stand."""

Section = tuple[str, tuple[str, ...]]
"""A title, and the options below it."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """The help of one command.

    Attributes:
        part: where the list of commands has it.
        usual: the options that `--help` shows, in this order; none: all of them.
        sections: the groups of `--help-all`. Options that stand in none come first, below the title "Options".
        examples: command lines that run as they stand, in the order of all pages (`tests/cli/test_examples.py`).
    """

    part: Part = "more"
    usual: tuple[str, ...] = ()
    sections: tuple[Section, ...] = ()
    examples: tuple[str, ...] = ()

    def epilogue(self) -> str:
        """What stands below the options."""
        return "\n".join(["Examples:", *(f"  {line}" for line in self.examples)]) if self.examples else ""
