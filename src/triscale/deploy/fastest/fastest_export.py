"""The export for the engine and precision that take the least time here, of those that lose little enough."""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from triscale.deploy.fastest.choice import Choice, Contender, choose
from triscale.deploy.fastest.export_candidates import AutoRequest, Candidate, candidates
from triscale.deploy.fastest.timed_files import FileToTime, time_files
from triscale.deploy.formats import FORMATS, put
from triscale.deploy.precision.lowering import Say
from triscale.deploy.precision.speed_beside import SpeedBeside, beside
from triscale.deploy.proven_export import Export, written
from triscale.deploy.traced import require_exportable
from triscale.errors import InputError, UsageError
from triscale.latency.measuring import Limits, Measurement, Subject
from triscale.latency.silent_watch import SilentWatch
from triscale.weights import Classifier

SECONDS = 30.0
"""After which files are not measured further, if the intervals of their times are not narrow before."""


def export_fastest(classifier: Classifier, request: AutoRequest, say: Say) -> Export:
    """Write a classifier as the file that takes the least time here.

    All formats that can be run here are made, proven and measured side by side; one of them is put in place.

    Args:
        classifier: see `triscale.weights.load_classifier`; it is left as it is.
        request: what is wanted.
        say: hears what is done.

    Raises:
        UsageError: options that contradict each other, or too few images to show so small a drop.
        InputError: a model in training mode, weights that are not finite, unfit data, or no engine runs the network.
        OutputError, StorageError: see `triscale.deploy.export`.
    """
    refuse_ending(request.place)
    require_exportable(classifier)  # before data are opened
    made = list(candidates(classifier, request))
    _refuse_none(made)
    say(f"measuring {sum(one.made is not None for one in made)} files side by side")
    found = choose(_measured(made, request.threads))
    index = found.contenders.index(found.taken)
    taken = made[index]
    assert taken.made is not None  # noqa: S101  it was measured
    export = written(taken.made, request.path(taken.form))
    return replace(export, speed=_speed(found, taken, made), choice=found)


def refuse_ending(place: Path) -> None:
    """UsageError where the name of the file has the ending of a format already."""
    endings = [form.suffix for form in FORMATS.values()]
    if place.suffix in endings:
        raise UsageError(
            f"{place.name} ends in {place.suffix}, but --engine auto chooses the format: give --out without the ending."
        )


def _refuse_none(made: Sequence[Candidate]) -> None:
    if all(one.made is None for one in made):
        raise InputError(f"no engine can run this network here: {made[0].reason}.")


def _measured(made: Sequence[Candidate], threads: int) -> list[Contender]:
    """All of them, with the time of those that have a file."""
    watch = _Reasons()
    with tempfile.TemporaryDirectory(prefix="triscale-") as folder:
        files, sizes = {}, {}
        for index, one in enumerate(made):
            if one.made is not None:
                path = Path(folder) / str(index) / f"network{FORMATS[one.form].suffix}"
                path.parent.mkdir()
                sizes[index] = sum(put(path, one.made.packer.packed(one.made.about)).values())
                files[index] = FileToTime(about=one.made.about, path=path)
        times = dict(zip(files, time_files(list(files.values()), threads, Limits(seconds=SECONDS), watch), strict=True))
    return [
        _contender(one, sizes.get(index), times.get(index), watch.reasons.get(str(one.target), ""))
        for index, one in enumerate(made)
    ]


def _contender(one: Candidate, size: int | None, took: Measurement | None, reason: str) -> Contender:
    lowered = one.made and one.made.lowered
    return Contender(
        target=one.target,
        suffix=FORMATS[one.form].suffix,
        file_size=size,
        accuracy=lowered.accuracy if lowered else None,
        measurement=took,
        reason=one.reason or reason,
    )


class _Reasons(SilentWatch):
    """Keeps why a file could not be opened, by its target."""

    def __init__(self) -> None:
        super().__init__()
        self.reasons: dict[str, str] = {}
        self._target = ""

    def opening(self, subject: object, done: int, whole: int) -> None:
        """The file that notices are of from now on."""
        super().opening(subject, done, whole)
        self._target = str(subject.target) if isinstance(subject, Subject) else ""

    def notice(self, text: str) -> None:
        """Keep it by its target."""
        super().notice(text)
        self.reasons[self._target] = text


def _speed(found: Choice, taken: Candidate, made: Sequence[Candidate]) -> SpeedBeside | None:
    """In a lower precision, the time beside float32 on the same engine."""
    for one, contender in zip(made, found.contenders, strict=True):
        is_float32 = (one.form, one.target.precision) == (taken.form, "float32")
        if is_float32 and one is not taken and contender.measurement and found.taken.measurement:
            return beside(contender.measurement, found.taken.measurement)
    return None
