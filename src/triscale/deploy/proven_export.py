"""An export that proves itself: nothing is put in place before the file's own bytes gave the model's logits."""

import copy
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from triscale.deploy.about import About, ExportFormat
from triscale.deploy.as_native import proving
from triscale.deploy.as_native import runtime as native_runtime
from triscale.deploy.exported import Exported
from triscale.deploy.fastest.choice import Choice
from triscale.deploy.fastest.timed_files import FileToTime, time_beside
from triscale.deploy.formats import FORMATS, kind_of, opened, put
from triscale.deploy.precision.calibration_images import Judging
from triscale.deploy.precision.lowered_graph import judging_for, lowered
from triscale.deploy.precision.lowering import Lowered, Lowering, refuse_uncarried
from triscale.deploy.precision.quantizer import Packer
from triscale.deploy.precision.speed_beside import SpeedBeside
from triscale.deploy.proof import Logits, Proof, prove
from triscale.deploy.traced import example, least_size, plain, require_exportable
from triscale.errors import InputError, NumericError, UsageError, first_line
from triscale.machine import Isa
from triscale.spec import Size
from triscale.weights import AnyModel, Classifier


@dataclass(frozen=True, kw_only=True, slots=True)
class Export:
    """What was written.

    Attributes:
        files: with their bytes, the one to open first.
        about: what the file says about itself.
        proof: how it compares with the model; in a lower precision, how the float32 graph does that it was made of.
        lowered: how its accuracy compares with float32, in a lower precision.
        speed: its time beside that of float32, in a lower precision.
        untimed: why there is no `speed`, in a lower precision.
        choice: what it was chosen from, where engine and precision were to be chosen.
        build: of C++, the command that compiles it in its folder.
    """

    files: Mapping[Path, int]
    about: About
    proof: Proof
    lowered: Lowered | None = None
    speed: SpeedBeside | None = None
    untimed: str | None = None
    choice: Choice | None = None
    build: str | None = None


def export(
    classifier: Classifier,
    out: Path,
    *,
    kind: str | None = None,
    batch: int | None = None,
    dynamic_size: bool = False,
    lowering: Lowering | None = None,
    isa: Isa | None = None,
) -> Export:
    """Write a classifier as a file that other runtimes run, with the whole preprocessing lock in its metadata.

    Args:
        classifier: see `triscale.weights.load_classifier`; it is left as it is.
        out: the file; `.onnx`, `.pt2`, `.xml` for OpenVINO (whose weights go to `.bin` beside it), or `.so` for code
            that is compiled for this network.
        kind: the format, where the name is not to tell.
        batch: images in each step; by default any number.
        dynamic_size: any height and width, and not only the lock's; not for SAME padding.
        lowering: to int8 or bfloat16; None: float32.
        isa: of compiled code, for another processor; one that this processor lacks is proven in the best that it has.

    Raises:
        UsageError: options that contradict each other, or a precision that the format cannot carry.
        InputError: a model in training mode, weights that are not finite, unfit data, or a library is missing.
        NumericError: the file does not give the model's logits, or a lower precision loses too much accuracy; nothing
            was written.
        OutputError: the folder cannot be written to.
        StorageError: writing failed; an old file is untouched.
    """
    form = kind_of(out, kind)
    if batch is not None and batch < 1:
        raise UsageError(f"--batch is {batch}; give dynamic, or at least 1.")
    if lowering is not None:
        refuse_uncarried(form, lowering.precision)
    if isa is not None and form != "native":
        raise UsageError("--march is for compiled code: for a .so, or with --to c.")
    require_exportable(classifier)  # before data are opened
    judging = None if lowering is None else judging_for(lowering, classifier)
    made = proven(classifier, out, form, batch=batch, dynamic_size=dynamic_size, isa=isa)
    if lowering is None or judging is None:
        return written(made, out)
    less = written(lower(made, lowering, judging), out)
    try:
        return replace(less, speed=_speed(made, less))
    except InputError as error:
        return replace(less, untimed=first_line(error))


@dataclass(frozen=True, kw_only=True, slots=True)
class Proven:
    """A graph whose file gave the right answers, and the file.

    Attributes:
        form: of the file.
        packer: the graph.
        about: what the file says about itself, with the proof.
        proof: of the float32 graph.
        first: the file, opened.
        out: its name, for messages.
        lowered: in a lower precision, how its accuracy compares with float32.
        elsewhere: what was proven is a stand-in for code that this processor cannot run.
    """

    form: ExportFormat
    packer: Packer
    about: About
    proof: Proof
    first: Exported
    out: Path
    lowered: Lowered | None = None
    elsewhere: bool = False

    def opened(self, packer: Packer, about: About) -> Exported:
        """The file of another graph, opened."""
        return opened(self.form, packer.packed(about), self.out)


def proven(
    classifier: Classifier,
    out: Path,
    form: ExportFormat,
    *,
    batch: int | None = None,
    dynamic_size: bool = False,
    isa: Isa | None = None,
) -> Proven:
    """The graph of a classifier in float32, with the proof that its file gives the model's logits; nothing is written.

    See `export` for arguments and errors.
    """
    runtime, model = FORMATS[form].runtime(), plain(classifier)
    about = lock_of(classifier, batch=batch, dynamic_size=dynamic_size)
    packer = FORMATS[form].packer.traced(model, *example(about))
    shown, seen = packer, isa
    if isa is not None:
        (seen,) = proving([isa])
        packer, shown, runtime = packer.held_to(isa), packer.held_to(seen), native_runtime(seen)
    first = opened(form, shown.packed(about), out)
    (proof,) = proofs_of(classifier, model, [first.logits], about, runtime)
    if not proof.holds:
        raise NumericError(f"{out} was not written: the exported file does not give the model's logits.\n{proof}.")
    about = replace(about, proof=proof.to_dict())
    return Proven(form=form, packer=packer, about=about, proof=proof, first=first, out=out, elsewhere=seen != isa)


def lock_of(classifier: Classifier, *, batch: int | None = None, dynamic_size: bool = False) -> About:
    """What the file of a classifier says about itself, but for the proof."""
    return About(
        network=classifier.network,
        classes=classifier.classes,
        preprocessing=replace(classifier.preprocessing, resolution=classifier.resolution),
        batch=batch,
        least=least_size(classifier.network, classifier.resolution) if dynamic_size else None,
        trained_on=classifier.trained_on,
    )


def proofs_of(
    classifier: Classifier, model: AnyModel, exports: Sequence[Logits], about: About, runtime: str
) -> list[Proof]:
    """How the logits of files compare with those of the classifier's plain model."""
    exact, same = replace(classifier, model=copy.deepcopy(model).double()), replace(classifier, model=model)
    return prove(
        lambda pictures: exact.logits(pictures.double()), same.logits, exports,
        classifier.network.input_channels, proven_sizes(about), runtime,
    )  # fmt: skip


def lower(made: Proven, lowering: Lowering, judging: Judging) -> Proven:
    """The same in a lower precision that is shown to keep its accuracy; see `export` for errors."""
    less = lowered(lowering, judging, made.about, made.packer, made.first, made.opened)
    about = replace(made.about, precision=lowering.precision, proof={**made.about.proof, "accuracy": less.to_dict()})
    return replace(made, packer=less.packer, about=about, first=made.opened(less.packer, about), lowered=less)


def written(made: Proven, out: Path) -> Export:
    """Put the file in place, once it answers as the one that was proven."""
    payload = made.packer.packed(made.about)
    if not made.elsewhere:
        _refuse_other(made.first, opened(made.form, payload, out), out)
    return Export(files=put(out, payload), about=made.about, proof=made.proof, lowered=made.lowered)


def _speed(float32: Proven, less: Export) -> SpeedBeside:
    """The time of a file beside that of the float32 graph it was made of; InputError where one is not measured."""
    out = next(iter(less.files))
    with tempfile.TemporaryDirectory(prefix="triscale-") as folder:
        path = Path(folder) / out.name
        put(path, float32.packer.packed(float32.about))
        return time_beside(FileToTime(about=float32.about, path=path), FileToTime(about=less.about, path=out))


def proven_sizes(about: About) -> list[Size]:
    """The sizes at which an export is proven: the lock's; where the size is open, odd, oblong and small ones too."""
    high, wide = about.size
    if about.least is None:
        return [about.size]
    others = [(high, wide), (high + 7, wide + 2), about.least, (high, wide + high // 4), (2 * high - 1, wide)]
    return [(max(h, about.least[0]), max(w, about.least[1])) for h, w in others]


def _refuse_other(first: Exported, last: Exported, out: Path) -> None:
    """The proof went into the metadata after it was made: what is written must answer as what was proven."""
    size = first.about.size
    pictures = torch.linspace(-1, 1, 3 * size[0] * size[1]).reshape(1, 3, *size)[:, [0]]
    pictures = pictures.expand(-1, first.network.input_channels, -1, -1)
    if not torch.equal(first.logits(pictures), last.logits(pictures)):
        raise NumericError(f"{out} was not written: the file gave different logits after the proof was embedded.")
