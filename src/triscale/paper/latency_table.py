"""Table 4 of the EfficientNet paper (arXiv 1905.11946): latency of one image on one core of an Intel Xeon E5-2690."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class LatencyPair:
    """Two networks of one accuracy, as the table sets them side by side.

    Attributes:
        slower, faster: registered names.
        slower_label, faster_label: as the table calls them.
        slower_seconds, faster_seconds: the printed latencies, means of 20 runs.
        ratio: the printed speedup.
    """

    slower: str
    faster: str
    slower_label: str
    faster_label: str
    slower_seconds: float
    faster_seconds: float
    ratio: float


LATENCIES = (
    LatencyPair(
        slower="resnet152",
        faster="efficientnet_b1",
        slower_label="ResNet-152",
        faster_label="EfficientNet-B1",
        slower_seconds=0.554,
        faster_seconds=0.098,
        ratio=5.7,
    ),
    LatencyPair(
        slower="amoebanet_b",
        faster="efficientnet_b7",
        slower_label="GPipe (AmoebaNet-B)",
        faster_label="EfficientNet-B7",
        slower_seconds=19.0,
        faster_seconds=3.1,
        ratio=6.1,
    ),
)
"""The rows of the table."""
