"""What is asked of a training, in the forms in which people give it, brought to a `TrainRequest`."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from triscale.api.counted import as_network
from triscale.api.models import PACKAGE
from triscale.errors import UsageError
from triscale.recipes import Recipe, load_recipe
from triscale.recipes.recipe import ClassWeights, Precision
from triscale.spec import Network, Size
from triscale.trials import Keep

if TYPE_CHECKING:
    from triscale.data import Policy
    from triscale.train import TrainRequest
    from triscale.weights import Checkpoint

Say = Callable[[str], None]


def recipe_of(
    recipe: Recipe | str | Path,
    *,
    epochs: int | None,
    batch: int | Literal["auto"] | None,
    precision: Precision | None,
    class_weights: ClassWeights | None,
) -> Recipe:
    """A recipe, with what is given instead of its own."""
    found = recipe if isinstance(recipe, Recipe) else load_recipe(recipe)
    if epochs is not None and epochs < 1:
        raise UsageError(f"epochs is {epochs}; give at least 1.")
    return replace(
        found,
        epochs=epochs or found.epochs,
        batch=batch if isinstance(batch, int) else found.batch,
        precision=precision or found.precision,
        class_weights=class_weights or found.class_weights,
    )


def request_of(
    network: Network | str | None,
    data: str | Path,
    recipe: Recipe,
    *,
    seed: int,
    split_seed: int | None,
    train_size: int | None,
    keep: Keep,
    resolution: Size | None,
    weights: "str | Path | Checkpoint | None",
    grow: "str | Path | Checkpoint | None",
    grow_network: str | None,
    teacher: "str | Path | Checkpoint | None",
    teacher_network: str | None,
    policy: "Policy",
    split_for_memory: bool,
    allow_pth: bool,
    say: Say,
) -> "TrainRequest":
    """The request; weights are loaded, and `say` hears what is said of them. See `triscale.train` for the arguments.

    Raises:
        UsageError: arguments that contradict each other, or an unknown name.
        InputError: weights that cannot be read, or are of another network.
    """
    _refuse_contradictions(network, weights, grow, seed)
    from triscale.train import TrainRequest  # noqa: PLC0415  torch is loaded only here
    from triscale.weights import computed_as  # noqa: PLC0415

    def loaded(source: "str | Path | Checkpoint", name: str | None, *, headless: bool = False) -> "Checkpoint":
        return _loaded(source, name, allow_pth=allow_pth, headless=headless, say=say)

    first: Checkpoint | None = None
    if weights is not None:
        name = network if isinstance(network, str) or network is None else network.name
        first = loaded(weights, name, headless=True)
        found = replace(first.network, resolution=first.preprocessing.resolution or first.network.resolution)
    else:
        assert network is not None  # noqa: S101  contradictions are refused
        found = as_network(network)
    if grow is not None:
        first = loaded(grow, grow_network)
        found = computed_as(found, first.network)
    return TrainRequest(
        network=found if resolution is None else replace(found, resolution=resolution),
        data=str(data),
        recipe=recipe,
        seed=seed,
        split_seed=split_seed,
        subset=train_size,
        weights=first,
        grow=grow is not None,
        teacher=None if teacher is None else loaded(teacher, teacher_network),
        policy=policy,
        keep=keep,
        split_for_memory=split_for_memory,
    )


def _loaded(
    source: "str | Path | Checkpoint", network: str | None, *, allow_pth: bool, headless: bool, say: Say
) -> "Checkpoint":
    """Weights with what is said of them; `headless` ones are for a training that makes their last layers anew."""
    from triscale.weights import Checkpoint, load_weights  # noqa: PLC0415  torch is loaded only here

    if isinstance(source, Checkpoint):
        return source
    found = load_weights(None if source == PACKAGE else source, network, allow_pth=allow_pth, headless=headless)
    for note in found.notes:
        say(note)
    return found


def _refuse_contradictions(network: object, weights: object, grow: object, seed: int) -> None:
    if grow is not None and (network is None or weights is not None):
        raise UsageError("grow begins with smaller weights than those of network: give network, and leave weights out.")
    if network is None and weights is None:
        raise UsageError("give a network, or weights that tell which network they are of.")
    if seed < 0:
        raise UsageError(f"seed must be at least 0, got {seed}.")
