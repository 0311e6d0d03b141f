"""The members B0 to B7 beside the formula, as a table."""

from triscale.cli.show.output import print_table, print_text
from triscale.paper import MemberBesideFormula
from triscale.units import trimmed

_TITLES = (
    "released", "phi", "depth", "1.2^phi", "width", "1.1^phi", "pixels", "224*1.15^phi", "MACs", "of the formula",
    "phi by depth, width, pixels",
)  # fmt: skip


def show_members(rows: tuple[MemberBesideFormula, ...]) -> None:
    """What was released, what the formula gives, and the phi that each released factor implies."""
    print_text("The members of the family as released, each beside the formula at the phi that it comes closest to", "")
    print_table(_TITLES, [_cells(row) for row in rows])
    print_text(
        "",
        "The authors print no phi: here it is the multiple of 0.5 nearest to the middle of the last column, which has",
        "the phi at which the formula gives the released depth, width and pixels. B2 is close to phi = 1; B1 is not.",
        "The network of the formula: triscale cost efficientnet_b0@phi=3.5.",
    )  # fmt: skip


def _cells(row: MemberBesideFormula) -> tuple[str, ...]:
    return (
        row.name, f"{row.phi:g}", f"{row.given.depth:g}", f"{row.formula.depth:.2f}", f"{row.given.width:g}",
        f"{row.formula.width:.2f}", str(row.side), str(row.formula_side), trimmed(row.macs), trimmed(row.formula_macs),
        ", ".join(f"{one:.2f}" for one in row.implied),
    )  # fmt: skip
