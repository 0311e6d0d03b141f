"""Costs as people read them, those of an engine too: a metric's name in a sentence, and a value in its unit."""

from triscale import units
from triscale.costs import unit_of
from triscale.latency import latency_metric  # noqa: F401  makes the metrics of an engine known
from triscale.quantities import COUNT

_NAMES = {"macs": "MACs"}


def cost_name(metric: str) -> str:
    """A metric in a title or a sentence: `MACs`, `inference memory`."""
    return _NAMES.get(metric, metric.replace("_", " "))


def cost_text(metric: str, value: float | None) -> str:
    """A value in its unit."""
    if value is None:
        return units.MISSING
    unit = unit_of(metric)
    return units.count(value) if unit is COUNT else unit.show(value)
