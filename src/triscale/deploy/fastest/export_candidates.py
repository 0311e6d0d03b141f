"""The forms in which a network can be exported here: each engine in float32, and what images prove of lower ones."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from triscale.costs import Target
from triscale.deploy.about import ExportFormat, ExportPrecision
from triscale.deploy.formats import FORMATS
from triscale.deploy.precision.calibration_images import Judging
from triscale.deploy.precision.lowered_graph import judging_for
from triscale.deploy.precision.lowering import CARRIED, Lowering
from triscale.deploy.proven_export import Proven, lower, proven
from triscale.engines import engine_named
from triscale.errors import InputError, NumericError, UsageError
from triscale.weights import Classifier

Unusable = (UsageError, InputError, NumericError)
"""Why one form is left out, where another may serve."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AutoRequest:
    """A request for the fastest export.

    Attributes:
        place: the file without its ending, which the choice adds.
        lowering: what lower precisions are held to; None: float32 alone. Its own precision does not count.
        batch: images of a step; None: any number, and steps of one are measured.
        dynamic_size: any height and width.
        threads: of arithmetic, that are measured.
    """

    place: Path
    lowering: Lowering | None = None
    batch: int | None = None
    dynamic_size: bool = False
    threads: int = 1

    def target(self, form: ExportFormat, precision: ExportPrecision) -> Target:
        """Where files of a format run."""
        return Target(runtime=FORMATS[form].engine, precision=precision, threads=self.threads, batch=self.batch or 1)

    def path(self, form: ExportFormat) -> Path:
        """The file of a format."""
        return self.place.with_name(self.place.name + FORMATS[form].suffix)


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A form with its proof, or the reason why there is none."""

    target: Target
    form: ExportFormat
    made: Proven | None = None
    reason: str = ""


def candidates(classifier: Classifier, request: AutoRequest) -> Iterator[Candidate]:
    """Each format in float32, then in the lower precisions that it carries and this machine runs.

    Raises:
        UsageError: too few images to show so small a drop.
        InputError: data that do not fit.
    """
    pairs = [] if request.lowering is None else _lower_precisions()
    held, judging = None, None
    if request.lowering is not None and pairs:
        held = replace(request.lowering, precision="int8", shared=len(pairs))
        judging = judging_for(held, classifier)
    for form in FORMATS:
        float32 = _float32(classifier, request, form)
        yield float32
        for precision in (precision for one, precision in pairs if one == form):
            if float32.made is not None and held is not None and judging is not None:
                yield _lowered(float32, replace(held, precision=precision), judging)


def _lower_precisions() -> list[tuple[ExportFormat, ExportPrecision]]:
    found: list[tuple[ExportFormat, ExportPrecision]] = []
    for form, carried in CARRIED.items():
        engine = engine_named(FORMATS[form].engine)
        if not engine.missing():
            found += [(form, one) for one in carried if one != "float32" and engine.unfit(one) is None]
    return found


def _float32(classifier: Classifier, request: AutoRequest, form: ExportFormat) -> Candidate:
    target = request.target(form, "float32")
    reason = engine_named(FORMATS[form].engine).missing()
    if reason:
        return Candidate(target=target, form=form, reason=reason)
    try:
        made = proven(classifier, request.path(form), form, batch=request.batch, dynamic_size=request.dynamic_size)
    except Unusable as error:
        return Candidate(target=target, form=form, reason=first_sentence(error))
    return Candidate(target=target, form=form, made=made)


def _lowered(float32: Candidate, lowering: Lowering, judging: Judging) -> Candidate:
    assert float32.made is not None  # noqa: S101  lower precisions are made of it
    target = replace(float32.target, precision=lowering.precision)
    lowering.say(f"{target.runtime} in {target.precision}")
    try:
        return replace(float32, target=target, made=lower(float32.made, lowering, judging))
    except Unusable as error:
        return Candidate(target=target, form=float32.form, reason=first_sentence(error))


def first_sentence(error: BaseException) -> str:
    """The first line of a message, without its full stop."""
    return str(error).partition("\n")[0].rstrip(".")
