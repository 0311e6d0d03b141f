"""A network named on the command line, with a remark where its name is easily taken for another one's."""

from triscale import scaling
from triscale.cli.show.output import complain
from triscale.spec import AnyNetwork, ForeignNetwork, Network


def named(text: str) -> Network:
    """The network of a registered or scaled name or of a spec file; see `triscale.scaling.network` for the errors."""
    network = scaling.network(text)
    remark(network)
    return network


def any_named(text: str) -> AnyNetwork:
    """The network of a name, or the foreign one of `module:callable@...`, which is not imported."""
    found = scaling.any_network(text)
    if not isinstance(found, ForeignNetwork):
        remark(found)
    return found


def remark(scaled: Network) -> None:
    """Say on stderr where a network scaled by its width is not the published one of that width."""
    twin = scaling.published_twin(scaled)
    if twin is None:
        return
    for field in ("channels", "hidden"):
        here, printed = getattr(scaled.head, field), getattr(twin.head, field)
        if here != printed:
            complain(
                f"note: this width scales the {field} of the head too, to {here}; in {twin.name} they stay {printed}."
            )
