"""What the limits of a study or a search are held against: the trainings that it does itself."""

from collections.abc import Iterable

from triscale.costs import Target, known_here, needed, training_target
from triscale.nn import kept_kernels
from triscale.recipes import Recipe


def recipe_target(limits: Iterable[str], recipe: Recipe, *, threads: int, device: str = "cpu") -> Target:
    """The target of trainings by a recipe, for limits and costs that are metrics of these names.

    Kernels are counted where a limit depends on them, as many threads of them as one training has; those of a GPU are
    not counted. A limit on the memory of a training counts the recipe's batch; without one, limits count one image.

    Args:
        limits: names of metrics.
        recipe: of the trainings: its optimizer, precision and moving average.
        threads: of one training.
        device: `cpu`, or another kind of device.
    """
    names = list(limits)
    bfloat16 = recipe.arithmetic == "bfloat16"
    kernels = None
    if device == "cpu" and needed(names, "kernels"):
        kernels = known_here(threads, bfloat16=bfloat16) or kept_kernels(threads)
    return training_target(
        batch=recipe.batch if needed(names, "batch") else 1,
        optimizer=recipe.optimizer,
        precision=recipe.arithmetic,
        ema=recipe.ema > 0,
        kernels=kernels,
        threads=threads,
    )
