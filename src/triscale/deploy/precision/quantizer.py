"""What makes an int8 graph of a float32 one, for each runtime."""

from collections.abc import Collection
from typing import Any, Protocol

from triscale.deploy.about import About
from triscale.deploy.exported import RunLogits

Payload = bytes | tuple[bytes, bytes]
"""The bytes of an exported file; of OpenVINO's two files."""


class Packer(Protocol):
    """A graph that becomes the bytes of a file."""

    def packed(self, about: About) -> Any:
        """The bytes of the file, or of its two parts, with a lock."""


class Quantizer(Protocol):
    """A float32 graph with what calibration images showed of it."""

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the convolutions and linear layers, in the order of the graph."""

    def together(self, kept: Collection[str]) -> tuple[str, ...]:
        """These layers with those that must go back to float32 with them, in the order of the graph."""

    def quantized(self, kept: Collection[str]) -> Packer:
        """The graph in int8, but for the layers that are kept in float32."""

    def running(self, kept: Collection[str]) -> RunLogits:
        """What runs nearly that graph, made in little time: for comparing layers, not for the proof."""
