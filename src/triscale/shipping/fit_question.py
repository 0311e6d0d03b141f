"""The question of a fit; the same question in the same folder resumes it, another one is rejected."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

from triscale.costs import parse_target
from triscale.errors import UsageError
from triscale.families import full_name
from triscale.latency.latency_metric import LATENCY
from triscale.recipes import Recipe, load_recipe
from triscale.scaling import rule_named
from triscale.search.trainings.shared_terms import SharedTerms
from triscale.units import text

AUTO, NONE, PACKAGE = "auto", "none", "package"
"""Words for weights: what suits the images and is installed; fresh ones; those of an installed package."""

FRESH_RECIPE, WEIGHTS_RECIPE = "quick", "transfer"

_RUNTIMES: Mapping[str, str] = MappingProxyType({"onnx": "onnxruntime", "openvino": "openvino", "native": "native"})
"""The format of the file -> the engine that runs it."""

_SUFFIXES: Mapping[str, str] = MappingProxyType({"onnx": ".onnx", "openvino": ".xml", "native": ".so"})


@dataclass(frozen=True, kw_only=True, slots=True)
class FitQuestion(SharedTerms):
    """What a fit is to do: images, limits, and a time.

    Attributes:
        network: the baseline; empty: the one that suits the images.
        budget: limits that the network and its file keep.
        target: ENGINE:PRECISION:tTHREADS, that a limit on latency is of; None: the engine of the file, in one thread.
        weights: "auto", "none", "package", a path, or hf-hub:OWNER/NAME, see `triscale.shipping.baseline_choice`.
        rule: of scaling; None: compound for fresh weights; others are of one depth and width, so: resolution.
        recipe: empty: quick for fresh weights, transfer for others.
        time: seconds for everything.
        epochs: of the training, instead of what the time allows.
        format: of the file: onnx, openvino or native; None: that of the target, else onnx.
        engine: auto: export for every engine that is here, measure the files, and keep the fastest; None: `format`.
        no_comparison: leave the network of twice the cost out, which says what the limit costs.
        allow_pth: read pickles of torch (.pth), by its restricted reader.
        data and the others: see `SharedTerms`.
    """

    network: str = ""
    recipe: str = ""
    seeds: int = 1
    time: float | None = 3600.0
    weights: str = AUTO
    rule: str | None = None
    format: str | None = None
    engine: str | None = None
    no_comparison: bool = False
    allow_pth: bool = False

    LATER: ClassVar[Mapping[str, object]] = {"engine": None}
    COMMAND: ClassVar[tuple[str, ...]] = ("fit",)
    NETWORK_OPTION: ClassVar[bool] = True
    ALWAYS: ClassVar[frozenset[str]] = frozenset({"data", "time"})

    def __post_init__(self) -> None:
        SharedTerms.__post_init__(self)
        object.__setattr__(self, "network", full_name(self.network))  # B4 and efficientnet_b4 are one question
        if not self.budget:
            raise UsageError("no limit is given: write --budget macs=50M, file_size=2MB, latency=10ms or another.")
        if "training_memory" in self.budget:
            raise UsageError("training_memory is no limit on what is shipped; see triscale scale --budget.")
        if self.rule is not None:
            rule_named(self.rule)
        if self.format is not None and self.format not in _SUFFIXES:
            raise UsageError(f"format is {self.format!r}; give {', '.join(_SUFFIXES)}.")
        self._refuse_beside_auto()
        self._refuse_other_engine()

    @property
    def form(self) -> str | None:
        """The format of the file; None: the fastest is chosen once the network is trained."""
        if self.engine is not None:
            return None
        if self.format is not None:
            return self.format
        if self.target is None:
            return "onnx"
        runtime = parse_target(self.target).runtime
        return next((form for form, engine in _RUNTIMES.items() if engine == runtime), "onnx")

    @property
    def file(self) -> str:
        """The name of the file; without its ending where the format is chosen later."""
        return "model" if self.form is None else f"model{_SUFFIXES[self.form]}"

    @property
    def limited_on(self) -> str | None:
        """The target of a limit on latency, as text; None without such a limit."""
        if LATENCY.name not in self.budget or self.form is None:
            return self.target
        return self.target or f"{_RUNTIMES[self.form]}:float32:t1"

    def recipe_for(self, *, begun: bool) -> Recipe:
        """The recipe of a training with fresh weights, or begun with others; see `SharedTerms.to_recipe` for errors."""
        found = load_recipe(self.recipe or (WEIGHTS_RECIPE if begun else FRESH_RECIPE))
        return self.changed(found)

    def to_recipe(self) -> Recipe:
        """As far as it is known without the weights."""
        return self.recipe_for(begun=self.weights not in (AUTO, NONE))

    def differences(self, known: Mapping[str, Any]) -> list[str]:
        """What differs from the question of a record, in words."""
        own = self.to_dict()
        return [
            f"{one.name.replace('_', ' ')} was {_shown(known.get(one.name))}, now {_shown(own[one.name])}"
            for one in fields(self)
            if _plain(known.get(one.name, one.default)) != _plain(own[one.name])
        ]

    def _refuse_beside_auto(self) -> None:
        if self.engine is None:
            return
        if self.engine != "auto":
            raise UsageError(f"engine is {self.engine!r}; give auto, or leave it out and name a format.")
        for option, given in (("format", self.format), ("target", self.target)):
            if given is not None:
                raise UsageError(f"--engine auto chooses the {option}: leave --{option} out.")
        if of_a_file := [name for name in ("file_size", LATENCY.name) if name in self.budget]:
            raise UsageError(
                f"--engine auto chooses the format after the training; a limit on {' and '.join(of_a_file)} needs it "
                "before.\nGive --format onnx, openvino or native instead, or limits such as macs and params."
            )

    def _refuse_other_engine(self) -> None:
        if self.target is None or self.form is None:
            return
        wanted = parse_target(self.target)
        if wanted.precision != "float32":
            raise UsageError(
                f"a fit ships float32, and the target is of {wanted.precision}: give {wanted.runtime}:float32:"
                f"t{wanted.threads}.\nThen: triscale export --precision {wanted.precision}."
            )
        if wanted.runtime not in _RUNTIMES.values():
            raise UsageError(f"the target is of {wanted.runtime}; give one of {', '.join(_RUNTIMES.values())}.")
        if _RUNTIMES[self.form] != wanted.runtime:
            raise UsageError(
                f"a file of the format {self.form} does not run on {wanted.runtime}: leave one of them out."
            )


def file_in(folder: Path, name: str) -> Path:
    """A file below the folder of a fit by the name in its records, which must not lead out of it."""
    return folder / Path(name).name


def _plain(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else value


def _shown(value: object) -> str:
    return text(value) if value not in ("", {}) else "left out"
