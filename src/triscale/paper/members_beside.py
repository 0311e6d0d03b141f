"""The members B0 to B7 as released, beside what the paper's formula gives at the phi that they come closest to."""

from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from triscale.costs import count
from triscale.families.efficientnet import MEMBERS
from triscale.paper.errata import implied_phi
from triscale.scaling import PAPER, Factors, factors, network

NAMES = tuple(f"b{number}" for number in range(8))


@dataclass(frozen=True, kw_only=True, slots=True)
class MemberBesideFormula:
    """A member of the family.

    Attributes:
        name: registered.
        phi: the half that is nearest to the middle of `implied`; the authors print none.
        implied: the phi that depth, width and resolution would each need under the formula.
        given, formula: factors over B0: as released, and alpha^phi, beta^phi, gamma^phi.
        side, formula_side: pixels of the image.
        macs, formula_macs: counted, of the released network and of that of the formula.
    """

    name: str
    phi: float
    implied: Factors
    given: Factors
    formula: Factors
    side: int
    formula_side: int
    macs: int
    formula_macs: int

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        own = {name: getattr(self, name)._asdict() for name in ("implied", "given", "formula")}
        return asdict(self) | own


def members() -> tuple[MemberBesideFormula, ...]:
    """B0 to B7, from small to large."""
    return tuple(_member(name) for name in NAMES)


def _member(name: str) -> MemberBesideFormula:
    own, implied = MEMBERS[name], implied_phi(name)
    phi = round(2 * median(implied)) / 2
    released, made = network(f"efficientnet_{name}"), network(f"efficientnet_b0@phi={phi:g}")
    return MemberBesideFormula(
        name=released.name,
        phi=phi,
        implied=implied,
        given=Factors(own.depth, own.width, own.side / MEMBERS["b0"].side),
        formula=factors("compound", phi, PAPER),
        side=own.side,
        formula_side=made.resolution[0],
        macs=count(released).macs,
        formula_macs=count(made).macs,
    )
