"""Options of a training in the forms in which people give them, as a `TrainRequest`."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from triscale.api.counted import NamedNetwork, as_any_network
from triscale.api.models import PACKAGE
from triscale.errors import UsageError
from triscale.recipes import Recipe, load_recipe
from triscale.recipes.recipe import ClassWeights, RecipePrecision
from triscale.spec import AnyNetwork, ForeignNetwork, Size, altered
from triscale.trials import Execution, Keep

if TYPE_CHECKING:
    from triscale.data import CheckOptions
    from triscale.training import TrainRequest
    from triscale.weights import Checkpoint

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainOptions:
    """What may be given to a training beside its network, data, folder and seed.

    Attributes:
        recipe: efficientnet, modern, quick or transfer, a .toml file, or a `Recipe`.
        epochs, precision, class_weights: instead of the recipe's.
        batch: images a step, instead of the recipe's; "auto" splits the recipe's batch into as many parts as the memory
            asks for.
        split_seed: of the split into training and validation images; by default the seed of the training.
        train_size: training images to use; all by default.
        resolution: pixels, or (height, width); by default that of the weights or the network.
        keep: which epoch's weights are kept: those of the best validation accuracy, or of the last epoch.
        weights: to begin with: "package" (an installed package's), a path, or hf-hub:OWNER/NAME.
        grow, grow_network: weights of a smaller network, as whose function the network starts.
        teacher, teacher_network: whose answers are learned beside the labels.
        allow_pth: read pickles of torch (.pth), by its restricted reader.
        policy: what is done about doubtful images; by default they are left out and reported.
        device, threads, kernels: where it computes, see `triscale.training.numerics_here`.
        loader_workers, gradient_checkpointing, save_every: see `triscale.trials.Execution`.
    """

    recipe: Recipe | str | Path = "quick"
    epochs: int | None = None
    precision: RecipePrecision | None = None
    class_weights: ClassWeights | None = None
    batch: int | Literal["auto"] | None = None
    split_seed: int | None = None
    train_size: int | None = None
    resolution: int | Size | None = None
    keep: Keep = "best"
    weights: "str | Path | Checkpoint | None" = None
    grow: "str | Path | Checkpoint | None" = None
    grow_network: str | None = None
    teacher: "str | Path | Checkpoint | None" = None
    teacher_network: str | None = None
    allow_pth: bool = False
    policy: "CheckOptions | None" = None
    device: str | None = None
    threads: int | None = None
    kernels: bool = True
    loader_workers: int = 1
    gradient_checkpointing: bool = False
    save_every: float = 60.0

    def __post_init__(self) -> None:
        if isinstance(self.batch, str) and self.batch != "auto":
            raise UsageError(f'batch is {self.batch!r}; give a whole number from 2, or "auto".')

    def to_recipe(self) -> Recipe:
        """The recipe, with what is given instead of its own.

        Raises:
            UsageError, InputError: see `triscale.recipes.load_recipe`.
        """
        found = self.recipe if isinstance(self.recipe, Recipe) else load_recipe(self.recipe)
        if self.epochs is not None and self.epochs < 1:
            raise UsageError(f"epochs is {self.epochs}; give at least 1.")
        return replace(
            found,
            epochs=self.epochs or found.epochs,
            batch=self.batch if isinstance(self.batch, int) else found.batch,
            precision=self.precision or found.precision,
            class_weights=self.class_weights or found.class_weights,
        )

    def to_execution(self) -> Execution:
        """How the training is carried out."""
        auto = self.batch == "auto"  # where memory is short, none is kept
        return Execution(
            loader_workers=self.loader_workers,
            gradient_checkpointing=self.gradient_checkpointing,
            save_every=self.save_every,
            keep_freed_memory=not auto,
            out_of_memory="halve" if auto else "stop",
        )


def request_of(
    network: NamedNetwork | None, data: str | Path, seed: int, options: TrainOptions, say: Say
) -> "TrainRequest":
    """The request; weights are loaded, and `say` hears what is said about them. See `triscale.train` for the arguments.

    Raises:
        UsageError: arguments that contradict each other, or an unknown name.
        InputError: weights that cannot be read, or are of another network.
    """
    _refuse_contradictions(network, options, seed)
    recipe = options.to_recipe()
    from triscale.data.photo import DEFAULT  # noqa: PLC0415  torch is loaded only here
    from triscale.training import TrainRequest  # noqa: PLC0415

    found, first = _beginning(network, options, say)
    size = options.resolution
    size = (size, size) if isinstance(size, int) else size
    return TrainRequest(
        network=altered(found, resolution=size),
        data=str(data),
        recipe=recipe,
        seed=seed,
        split_seed=options.split_seed,
        subset=options.train_size,
        weights=first,
        grow=options.grow is not None,
        teacher=_loaded(options.teacher, options.teacher_network, options, say),
        policy=options.policy or DEFAULT,
        keep=options.keep,
        split_for_memory=options.batch == "auto",
    )


def _beginning(network: NamedNetwork | None, options: TrainOptions, say: Say) -> "tuple[AnyNetwork, Checkpoint | None]":
    """The network, and the weights that it begins with."""
    from triscale.weights import computed_as  # noqa: PLC0415  torch is loaded only here

    named = None if network is None else network if isinstance(network, str) else as_any_network(network).name
    first = _loaded(options.weights, named, options, say, headless=True)
    if first is not None:
        return altered(first.network, resolution=first.preprocessing.resolution), first
    assert network is not None  # noqa: S101  contradictions are rejected
    wanted = as_any_network(network)
    if isinstance(wanted, ForeignNetwork):
        if options.grow is not None:
            raise UsageError(f"growing needs the blocks of triscale's own networks; {wanted.path} is your own code.")
        return wanted, None
    grown = _loaded(options.grow, options.grow_network, options, say)
    return (wanted if grown is None else computed_as(wanted, grown.spec)), grown


def _loaded(
    source: "str | Path | Checkpoint | None",
    network: str | None,
    options: TrainOptions,
    say: Say,
    *,
    headless: bool = False,
) -> "Checkpoint | None":
    """Weights with what is said about them; `headless` ones are for a training that makes their last layers again."""
    from triscale.weights import Checkpoint, load_weights  # noqa: PLC0415  torch is loaded only here

    if source is None or isinstance(source, Checkpoint):
        return source
    file = None if source == PACKAGE else source
    found = load_weights(file, network, allow_pth=options.allow_pth, headless=headless)
    for note in found.notes:
        say(note)
    return found


def _refuse_contradictions(network: object, options: TrainOptions, seed: int) -> None:
    if options.grow is not None and (network is None or options.weights is not None):
        raise UsageError("grow starts from a smaller network than network: give network, and leave weights out.")
    if network is None and options.weights is None:
        raise UsageError("give a network, or weights that name their network.")
    if seed < 0:
        raise UsageError(f"seed must be at least 0, got {seed}.")
