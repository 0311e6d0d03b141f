"""Tables 2, 3 and 7 of the EfficientNet paper (arXiv 1905.11946): what is printed, and the spec it is printed of."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from triscale.families import registry
from triscale.families.published import PUBLISHED, Published


@dataclass(frozen=True, kw_only=True, slots=True)
class PrintedRow:
    """A printed row.

    Attributes:
        label: the network as the table calls it.
        group: rows of one group are compared with its first row.
        published: the printed figures.
        network: a registered or scaled name, or None where triscale has no such network.
    """

    label: str
    group: str
    published: Published
    network: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PrintedTable:
    """A printed table."""

    title: str
    rows: tuple[PrintedRow, ...]
    note: str


_SOURCE = "EfficientNet, Table {} (v5)"

_Printed = tuple[str, str, str, str]

# Label -> the registered network whose figures stand in `PUBLISHED`, or params, MACs, top-1, top-5.
_RIVALS: dict[str, dict[str, str | _Printed]] = {
    "b0": {"ResNet-50": "resnet50", "DenseNet-169": ("14 M", "3.5 B", "76.2", "93.2")},
    "b1": {
        "ResNet-152": "resnet152",
        "DenseNet-264": ("34 M", "6.0 B", "77.9", "93.9"),
        "Inception-v3": ("24 M", "5.7 B", "78.8", "94.4"),
        "Xception": ("23 M", "8.4 B", "79.0", "94.5"),
    },
    "b2": {
        "Inception-v4": ("48 M", "13 B", "80.0", "95.0"),
        "Inception-ResNet-v2": ("56 M", "13 B", "80.1", "95.1"),
    },
    "b3": {"ResNeXt-101": ("84 M", "32 B", "80.9", "95.6"), "PolyNet": ("92 M", "35 B", "81.3", "95.8")},
    "b4": {
        "SENet": ("146 M", "42 B", "82.7", "96.2"),
        "NASNet-A": ("89 M", "24 B", "82.7", "96.2"),
        "AmoebaNet-A": ("87 M", "23 B", "82.8", "96.1"),
        "PNASNet": ("86 M", "23 B", "82.9", "96.2"),
    },
    "b5": {"AmoebaNet-C": ("155 M", "41 B", "83.5", "96.5")},
    "b6": {},
    "b7": {"GPipe (AmoebaNet-B)": "amoebanet_b"},
}
"""Member -> rivals of similar printed accuracy, grouped as the paper does."""

_NEAREST = {"SENet": "senet154@resolution=1.43"}
"""Rivals whose printed configuration is not a registered network, and what comes nearest to it."""

_COMPOUND = "@depth=1.4,width=1.2,resolution=1.3"
_SCALINGS = {"baseline": "", "depth (d=4)": "@depth=4", "width (w=2)": "@width=2", "resolution (r=2)": "@resolution=2"}

# Baseline -> printed MACs and top-1 of each scaling that the table has beside the baseline; compound comes last.
_TABLE3: dict[tuple[str, str], dict[str, tuple[str, str]]] = {
    ("MobileNetV1", "mobilenet_v1"): {
        "width (w=2)": ("2.2 B", "74.2"),
        "resolution (r=2)": ("2.2 B", "72.7"),
        "compound (d=1.4, w=1.2, r=1.3)": ("2.3 B", "75.6"),
    },
    ("MobileNetV2", "mobilenet_v2"): {
        "depth (d=4)": ("1.2 B", "76.8"),
        "width (w=2)": ("1.1 B", "76.4"),
        "resolution (r=2)": ("1.2 B", "74.8"),
        "compound": ("1.3 B", "77.4"),
    },
    ("ResNet-50", "resnet50"): {
        "depth (d=4)": ("16.2 B", "78.1"),
        "width (w=2)": ("14.7 B", "77.7"),
        "resolution (r=2)": ("16.4 B", "77.5"),
        "compound": ("16.7 B", "78.8"),
    },
}

_TABLE7 = {
    "depth (d=4)": ("1.8 B", "79.0"),
    "width (w=2)": ("1.8 B", "78.9"),
    "resolution (r=2)": ("1.9 B", "79.1"),
    "compound (d=1.4, w=1.2, r=1.3)": ("1.8 B", "81.1"),
}


def _table2() -> Iterable[PrintedRow]:
    for member, rivals in _RIVALS.items():
        label, name = f"EfficientNet-{member.upper()}", f"efficientnet_{member}"
        yield PrintedRow(label=label, group=label, published=PUBLISHED[name], network=name)
        for rival, known in rivals.items():
            if isinstance(known, str):
                network = known if known in registry() else None
                yield PrintedRow(label=rival, group=label, published=PUBLISHED[known], network=network)
            else:
                params, macs, top1, top5 = known
                published = Published(params=params, macs=macs, top1=top1, top5=top5, source=_SOURCE.format(2))
                yield PrintedRow(label=rival, group=label, published=published, network=_NEAREST.get(rival))


def _scaled(
    label: str, base: str, number: int, printed: tuple[str, str], rows: Mapping[str, tuple[str, str]]
) -> Iterable[PrintedRow]:
    for scaling, (macs, top1) in {"baseline": printed, **rows}.items():
        note = _UNNAMED if scaling == "compound" else ""
        yield PrintedRow(
            label=f"{label}, {scaling}",
            group=label,
            published=Published(macs=macs, top1=top1, source=_SOURCE.format(number), note=note),
            network=f"{base}{_SCALINGS.get(scaling, _COMPOUND)}",
        )


def _table3() -> Iterable[PrintedRow]:
    for (label, base), rows in _TABLE3.items():
        known = PUBLISHED[base]
        yield from _scaled(label, base, 3, (known.macs or "", known.top1 or ""), rows)


_UNNAMED = "its coefficients are not printed; counted with those of MobileNetV1"

TABLES: Mapping[str, PrintedTable] = MappingProxyType(
    {
        "table2": PrintedTable(
            title="Table 2: members and rivals of similar printed accuracy",
            rows=tuple(_table2()),
            note="SENet is counted as senet154 at 320 px, which has the printed MACs but not the printed params.",
        ),
        "table3": PrintedTable(
            title="Table 3: scaling existing networks",
            rows=tuple(_table3()),
            note="The printed MACs of ResNet-50 with d=4 and w=2 fit the counts crosswise.",
        ),
        "table7": PrintedTable(
            title="Table 7: EfficientNet-B0 scaled by one dimension and by all",
            rows=tuple(_scaled("EfficientNet-B0", "efficientnet_b0", 7, ("0.4 B", "77.3"), _TABLE7)),
            note="The single dimensions cost less than the compound network, so they are not at equal MACs.",
        ),
    }
)
"""Name of a table -> the table."""
