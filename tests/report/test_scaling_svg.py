"""One network scaled five ways: the drawing is to scale, deterministic, and regenerates the committed one."""

import re
from dataclasses import replace
from math import sqrt
from xml.etree import ElementTree as ET

import pytest

from tests.paths import ROOT
from triscale.errors import InputError, UsageError
from triscale.families import network
from triscale.report import scaling_figure
from triscale.spec import Network

B0 = network("efficientnet_b0")
SVG = "{http://www.w3.org/2000/svg}"


def boxes(svg: str, *, kind: str | None = None) -> list[tuple[float, float, float]]:
    """Left edge, width and height of every box to the right of the labels, in the order of drawing."""
    found = ET.fromstring(svg).iter(f"{SVG}rect")  # noqa: S314  our own drawing
    right = [one for one in found if one.get("class") == kind and float(one.get("x", "0")) > 200]
    sizes = [(float(one.get("x", "0")), float(one.get("width", "0")), float(one.get("height", "0"))) for one in right]
    return [one for one in sizes if one[1:] != (11, 11)]  # the squares of the legend


def test_the_committed_figure_regenerates_equal() -> None:
    """Make it again with `triscale compare --figure docs/scaling.svg`."""
    assert scaling_figure(B0, 2) == (ROOT / "docs" / "scaling.svg").read_text(encoding="utf-8")


def test_every_block_of_the_five_networks_is_a_box() -> None:
    """16 blocks in the baseline, in width and in resolution; 4 times as many in depth; 26 in compound at phi = 2."""
    assert len(boxes(scaling_figure(B0, 2))) == 16 + 16 + 64 + 16 + 26


def test_a_box_is_as_wide_as_its_channels_and_as_high_as_the_root_of_its_side() -> None:
    first, *_, last = boxes(scaling_figure(B0, 2))[:16]
    fifth = boxes(scaling_figure(B0, 2))[8]
    assert last[1] / fifth[1] == pytest.approx(320 / 112, rel=0.01)
    assert first[2] / last[2] == pytest.approx(sqrt(112 / 7), rel=0.01)


def test_width_widens_resolution_heightens() -> None:
    found = boxes(scaling_figure(B0, 2))
    baseline, wide, sharp = found[15], found[31], found[16 + 16 + 64 + 15]
    assert wide[1] / baseline[1] == pytest.approx(2, rel=0.01)
    assert sharp[2] / baseline[2] == pytest.approx(sqrt(2), rel=0.01)
    assert (wide[2], sharp[1]) == (baseline[2], baseline[1])


def test_the_macs_beside_a_network_are_counted_not_nominal() -> None:
    text = " ".join(ET.fromstring(scaling_figure(B0, 2)).itertext())  # noqa: S314  our own drawing
    assert all(part in text for part in ("386 M MACs", "1.45 G MACs", "1.58 G MACs", "1.54 G MACs", "1.81 G MACs"))
    assert "4.69×" in text


@pytest.mark.parametrize("name", ["resnet1001", "mobilenet_v3_small", "senet154", "smallnet_24"])
@pytest.mark.parametrize("phi", [-1.0, 1.0])
def test_every_box_has_a_size_and_lies_on_the_page(name: str, phi: float) -> None:
    svg = scaling_figure(network(name), phi)
    for x, wide, high in [*boxes(svg), *boxes(svg, kind="ends")]:
        assert wide > 0
        assert high > 0
        assert x + wide <= 960 - 10


def test_a_name_is_escaped_and_a_hundred_stages_have_room() -> None:
    stage = replace(B0.stages[0], repeats=1)
    many: Network = replace(B0, name="<b> & co", stages=(stage,) * 100)
    svg = scaling_figure(many, 0)
    assert "&lt;b&gt; &amp; co" in svg
    assert all(wide > 0 for _, wide, _ in boxes(svg))


def test_the_figure_has_colours_for_light_and_dark_and_fetches_nothing() -> None:
    svg = scaling_figure(B0, 1)
    assert "prefers-color-scheme: dark" in svg
    assert re.findall(r"https?://[^\"]+", svg) == ["http://www.w3.org/2000/svg"]


def test_a_phi_that_cannot_be_drawn_is_an_error_of_the_user() -> None:
    with pytest.raises(UsageError):
        scaling_figure(B0, float("nan"))
    with pytest.raises(InputError):
        scaling_figure(B0, 20)
