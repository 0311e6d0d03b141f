"""Printed figures: what differs from the count is what is known to differ, by the precision of the print."""

import pytest

from triscale.cost import count
from triscale.families import registry
from triscale.families.published import PUBLISHED, agrees, differing, value

# Known from the paper's versions and from independent counts; everything else that is printed is what is counted.
DIFFERING = {
    "efficientnet_b1": ("macs",),
    "efficientnet_b2": ("params",),
    "efficientnet_b4": ("macs",),
    "efficientnet_b5": ("macs",),
    "efficientnet_b7": ("macs",),
    "mobilenet_v3_large": ("params",),
    "mobilenet_v3_small": ("params", "macs"),
    "resnet152": ("macs",),
    "senet154": ("macs",),
}


@pytest.mark.parametrize(
    ("counted", "printed", "same"),
    [
        (385_814_752, "0.39 B", True),
        (385_814_752, "0.4 B", True),
        (385_814_752, "0.38 B", False),
        (394_999_999, "0.39 B", True),
        (395_000_000, "0.39 B", False),
        (395_000_000, "0.40 B", True),
        (5_288_548, "5.3 M", True),
        (9_109_994, "9.2 M", False),
        (19_067_593_536, "19 B", True),
        (993_561_872, "1.0 B", True),
    ],
)
def test_a_figure_agrees_by_the_digits_that_are_printed(counted: int, printed: str, same: bool) -> None:
    assert agrees(counted, printed) is same


def test_a_printed_figure_has_a_value() -> None:
    assert (value("0.39 B"), value("5.3 M"), value("4.1 G")) == (390_000_000, 5_300_000, 4_100_000_000)


def test_only_what_is_known_to_differ_differs() -> None:
    counted = {name: count(registry()[name][1])._asdict() for name in PUBLISHED if name in registry()}
    found = {name: differing(counts, PUBLISHED[name]) for name, counts in counted.items()}
    assert {name: fields for name, fields in found.items() if fields} == DIFFERING


def test_every_published_name_is_a_network() -> None:
    """AmoebaNet-B stands in the paper's Table 2 whether or not it can be built."""
    assert set(PUBLISHED) - set(registry()) <= {"amoebanet_b"}


def test_nothing_differs_from_what_is_not_printed() -> None:
    assert differing({"params": 1, "macs": 1}, None) == ()
    assert differing(count(registry()["resnet18"][1])._asdict(), PUBLISHED["resnet18"]) == ()


def test_every_published_row_says_something_and_who_says_it() -> None:
    for name, row in PUBLISHED.items():
        assert row.source, name
        assert any((row.params, row.macs, row.top1)), name
        assert all(0 < float(one) <= 100 for one in (row.top1, row.top5) if one), name
