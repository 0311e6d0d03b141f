"""The libraries whose weights we read and write, one file each."""

from triscale.weights.peers.base import Names, Peer, PeerModel, Place
from triscale.weights.peers.keras import KERAS
from triscale.weights.peers.lukemelas import LUKEMELAS
from triscale.weights.peers.timm import TIMM, TIMM_LEGACY
from triscale.weights.peers.torchvision import TORCHVISION
from triscale.weights.peers.transformers import TRANSFORMERS

PEERS = {peer.name: peer for peer in (TORCHVISION, TIMM, TIMM_LEGACY, LUKEMELAS, KERAS, TRANSFORMERS)}

__all__ = ["PEERS", "Names", "Peer", "PeerModel", "Place"]
