"""Which weights to use, and which preprocessing they must have: options of every command that uses weights."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from triscale.cli.options.compute import Compute
from triscale.cli.options.sizes_and_limits import pixels
from triscale.cli.options.working_folder import foreign_code
from triscale.cli.show.output import Flag, complain, print_text
from triscale.errors import UsageError
from triscale.spec import FieldError, Preprocessing, is_foreign_text, overridden

if TYPE_CHECKING:
    from triscale.weights import Classifier, Predictor

EXPORTED = frozenset({".onnx", ".xml", ".pt2", ".so"})
"""Endings of the files that `triscale export` writes."""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Weights:
    """The weights and their preprocessing; a command takes it as the argument `weights: Weights = OWN`.

    Attributes:
        network: the network of the weights, such as efficientnet_b0 or timm:tf_efficientnet_b0; required for weights of
            your own code (my_package.models:build). Alone, it takes the weights of an installed package
            (efficientnet_lite0, -lite1, -lite2).
        weights: instead of RUN, a checkpoint, a file of timm, torchvision, EfficientNet-PyTorch or Keras, or
            hf-hub:OWNER/NAME; for commands that only run the network, also an exported .onnx, .xml or .so.
        allow_pth: read .pth files, which are pickles, with torch's restricted reader.
        trust_code: run an exported .so that was compiled on another machine; it can do all that you can.
        resolution: pixels, 64 or 64x96; rejected unless the weights were trained for it.
        interpolation: area, nearest, bilinear, bicubic or lanczos; rejected unless it is that of the weights.
        crop: the part of the side that is kept, such as 0.875; rejected unless it is that of the weights.
        override: change the preprocessing of the weights on purpose, such as interpolation=bilinear; also resolution,
            crop, fit (centre, squash), mean and std. May be repeated.
    """

    network: str | None = None
    weights: str | None = None
    allow_pth: Flag = False
    trust_code: Flag = False
    resolution: str | None = None
    interpolation: str | None = None
    crop: str | None = None
    override: Annotated[tuple[str, ...], Parameter(negative=(), show_default=False)] = ()

    @property
    def named(self) -> bool:
        """Whether the weights are named by options, so that no RUN stands in front."""
        foreign = self.network is not None and is_foreign_text(self.network)  # it comes with its weights
        return self.weights is not None or (self.network is not None and not foreign)

    def classifier(self, run: str | None, compute: Compute) -> "Classifier":
        """The classifier on its device; loads torch. See `triscale.weights.load_classifier` for the errors."""
        wanted, replaced = self._preprocessing()
        from triscale.weights import load_classifier  # noqa: PLC0415  torch is loaded only here

        with foreign_code():
            found = load_classifier(run, network=self.network, weights=self.weights, allow_pth=self.allow_pth)
        for note in found.notes:
            complain(note)
        return found.held_to(wanted, replaced).on(compute.place())

    def answering(self, run: str | None, compute: Compute) -> "Predictor":
        """The classifier on its device, or an exported file in its runtime; loads torch."""
        given = run if self.weights is None else self.weights
        if given is None or Path(given).suffix not in EXPORTED or Path(given).is_dir() or (run and self.weights):
            return self.classifier(run, compute)
        if self.network is not None:
            raise UsageError(f"an exported file says itself which network it is; leave --network {self.network} out.")
        if compute.device not in {None, "cpu"}:
            raise UsageError(f"exported files run on the CPU here; leave --device {compute.device} out.")
        wanted, replaced = self._preprocessing()
        from triscale.deploy import load_exported  # noqa: PLC0415  torch is loaded only here

        replace(compute, device="cpu").place()  # the threads count when a file is opened
        trusted = self.trust_code and Path(given).suffix == ".so"
        return load_exported(given, trusted=trusted).held_to(wanted, replaced)

    def _preprocessing(self) -> tuple[dict[str, object], dict[str, object]]:
        """What the preprocessing must be, and what of it is replaced."""
        asked = {name: getattr(self, name) for name in ("resolution", "interpolation", "crop")}
        wanted = _fields({name: text for name, text in asked.items() if text is not None})
        return wanted, _fields(_assignments(self.override))


OWN = Weights()
"""The weights of RUN as they are."""


def show_overrides(document: dict[str, Any]) -> None:
    """A line for each override of `Classifier.overrides_document`."""
    print_text(*(f"overridden: {name} {one['used']} (the weights: {one['weights']})" for name, one in document.items()))


def _assignments(texts: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in texts:
        name, sign, value = (part.strip() for part in text.partition("="))
        if not (name and sign and value):
            raise UsageError(f"cannot read the override {text!r}; write NAME=VALUE such as interpolation=bilinear.")
        if name in found:
            raise UsageError(f"{name} is overridden twice.")
        found[name] = value
    return found


def _fields(texts: dict[str, str]) -> dict[str, object]:
    """The values that the texts mean, checked by the preprocessing itself."""
    values = {name: _value(name, text) for name, text in texts.items()}
    try:
        for name, value in values.items():
            if name not in {"mean", "std"}:  # these two must fit each other, and the network
                overridden(Preprocessing(), {name: value})
    except FieldError as error:
        raise UsageError(f"{error}.") from None
    return values


def _value(name: str, text: str) -> object:
    if name == "resolution":
        return pixels(text)
    if name not in {"crop", "mean", "std"}:
        return text
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"{name} is {text!r}; write numbers, with commas between those of channels.") from None
    return numbers if name != "crop" else numbers[0] if len(numbers) == 1 else numbers
