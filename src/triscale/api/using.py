"""What a trained network is used for: predictions, maps, accuracy, exported files; and the check of a data set."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from triscale import families
from triscale.api.counted import whole
from triscale.errors import InputError, OutputError, UsageError

if TYPE_CHECKING:
    from torch import Tensor, nn

    from triscale.data import Picture, Policy
    from triscale.deploy import Export
    from triscale.evaluate import Evaluation
    from triscale.explain import Explanation
    from triscale.predict import Prediction
    from triscale.weights import Answering, Classifier

_EXPORTED = frozenset({".onnx", ".xml", ".pt2"})
_NO_PATH = "give a run folder, weights, or a model of triscale.build or triscale.load."


def predict(
    weights: "str | Path | nn.Module | Answering",
    images: "Picture | Iterable[Picture]",
    *,
    top: int = 5,
    batch: int = 16,
    classes: Sequence[str] = (),
    override: Mapping[str, object] | None = None,
) -> "list[Prediction[Any]]":
    """What pictures show: for each, in their order, the most probable classes (`found[0].top[0].name`).

    Args:
        weights: a run folder, weights of any kind, an exported file, or a model of `build` or `load`, which gets its
            mode back.
        images: one or several: paths, folders, patterns such as "photos/**/*.jpg", images of Pillow, uint8 arrays
            [h, w, 3].
        top: the most classes for each.
        batch: pictures a step; it changes the memory, not the answer.
        classes: names in the order of the logits, for a model that nobody has named them to.
        override: fields of the preprocessing to replace on purpose, such as `{"interpolation": "bilinear"}`.

    Raises:
        UsageError: a number below 1, or a module whose preprocessing is not known.
        InputError: no such weights, something that is no picture, or not a single picture that can be read; one that
            cannot be read beside others has a `reason` instead of classes.
        NumericError: the network answers what is not finite.
    """
    top, batch = whole("top", top), whole("batch", batch)
    from triscale.predict import predictions  # noqa: PLC0415  torch is loaded only here

    pictures = _pictures(images)
    with answering(weights, classes, override) as classifier:
        return _readable(list(predictions(classifier, pictures, top=top, batch=batch)))


def explain(
    weights: "str | Path | nn.Module | Classifier",
    images: "Picture | Iterable[Picture]",
    *,
    target: str | int | None = None,
    layer: str = "head",
    classes: Sequence[str] = (),
    override: Mapping[str, object] | None = None,
) -> "list[Explanation[Any]]":
    """Where a network sees a class in pictures: for each, in their order, a map over what it saw (`found[0].picture`).

    Args:
        weights, images, classes, override: see `predict`; an exported file has no maps.
        target: the class by its name or index; by default the most probable one of each picture.
        layer: the map that is looked at: `stem`, `stage1` and so on, or `head`, the last one before pooling.

    Raises:
        UsageError: no such class or layer.
        InputError, NumericError: see `predict`.
    """
    from triscale.explain import explanations  # noqa: PLC0415  torch is loaded only here

    pictures = _pictures(images)
    with _model_of(weights, classes, override, "has no maps to look at") as classifier:
        return _readable(list(explanations(classifier, pictures, wanted=target, layer=layer)))


def evaluate(
    weights: "str | Path | nn.Module | Answering",
    data: "str | Path | Iterable[tuple[Tensor, Tensor]]",
    *,
    split: str | None = None,
    batch: int = 32,
    classes: Sequence[str] = (),
    override: Mapping[str, object] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> "Evaluation":
    """How many pictures a network tells right: top-1, top-5, balanced accuracy, macro F1, by class, what is confused.

    Every picture counts once.

    Args:
        weights: as of `predict`; for batches of your own, any module.
        data: a data set, see `triscale.data.open_split`, whose classes are matched by name; or batches of your own,
            such as a DataLoader of (tensor, labels).
        split: of a data set: `test`, `val`, `train` or `all`, taken whole; without it, see `triscale.data.open_split`,
            and images that the weights were trained on are left out.
        batch: pictures a step; it changes the memory, not the answer. Batches of your own stay as they are.
        classes: names in the order of the logits, for a model that nobody has named them to.
        override: fields of the preprocessing to replace on purpose, such as `{"interpolation": "bilinear"}`.
        progress: called with `(done, n)`.

    Raises:
        UsageError: a module that does not say how its pictures are prepared, with a data set; or options of a data set
            with batches.
        InputError: nothing usable there, classes that the network does not know, or a batch of another form.
        NumericError: the network answers what is not finite.
    """
    from triscale.evaluate import evaluate as evaluate_classifier  # noqa: PLC0415  torch is loaded only here
    from triscale.evaluate import evaluate_batches  # noqa: PLC0415

    if isinstance(data, str | Path):
        with answering(weights, classes, override) as classifier:
            return evaluate_classifier(classifier, data, split=split, batch=batch, progress=progress)
    if split is not None or override:
        raise UsageError("split and override are of data sets: leave them out with batches of your own.")
    if not isinstance(data, Iterable):
        raise UsageError(f"a {type(data).__name__} is no data: give a path, or batches such as a DataLoader.")
    module, own = _module(weights)
    return evaluate_batches(module, data, classes=tuple(classes) or own, progress=progress)


def export(
    weights: "str | Path | nn.Module | Classifier",
    out: str | Path,
    *,
    kind: str | None = None,
    batch: int | None = None,
    dynamic_size: bool = False,
    classes: Sequence[str] = (),
    override: Mapping[str, object] | None = None,
) -> "Export":
    """Write a network for another runtime, with its preprocessing; nothing is written before it is proven to be equal.

    Args:
        weights, classes, override: see `predict`; a model stays as it is.
        out: the file: .onnx, .pt2, or .xml for OpenVINO (with .bin beside it).
        kind: onnx, pt2 or openvino; by default what the file's name says.
        batch: pictures in each step; by default any number.
        dynamic_size: take pictures of any size; not for networks with SAME padding.

    Raises:
        UsageError, InputError, NumericError, OutputError, StorageError: see `triscale.deploy.export`.
    """
    place = Path(out)
    require_place(place)
    steps = None if batch is None else whole("batch", batch)
    from triscale.deploy import export as write  # noqa: PLC0415  torch is loaded only here
    from triscale.deploy import kind_of  # noqa: PLC0415

    kind_of(place, kind)
    with _model_of(weights, classes, override, "is written already") as classifier:
        return write(classifier, place, kind=kind, batch=steps, dynamic_size=dynamic_size)


def check(
    data: str | Path, *, policy: "Policy | None" = None, progress: Callable[[int, int], None] | None = None
) -> dict[str, Any]:
    """The verdict on a data set that a study or training acts on: every file is hashed, and decoded once.

    Args:
        data: see `triscale.data.open_data`.
        policy: what is done about doubtful pictures; by default they are left out and told.
        progress: called with `(done, whole)`: each file counts twice, when it is read and when it is decoded. The
            whole grows while many files are looked for.

    Returns:
        See `triscale.data.check.verdict`.

    Raises:
        InputError: nothing usable there.
    """
    from triscale.data import Policy, open_data  # noqa: PLC0415  decoders are loaded only here
    from triscale.data.check import verdict  # noqa: PLC0415

    return verdict(open_data(data, policy=policy or Policy(), progress=progress))


def require_place(out: Path) -> None:
    """OutputError where a file cannot be written, before any work."""
    if not out.parent.is_dir():
        raise OutputError(f"cannot write {out}: the folder {out.parent} does not exist.")
    if out.is_dir() or not os.access(out.parent, os.W_OK):
        raise OutputError(f"cannot write {out}: it is a folder, or its folder cannot be written to.")


@contextmanager
def answering(
    weights: "str | Path | nn.Module | Answering", classes: Sequence[str], override: Mapping[str, object] | None
) -> "Iterator[Answering]":
    """What answers, for as long as it is used; a model gets its mode back afterwards."""
    from torch import nn  # noqa: PLC0415  torch is loaded only here

    from triscale.nn import evaluation_mode  # noqa: PLC0415

    with evaluation_mode(weights) if isinstance(weights, nn.Module) else nullcontext():
        found = _answering(weights, classes)
        yield found.held_to({}, override) if override else found


def _answering(weights: "str | Path | nn.Module | Answering", classes: Sequence[str]) -> "Answering":
    from triscale.nn import Model  # noqa: PLC0415  torch is loaded only here
    from triscale.weights import Answering, classifier_of, load_classifier  # noqa: PLC0415

    if isinstance(weights, Model):
        return classifier_of(weights, classes)
    if classes:
        raise UsageError("these weights name their classes already: classes= is for a model that has no names.")
    if isinstance(weights, Answering):
        return weights
    if not isinstance(weights, str | Path):
        raise UsageError(
            f"a {type(weights).__name__} has no .transform, so how its pictures are prepared is unknown: {_NO_PATH}\n"
            "evaluate takes any module with a DataLoader of (tensor, labels)."
        )
    _refuse_name(weights)
    if Path(weights).suffix in _EXPORTED and not Path(weights).is_dir():
        from triscale.deploy import load_exported  # noqa: PLC0415

        return load_exported(weights)
    return load_classifier(weights)


def _refuse_name(weights: str | Path) -> None:
    if str(weights) in families.registry() and not Path(weights).exists():
        raise UsageError(
            f"{str(weights)!r} is the name of a network, not of weights: {_NO_PATH}\n"
            f"The weights in a package: triscale.build({str(weights)!r}, pretrained=True)."
        )


@contextmanager
def _model_of(
    weights: "str | Path | nn.Module | Answering",
    classes: Sequence[str],
    override: Mapping[str, object] | None,
    why_not: str,
) -> "Iterator[Classifier]":
    """A classifier whose model can be looked into."""
    from triscale.weights import Classifier  # noqa: PLC0415  torch is loaded only here

    with answering(weights, classes, override) as found:
        if not isinstance(found, Classifier):
            raise UsageError(f"an exported file {why_not}: {_NO_PATH}")
        yield found


def _module(weights: "str | Path | nn.Module | Answering") -> "tuple[nn.Module, tuple[str, ...]]":
    """The module itself with the names of its classes, as far as they are known."""
    from torch import nn  # noqa: PLC0415  torch is loaded only here

    from triscale.nn import Model  # noqa: PLC0415
    from triscale.weights import Classifier  # noqa: PLC0415

    if isinstance(weights, nn.Module):
        return weights, weights.classes if isinstance(weights, Model) else ()
    found = _answering(weights, ())
    if not isinstance(found, Classifier):
        raise UsageError("an exported file is evaluated on a data set: give its path instead of batches.")
    return found.model, found.classes


def _pictures(images: Any) -> list[Any]:
    """The pictures that are meant; files instead of folders and patterns."""
    import numpy as np  # noqa: PLC0415  at the first use
    from PIL.Image import Image  # noqa: PLC0415

    from triscale.data.places import picture_files  # noqa: PLC0415

    one = isinstance(images, str | Path | Image) or (isinstance(images, np.ndarray) and images.ndim < 4)
    if not one and not isinstance(images, Iterable):
        raise UsageError(f"a {type(images).__name__} is no picture: give paths, images of Pillow or uint8 arrays.")
    found: list[Any] = []
    for image in [images] if one else images:
        found.extend(picture_files(image) if isinstance(image, str | Path) else [image])
    if not found:
        raise InputError("no picture is given.")
    return found


class _Answer(Protocol):
    @property
    def image(self) -> Any: ...

    @property
    def reason(self) -> str | None: ...


Found = TypeVar("Found", bound=_Answer)


def _readable(found: list[Found]) -> list[Found]:
    """The answers; InputError where not one picture could be read."""
    if any(one.reason is None for one in found):
        return found
    first = found[0]
    raise InputError(f"none of {len(found)} pictures can be read; the first, {str(first.image)!r}: {first.reason}.")
