"""What an export in a lower precision says about its accuracy and its speed."""

from typing import TYPE_CHECKING

from triscale.units import counted

if TYPE_CHECKING:
    from triscale.deploy import Lowered
    from triscale.deploy.precision.speed_beside import SpeedBeside


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
