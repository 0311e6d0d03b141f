"""What a study holds its limits against: the training that it does itself."""

from collections.abc import Iterable

from triscale.cost import Target, known_here, needed, training_target
from triscale.nn import kept_kernels
from triscale.train import Recipe


def study_target(limits: Iterable[str], recipe: Recipe, *, batch: int, threads: int, device: str = "cpu") -> Target:
    """The target of a study's trainings, for limits on metrics of these names.

    Kernels are counted where a limit depends on them, as many threads of them as one training has; those of a GPU are
    not counted.

    Args:
        limits: names of metrics.
        recipe: of the study: its optimizer, precision, recomputation and moving average.
        batch: images at once.
        threads: of one training.
        device: `cpu`, or another kind of device.
    """
    bfloat16 = recipe.arithmetic == "bfloat16"
    kernels = None
    if device == "cpu" and needed(limits, "kernels"):
        kernels = known_here(threads, bfloat16=bfloat16) or kept_kernels(threads)
    return training_target(
        batch=batch, optimizer=recipe.optimizer, precision=recipe.arithmetic, recompute=recipe.recompute,
        ema=recipe.ema > 0, kernels=kernels, threads=threads,
    )  # fmt: skip
