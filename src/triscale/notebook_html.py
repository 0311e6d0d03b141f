"""How values show themselves in a notebook: a low room says that they do, a high one draws them.

A network, its cost or a trial is shown as tables and images, which `report/` makes and low rooms may not import. So
they derive from `ShownInNotebook`, and the package's root says who draws. Nothing of IPython is needed.
"""

TYPE_CHECKING = False  # type checkers know this name; `typing` takes longer to load than all the rest here
if TYPE_CHECKING:
    from collections.abc import Callable

    Draw = Callable[[object], str | None]

_drawers: "list[Callable[[], Draw]]" = []


class ShownInNotebook:
    """Something that a notebook shows as HTML."""

    __slots__ = ()

    def _repr_html_(self) -> str | None:
        """What Jupyter and its like ask for; None where nobody draws it, and they show the text."""
        return _drawers[-1]()(self) if _drawers else None


def draw_with(load: "Callable[[], Draw]") -> None:
    """Say who draws: a function that imports the one that draws, called when something is shown."""
    _drawers[:] = [load]
