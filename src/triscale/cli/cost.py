"""`triscale cost`."""

from typing import Annotated

from cyclopts import Parameter

from triscale import api
from triscale.cli.output import Flag, print_json, print_table, print_text
from triscale.cli.quantities import cost_text, pixels, size_text


def cost(
    net: Annotated[str, Parameter(name="NET")],
    *,
    resolution: str | None = None,
    batch: int = 1,
    json: Flag = False,
) -> None:
    """Count what a network costs: params, MACs and activations of one picture, memory at a batch size.

    Args:
        net: a registered or scaled name, or a spec file (.json).
        resolution: pixels, 64 or 64x96 (height x width); by default the network's own.
        batch: pictures a step, for the memory.
        json: print one JSON document instead of text.
    """
    size = None if resolution is None else pixels(resolution)
    found = api.cost(net, resolution=size, batch=batch).as_dict()
    if json:
        print_json(found)
        return
    print_text(f"{found['network']} at {size_text(found['resolution'])} px")
    print_table(
        ("cost", "counted"),
        [
            (name, cost_text(name, value))
            for name, value in found.items()
            if name not in ("network", "resolution", "batch")
        ],
    )
