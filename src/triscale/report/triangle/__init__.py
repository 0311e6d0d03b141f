"""The scaling triangle of a study: the image, the same as a table, and what it lets one say."""

from triscale.report.study_facts import Facts
from triscale.report.triangle.edge_svg import draw_edge
from triscale.report.triangle.place_table import triangle_sentences, triangle_table
from triscale.report.triangle.ternary_svg import draw_ternary
from triscale.report.triangle.view import view_of

__all__ = ["triangle_figure", "triangle_sentences", "triangle_table"]


def triangle_figure(facts: Facts, *, titled: bool = True) -> str | None:
    """The image as SVG, which shows on light and on dark pages and needs nothing else.

    Where a foreign baseline scales two dimensions only, it is the edge between them. None where the study rests on no
    surface, or scales one dimension.
    """
    shown = view_of(facts)
    if shown is None or len(shown.dimensions) < 2:
        return None
    return (draw_edge if len(shown.dimensions) == 2 else draw_ternary)(shown, titled=titled)
