"""The rows of the ledger: which network stands beside which model of which library, and which networks stand alone."""

from typing import NamedTuple

from triscale.families import registry
from triscale.spec import Network
from triscale.weights.peers import PEERS

PEERS_COMPARED = ("torchvision", "timm", "keras")
"""Of the libraries that weights come from. timm's `legacy_senet154` pools in its stem as SAME does only where a map's
sides are even, so not at all these sizes: the tests of its weights compare it at others."""

ALONE = {
    "mobilenet_v1_025": "no peer builds this width; the paper's 0.5 M params and 41 M MACs (Table 6) are met",
    "mobilenet_v1_050": "no peer builds this width; the paper's 1.3 M params and 149 M MACs (Table 6) are met",
    "mobilenet_v1_075": "no peer builds this width; the paper's 2.6 M params and 325 M MACs (Table 6) are met",
    "resnet164": "no peer by name; its logits equal those of timm's pre-activation class given its table "
    "(`tests/nn/test_preactivation.py`); the 1.7 M params of arXiv 1603.05027 are met, which counts no norms",
    "resnet1001": "no peer by name; `resnet164` with 111 blocks a stage in place of 18; the 10.2 M params of arXiv "
    "1603.05027 are met, which counts no norms",
    "amoebanet_b": "no peer builds it; the 557 M params of GPipe (arXiv 1811.06965) are met",
}
"""Network without a peer -> why, and what stands in its place."""

OWN = {"smallnet": "our own, made for small images: there is no peer"}
"""The same for whole families."""


class Row(NamedTuple):
    """A network of ours, and a library's model of it."""

    network: str
    peer: str
    model: str

    @property
    def of(self) -> Network:
        """Our network with the padding and norm that the model computes with."""
        return PEERS[self.peer].network(self.model)


def rows() -> list[Row]:
    """Every row, in the order of the registry, then of the peers."""
    found = [
        Row(settings.network, peer, model)
        for peer in PEERS_COMPARED
        if peer in PEERS
        for model, settings in PEERS[peer].models.items()
    ]
    order = list(registry())
    return sorted(found, key=lambda row: order.index(row.network))


def alone() -> dict[str, str]:
    """Every registered network without a row, and the reason; "" where none is stated."""
    paired = {row.network for row in rows()}
    return {
        name: ALONE.get(name, OWN.get(family, "")) for name, (family, _) in registry().items() if name not in paired
    }
