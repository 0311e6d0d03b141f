"""What an export says about its accuracy and speed, and what `--engine auto` chose from."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from triscale import units
from triscale.cli.show.interval_cell import explanation, interval_cell
from triscale.cli.show.output import print_table, print_text
from triscale.units import counted

if TYPE_CHECKING:
    from triscale.deploy import Choice, Lowered
    from triscale.deploy.fastest.choice import Contender
    from triscale.deploy.precision.speed_beside import SpeedBeside

_TITLES = ("engine", "precision", "file", "ms", "95% interval", "points lost", "size", "peak memory", "")
TAKEN = "taken"


def lowered_lines(precision: str, made: "Lowered") -> list[str]:
    """Accuracy beside float32, and of int8 what it was calibrated on and which layers stayed in float32."""
    lines = [f"{precision}: {made.accuracy}"]
    if made.calibration:
        kept = ", ".join(made.kept)
        back = f"{len(made.kept)} of {made.layers} layers are in float32: {kept}" if kept else "all layers are in int8"
        lines.append(f"calibrated on {counted(made.calibration, 'training image')}; {back}")
    return lines


def speed_line(precision: str, speed: "SpeedBeside") -> str:
    """Both times, and whether the lower precision is worth it here."""
    both = f"{speed.second:.3g} ms, float32 {speed.first:.3g} ms"
    where = f"batch {speed.batch}, {counted(speed.threads, 'thread')}, {speed.rounds} rounds in turns"
    where += "; other programs kept the machine busy, so that both times are too long" if speed.busy else ""
    if speed.faster:
        return f"{precision} takes {speed.ratio.median:.2f} times as long as float32 on this machine: {both} ({where})"
    if speed.busy and speed.ratio.low < 1:
        return f"whether {precision} is faster is unclear, since the machine is busy: {both} ({where})"
    return f"{precision} is not faster on this machine: {both} ({where})"


def untimed_line(precision: str, reason: str) -> str:
    """That there are no times to compare, and why."""
    return f"whether {precision} is faster here is not known, since the two files could not be timed: {reason}."


def show_choice(found: "Choice") -> None:
    """Print the table and the reason of the choice."""
    ranked = sorted(found.contenders, key=lambda one: one.measurement.median_ms if one.measurement else float("inf"))
    print_table(_TITLES, [_cells(one, taken=one is found.taken) for one in ranked])
    target = found.taken.target
    threads, images = units.counted(target.threads, "thread"), units.counted(target.batch, "image")
    print_text("", f"{found.why} ({threads}, {images} a step).")
    print_text(*explanation([one.measurement.coverage for one in ranked if one.measurement]))
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
        units.MISSING if took is None else interval_cell(took.interval_ms, took.coverage, "{:.4g}".format),
        _loss(one),
        units.MISSING if one.file_size is None else units.memory(one.file_size),
        units.MISSING if not memory else units.memory(memory),
        TAKEN if taken else one.reason,
    )


def _loss(one: "Contender") -> str:
    if one.accuracy is not None:
        return f"{one.accuracy.points:.1f}, at most {one.accuracy.interval[1]:.1f}"
    return "0 (proven)" if one.measurement else units.MISSING
