"""The question of a study; its hash names the folder, so that the same command resumes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from triscale.errors import UsageError
from triscale.scaling import parse_coefficients
from triscale.search.coefficients.rivals import USUAL, rival_names
from triscale.search.trainings.shared_terms import SharedTerms

_RIVALS = ",".join(USUAL)


@dataclass(frozen=True, kw_only=True, slots=True)
class Question(SharedTerms):
    """The question of a study. Everything that decides its result is here; how many workers answer it is not.

    Attributes:
        phi: the largest phi of the family; ignored where `budget` is given, which limits its last member.
        tolerance: how far the counted cost of a candidate may be from twice the baseline's (2 +- tolerance).
        candidates: most networks of the triangle among which the search chooses.
        trainings: of candidates; None: two for each point of the lattice, or as many as `time` allows.
        round: trainings of candidates that are decided on together, after the first round.
        rivals: rules of scaling that the family is compared with at equal counted cost, with commas between.
        at_phi: where the triangle is looked at: candidates cost 2^at_phi times the baseline.
        transfer: alpha, beta and gamma, with commas between, that were found at another cost: their network is a
            candidate, and the answer says what it loses.
        cost: what candidates cost alike, and the family and its rivals: macs or another metric.
        enlarge: whether candidates may take more pixels than the originals have.
        data, network and the others: see `SharedTerms`; `seeds` are those of the baseline and of every member of the
            family, and the most of a candidate.
    """

    phi: float = 2.0
    tolerance: float = 0.1
    candidates: int = 24
    trainings: int | None = None
    round: int = 4
    rivals: str = _RIVALS
    at_phi: float = 1.0
    transfer: str | None = None
    enlarge: bool = False
    cost: str = "macs"

    LEAST: ClassVar[Mapping[str, int]] = {"candidates": 4, "trainings": 4, "round": 1, **SharedTerms.LEAST}
    NUMBERS: ClassVar[tuple[str, ...]] = ("phi", "tolerance", "time", "at_phi")
    LATER: ClassVar[Mapping[str, object]] = {"rivals": _RIVALS, "transfer": None, "cost": "macs", **SharedTerms.LATER}
    COMMAND: ClassVar[tuple[str, ...]] = ("study",)

    def __post_init__(self) -> None:
        SharedTerms.__post_init__(self)
        if not 0 < self.tolerance < 1:
            raise UsageError(f"tolerance is {self.tolerance}; give a number between 0 and 1, such as 0.1.")
        if not 0.25 <= self.at_phi <= 10:
            raise UsageError(f"at_phi is {self.at_phi:g}; give 0.25 to 10 (candidates cost 2^at_phi baselines).")
        if not self.budget and not self.at_phi <= self.phi <= 10:
            raise UsageError(
                f"phi of a study is {self.phi}; give {self.at_phi:g} to 10 (alpha, beta and gamma are found at "
                f"phi = {self.at_phi:g})."
            )
        if self.transfer is not None:
            object.__setattr__(self, "transfer", _transferred(self.transfer))
        names = rival_names(self.rivals)
        object.__setattr__(self, "rivals", ",".join(names))
        if "tinynet" in names and not self.budget:
            raise UsageError("the rival tinynet only shrinks a network: give it with a --budget below the baseline.")

    @property
    def rival_names(self) -> tuple[str, ...]:
        """The rivals one by one."""
        return rival_names(self.rivals)


def _transferred(text: str) -> str:
    """Coefficients in the one way that a question writes them; a network that they shrink lies on no triangle."""
    found = parse_coefficients(text)
    if min(found) < 1 or max(found) == 1:
        raise UsageError(
            f"the coefficients to transfer are {text}; give three numbers of at least 1, one of them above it, such as "
            "1.2,1.1,1.15."
        )
    return ",".join(f"{one:.9g}" for one in found)
