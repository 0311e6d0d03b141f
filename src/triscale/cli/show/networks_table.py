"""Networks as a table with their ratios to the first, and the rules that made them with their sources."""

from collections.abc import Sequence

from triscale import units
from triscale.cli.show.output import print_table, print_text
from triscale.costs import metric_named
from triscale.paper import Compared
from triscale.scaling import Ruled

MARK = "*"
NAMES = {"params": "params", "macs": "MACs"}
_SHOWN = ("params", "macs", "activations", "inference_memory")
"""The columns of networks where no metric is given."""


def show_networks(rows: Sequence[Compared], asked: Sequence[str]) -> None:
    """The networks, by the metrics asked for or by the usual ones."""
    keys = asked or _SHOWN
    titles = [text for key in keys for text in (NAMES.get(key, key.replace("_", " ")), "")]
    cells = [
        (
            row.label,
            units.size(row.resolution or (0, 0)),
            *(text for key in keys for text in _value_and_ratio(row, rows[0], key)),
        )
        for row in rows
    ]
    print_table(("network", "resolution", *titles), cells)


def _value_and_ratio(row: Compared, reference: Compared, key: str) -> tuple[str, str]:
    if key in row.metrics:
        return metric_named(key).unit.show(row.metrics[key]), times(row.metric_ratios[key])
    return count_text(row, key), times(getattr(row, key) / getattr(reference, key))


def show_rules(found: Sequence[Ruled]) -> None:
    """Where each rule put its network, and where the rule comes from."""
    print_text("")
    cells = [(one.rule, f"{one.phi:.4g}", *(f"{factor:.3f}" for factor in one.factors), one.source) for one in found]
    print_table(("rule", "phi", "depth", "width", "resolution", "source"), cells)


def count_text(row: Compared, key: str) -> str:
    """What is counted, or what is printed where triscale has no such network."""
    counted = getattr(row, key)
    if counted is not None:
        return metric_named(key).unit.show(counted)
    printed: str | None = getattr(row.published, key)
    return "-" if printed is None else f"{printed}{MARK}"


def times(ratio: float | None) -> str:
    """Two digits, as the paper prints ratios."""
    if ratio is None:
        return ""
    return f"{ratio:.2g}x" if ratio < 0.995 else f"{ratio:.1f}x" if ratio < 9.95 else f"{ratio:.0f}x"
