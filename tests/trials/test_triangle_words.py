"""Words for a place on the triangle are true of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triscale.search.coefficients.shares import DIMENSIONS, PAPER_SHARES, Shares
from triscale.trials import triangle_words
from triscale.trials.surface_records import SharesRecord
from triscale.trials.triangle_words import where


@pytest.mark.parametrize(
    ("shares", "words"),
    [
        ((1, 0, 0), "depth only"), ((0, 1, 0), "width only"), ((0, 0, 1), "resolution only"),
        ((0.3, 0, 0.7), "depth and resolution"), ((0.3, 0.7, 0), "depth and width"),
        ((0, 0.5, 0.5), "width and resolution"),
        ((0.2, 0.3, 0.5), "a mix"), ((0.004, 0.996, 0), "width only"), ((0.006, 0.994, 0), "depth and width"),
    ],
)  # fmt: skip
def test_a_corner_an_edge_and_the_inside_are_named(shares: tuple[float, float, float], words: str) -> None:
    assert where(Shares(*shares)) == words
    assert where(SharesRecord(**dict(zip(DIMENSIONS, shares, strict=True)))) == words


def test_the_papers_point_is_a_mix() -> None:
    assert where(PAPER_SHARES) == "a mix"
    assert triangle_words.DIMENSIONS == DIMENSIONS


@given(st.tuples(*[st.floats(0, 1)] * 3).filter(lambda one: sum(one) > 0.1))
def test_a_dimension_that_is_named_has_a_share_and_one_that_is_not_is_shown_as_none(parts: tuple[float, ...]) -> None:
    shares = Shares(*(part / sum(parts) for part in parts))
    for name, share in shares._asdict().items():
        named = name in where(shares) or where(shares) == "a mix"
        assert named == (share >= 0.005)
        assert named or f"{100 * share:.0f} %" == "0 %"
