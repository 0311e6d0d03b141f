"""An export that proves itself: nothing is put in place before the file's own bytes gave the model's logits."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch

from triscale.deploy import as_native, as_onnx, as_openvino, as_pt2
from triscale.deploy.about import About
from triscale.deploy.exported import Exported
from triscale.deploy.precision.lowered_graph import judging_for, lowered
from triscale.deploy.precision.lowering import Lowered, Lowering, refuse_uncarried
from triscale.deploy.precision.quantizer import Packer, Payload
from triscale.deploy.precision.speed_beside import SpeedBeside, times_in_turns
from triscale.deploy.proof import Proof, prove
from triscale.deploy.traced import example, least_size, plain
from triscale.errors import NumericError, UsageError
from triscale.files import write_atomically
from triscale.spec import Size
from triscale.weights import Classifier

ExportFormat = Literal["onnx", "pt2", "openvino", "native"]

SUFFIXES: Mapping[ExportFormat, str] = {"onnx": ".onnx", "pt2": ".pt2", "openvino": ".xml", "native": ".so"}

_RUNTIMES = {
    "onnx": as_onnx.runtime,
    "pt2": as_pt2.runtime,
    "openvino": as_openvino.runtime,
    "native": as_native.runtime,
}
_PACKERS: Mapping[ExportFormat, Any] = {
    "onnx": as_onnx.AsOnnx,
    "pt2": as_pt2.AsPt2,
    "openvino": as_openvino.AsOpenvino,
    "native": as_native.AsNative,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Export:
    """What was written.

    Attributes:
        files: with their bytes, the one to open first.
        about: what the file says about itself.
        proof: how it compares with the model; in a lower precision, how the float32 graph does that it was made of.
        lowered: how its accuracy compares with float32, in a lower precision.
        speed: its time beside that of float32, in a lower precision.
    """

    files: Mapping[Path, int]
    about: About
    proof: Proof
    lowered: Lowered | None = None
    speed: SpeedBeside | None = None


def kind_of(out: Path, asked: str | None = None) -> ExportFormat:
    """The format of a file by its name, or as asked.

    Raises:
        UsageError: no such format, or a name that does not fit it.
    """
    by_name = next((kind for kind, suffix in SUFFIXES.items() if out.suffix == suffix), None)
    if asked is not None and asked not in get_args(ExportFormat):
        raise UsageError(f"--format is {asked!r}; give {', '.join(get_args(ExportFormat))}.")
    if by_name is None or asked not in {None, by_name}:
        wanted = {**SUFFIXES}.get(asked, ".onnx, .pt2, .xml (OpenVINO) or .so")  # type: ignore[call-overload]
        raise UsageError(f"{out.name} does not end in {wanted}.")
    return by_name


def export(
    classifier: Classifier,
    out: Path,
    *,
    kind: str | None = None,
    batch: int | None = None,
    dynamic_size: bool = False,
    lowering: Lowering | None = None,
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
    judging = None if lowering is None else judging_for(lowering, classifier)
    made = proven(classifier, out, form, batch=batch, dynamic_size=dynamic_size)
    if lowering is None or judging is None:
        return _written(made, out)
    less = lowered(lowering, judging, made.about, made.packer, made.first, made.opened)
    about = replace(made.about, precision=lowering.precision, proof={**made.about.proof, "accuracy": less.to_dict()})
    first = made.opened(less.packer, about)
    written = _written(replace(made, packer=less.packer, about=about, first=first), out)
    return replace(written, lowered=less, speed=_speed(made.first, first))


@dataclass(frozen=True, kw_only=True, slots=True)
class Proven:
    """A graph whose file gave the right answers, and the file."""

    form: ExportFormat
    packer: Packer
    about: About
    proof: Proof
    first: Exported
    out: Path

    def opened(self, packer: Packer, about: About) -> Exported:
        """The file of another graph, opened."""
        return opened(self.form, packer.packed(about), self.out)


def proven(
    classifier: Classifier, out: Path, form: ExportFormat, *, batch: int | None = None, dynamic_size: bool = False
) -> Proven:
    """The graph of a classifier in float32, with the proof that its file gives the model's logits; nothing is written.

    See `export` for arguments and errors.
    """
    runtime, model = _RUNTIMES[form](), plain(classifier)
    about = About(
        network=classifier.network,
        classes=classifier.classes,
        preprocessing=replace(classifier.preprocessing, resolution=classifier.resolution),
        batch=batch,
        least=least_size(classifier.network, classifier.resolution) if dynamic_size else None,
        trained_on=classifier.trained_on,
    )
    packer = _PACKERS[form].traced(model, *example(about))
    first = opened(form, packer.packed(about), out)
    exact, same = replace(classifier, model=copy.deepcopy(model).double()), replace(classifier, model=model)
    proof = prove(
        lambda pictures: exact.logits(pictures.double()), same.logits, first.logits,
        classifier.network.input_channels, proven_sizes(about), runtime,
    )  # fmt: skip
    if not proof.holds:
        raise NumericError(f"{out} was not written: the exported file does not give the model's logits.\n{proof}.")
    about = replace(about, proof=proof.to_dict())
    return Proven(form=form, packer=packer, about=about, proof=proof, first=first, out=out)


def _written(made: Proven, out: Path) -> Export:
    """Put the file in place, once it answers as the one that was proven."""
    payload = made.packer.packed(made.about)
    _refuse_other(made.first, opened(made.form, payload, out), out)
    return Export(files=_put(out, payload), about=made.about, proof=made.proof)


def _speed(float32: Exported, less: Exported) -> SpeedBeside:
    """The times of a step of one image, or of the fixed batch."""
    about = float32.about
    draws = np.random.default_rng(0)
    shape = (about.batch or 1, about.network.input_channels, *about.size)
    images = draws.standard_normal(shape).astype(np.float32)
    return times_in_turns(float32.run, less.run, images, torch.get_num_threads())


def opened(form: ExportFormat, payload: Payload, path: Path) -> Exported:
    """Open the bytes of a file."""
    match form, payload:
        case "onnx", bytes():
            return as_onnx.opened(payload, path)
        case "native", bytes():
            return as_native.opened(payload, path)
        case "pt2", bytes():
            return as_pt2.opened(payload, path)
        case "openvino", (text, weights):
            return as_openvino.opened(text, weights, path)
    raise AssertionError(form)


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


def _put(out: Path, payload: Payload) -> dict[Path, int]:
    parts = {out: payload} if isinstance(payload, bytes) else {out: payload[0], out.with_suffix(".bin"): payload[1]}
    for path, part in reversed(parts.items()):  # the one that is opened comes last
        write_atomically(path, part)
    return {path: len(part) for path, part in parts.items()}
