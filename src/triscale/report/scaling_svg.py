"""One network scaled five ways, drawn from the specs: Figure 2 of the paper, to scale and with counted cost, as SVG."""

from triscale.report.network_svg import BOXES, networks_svg
from triscale.scaling import Factors, factors
from triscale.spec import Network, scale

_RULES = ("baseline", "width", "depth", "resolution", "compound")
"""In the order of the paper's figure."""


def scaling_figure(base: Network, phi: float) -> str:
    """The baseline and its scalings by width, depth, resolution and compound to `phi`, each of nominal cost 2^phi.

    Every box is one block: its width is to the scale of the output channels, its height to the root of the side of its
    maps. The MACs beside it are counted.

    Raises:
        UsageError: phi is not finite.
        InputError: a network that is too large.
    """
    headings = (
        ("title", f"Four ways to spend {2**phi:.3g} times the cost of {base.name}"),
        ("soft", BOXES),
        ("soft", f"Nominal cost 2^φ at φ = {phi:g}; what is written beside each network is counted after rounding."),
    )
    about = f"{base.name} scaled by width, depth, resolution and all three to phi = {phi:g}"
    rows = [_row(base, letter, rule, phi) for letter, rule in zip("abcde", _RULES, strict=True)]
    return networks_svg(rows, headings, about)


def _row(base: Network, letter: str, rule: str, phi: float) -> tuple[str, str, Network]:
    by = Factors() if rule == "baseline" else factors(rule, phi)
    text = ", ".join(f"{axis[0]}={value:.3g}" for axis, value in by._asdict().items() if value != 1)
    return f"({letter}) {rule}", text, scale(base, **by._asdict())
