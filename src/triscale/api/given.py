"""What the public functions are given, in its many forms, brought to one: weights, models, images."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from triscale import families
from triscale.errors import InputError, UsageError

if TYPE_CHECKING:
    from torch import nn

    from triscale.weights import Classifier, Predictor

_EXPORTED = frozenset({".onnx", ".xml", ".pt2", ".so"})
_NO_PATH = "give a run folder, weights, or a model of triscale.build or triscale.load."


@contextmanager
def answering(
    weights: "str | Path | nn.Module | Predictor",
    classes: Sequence[str],
    override: Mapping[str, object] | None,
    network: str | None = None,
) -> "Iterator[Predictor]":
    """What answers, for as long as it is used; a model gets its mode back afterwards."""
    from torch import nn  # noqa: PLC0415  torch is loaded only here

    from triscale.nn import evaluation_mode  # noqa: PLC0415

    with evaluation_mode(weights) if isinstance(weights, nn.Module) else nullcontext():
        found = _answering(weights, classes, network)
        yield found.held_to({}, override) if override else found


def _answering(
    weights: "str | Path | nn.Module | Predictor", classes: Sequence[str], network: str | None = None
) -> "Predictor":
    from triscale.weights import AnyModel, Predictor, classifier_of, load_classifier  # noqa: PLC0415  with torch

    if isinstance(weights, AnyModel):
        return classifier_of(weights, classes)
    if classes:
        raise UsageError("these weights name their classes already: classes= is for a model that has no names.")
    if isinstance(weights, Predictor):
        return weights
    if not isinstance(weights, str | Path):
        raise UsageError(
            f"a {type(weights).__name__} has no .transform, so how its images are prepared is unknown: {_NO_PATH}\n"
            "evaluate takes any module with a DataLoader of (tensor, labels)."
        )
    _refuse_name(weights)
    if Path(weights).suffix in _EXPORTED and not Path(weights).is_dir():
        from triscale.deploy import load_exported  # noqa: PLC0415

        return load_exported(weights)
    return load_classifier(weights, network)


def _refuse_name(weights: str | Path) -> None:
    if families.full_name(str(weights)) in families.registry() and not Path(weights).exists():
        raise UsageError(
            f"{str(weights)!r} is the name of a network, not of weights: {_NO_PATH}\n"
            f"The weights in a package: triscale.build({str(weights)!r}, pretrained=True)."
        )


@contextmanager
def model_classifier(
    weights: "str | Path | nn.Module | Predictor",
    classes: Sequence[str],
    override: Mapping[str, object] | None,
    why_not: str,
    network: str | None = None,
) -> "Iterator[Classifier]":
    """A classifier whose model can be looked into."""
    from triscale.weights import Classifier  # noqa: PLC0415  torch is loaded only here

    with answering(weights, classes, override, network) as found:
        if not isinstance(found, Classifier):
            raise UsageError(f"an exported file {why_not}: {_NO_PATH}")
        yield found


def module_of(weights: "str | Path | nn.Module | Predictor") -> "tuple[nn.Module, tuple[str, ...]]":
    """The module itself with the names of its classes, as far as they are known."""
    from torch import nn  # noqa: PLC0415  torch is loaded only here

    from triscale.weights import AnyModel, Classifier  # noqa: PLC0415

    if isinstance(weights, nn.Module):
        return weights, weights.classes if isinstance(weights, AnyModel) else ()
    found = _answering(weights, ())
    if not isinstance(found, Classifier):
        raise UsageError("an exported file is evaluated on a data set: give its path instead of batches.")
    return found.model, found.classes


def pictures_of(images: Any) -> list[Any]:
    """The images that are named; files instead of folders and patterns."""
    import numpy as np  # noqa: PLC0415  at the first use
    from PIL.Image import Image  # noqa: PLC0415

    from triscale.data.names.places import picture_files  # noqa: PLC0415

    one = isinstance(images, str | Path | Image) or (isinstance(images, np.ndarray) and images.ndim < 4)
    if not one and not isinstance(images, Iterable):
        raise UsageError(f"a {type(images).__name__} is not an image: give paths, Pillow images or uint8 arrays.")
    found: list[Any] = []
    for image in [images] if one else images:
        found.extend(picture_files(image) if isinstance(image, str | Path) else [image])
    if not found:
        raise InputError("no image is given.")
    return found


class _Answer(Protocol):
    @property
    def image(self) -> Any: ...

    @property
    def reason(self) -> str | None: ...


Found = TypeVar("Found", bound=_Answer)


def readable(found: list[Found]) -> list[Found]:
    """The answers; InputError where not one image could be read."""
    if any(one.reason is None for one in found):
        return found
    first = found[0]
    raise InputError(f"none of {len(found)} images can be read; the first, {str(first.image)!r}: {first.reason}.")
