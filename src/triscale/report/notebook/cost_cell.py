"""Counted costs, and the answer to a budget, in a notebook."""

from triscale import units
from triscale.costs import Cost, metric_named
from triscale.report.notebook.cell_parts import cell, sentence, table
from triscale.report.notebook.network_cell import drawing, summary
from triscale.scaling import BudgetFit


def cost_html(cost: Cost) -> str:
    """A table: what is counted of one image, memory at a batch, bytes of a file, and further metrics."""
    at_batch = f"at batch {cost.batch}"
    rows = [
        ("params", units.count(cost.params), f"{cost.params:,}"),
        ("MACs", units.count(cost.macs), f"{cost.macs:,}"),
        ("activations", units.count(cost.activations), f"{cost.activations:,}"),
        ("inference memory", units.memory(cost.inference_memory), at_batch),
        ("training memory", units.memory(cost.training_memory), at_batch),
        ("file", units.memory(cost.file_size), cost.weights_precision),
        *((name, _shown(name, value), "") for name, value in cost.metrics.items()),
    ]
    title = sentence(f"{cost.network} at {units.pixels(cost.resolution)}")
    return cell([title, table(("cost of one image", "", ""), rows)])


def budget_html(found: BudgetFit) -> str:
    """The network that keeps a budget: where it lies on the curve, what each limit leaves, and its drawing."""
    factors = ", ".join(f"{name} ×{value:.3f}" for name, value in found.factors._asdict().items())
    notch = found.fit.notch.cost or {}
    rows = [
        (
            name,
            _shown(name, value),
            _shown(name, value + found.fit.slack[name] * (-1 if metric_named(name).at_least else 1)),
            _shown(name, notch[name]) if name in notch else units.MISSING,
            "yes" if name in found.fit.binding else "no",
        )
        for name, value in found.fit.cost.items()
        if name in found.fit.slack
    ]
    return cell(
        [
            sentence(summary(found.network)),
            sentence(f"phi {found.phi:.4g}: {factors}; {units.percent(found.unused)} of the tightest limit is unused"),
            table(("limit", "cost", "at most", "next larger network", "binds"), rows),
            drawing(found.network),
        ]
    )


def _shown(name: str, value: float) -> str:
    return metric_named(name).unit.exact(value)
