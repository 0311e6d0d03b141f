"""From a proven float32 graph to one in a lower precision that is shown to keep its accuracy."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from triscale.deploy.about import About
from triscale.deploy.exported import Exported, exported
from triscale.deploy.precision.accuracy_gate import Right, drop_between, level_of, refuse_undecidable
from triscale.deploy.precision.calibration_images import (
    CalibrationImages,
    Judging,
    calibration_images,
    judging_images,
)
from triscale.deploy.precision.layer_search import changed_answers, costly_layers, deadline, growing_sets
from triscale.deploy.precision.lowering import Lowered, Lowering, refuse_drop
from triscale.deploy.precision.quantizer import Packer, Quantizer
from triscale.engines import OpenvinoEngine
from triscale.errors import InputError
from triscale.weights import Predictor


def judging_for(asked: Lowering, classifier: Predictor) -> Judging:
    """The images that judge a lower precision of a classifier; what cannot be shown is rejected before any work.

    Raises:
        UsageError: too few images to show so small a drop.
        InputError: data that do not fit, or for bfloat16, no instructions for it.
    """
    if asked.precision == "bfloat16":
        refuse_no_bfloat16()
    judging = judging_images(asked.data, asked.split, classifier)
    refuse_undecidable(len(judging.labels), asked.max_drop, level_of(shared=asked.shared))
    asked.say(f"judged on {len(judging.labels):,} images of {judging.held.name} ({judging.held.split})")
    return judging


def lowered(
    asked: Lowering,
    judging: Judging,
    about: About,
    packer: Packer,
    first: Exported,
    open_packed: Callable[[Packer, About], Exported],
) -> Lowered:
    """The graph in a lower precision, with its proof.

    Args:
        asked: what is wanted.
        judging: the images that judge.
        about: of the float32 file.
        packer: the float32 graph.
        first: the float32 file, opened.
        open_packed: from a graph and what its file says to the file, opened.

    Raises:
        InputError: no image is left to calibrate with, or a library is missing.
        NumericError: the drop may be larger than allowed.
    """
    about = replace(about, precision=asked.precision)
    before = judging.right(first)
    if asked.precision == "bfloat16":
        after = judging.right(open_packed(packer, about))
        drop = drop_between(before, after, level_of(shared=asked.shared))
        refuse_drop(asked, drop)
        return Lowered(packer=packer, accuracy=drop)
    images = calibration_images(asked.data, judging, first, asked.calibration)
    asked.say(f"calibrating on {len(images):,} training images")
    search = _Search(asked, about, first, judging, before, images, open_packed)
    return search.found(quantizer_of(packer, images, about.batch))


def quantizer_of(packer: Packer, images: CalibrationImages, batch: int | None) -> Quantizer:
    """What makes int8 of a graph: ONNX Runtime or NNCF.

    Args:
        packer: the float32 graph.
        images: that calibrate.
        batch: of the graph; None: any.

    Raises:
        InputError: a library is missing.
    """
    from triscale.deploy.as_onnx import AsOnnx  # noqa: PLC0415  each brings libraries of its own
    from triscale.deploy.as_openvino import AsOpenvino  # noqa: PLC0415
    from triscale.deploy.precision.with_nncf import NncfQuantizer  # noqa: PLC0415
    from triscale.deploy.precision.with_onnxruntime import OnnxRuntimeQuantizer  # noqa: PLC0415

    if isinstance(packer, AsOnnx):
        return OnnxRuntimeQuantizer(packer, images, batch)
    assert isinstance(packer, AsOpenvino)  # noqa: S101  `precision_for` lets no other format in
    return NncfQuantizer(packer, images, batch)


def refuse_no_bfloat16() -> None:
    """InputError where OpenVINO would compute in float32 instead, so that nothing could be shown."""
    if OpenvinoEngine().unfit("bfloat16"):
        raise InputError(
            "this processor has no bfloat16 instructions, so what bfloat16 costs cannot be measured here.\n"
            "Export on a machine that has them, or give --precision int8."
        )


@dataclass(frozen=True, slots=True)
class _Search:
    """The search for an int8 graph that keeps its accuracy."""

    asked: Lowering
    about: About
    first: Exported
    judging: Judging
    before: Right
    images: CalibrationImages
    open_packed: Callable[[Packer, About], Exported]

    def found(self, quantizer: Quantizer) -> Lowered:
        """All layers in int8, or else the fewest of 1, 2, 4, ... layers in float32 that suffice."""
        best = made = self._judged(quantizer, (), 0)
        if self._holds(made):
            return made
        self.asked.say(f"{made.accuracy}; looking for the layers that cost most")
        until, changed = deadline(self.asked.seconds), self._changed_by(made.packer)
        ranked = costly_layers(quantizer, self._answers, self.first.logits, self.images, until)
        look = 0
        for kept in growing_sets(quantizer, ranked, until):
            now = self._changed_by(quantizer.quantized(kept))
            if now > changed / 2:
                continue  # each look at the images that judge costs certainty: only at what promises more
            look, changed = look + 1, now
            made = self._judged(quantizer, kept, look)
            self.asked.say(f"{len(kept)} of {len(ranked)} layers in float32: {made.accuracy}")
            if self._holds(made):
                return made
            best = min(best, made, key=lambda one: one.accuracy.interval[1])
        refuse_drop(self.asked, best.accuracy, len(best.kept), best.layers)
        raise AssertionError("a drop that holds was returned")

    def _judged(self, quantizer: Quantizer, kept: tuple[str, ...], look: int) -> Lowered:
        packer = quantizer.quantized(kept)
        after = self.judging.right(self.open_packed(packer, self.about))
        drop = drop_between(self.before, after, level_of(look, self.asked.shared))
        return Lowered(
            packer=packer, accuracy=drop, calibration=len(self.images), layers=len(quantizer.layers), kept=kept
        )

    def _holds(self, made: Lowered) -> bool:
        return made.accuracy.interval[1] <= self.asked.max_drop

    def _answers(self, run: Callable[[Any], Any]) -> Callable[[Tensor], Tensor]:
        return exported(self.about, run).logits

    def _changed_by(self, packer: Packer) -> float:
        return changed_answers(self.first.logits, self.open_packed(packer, self.about).logits, self.images)
