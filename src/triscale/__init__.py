"""Fit a ConvNet to a compute budget.

The public names are imported when they are first used, so that `import triscale` is instant and loads no torch.
"""

from triscale._version import __version__
from triscale.notebook_html import draw_with
from triscale.usage_data import report_none

TYPE_CHECKING = False  # type checkers know this name; `typing` takes longer to load than all the rest here
if TYPE_CHECKING:
    from triscale.api import (
        ForeignNetwork,
        benchmark,
        build,
        check,
        cost,
        evaluate,
        explain,
        export,
        fit,
        fit_budget,
        lite,
        load,
        network,
        networks,
        predict,
        scale,
        scale_by_rules,
        search_architecture,
        study,
        train,
    )
    from triscale.notebook_html import Draw
else:

    def __getattr__(name):
        if name in __all__:
            from importlib import import_module  # noqa: PLC0415  at the first use

            return getattr(import_module("triscale.api"), name)
        if name in {"runtime", "search"}:
            from importlib import import_module  # noqa: PLC0415  at the first use

            return import_module(f"triscale.{name}")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "ForeignNetwork",
    "__version__",
    "benchmark",
    "build",
    "check",
    "cost",
    "evaluate",
    "explain",
    "export",
    "fit",
    "fit_budget",
    "lite",
    "load",
    "network",
    "networks",
    "predict",
    "scale",
    "scale_by_rules",
    "search_architecture",
    "study",
    "train",
]


def _drawer() -> "Draw":
    from importlib import import_module  # noqa: PLC0415  when a notebook first shows something

    found: Draw = import_module("triscale.report.notebook").html_of
    return found


draw_with(_drawer)
report_none()


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
