"""`triscale networks`."""

from dataclasses import asdict
from typing import Any

from triscale import api, families, units
from triscale.cli.show.output import Flag, print_json, print_table
from triscale.costs import count
from triscale.families.published import PUBLISHED, differing
from triscale.spec import Network


def networks(pattern: str = "*", /, *, json: Flag = False) -> None:
    """List the networks that triscale knows, with their counted cost.

    The list also has their resolution and the figures printed in papers. Wherever a command takes a network, it also
    takes a spec file (.json) or a scaled name such as efficientnet_b0@phi=1.5.

    Args:
        pattern: only names that match, such as 'resnet*' or '*_b[0-3]'.
        json: print one JSON document instead of text, with every printed figure, its source and the accuracy.
    """
    rows = [_row(name, *families.registry()[name]) for name in api.networks(pattern)]
    if json:
        print_json(rows)
    else:
        titles = ("name", "params", "MACs", "activations", "resolution", "printed, where it differs")
        print_table(titles, [_cells(row) for row in rows])


def _row(name: str, family: str, network: Network) -> dict[str, Any]:
    counts, published = count(network)._asdict(), PUBLISHED.get(name)
    return {
        "name": name,
        "family": family,
        **counts,
        "resolution": network.resolution,
        "published": None if published is None else asdict(published),
        "differs": differing(counts, published),
    }


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    counted = (units.trimmed(row[key]) for key in ("params", "macs", "activations"))
    return (row["name"], *counted, units.size(row["resolution"]), differences(row))


def differences(row: dict[str, Any]) -> str:
    """The printed figures that are not what is counted: `MACs 4.2 B`."""
    names = {"params": "params", "macs": "MACs"}
    return ", ".join(f"{names[key]} {row['published'][key]}" for key in row["differs"])
