"""The image of the triangle: whole, readable in grey and at 400 pixels, and true to the surface."""

import re
import shutil
import subprocess
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.report import sample, surfaces
from tests.report.reading import Reader
from triscale.errors import InputError
from triscale.report import study_triangle, summary_markdown, write_report
from triscale.report.study_facts import facts
from triscale.report.triangle import triangle_figure, triangle_table
from triscale.report.triangle.edge_svg import draw_edge
from triscale.report.triangle.paint import DARK, LIGHT, colors
from triscale.report.triangle.plane import HIGH, LEFT, SIDE, Box
from triscale.report.triangle.ternary_svg import draw_ternary
from triscale.report.triangle.view import View, view_of
from triscale.trials.study_records import ChoiceRecord, PlanRecord
from triscale.trials.surface_records import ContourRecord, SharesRecord

SVG = "{http://www.w3.org/2000/svg}"
EDGE = {str(i): surfaces.at(i, 0, 8) for i in range(9)}
"""Networks between depth alone and width alone."""


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314  our own drawing


def marks(svg: str, kind: str) -> dict[str, ET.Element]:
    """The circles of a kind, by the network that each shows; one that is drawn twice fails."""
    found = [one for one in parsed(svg).iter(f"{SVG}circle") if one.get("class") == kind and one.get("data-id")]
    names = {str(one.get("data-id")): one for one in found}
    assert len(names) == len(found)
    return names


def boxes(svg: str) -> list[tuple[str, Box]]:
    """About what each text covers, one in pieces where it is turned; signs are taken as 0.58 of their size wide."""
    found = []
    sizes = {"title": 16.0, "soft": 11.5, "on": 11.0}
    for one in parsed(svg).iter(f"{SVG}text"):
        kinds, words = str(one.get("class")).split(), "".join(one.itertext())
        size = next((sizes[kind] for kind in kinds if kind in sizes), 13.0)
        x, y, wide = float(one.get("x", 0)), float(one.get("y", 0)), 0.58 * size * len(words)
        middle = x if "middle" in kinds else x + wide / 2 * (-1 if "end" in kinds else 1)
        turn = re.match(r"rotate\((-?60) ", one.get("transform", ""))
        if turn:
            sign = float(turn[1]) / 60
            along = [step * wide / 20 for step in range(-10, 11)]
            found += [(words, Box.around(x + by / 2, y + sign * by * 0.87, size, size)) for by in along]
        else:
            found.append((words, Box(middle - wide / 2, y - 0.8 * size, middle + wide / 2, y + 0.2 * size)))
    return found


def overlaps(svg: str) -> list[tuple[str, str]]:
    """Pairs of texts that cover one another."""
    return [(a, b) for (a, one), (b, two) in combinations(boxes(svg), 2) if a != b and one.meets(two)]


def test_every_network_appears_once_and_a_trained_one_as_a_circle_sized_by_its_seeds() -> None:
    found = surfaces.surface()
    svg = draw_ternary(surfaces.seen(found), titled=True)
    trained = {one.id: one.n for one in found.places if one.n}
    circles = marks(svg, "seen")
    assert circles.keys() == trained.keys()
    assert marks(svg, "unseen").keys() == {one.id for one in found.places} - trained.keys()
    radii = {trained[id_]: float(one.get("r", 0)) for id_, one in circles.items()}
    assert [radii[n] for n in sorted(radii)] == sorted(set(radii.values()))
    assert len(radii) == len(set(trained.values()))


def test_a_network_lies_where_its_shares_say() -> None:
    """The corners of depth, width and resolution: lower left, lower right, top."""
    circles = marks(draw_ternary(surfaces.seen(surfaces.surface()), titled=False), "seen")
    places = {id_: (float(one.get("cx", 0)), float(one.get("cy", 0))) for id_, one in circles.items()}
    depth, width, resolution = (places[id_] for id_ in ("0-0", "8-0", "0-8"))
    assert depth[0] == LEFT
    assert width[0] == LEFT + SIDE
    assert resolution[0] == LEFT + SIDE / 2
    assert depth[1] == width[1] == pytest.approx(resolution[1] + HIGH, abs=0.1)
    middle = places["4-0"]
    assert middle == pytest.approx(((depth[0] + width[0]) / 2, depth[1]), abs=0.1)


def test_the_corners_are_named_and_the_chosen_and_the_papers_network_marked() -> None:
    svg = draw_ternary(surfaces.seen(surfaces.surface()), titled=True)
    words = [text for text, _ in boxes(svg)]
    for label in ("depth only", "width only", "resolution only", "depth and width", "chosen", "paper", "5 seeds"):
        assert label in words
    assert "finenet_32" in words
    rings = [one for one in parsed(svg).iter(f"{SVG}circle") if one.get("class") == "ring" and one.get("cx")]
    chosen = marks(svg, "seen")["3-4"]
    assert [(one.get("cx"), one.get("cy")) for one in rings] == [(chosen.get("cx"), chosen.get("cy"))]


def test_lines_of_a_plane_stand_in_the_order_of_their_levels() -> None:
    """60 % to 66 % in a plane: five levels, whose bands lie in one another, ever smaller, towards the best corner."""
    svg = draw_ternary(surfaces.seen(surfaces.surface(surfaces.linear)), titled=True)
    bands = {str(one.get("class")): str(one.get("d")) for one in parsed(svg).iter(f"{SVG}path")}
    lowest = [
        max(float(pair.split()[1]) for pair in re.findall(r"[\d.]+ [\d.]+", bands[f"b{index} iso"]))
        for index in range(1, 6)
    ]
    assert "b6 iso" not in bands
    assert all(one >= two for one, two in pairwise(lowest))
    assert lowest[0] > lowest[-1]
    assert [words for words, _ in boxes(svg) if re.fullmatch(r"6\d", words)][-5:] == ["61", "62", "63", "64", "65"]


def test_a_flat_surface_has_one_band_and_says_its_accuracy() -> None:
    svg = draw_ternary(surfaces.seen(surfaces.surface(lambda _: 0.625)), titled=True)
    assert "expected accuracy 62.5 % everywhere" in [words for words, _ in boxes(svg)]


def test_a_contour_that_is_no_lattice_leaves_the_networks() -> None:
    found = surfaces.surface(contours=surfaces.contour(surfaces.quadratic)[:-1])
    svg = draw_ternary(surfaces.seen(found), titled=True)
    assert len(marks(svg, "seen")) == len(surfaces.SEEDS)
    assert "iso" not in svg.partition("</style>")[2]


@pytest.mark.parametrize("bands", range(2, 8))
def test_bands_are_told_apart_in_grey(bands: int) -> None:
    """Relative luminance (WCAG 2) falls from band to band on a light page, and rises on a dark one."""
    for ramp, sign in ((LIGHT, -1), (DARK, 1)):
        light = [sign * luminance(color) for color in colors(ramp, bands)]
        assert all(two - one > 0.012 for one, two in pairwise(light)), ramp


def luminance(color: tuple[int, int, int]) -> float:
    parts = [part / 255 for part in color]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@settings(deadline=None, max_examples=8)
@given(
    best=st.tuples(st.integers(0, 8), st.integers(0, 8)).filter(lambda one: sum(one) <= 8),
    paper=st.sampled_from([None, "2-3", "0-8", "8-0", "4-4"]),
    seeds=st.dictionaries(st.sampled_from([f"{i}-{j}" for i in range(9) for j in range(9 - i)]), st.integers(1, 9)),
    titled=st.booleans(),
)
def test_no_text_covers_another_wherever_the_best_lies(
    best: tuple[int, int], paper: str | None, seeds: dict[str, int], *, titled: bool
) -> None:
    top = surfaces.at(*best, 8)

    def peak(shares: SharesRecord) -> float:
        return 0.65 - 0.05 * (abs(shares.depth - top.depth) + abs(shares.width - top.width))

    svg = draw_ternary(surfaces.seen(surfaces.surface(peak, seeds=seeds), paper=paper), titled=titled)
    assert overlaps(svg) == []
    high = float(str(parsed(svg).get("viewBox")).split()[3])
    assert all(box.left >= 0 and box.right <= 440 and box.top >= 0 and box.bottom <= high for _, box in boxes(svg))
    assert len(marks(svg, "seen")) == len(seeds)


def test_texts_that_cover_one_another_would_be_found() -> None:
    svg = draw_ternary(surfaces.seen(surfaces.surface()), titled=True)
    assert overlaps(svg.replace('y="28.0"', 'y="47.0"')) != []


def edge(**changed: object) -> View:
    seeds = {"0": 1, "8": 1, "4": 2, "5": 1, "6": 3}
    shown = surfaces.seen(surfaces.surface(shares=EDGE, seeds=seeds), paper=None)
    return replace(shown, **changed)  # type: ignore[arg-type]


def test_two_dimensions_are_an_edge_with_the_surface_as_a_line() -> None:
    svg = draw_edge(edge(), titled=True)
    words = [text for text, _ in boxes(svg)]
    assert [word for word in words if word.endswith("only")] == ["depth only", "width only"]
    assert "depth and width" in words
    assert overlaps(svg) == []
    circles = marks(svg, "seen")
    assert len(circles) == 5
    bars = [one for one in parsed(svg).iter(f"{SVG}line") if one.get("class") == "best" and one.get("x1") != "-9"]
    inside = [one.shares.width for one in edge().surface.places if one.in_region]
    assert len(bars) == 1
    assert float(bars[0].get("x1", 0)) == pytest.approx(50 + 358 * (min(inside) - 1 / 16), abs=0.1)
    assert float(bars[0].get("x2", 0)) == pytest.approx(50 + 358 * (max(inside) + 1 / 16), abs=0.1)
    across = [float(circles[id_].get("cx", 0)) for id_ in ("0", "4", "5", "6", "8")]
    assert across == sorted(across)


def test_an_edge_without_a_contour_still_shows_its_networks() -> None:
    bare = msgspec.structs.replace(edge().surface, contour=())
    assert len(marks(draw_edge(edge(surface=bare), titled=False), "seen")) == 5
    assert len(marks(draw_ternary(edge(surface=bare), titled=False), "seen")) == 5


def test_the_figure_has_colours_for_light_and_dark_and_says_nothing_of_other_pictures() -> None:
    svg = draw_ternary(surfaces.seen(surfaces.surface()), titled=True)
    assert "prefers-color-scheme: dark" in svg
    assert re.findall(r"https?://[^\"]+", svg) == ["http://www.w3.org/2000/svg"]
    rules = re.findall(r"([^{}]+)\{[^{}]*:", svg.partition("<style>")[2].partition("</style>")[0])
    selectors = [part.strip() for rule in rules for part in rule.split(",") if "@media" not in part]
    assert selectors
    assert all(part.startswith(".triangle ") for part in selectors)


def test_a_name_is_escaped_and_a_long_one_cut() -> None:
    for draw, shown in ((draw_ternary, surfaces.seen(surfaces.surface())), (draw_edge, edge())):
        svg = draw(replace(shown, baseline="<b>&" + "x" * 200), titled=True)
        assert "&lt;b&gt;&amp;xxx" in svg
        assert all(box.right <= 440 for _, box in boxes(svg))


def test_the_picture_comes_right_after_the_answer_and_beside_it_the_same_as_a_table(tmp_path: Path) -> None:
    found = surfaces.studied()
    page = write_report(sample.write_run(tmp_path, found)).read_text(encoding="utf-8")
    reader = Reader(page)
    answer, drawing = page.index('class="headline"'), page.index('class="triangle"')
    assert answer < drawing < page.index('class="answer"') < page.index('class="notices"')
    assert page.index('class="notices"') < page.index("<h2>Accuracy against cost")
    head, *rows = reader.tables[0]
    assert head[0] == "network"
    surface = found.one(ChoiceRecord).surface
    assert surface is not None
    assert [row[0] for row in rows][:1] == ["a mix (chosen, the paper's point)"]
    assert [row[5].split()[0] for row in rows] == [f"{100 * one.expected:.1f}" for one in surface.places]
    assert [row[3] for row in rows] == [str(one.n) for one in surface.places]
    assert {row[0] for row in rows[1:]} >= {"depth only", "width only", "resolution only", "width and resolution"}


def test_the_summary_has_the_table_and_no_picture(tmp_path: Path) -> None:
    text = summary_markdown(sample.stored(tmp_path, surfaces.studied()))
    assert "| **a mix (chosen, the paper's point)** | 27 / 28 / 46 | 28 px |" in text
    assert "Within half a point of the best, with a probability of: depth only 1 %, width only 22 %" in text
    assert "<svg" not in text


def test_a_study_without_a_surface_looks_as_before(page: str, tmp_path: Path) -> None:
    assert "<svg" not in page.partition("</style>")[2].partition("<script>")[0]
    assert "Where the added cost goes best" not in page
    stored = sample.stored(tmp_path)
    assert "Where the added cost goes best" not in summary_markdown(stored)
    assert triangle_figure(facts(stored)) is None
    with pytest.raises(InputError, match="compared means"):
        study_triangle(stored)


def test_networks_without_a_training_that_cannot_be_the_best_have_no_row(tmp_path: Path) -> None:
    """Hundreds can be built: those that may be the best stand in the table, eight at most; the others are counted."""
    found = surfaces.studied()
    surface = surfaces.surface()
    choice = found.one(ChoiceRecord)
    surface = msgspec.structs.replace(surface, chosen=choice.chosen, places=(*surface.places,))
    table = triangle_table(facts(sample.stored(tmp_path, found.with_(ChoiceRecord, surface=surface))))
    assert table is not None
    assert len(table.rows) == len(surfaces.SEEDS) + 8
    assert f"{len(surface.places) - len(table.rows)} further networks" in table.note


def test_the_cost_is_the_one_that_the_plan_asked_for(tmp_path: Path) -> None:
    shown = view_of(facts(sample.stored(tmp_path, surfaces.studied().with_(PlanRecord, target=2.0**1.5))))
    assert shown is not None
    assert (shown.times, shown.cost) == (2.0**1.5, "2.83 times")
    assert replace(shown, times=2.0).cost == "twice"
    assert replace(shown, times=4.0).cost == "4 times"


def test_a_choice_by_the_surface_claims_no_best_mean(tmp_path: Path) -> None:
    """The network with the highest expected accuracy need not have the best mean, nor any training."""
    study = surfaces.studied()
    surface = study.one(ChoiceRecord).surface
    assert surface is not None
    inside = tuple(one.id for one in surface.places if one.in_region)
    summary = summary_markdown(sample.stored(tmp_path, study.with_(ChoiceRecord, tied=inside)))
    assert "It has the best mean" not in summary
    assert f"with 95 % the best lies among {len(inside)} of {len(surface.places)} networks" in summary


def test_a_contour_of_one_point_is_no_lattice() -> None:
    one = ContourRecord(shares=surfaces.BEST, expected=0.6, sd=0.1)
    assert (
        "b0" not in draw_ternary(surfaces.seen(surfaces.surface(contours=[one])), titled=True).partition("</style>")[2]
    )


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="Chromium is not installed")
def test_in_a_browser_400_pixels_wide_no_text_covers_another(tmp_path: Path) -> None:
    """The browser's own boxes of the texts that are not turned."""
    drawing = draw_ternary(surfaces.seen(surfaces.surface()), titled=True)
    script = (
        "const all = [...document.querySelectorAll('svg text:not([transform])')].map(t => [t.textContent, "
        "t.getBoundingClientRect()]); const bad = []; for (const [i, [a, x]] of all.entries()) for (const [b, y] of "
        "all.slice(i + 1)) if (x.left < y.right && y.left < x.right && x.top < y.bottom && y.top < x.bottom) "
        "bad.push(a + '|' + b); document.title = all.length + ' texts: ' + bad.join();"
    )
    page = tmp_path / "page.html"
    page.write_text(f'<div style="width:400px">{drawing}</div><script>{script}</script>', encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", f"--user-data-dir={tmp_path / 'p'}"]
    drawn = subprocess.run(
        ["chromium", *options, "--dump-dom", page.as_uri()], capture_output=True, text=True, timeout=120, check=True
    )
    found = re.search(r"<title>(\d+) texts: (.*)</title>", drawn.stdout)
    assert found is not None
    assert int(found[1]) > 15
    assert found[2] == ""
