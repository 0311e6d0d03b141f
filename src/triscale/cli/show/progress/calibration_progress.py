"""The progress of a calibration on stderr, and only on a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def calibrating(target: str) -> Iterator[Callable[[int, int], None]]:
    """What is called with how many measurements are done, of how many: a bar on a terminal, else nothing."""
    if not sys.stderr.isatty():
        yield lambda _done, _whole: None
        return
    from rich.console import Console  # noqa: PLC0415  only on a terminal
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(f"calibrating {target}")
        yield lambda done, whole: bar.update(task, completed=done, total=whole)
