"""A network's Lite form from its own weights: fine-tuned by distillation, and set beside the network itself."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from triscale.deploy.about import ExportPrecision
from triscale.deploy.fastest.timed_files import SECONDS, FileToTime, arithmetic_threads, time_files
from triscale.deploy.formats import put
from triscale.deploy.precision.accuracy_gate import AccuracyDrop, Right, drop_between
from triscale.deploy.precision.calibration_images import Judging, calibration_images, judging_images
from triscale.deploy.precision.lowered_graph import quantizer_of
from triscale.deploy.precision.lowering import IMAGES
from triscale.deploy.precision.quantizer import Packer
from triscale.deploy.precision.speed_beside import SpeedBeside, beside
from triscale.deploy.proven_export import proven
from triscale.errors import InputError
from triscale.intervals import wilson
from triscale.latency.measuring import Limits, Measurement
from triscale.latency.silent_watch import SilentWatch
from triscale.nn import build
from triscale.recipes import Recipe
from triscale.scaling import lite_form
from triscale.training import Callbacks, TrainRequest, train_request
from triscale.trials import Execution, Numerics
from triscale.weights import Checkpoint, Classifier, load_classifier


@dataclass(frozen=True, kw_only=True, slots=True)
class Carried:
    """First weights of a Lite form.

    Attributes:
        checkpoint: the weights; what the network has in the same shape is its, the rest is fresh.
        copied, tensors: how many tensors are the network's, and how many there are.
        share: of the values that are the network's.
    """

    checkpoint: Checkpoint
    copied: int
    tensors: int
    share: float

    def __str__(self) -> str:
        return f"{self.copied} of {self.tensors} tensors are the network's own ({self.share:.1%} of the values)"


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class LiteRow:
    """A network in one precision.

    Attributes:
        network: its name.
        precision: float32 or int8.
        right: [n], whether each image is classified correctly.
        drop: from the same network in float32 to int8; None in float32.
        speed: beside the original network in float32.
        file_size: bytes of the exported graph.
    """

    network: str
    precision: str
    right: Right
    drop: AccuracyDrop | None
    speed: SpeedBeside
    file_size: int

    def to_dict(self) -> dict[str, Any]:
        """For output."""
        return {
            "network": self.network,
            "precision": self.precision,
            "top1": float(self.right.mean()),
            "top1_interval": list(wilson(int(self.right.sum()), len(self.right))),
            "images": len(self.right),
            "int8_gap": None if self.drop is None else self.drop.points,
            "int8_gap_interval": None if self.drop is None else list(self.drop.interval),
            "ms": self.speed.second,
            "busy": self.speed.busy,
            "ratio": self.speed.ratio.median,
            "ratio_interval": [self.speed.ratio.low, self.speed.ratio.high],
            "file_size": self.file_size,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class LiteResult:
    """A Lite form, beside the network that it is of.

    Attributes:
        checkpoint: of the fine-tuned Lite form.
        carried: what it began with.
        drop: from the network to its Lite form, both in float32, on the same images.
        rows: both, in float32 and int8.
    """

    checkpoint: Path
    carried: Carried
    drop: AccuracyDrop
    rows: tuple[LiteRow, ...]

    def to_dict(self) -> dict[str, Any]:
        """For output."""
        return {
            "checkpoint": str(self.checkpoint),
            "copied": self.carried.copied,
            "tensors": self.carried.tensors,
            "copied_share": self.carried.share,
            "drop": self.drop.to_dict(),
            "rows": [row.to_dict() for row in self.rows],
        }


def carried_over(original: Checkpoint, activation: str = "relu6", seed: int = 0) -> Carried:
    """The Lite form of a checkpoint's network, with all of its weights that have the same name and shape.

    Raises:
        UsageError: see `triscale.scaling.lite_form`.
        InputError: the network is foreign.
    """
    network = lite_form(original.spec, activation=activation)
    torch.manual_seed(seed)
    fresh = build(network).state_dict()
    kept = {
        name: tensor for name, tensor in original.state.items() if name in fresh and fresh[name].shape == tensor.shape
    }
    values = sum(tensor.numel() for tensor in fresh.values())
    return Carried(
        checkpoint=replace(original, network=network, state={**fresh, **kept}, notes=()),
        copied=len(kept),
        tensors=len(fresh),
        share=sum(tensor.numel() for tensor in kept.values()) / values,
    )


def train_lite(
    original: Classifier,
    data: str,
    out: Path,
    *,
    recipe: Recipe,
    activation: str = "relu6",
    seed: int = 0,
    calibration: int = IMAGES,
    split: str | None = None,
    numerics: Numerics,
    execution: Execution,
    callbacks: Callbacks,
) -> LiteResult:
    """Make, fine-tune and judge the Lite form of a network; the same call resumes where it was stopped.

    The network is the teacher. The statistics of norms follow the new maps, since another activation changes them all.

    Args:
        original: the network.
        data: see `triscale.data.open_data`, of the network's classes.
        out: the folder of the training, which is a run like any other.
        recipe: of the fine-tuning; "auto" of its norms means "momentum" here.
        activation: see `triscale.scaling.lite_form`.
        seed: of fresh weights, and of the training.
        calibration: training images that calibrate int8.
        split: that judges; by default the images that neither saw.
        numerics, execution, callbacks: see `triscale.training.fit`.

    Raises:
        UsageError, InputError, NumericError, OutputError, StorageError, BusyError: as of training and export.
    """
    teacher = Checkpoint(
        network=original.network, state=original.model.state_dict(), classes=original.classes,
        preprocessing=original.preprocessing, trained_on=original.trained_on,
    )  # fmt: skip
    carried = carried_over(teacher, activation, seed)
    callbacks.say(str(carried))
    recipe = replace(recipe, norms="momentum") if recipe.norms == "auto" else recipe
    first = carried.checkpoint
    request = TrainRequest(
        network=replace(first.spec, resolution=first.preprocessing.resolution or first.spec.resolution),
        data=data, recipe=recipe, seed=seed, weights=first, teacher=teacher,
    )  # fmt: skip
    trial = train_request(request, out, numerics, execution, callbacks)
    path = out / str(trial.checkpoint)
    rows = _beside((original, load_classifier(path)), data, split, calibration)
    return LiteResult(checkpoint=path, carried=carried, drop=drop_between(rows[0].right, rows[2].right), rows=rows)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Judged:
    """A file, what it classifies correctly, and its bytes."""

    file: FileToTime
    right: Right
    file_size: int


def _beside(both: Sequence[Classifier], data: str, split: str | None, calibration: int) -> tuple[LiteRow, ...]:
    """Networks in both precisions, on the images that the last of them, which knows its teacher's, did not see."""
    judging = judging_images(data, split, both[-1])
    with tempfile.TemporaryDirectory(prefix="triscale-") as folder:
        files = [
            file
            for index, one in enumerate(both)
            for file in _files(one, data, judging, calibration, Path(folder) / str(index))
        ]
        limits = Limits(seconds=SECONDS * len(files))
        times = time_files([one.file for one in files], arithmetic_threads(), limits, SilentWatch())
    return tuple(
        LiteRow(
            network=one.file.about.network.name,
            precision=one.file.about.precision,
            right=one.right,
            drop=drop_between(files[index - 1].right, one.right) if one.file.about.precision == "int8" else None,
            speed=beside(_known(times[0]), _known(times[index])),
            file_size=one.file_size,
        )
        for index, one in enumerate(files)
    )


def _known(found: Measurement | None) -> Measurement:
    if found is None:
        raise InputError("ONNX Runtime cannot open a graph that it has just run, in a process of its own.")
    return found


def _files(classifier: Classifier, data: str, judging: Judging, calibration: int, folder: Path) -> Iterator[_Judged]:
    """The ONNX graphs of a network in float32 and in int8, for steps of any number of images."""
    folder.mkdir()
    made = proven(classifier, folder / "float32.onnx", "onnx")
    images = calibration_images(data, judging, made.first, calibration)
    int8 = quantizer_of(made.packer, images, None).quantized(())
    packed: tuple[tuple[ExportPrecision, Packer], ...] = (("float32", made.packer), ("int8", int8))
    for precision, packer in packed:
        about = replace(made.about, precision=precision)
        path = folder / f"{precision}.onnx"
        (size,) = put(path, packer.packed(about)).values()
        yield _Judged(
            file=FileToTime(about=about, path=path), right=judging.right(made.opened(packer, about)), file_size=size
        )
