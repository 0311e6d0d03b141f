"""What a training is asked, and by what one training is told from another."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from triscale.data import Policy, Source
from triscale.data.photo import DEFAULT
from triscale.errors import InputError, UsageError
from triscale.spec import Network, to_document
from triscale.train.recipe import Recipe
from triscale.weights import Checkpoint


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What a training is asked; everything that decides its result.

    Attributes:
        network: with the resolution to train at; its number of classes becomes that of the data.
        data: as `triscale.data.open_data` takes it.
        recipe: how.
        seed: of the weights, the split, the order, and all that is drawn.
        weights: of the same network, to begin with; classes that are others get a new classifier.
        policy: what is done about doubtful pictures.
        grow: the weights are of a smaller network, as whose function this one begins.
        teacher: of the same classes as the data, whose answers are learned too.
    """

    network: Network
    data: str
    recipe: Recipe
    seed: int = 0
    weights: Checkpoint | None = None
    policy: Policy = DEFAULT
    grow: bool = False
    teacher: Checkpoint | None = None

    def __post_init__(self) -> None:
        if self.grow and self.weights is None:
            raise UsageError("nothing is given to grow from: give weights of a smaller network.")
        if self.teacher and not self.recipe.distil:
            raise UsageError("distil is 0 in the recipe, so that the teacher would teach nothing; give up to 1.")


def identity_of(asked: Asked, source: Source) -> dict[str, Any]:
    """All that decides the result of a training, JSON-ready; where the data lie does not count, what they hold does."""
    later: dict[str, Any] = {}  # what older trainings did not know is left out where it says nothing
    if asked.grow:
        later["grow"] = True
    if asked.teacher:
        later["teacher"] = asked.teacher.digest
    return {
        "network": to_document(asked.network),
        "data": {
            "fingerprint": source.fingerprint,
            "classes": list(source.classes),
            "pictures": len(source.labels("train")),
        },
        "recipe": asked.recipe.document(),
        "seed": asked.seed,
        "weights": None if asked.weights is None else asked.weights.digest,
        **later,
    }


def refuse_another(folder: Path, then: dict[str, Any], now: dict[str, Any]) -> None:
    """InputError that says what differs between what a folder holds and what is asked."""
    if then == now:
        return
    told: dict[str, Callable[[Any], str]] = {
        "network": lambda one: f"{one['name']} at {one['resolution']} px",
        "data": lambda one: f"{one['pictures']} pictures in {len(one['classes'])} classes ({one['fingerprint'][:8]})",
        "recipe": lambda one: ", ".join(
            f"{name} {value}" for name, value in one.items() if then["recipe"].get(name) != now["recipe"].get(name)
        ),
    }
    differ = [name for name in now | then if then.get(name) != now.get(name)]
    texts = [(name, told.get(name, str)) for name in differ]
    listed = "; ".join(f"{name}: {shown(then.get(name))} then, {shown(now.get(name))} now" for name, shown in texts)
    changed = "its data changed" if differ == ["data"] else f"another training ({', '.join(differ)})"
    raise InputError(f"{folder} cannot be gone on with: {changed}.\n{listed}.\nUse another --out, or ask as before.")
