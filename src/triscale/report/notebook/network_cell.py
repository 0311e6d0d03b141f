"""A network in a notebook: drawn from its spec, and its stages with what each costs."""

from triscale import units
from triscale.costs import count
from triscale.costs.summary import by_stage
from triscale.report.network_svg import BOXES, networks_svg
from triscale.report.notebook.cell_parts import cell, image, sentence, table
from triscale.spec import Network, resolve

_ROOM = 22
"""Letters beside a drawn network."""


def network_html(network: Network) -> str:
    """The drawing, and a table of the stages.

    Raises:
        InputError: the network costs more than 1e15 MACs.
    """
    return cell([sentence(summary(network)), drawing(network), _stages(network)])


def summary(network: Network) -> str:
    """A network in one line."""
    costs = count(network)
    return (
        f"{network.name}: {units.pixels(network.resolution)}, {network.classes:,} classes, "
        f"{units.count(costs.params)} params, {units.count(costs.macs)} MACs"
    )


def drawing(network: Network) -> str:
    """The blocks of a network to scale, as an image."""
    about = f"{network.name}, block by block"
    name = network.name if len(network.name) <= _ROOM else f"{network.name[: _ROOM - 1]}…"
    return image(networks_svg([(name, "", network)], [("soft", BOXES)], about), about)


def _stages(network: Network) -> str:
    firsts = {run.stage: run.block for run in reversed(resolve(network).runs)}
    last = len(network.stages) + 1
    rows = []
    for index, one in enumerate(by_stage(network)):
        block = firsts[index if index < last else -1]
        channels = block.inner_channels if index == last else block.out_channels
        rows.append(
            (
                one.stage, one.operator, units.pixels(block.input), str(channels), str(one.blocks),
                units.count(one.params), units.count(one.macs), units.percent(one.macs_share),
            )
        )  # fmt: skip
    return table(("stage", "operator", "input", "channels", "blocks", "params", "MACs", "of all MACs"), rows)
