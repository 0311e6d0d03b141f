"""`triscale lite`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from triscale import api
from triscale.cli.options.compute import HERE, Compute
from triscale.cli.options.weights import OWN, Weights
from triscale.cli.show.output import Flag, Whole, print_json, print_table, print_text
from triscale.cli.show.progress.training_bar import training_progress
from triscale.cli.signals import Wish, terminable
from triscale.errors import UsageError
from triscale.units import memory

if TYPE_CHECKING:
    from triscale.lite_training import LiteResult, LiteRow


def lite(
    run: Annotated[str | None, Parameter(name="RUN")] = None,
    /,
    *,
    data: str,
    out: Annotated[Path, Parameter(name="--out")],
    weights: Weights = OWN,
    activation: Literal["relu6", "hard_swish"] = "relu6",
    recipe: str = "transfer",
    epochs: Whole | None = None,
    batch: Whole | None = None,
    seed: Whole = 0,
    split: str | None = None,
    calibration: Whole = 256,
    compute: Compute = HERE,
    json: Flag = False,
) -> None:
    """Make the Lite form of a trained network, by distillation.

    The Lite form has no squeeze-excite and uses ReLU6. It starts from the weights of the network that fit, and learns
    from the labels and from the network's outputs. Then both are evaluated on images that neither saw, in float32 and
    int8, and timed in turns. The folder is a run.

    Args:
        run: the folder of a run or study, or a checkpoint; or --weights; or --network with weights in a package.
        data: images of the network's classes.
        out: the folder of the run; the same command resumes it.
        weights: see `Weights`.
        activation: relu6 or hard_swish, instead of the network's.
        recipe: recipe of the fine-tuning.
        epochs: instead of the recipe's.
        batch: images a step, instead of the recipe's.
        seed: seed of all random draws.
        split: the images that judge: test, val, train or all; by default those that neither network saw.
        calibration: number of training images that calibrate int8.
        compute: see `Compute`.
        json: print one JSON document instead of text.
    """
    if run is None and not weights.named:
        raise UsageError("no weights given: triscale lite RUN --data D --out DIR, or --weights FILE.")
    original = weights.classifier(run, Compute(device="cpu", threads=compute.threads))
    from triscale.training import Interrupted  # noqa: PLC0415  torch is loaded only here

    wish = Wish(None)
    with terminable(), training_progress(None, wish, speaks=True) as callbacks:
        try:
            made = api.lite(
                original, data, out=out, activation=activation, recipe=recipe, epochs=epochs, batch=batch, seed=seed,
                split=split, calibration=calibration, device=compute.device, threads=compute.threads,
                callbacks=callbacks,
            )  # fmt: skip
        except Interrupted:
            wish.obey()
            raise
    print_json(made.to_dict()) if json else _show(made)


def _show(made: "LiteResult") -> None:
    print_text(str(made.carried))
    print_table(
        ("network", "precision", "top-1", "int8 gap (95%)", "ms", "to float32", "file"),
        [_row(row) for row in made.rows],
    )
    if made.rows[0].speed.busy:
        print_text("other programs kept the machine busy: the times are too long, their ratios less so")
    low, high = made.drop.interval
    change = "loses" if made.drop.points >= 0 else "gains"
    print_text(
        f"the Lite form {change} {abs(made.drop.points):.1f} points of top-1 in float32 (95% interval of the drop "
        f"{low:.1f} to {high:.1f}) on the same {made.drop.images:,} images: {made.checkpoint}"
    )


def _row(row: "LiteRow") -> tuple[str, ...]:
    gap = (
        "" if row.drop is None else f"{row.drop.points:.1f} ({row.drop.interval[0]:.1f} to {row.drop.interval[1]:.1f})"
    )
    ratio = f"{row.speed.ratio.median:.2f}"
    return (
        row.network, row.precision, f"{row.right.mean():.1%}", gap, f"{row.speed.second:.3g}", ratio,
        memory(row.file_size),
    )  # fmt: skip
