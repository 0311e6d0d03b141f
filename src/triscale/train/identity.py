"""What a training is asked, and by what one training is told from another."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from triscale.data import Source
from triscale.errors import InputError
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
    """

    network: Network
    data: str
    recipe: Recipe
    seed: int = 0
    weights: Checkpoint | None = None


def identity_of(asked: Asked, source: Source) -> dict[str, Any]:
    """All that decides the result of a training, JSON-ready; where the data lie does not count, what they hold does."""
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
    differ = [name for name in now if then.get(name) != now[name]]
    texts = [(name, told.get(name, str)) for name in differ]
    listed = "; ".join(f"{name}: {shown(then.get(name))} then, {shown(now[name])} now" for name, shown in texts)
    changed = "its data changed" if differ == ["data"] else f"another training ({', '.join(differ)})"
    raise InputError(f"{folder} cannot be gone on with: {changed}.\n{listed}.\nUse another --out, or ask as before.")
