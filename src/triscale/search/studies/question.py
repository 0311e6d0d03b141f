"""The question of a study; its hash names the folder, so that the same command resumes it."""

import hashlib
import json
import math
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal

from triscale.costs import registry
from triscale.errors import UsageError
from triscale.recipes import Recipe, load_recipe
from triscale.recipes.recipe import RecipePrecision
from triscale.search.coefficients.rivals import USUAL, rival_names
from triscale.trials.lines import SCHEMA

_RIVALS = ",".join(USUAL)


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """The question of a study. Everything that decides its result is here; how many workers answer it is not.

    Attributes:
        data: `flowers`, an .npz pair or a folder of class folders.
        network: the baseline: a registered name, a scaled name or a spec file.
        phi: the largest phi of the family; ignored where `budget` is given.
        budget: limits on the last member of the family, by the names of metrics (`triscale.costs.registry`).
        recipe: how each network is trained: a name or a .toml file.
        precision: instead of the recipe's.
        batch: images a step, instead of the recipe's.
        tolerance: how far the counted cost of a candidate may be from twice the baseline's (2 +- tolerance).
        candidates: most networks of the triangle among which the search chooses.
        trainings: of candidates; None: two for each point of the lattice, or as many as `time` allows.
        round: trainings of candidates that are decided on together, after the first round.
        seeds: most trainings of one candidate, and those of the baseline and of every member of the family.
        rivals: rules of scaling that the family is compared with at equal counted cost, with commas between.
        epochs, train_size: length of a training; None leaves it to `time`, or 10 epochs of all pictures.
        time: seconds that the whole study may take; it sizes what is None.
        seed: the first seed; the others follow.
        at_phi: where the triangle is looked at: candidates cost 2^at_phi times the baseline.
        enlarge: whether candidates may take more pixels than the originals have.
        group_by: what stays on one side of a split, see `triscale.data.SplitRule`.
        strict, allow_empty, follow_links, download, allow_truncated: what is done about doubtful images, see
            `triscale.data.CheckOptions`.
    """

    data: str = "flowers"
    network: str = "shallownet_24"
    phi: float = 2.0
    budget: Mapping[str, float] = field(default_factory=dict)
    recipe: str = "quick"
    precision: RecipePrecision | None = None
    batch: int | None = None
    tolerance: float = 0.1
    candidates: int = 24
    trainings: int | None = None
    round: int = 4
    seeds: int = 2
    rivals: str = _RIVALS
    epochs: int | None = None
    train_size: int | None = None
    time: float | None = None
    seed: int = 0
    at_phi: float = 1.0
    enlarge: bool = False
    group_by: Literal["content", "near"] = "content"
    strict: bool = False
    allow_empty: bool = False
    follow_links: bool = False
    download: bool = False
    allow_truncated: bool = False

    def __post_init__(self) -> None:
        for name in ("phi", "tolerance", "time", "at_phi"):  # 1 and 1.0 are one question and must have one hash
            if isinstance(number := getattr(self, name), int):
                object.__setattr__(self, name, float(number))
        for name, least in (
            ("candidates", 4),
            ("trainings", 4),
            ("round", 1),
            ("seeds", 1),
            ("epochs", 2),
            ("train_size", 10),
            ("batch", 2),
            ("seed", 0),
        ):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or value < least):
                raise UsageError(f"{name} is {value}; give at least {least}.")
        for name in ("phi", "tolerance", "time", "at_phi"):
            if not isinstance(getattr(self, name), int | float | None):
                raise UsageError(f"{name} is {getattr(self, name)!r}; give a number.")
        if not 0 < self.tolerance < 1:
            raise UsageError(f"tolerance is {self.tolerance}; give a number between 0 and 1, such as 0.1.")
        if not 0.25 <= self.at_phi <= 10:
            raise UsageError(f"at_phi is {self.at_phi:g}; give 0.25 to 10 (candidates cost 2^at_phi baselines).")
        if not self.budget and not self.at_phi <= self.phi <= 10:
            raise UsageError(
                f"phi of a study is {self.phi}; give {self.at_phi:g} to 10 (alpha, beta and gamma are found at "
                f"phi = {self.at_phi:g})."
            )
        if self.time is not None and not 0 < self.time < math.inf:
            raise UsageError(f"time is {self.time} s; give a positive time such as 30m.")
        names = rival_names(self.rivals)
        object.__setattr__(self, "rivals", ",".join(names))
        if "tinynet" in names and not self.budget:
            raise UsageError("the rival tinynet only shrinks a network: give it with a --budget below the baseline.")

    @property
    def rival_names(self) -> tuple[str, ...]:
        """The rivals one by one."""
        return rival_names(self.rivals)

    def to_dict(self) -> dict[str, Any]:
        """The question as it stands in the store."""
        return asdict(self)

    def to_recipe(self) -> Recipe:
        """The recipe of its trainings; `make_plan` sets the epochs.

        Raises:
            UsageError, InputError: see `triscale.recipes.load_recipe`.
        """
        found = load_recipe(self.recipe)
        return replace(found, precision=self.precision or found.precision, batch=self.batch or found.batch)

    def command(self) -> str:
        """The command line that asks this question; what is left at its default is left out."""
        words = ["triscale", "study", self.network]
        for spec in fields(self):
            value = getattr(self, spec.name)
            option = f"--{spec.name.replace('_', '-')}"
            if spec.name == "budget":
                words += [word for name, limit in value.items() for word in (option, f"{name}={_written(name, limit)}")]
            elif spec.name == "time" and value is not None:
                words += [option, f"{value:g}s"]
            elif isinstance(value, bool):
                words += [option] if value else []
            elif spec.name != "network" and value != spec.default:
                words += [option, f"{value:g}" if isinstance(value, float) else str(value)]
        return shlex.join(words)

    def hash(self, fingerprint: str, baseline: str) -> str:
        """12 hex digits over the question, the content of the data, of the baseline and of the recipe."""
        fields = {
            **self.to_dict(),
            "data": fingerprint,
            "network": baseline,
            "recipe": self.to_recipe().to_dict(),
            "schema": SCHEMA,
        }
        if self.rivals == _RIVALS:  # studies that were begun without the field go on
            del fields["rivals"]
        return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()[:12]


def _written(name: str, limit: float) -> str:
    """The limit as the command line reads it; a plain number where the metric is not known in this process."""
    metric = registry().get(name)
    return metric.unit.write(limit) if metric else f"{limit:.15g}"
