"""What a search asks for: trainings, and what they share."""

import hashlib
import json
import math
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, ClassVar, Literal, NamedTuple

from triscale.costs import known_metrics
from triscale.errors import UsageError
from triscale.quantities import DURATION
from triscale.recipes import Recipe, load_recipe
from triscale.recipes.recipe import RecipePrecision
from triscale.spec import AnyNetwork, content_hash
from triscale.trials.lines import SCHEMA


class Training(NamedTuple):
    """A network to train with one seed for a number of epochs.

    Attributes:
        network, seed, epochs: which training it is.
        purpose: what for.
        floors: for each epoch the validation accuracy below which it is stopped after it; None, and none: it goes on.
    """

    network: AnyNetwork
    purpose: str
    seed: int
    epochs: int
    floors: tuple[float | None, ...] = ()

    @property
    def key(self) -> tuple[str, int, int]:
        """What makes it the same training within one study: content hash, seed, epochs."""
        return content_hash(self.network), self.seed, self.epochs


@dataclass(frozen=True, kw_only=True, slots=True)
class SharedTerms:
    """What the question of any search says about its trainings; how many workers answer it is no part of it.

    Attributes:
        data: `flowers`, an .npz pair or a folder of class folders.
        network: the baseline: a registered name, a scaled name or a spec file.
        budget: limits by the names of metrics (`triscale.costs.registry`).
        target: ENGINE:PRECISION:tTHREADS[:bBATCH], that a limit or a cost in latency is of.
        recipe: how each network is trained: a name or a .toml file.
        precision: instead of the recipe's.
        batch: images a step, instead of the recipe's.
        seeds: trainings of each network that is compared.
        epochs, train_size: length of a training; None leaves it to `time`, or 10 epochs of all images.
        time: seconds that the whole search may take; it sizes what is None.
        seed: the first seed; the others follow.
        group_by: what stays on one side of a split, see `triscale.data.SplitRule`.
        strict, allow_empty, follow_links, download, allow_truncated: what is done about doubtful images, see
            `triscale.data.CheckOptions`.
    """

    data: str = "flowers"
    network: str = "shallownet_24"
    budget: Mapping[str, float] = field(default_factory=dict)
    target: str | None = None
    recipe: str = "quick"
    precision: RecipePrecision | None = None
    batch: int | None = None
    seeds: int = 2
    epochs: int | None = None
    train_size: int | None = None
    time: float | None = None
    seed: int = 0
    group_by: Literal["content", "near"] = "content"
    strict: bool = False
    allow_empty: bool = False
    follow_links: bool = False
    download: bool = False
    allow_truncated: bool = False

    LEAST: ClassVar[Mapping[str, int]] = {"seeds": 1, "epochs": 2, "train_size": 10, "batch": 2, "seed": 0}
    """The smallest value of each whole number."""

    NUMBERS: ClassVar[tuple[str, ...]] = ("time",)
    """Fields that may be fractions."""

    LATER: ClassVar[Mapping[str, object]] = {"target": None}
    """Fields that came later, with what searches did before: they change no hash there."""

    COMMAND: ClassVar[tuple[str, ...]] = ()
    """What stands before the network on the command line."""

    NETWORK_OPTION: ClassVar[bool] = False
    """Whether the command line names the network by `--network`."""

    ALWAYS: ClassVar[frozenset[str]] = frozenset()
    """Fields that a command line has at their default too."""

    def __post_init__(self) -> None:
        for name in self.NUMBERS:  # 1 and 1.0 are one question and must have one hash
            if isinstance(number := getattr(self, name), int):
                object.__setattr__(self, name, float(number))
        for name, least in self.LEAST.items():
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or value < least):
                raise UsageError(f"{name} is {value}; give at least {least}.")
        for name in self.NUMBERS:
            if not isinstance(getattr(self, name), int | float | None):
                raise UsageError(f"{name} is {getattr(self, name)!r}; give a number.")
        if self.time is not None and not 0 < self.time < math.inf:
            raise UsageError(f"time is {self.time} s; give a positive time such as 30m.")

    def to_dict(self) -> dict[str, Any]:
        """The question as it stands in the store."""
        return asdict(self)

    def to_recipe(self) -> Recipe:
        """The recipe of its trainings, but for the epochs.

        Raises:
            UsageError, InputError: see `triscale.recipes.load_recipe`.
        """
        return self.changed(load_recipe(self.recipe))

    def changed(self, recipe: Recipe) -> Recipe:
        """A recipe with what is given instead of its own."""
        return replace(recipe, precision=self.precision or recipe.precision, batch=self.batch or recipe.batch)

    def command(self, **further: object) -> str:
        """The command line that asks this question; what is left at its default is left out.

        Args:
            **further: options that are no part of the question, such as `out`; None and False: not given.
        """
        words = ["triscale", *self.COMMAND, *([self.network] if self.network and not self.NETWORK_OPTION else [])]
        for spec in fields(self):
            value = getattr(self, spec.name)
            if spec.name == "budget":
                limits = [f"{name}={written_limit(name, limit)}" for name, limit in value.items()]
                words += [word for limit in limits for word in ("--budget", limit)]
            elif (value != spec.default or spec.name in self.ALWAYS) and (
                spec.name != "network" or self.NETWORK_OPTION
            ):
                words += _option(spec.name, value if value is None else self.written(spec.name, value))
        return shlex.join([*words, *(word for name, value in further.items() for word in _option(name, value))])

    def written(self, name: str, value: object) -> object:
        """The value of a field as the command line reads it; numbers and texts as they are."""
        return DURATION.write(value) if name == "time" and isinstance(value, float) else value

    def hash(self, fingerprint: str, baseline: str) -> str:
        """12 hex digits over the question, the content of the data, of the baseline and of the recipe."""
        fields = {
            **self._decisive(),
            "data": fingerprint,
            "network": baseline,
            "recipe": self.to_recipe().to_dict(),
            "schema": SCHEMA,
        }
        return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()[:12]

    def _decisive(self) -> dict[str, Any]:
        """What decides the answer; searches that were begun before a field existed go on."""
        return {name: value for name, value in self.to_dict().items() if self.LATER.get(name, ...) != value}


def _option(name: str, value: object) -> list[str]:
    """The words of an option; none for what is not given."""
    option = f"--{name.replace('_', '-')}"
    if value is None or value is False:
        return []
    return [option] if value is True else [option, f"{value:g}" if isinstance(value, float) else str(value)]


def written_limit(name: str, limit: float) -> str:
    """The limit as the command line reads it; a plain number where the metric is not known in this process."""
    metric = known_metrics().get(name)
    return metric.unit.write(limit) if metric else f"{limit:.15g}"
