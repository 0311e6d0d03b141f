"""What papers and releases print of the registered networks, with the precision that they print.

Beside a count stands the printed figure wherever the count, rounded to the printed digits, is another one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from types import MappingProxyType

FIGURES = ("params", "macs")
"""The figures that can be counted."""

_UNITS = {"K": 1_000, "M": 1_000_000, "B": 1_000_000_000, "G": 1_000_000_000}


@dataclass(frozen=True, kw_only=True, slots=True)
class Published:
    """Printed figures of one network; None where none is printed.

    Attributes:
        params, macs: as printed, such as "0.39 B"; what the EfficientNet paper calls FLOPS are multiply-adds.
        top1, top5: ImageNet accuracy in percent, as printed.
        source: who prints it.
        note: what one should know about it.
    """

    params: str | None = None
    macs: str | None = None
    top1: str | None = None
    top5: str | None = None
    source: str
    note: str = ""


def value(printed: str) -> float:
    """The number that "0.39 B" stands for."""
    number, unit = printed.split()
    return float(Decimal(number) * _UNITS[unit])


def agrees(counted: int, printed: str) -> bool:
    """Whether a count, rounded (half up) to the digits printed, is the printed figure."""
    number, unit = printed.split()
    return (Decimal(counted) / _UNITS[unit]).quantize(Decimal(number), ROUND_HALF_UP) == Decimal(number)


def differing(counted: Mapping[str, int], published: Published | None) -> tuple[str, ...]:
    """Which of `params` and `macs` are printed and are not what is counted."""
    printed = {name: getattr(published, name, None) for name in FIGURES}
    return tuple(name for name, text in printed.items() if text is not None and not agrees(counted[name], text))


_TABLE2 = "EfficientNet, Table 2 (v5)"
_TABLE3 = "EfficientNet, Table 3"
_TIMM = "timm, table of results"
_TORCHVISION = "torchvision, table of weights"
_SLIM = "TF-slim, MobileNet README"
_TPU = "tensorflow/tpu, MnasNet README"

_Row = tuple[str | None, str | None, str | None, str | None]

_ROWS: dict[str, Mapping[str, _Row]] = {
    _TABLE2: {
        "efficientnet_b0": ("5.3 M", "0.39 B", "77.1", "93.3"),
        "efficientnet_b1": ("7.8 M", "0.70 B", "79.1", "94.4"),
        "efficientnet_b2": ("9.2 M", "1.0 B", "80.1", "94.9"),
        "efficientnet_b3": ("12 M", "1.8 B", "81.6", "95.7"),
        "efficientnet_b4": ("19 M", "4.2 B", "82.9", "96.4"),
        "efficientnet_b5": ("30 M", "9.9 B", "83.6", "96.7"),
        "efficientnet_b6": ("43 M", "19 B", "84.0", "96.8"),
        "efficientnet_b7": ("66 M", "37 B", "84.3", "97.0"),
        "resnet50": ("26 M", "4.1 B", "76.0", "93.0"),
        "resnet152": ("60 M", "11 B", "77.8", "93.8"),
        "amoebanet_b": ("557 M", None, "84.3", "97.0"),
    },
    _TABLE3: {
        "mobilenet_v1": (None, "0.6 B", "70.6", None),
        "mobilenet_v2": (None, "0.3 B", "72.0", None),
    },
    _SLIM: {
        "mobilenet_v3_large": ("5.4 M", "217 M", "75.2", None),
        "mobilenet_v3_small": ("2.9 M", "66 M", "67.5", None),
    },
    _TPU: {
        "mnasnet_a1": (None, "312 M", "75.2", None),
        "mnasnet_small": ("2.03 M", "68 M", "66.0", None),
    },
    _TIMM: {
        "efficientnet_b8": ("87.41 M", None, None, None),
        "efficientnet_l2": ("480.31 M", None, None, None),
        "mnasnet_b1": (None, None, "74.67", None),
        "senet154": ("115.09 M", "20.8 B", "81.3", None),
    },
    _TORCHVISION: {
        "resnet18": (None, None, "69.8", None),
        "resnet34": (None, None, "73.3", None),
        "resnet101": (None, None, "77.4", None),
    },
}
"""Source -> network -> params, MACs, top-1, top-5."""

_NOTES = {
    "efficientnet_b4": "the paper's MACs are 4% below the count of its own released network",
    "efficientnet_b5": "the paper's MACs are 4% below the count of its own released network",
    "mobilenet_v2": "the README of TF-slim says 3.47 M params",
    "mobilenet_v3_small": "the released network is smaller than its README says",
    "mnasnet_a1": "the README's table says 315.2 M, its text 312 M",
    "senet154": "the 146 M and 42 B of EfficientNet's Table 2 are another, larger configuration",
    "amoebanet_b": "18 cells, 512 filters, trained by GPipe at 480 px; its MACs are not printed",
}


def _published() -> Iterable[tuple[str, Published]]:
    for source, rows in _ROWS.items():
        for name, (params, macs, top1, top5) in rows.items():
            yield (
                name,
                Published(params=params, macs=macs, top1=top1, top5=top5, source=source, note=_NOTES.get(name, "")),
            )


PUBLISHED: Mapping[str, Published] = MappingProxyType(dict(_published()))
"""Name of a network -> what is printed of it."""
