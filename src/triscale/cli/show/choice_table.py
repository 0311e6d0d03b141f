"""What `triscale export --engine auto` chose from: each form with its time, its loss, and why it was not taken."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from triscale import units
from triscale.cli.show.output import print_table, print_text

if TYPE_CHECKING:
    from triscale.deploy import Choice
    from triscale.deploy.fastest.choice import Contender

_TITLES = ("engine", "precision", "file", "ms", "95% interval", "points lost", "size", "peak memory", "")
TAKEN = "taken"


def show_choice(found: "Choice") -> None:
    """Print the table and the reason of the choice."""
    ranked = sorted(found.contenders, key=lambda one: one.measurement.median_ms if one.measurement else float("inf"))
    print_table(_TITLES, [_cells(one, taken=one is found.taken) for one in ranked])
    target = found.taken.target
    threads, images = units.counted(target.threads, "thread"), units.counted(target.batch, "image")
    print_text("", f"{found.why} ({threads}, {images} a step).")
    if not found.clean:
        print_text("The machine was loaded: all times are too long. Export again on a quiet one to be sure.")
    print_text("")


def _cells(one: "Contender", *, taken: bool) -> Sequence[str]:
    took = one.measurement
    memory = took and took.opening.peak_memory
    return (
        one.target.runtime,
        one.target.precision,
        one.suffix,
        units.MISSING if took is None else f"{took.median_ms:.4g}",
        units.MISSING if took is None else " to ".join(f"{value:.4g}" for value in took.interval_ms),
        _loss(one),
        units.MISSING if one.file_size is None else units.memory(one.file_size),
        units.MISSING if not memory else units.memory(memory),
        TAKEN if taken else one.reason,
    )


def _loss(one: "Contender") -> str:
    if one.accuracy is not None:
        return f"{one.accuracy.points:.1f}, at most {one.accuracy.interval[1]:.1f}"
    return "0 (proven)" if one.measurement else units.MISSING
