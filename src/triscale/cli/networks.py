"""`triscale networks`."""

from triscale import families, units
from triscale.cli.output import Flag, print_json, print_table
from triscale.cost import count


def networks(*, json: Flag = False) -> None:
    """List the registered networks with their counted params, MACs and resolution.

    A spec file (.json) or a scaled name such as efficientnet_b0@phi=1.5 serves wherever a network is asked for.

    Args:
        json: print one JSON document instead of text.
    """
    rows = [
        {"name": name, "family": family, **count(network)._asdict(), "resolution": network.resolution}
        for name, (family, network) in families.registry().items()
    ]
    if json:
        print_json(rows)
        return
    print_table(
        ("name", "params", "MACs", "activations", "resolution"),
        [
            (
                str(row["name"]),
                *(units.trimmed(row[key]) for key in ("params", "macs", "activations")),
                units.size(row["resolution"]),
            )
            for row in rows
        ],
    )
