"""What an exported file says about itself: the whole lock, the proof, and a digest that any flipped bit breaks."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from triscale._version import __version__
from triscale.errors import InputError
from triscale.seal import OPEN
from triscale.spec import (
    AnyNetwork,
    FieldError,
    Preprocessing,
    Size,
    any_from_document,
    content_hash,
    preprocessing_from_dict,
    preprocessing_to_dict,
    to_document,
)
from triscale.trained_on import TrainedOn

KEY = "triscale"
"""The entry of a file's metadata that holds all this as JSON."""

INPUT, OUTPUT = "pictures", "logits"
"""Names of the exported graph's input [n, c, h, w] (prepared images) and output [n, classes]."""

ExportFormat = Literal["onnx", "pt2", "openvino", "native"]
"""Of a file."""

ExportPrecision = Literal["float32", "bfloat16", "int8"]
"""Of a file's arithmetic: int8 is of its convolutions and linear layers, but those that were left in float32."""

FORMAT = "triscale.export"
VERSION = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class About:
    """The lock that travels with an exported graph.

    Attributes:
        network: whose weights the graph holds.
        classes: names in the order of the logits.
        preprocessing: what an image goes through before; its resolution is always given.
        batch: images in each step; None: any number.
        least: the smallest (height, width) that the graph takes; None: that of the preprocessing and no other.
        proof: figures of the comparison with the model; see `triscale.deploy.proof.Proof.to_dict`.
        weights: digest of the weights where they are files of their own (OpenVINO, C++).
        trained_on: which images made the weights; None where that is not known.
        precision: of its arithmetic.
    """

    network: AnyNetwork
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    batch: int | None = None
    least: Size | None = None
    proof: Mapping[str, Any] = field(default_factory=dict)
    weights: str | None = None
    trained_on: TrainedOn | None = None
    precision: ExportPrecision = "float32"

    @property
    def size(self) -> Size:
        """(height, width) of the images."""
        return self.preprocessing.resolution or self.network.resolution

    def text(self) -> str:
        """As JSON of ASCII, with the place for the seal."""
        document = {
            "format": FORMAT,
            "version": VERSION,
            "triscale": __version__,
            "network": to_document(self.network),
            "hash": content_hash(self.network),
            "classes": list(self.classes),
            "preprocessing": preprocessing_to_dict(self.preprocessing),
            "batch": self.batch,
            "least": self.least and list(self.least),
            "proof": dict(self.proof),
            "weights": self.weights,
            "trained_on": self.trained_on and self.trained_on.to_dict(),
            "precision": self.precision,
            "seal": OPEN.decode(),
        }
        return json.dumps(document, sort_keys=True)


def about_from(text: str, path: Path) -> About:
    """Read what `About.text` wrote.

    Raises:
        InputError: it is something else, or of another version.
    """
    try:
        found = json.loads(text)
        if (found.get("format"), found.get("version")) != (FORMAT, VERSION):
            raise InputError(f"{path} is an export of another version; this triscale reads version {VERSION}.")
        about = About(
            network=any_from_document(found["network"]),
            classes=tuple(map(str, found["classes"])),
            preprocessing=preprocessing_from_dict(found["preprocessing"]),
            batch=found["batch"],
            least=found["least"] and (int(found["least"][0]), int(found["least"][1])),
            proof=dict(found["proof"]),
            weights=found["weights"],
            trained_on=TrainedOn.from_dict(found.get("trained_on")),
            precision=_precision(found.get("precision", "float32"), path),
        )
    except FieldError as error:
        raise InputError(f"{path}: {error}.") from None
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError):
        raise InputError(f"{path} is not an export of triscale: its metadata cannot be read.") from None
    if content_hash(about.network) != found.get("hash"):
        raise InputError(f"{path}: its network does not have the hash that is written beside it.")
    return about


def _precision(found: object, path: Path) -> ExportPrecision:
    """That of a file; those of 0.1 do not say it."""
    if found in get_args(ExportPrecision):
        return found  # type: ignore[return-value]
    raise InputError(f"{path} has the precision {found!r}; this triscale reads {', '.join(get_args(ExportPrecision))}.")
