"""`triscale train`: one network, one recipe, one folder."""

import os
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from triscale.cli import quantities
from triscale.cli.compute import HERE, Compute
from triscale.cli.doubtful import LEFT_OUT, Doubtful
from triscale.cli.named import named
from triscale.cli.output import Flag, Whole, complain, print_json, print_text
from triscale.cli.pipeline import NO_LINE, Line
from triscale.cli.signals import Wish, noted, terminable
from triscale.cli.training_bar import Silence, training_progress
from triscale.errors import InputError, OutputError, UsageError
from triscale.lock import LOCK, locked

PACKAGE = "package"
"""Says `--weights` for the weights in an installed package."""

if TYPE_CHECKING:
    import torch

    from triscale.train import Asked, Result, Run, World
    from triscale.weights import Checkpoint


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is trained, and how.

    Attributes:
        network: a registered or scaled name, or a spec file; may be left out where --weights tell it.
        data: class folders, a table, .npz files, shards, or any other that `triscale check` takes; flowers is embedded.
        resolution: pixels, 64 or 64x96; that of the weights, or else the network's own, by default.
        recipe: efficientnet, modern, quick or transfer, or a .toml file; quick by default.
        epochs: instead of the recipe's.
        batch: pictures a step instead of the recipe's; auto: the recipe's, in as many parts as memory asks for.
        seed: of all that is drawn.
        weights: what to begin with: a run folder, a checkpoint, a file of timm, torchvision, EfficientNet-PyTorch,
            transformers or Keras, hf-hub:OWNER/NAME, or package for those of an installed package. Other classes get a
            new classifier, and so do weights without one.
        grow: weights of a smaller network of the same kind, of any source that --weights takes: --network, which is
            only deeper, wider or of more pixels, begins as the very function that they have.
        grow_network: the smaller network, where its weights do not tell.
        teacher: weights whose answers are learned beside the labels, of any such source; of the classes of the data.
        teacher_network: of the teacher, where its file does not tell.
        allow_pth: read a pickle of torch (.pth), by its restricted reader.
    """

    network: str | None = None
    data: str
    resolution: str | None = None
    recipe: str = "quick"
    epochs: Whole | None = None
    batch: str | None = None
    seed: Whole = 0
    weights: str | None = None
    allow_pth: Flag = False
    grow: str | None = None
    grow_network: str | None = None
    teacher: str | None = None
    teacher_network: str | None = None

    def asked(self) -> "Asked":
        """The question; loads torch."""
        self._refuse_contradictions()
        network = None if self.weights or self.network is None else named(self.network)
        size = None if self.resolution is None else quantities.pixels(self.resolution)
        batch = _batch(self.batch)
        from triscale.train import Asked, load_recipe  # noqa: PLC0415  torch is loaded only here
        from triscale.weights import computed_as  # noqa: PLC0415

        recipe = load_recipe(self.recipe)
        recipe = replace(recipe, epochs=self.epochs or recipe.epochs, batch=batch or recipe.batch)
        weights = None
        if network is not None and self.grow:
            weights = self._loaded(self.grow, self.grow_network)
            network = computed_as(network, weights.spec)
        if network is None:
            weights = self._loaded(self.weights, self.network, headless=True)
            network = replace(weights.spec, resolution=weights.preprocessing.resolution or weights.spec.resolution)
        network = network if size is None else replace(network, resolution=size)
        return Asked(
            network=network,
            data=self.data,
            recipe=recipe,
            seed=self.seed,
            weights=weights,
            grow=self.grow is not None,
            teacher=self._loaded(self.teacher, self.teacher_network) if self.teacher else None,
        )

    def _loaded(self, source: str | None, network: str | None, *, headless: bool = False) -> "Checkpoint":
        """Weights with what is said of them; `headless` ones are for a training that makes their last layers anew."""
        from triscale.weights import load_weights  # noqa: PLC0415

        file = None if source == PACKAGE else source
        found = load_weights(file, network, allow_pth=self.allow_pth, headless=headless)
        for note in found.notes:
            complain(note)
        return found

    def _refuse_contradictions(self) -> None:
        if self.grow is not None and (self.network is None or self.weights is not None):
            raise UsageError("--grow begins with smaller weights than --network: give that, and leave --weights out.")
        if self.network is None and self.weights is None:
            raise UsageError("give --network, or --weights that tell which network they are of.")
        for name in ("grow", "teacher"):
            if getattr(self, name) is None and getattr(self, f"{name}_network") is not None:
                raise UsageError(f"--{name}-network says which network --{name} is of: give that too.")
        if self.seed < 0:
            raise UsageError(f"--seed is {self.seed}; give 0 or a larger whole number.")
        if self.epochs is not None and self.epochs < 1:
            raise UsageError(f"--epochs is {self.epochs}; give at least 1.")


def train(
    *,
    wanted: Wanted,
    out: Annotated[Path, Parameter(name="--out")],
    workers: Whole = 1,
    save_every: quantities.Signed = "60s",
    compute: Compute = HERE,
    line: Line = NO_LINE,
    doubtful: Doubtful = LEFT_OUT,
    kernels: Annotated[bool, Parameter(show_default=False)] = True,
    tensorboard: Flag = False,
    json: Flag = False,
) -> None:
    """Train a network by a recipe, and keep its best weights.

    Interrupt or kill it anywhere: the same command goes on to the very bits that an unbroken training gives.

    Args:
        wanted: see `Wanted`.
        out: the folder of the training.
        workers: how many make batches ahead: threads, or processes for random crops.
        save_every: how often the state is saved, beside the end and when it is stopped.
        compute: see `Compute`.
        line: see `Line`.
        doubtful: see `Doubtful`.
        kernels: compile kernels of our own, and use them for the parts of the network that a short measurement finds
            faster with them, and keep freed memory in the process; --no-kernels leaves all to torch and the system.
        tensorboard: write the curves for TensorBoard into the folder too.
        json: print one JSON document instead of text.
    """
    if workers < 0:
        raise UsageError(f"--workers is {workers}; give 0 or more.")
    how = {"workers": workers, "save_every": quantities.seconds(save_every), "kernels": kernels}
    asked = replace(wanted.asked(), policy=doubtful.policy())
    _refuse_another_folder(out)
    from triscale.train import here  # noqa: PLC0415

    world = line.world(here(), asked.recipe.batch, auto=wanted.batch == "auto")
    place = _place(compute, world)
    result = _result(asked, out, world, place, tensorboard, split_for_memory=wanted.batch == "auto", **how)
    if world.first:
        _tell(result, asked.weights.notes if asked.weights else (), json=json)


def _tell(result: "Result", notes: tuple[str, ...], *, json: bool) -> None:
    if json:
        print_json(_document(result) | ({"notes": list(notes)} if notes else {}))
    else:
        print_text(f"validation top-1 {result.val_top1:.1%} after epoch {result.best_epoch} of {result.epochs}: "
                   f"{result.checkpoint}")  # fmt: skip


def _result(
    asked: "Asked", out: Path, world: "World", place: "torch.device", tensorboard: Flag, **how: Any
) -> "Result":
    """Train in the folder, together with the other processes if there are any; `how` as of `triscale.train.Run`."""
    from triscale.nn import keep_freed_memory  # noqa: PLC0415
    from triscale.train import Run, joined  # noqa: PLC0415

    if how["kernels"] and place.type == "cpu" and not how["split_for_memory"]:  # where memory is short, none is kept
        keep_freed_memory()
    with (
        terminable(),
        locked(out) if world.first else nullcontext(),
        training_progress(out if tensorboard else None) if world.first else nullcontext(Silence()) as watch,
        joined(world, place),
    ):
        wish = Wish(os.getppid() if world.size > 1 else None)
        return _finished(Run(asked, out, watch=watch, device=place, stopping=wish, world=world, **how), wish)


def _place(compute: Compute, world: "World") -> "torch.device":
    """Where this process computes; of several on a machine with GPUs each has its own, as NCCL wants it."""
    from triscale.nn import devices  # noqa: PLC0415

    wanted = (compute.device or "cuda").lower()
    gpus = sum(one.startswith("cuda") for one in devices())
    if world.size == 1 or not gpus or not wanted.startswith("cuda"):
        return compute.place()
    if wanted != "cuda" and world.local_rank:
        raise UsageError(f"--device {wanted} is one GPU for several processes; --device cuda gives each its own.")
    if world.local_rank >= gpus:
        number = world.local_rank + 1
        raise InputError(
            f"process {world.rank} has no GPU of its own: it is number {number} on a machine that has {gpus}.\n"
            "Start no more processes than there are GPUs (--nproc-per-node), or use --device cpu."
        )
    return replace(compute, device=f"cuda:{world.local_rank}" if wanted == "cuda" else wanted).place()


def _finished(run: "Run", wish: Wish) -> "Result":
    """What came out, unless a signal asked to stop: then it is obeyed after the state was saved."""
    from triscale.train import Interrupted  # noqa: PLC0415

    with noted(wish):
        try:
            return run.result()
        except Interrupted:
            complain(f"stopped; the same command goes on with {run.folder}.")
            wish.obey()
            raise


def _document(result: "Result") -> dict[str, Any]:
    return {
        "run": str(result.folder),
        "epochs": result.epochs,
        "val_top1": result.val_top1,
        "checkpoint": str(result.checkpoint),
        "best_epoch": result.best_epoch,
    }


def _batch(text: str | None) -> int | None:
    if text is None or text == "auto":
        return None
    if not text.isascii() or not text.isdecimal() or int(text) < 2:
        raise UsageError(f"--batch is {text!r}; give a whole number from 2, or auto.")
    return int(text)


def _refuse_another_folder(out: Path) -> None:
    """A training does not spread its files among somebody's others; a lock alone is what one left that just began."""
    try:
        names = {path.name for path in out.iterdir()} if out.is_dir() else set()
    except OSError as error:
        raise OutputError(f"the folder {out} cannot be read: {error.strerror or error}. Use another --out.") from None
    if {name for name in names if not name.endswith(".tmp")} - {LOCK} and "run.json" not in names:
        raise OutputError(f"{out} is not empty and holds no training; give --out a new folder, or that of a training.")
