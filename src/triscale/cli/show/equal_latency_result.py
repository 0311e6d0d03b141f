"""Rules side by side at equal latency: what each buys for a millisecond."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from triscale import units
from triscale.cli.show.networks_table import show_rules
from triscale.cli.show.output import print_json, print_table, print_text
from triscale.costs import count
from triscale.spec import Network, resolve, to_document

if TYPE_CHECKING:
    from triscale.latency.equal_latency import Timed


def _bought(network: Network) -> dict[str, int]:
    """What a network has of each: counted, for one image."""
    counts = count(network)
    layers = sum(run.repeats * sum(layer.kind == "conv" for layer in run.block.layers) for run in resolve(network).runs)
    return {
        "macs": counts.macs, "pixels": network.resolution[0] * network.resolution[1], "layers": layers,
        "params": counts.params, "activations": counts.activations,
    }  # fmt: skip


def show_timed(base: Network, found: "Sequence[Timed]", target: str, *, json: bool) -> None:
    """Each rule's network: its measured latency, and its costs over the baseline's."""
    own = _bought(base)
    ratios = [{name: value / own[name] for name, value in _bought(one.ruled.network).items()} for one in found]
    if json:
        rows = [
            one.ruled.to_dict()
            | {
                "network": to_document(one.ruled.network),
                "latency_ms": 1e3 * one.seconds,
                "clean": one.clean,
                "ratios": all_,
            }
            for one, all_ in zip(found, ratios, strict=True)
        ]
        print_json({"target": target, "rows": rows})
        return
    print_text(f"{base.name}, scaled to the latency of the compound member on {target}; costs over the baseline's", "")
    cells = [
        (
            one.ruled.rule, units.size(one.ruled.network.resolution), units.latency(one.seconds),
            f"{one.seconds / found[0].seconds:.3f}", *(f"{all_[name]:.2f}x" for name in own),
        )
        for one, all_ in zip(found, ratios, strict=True)
    ]  # fmt: skip
    print_table(
        ("rule", "resolution", "latency", "of compound", "MACs", "pixels", "conv layers", "params", "activations"),
        cells,
    )
    if not all(one.clean for one in found):
        print_text("", "The machine was loaded: times are of the processor where it computed in one thread.")
    show_rules([one.ruled for one in found])
