"""From what a user asks to a finished training: open the data, resolve the job, fit it."""

from contextlib import nullcontext
from pathlib import Path

import torch

from triscale.data.checks.enlarging import enlarging
from triscale.data.photo_files import BrokenPictureError
from triscale.errors import InputError
from triscale.lock import locked
from triscale.training.callbacks import Callbacks
from triscale.training.computing import computing
from triscale.training.distributed.processes import ALONE, World, joined
from triscale.training.fitting import fit
from triscale.training.request import TrainRequest, resolve
from triscale.trials import RECORDS, Execution, Numerics, TrainJob, Trial, read
from triscale.trials.study_records import BegunRecord

_CHECKS = 3
"""How often the images of a new training are checked, if some break meanwhile."""


def train_request(
    request: TrainRequest,
    folder: Path,
    numerics: Numerics,
    execution: Execution,
    callbacks: Callbacks,
    world: World = ALONE,
) -> Trial:
    """Train a request in a folder, or resume it there; see `fit` for the arguments and errors.

    What the request leaves open is as in the training that the folder holds, or else resolved now. An image that broke
    while the images of a new training were rendered is named, and the others are checked again; where a training
    resumes, its data changed.
    """
    with (
        locked(folder) if world.first else nullcontext(),
        computing(numerics, execution),
        joined(world, torch.device(numerics.device)),
    ):
        known = world.broadcast(_known(folder) if world.first else None)
        for left in reversed(range(_CHECKS)):
            inputs = request.inputs(known)
            job = resolve(request, inputs, numerics, execution, world, callbacks.say, known)
            if known is None and request.weights is None and (text := enlarging(job.network, inputs.source.native)):
                callbacks.say(f"warning: {text}")
            try:
                return fit(job, folder, numerics, execution, callbacks, inputs=inputs, world=world)
            except BrokenPictureError as error:
                if not left or known is not None or world.size > 1:
                    raise
                callbacks.say(f"warning: {str(error).splitlines()[0]} It is left out.")
    raise AssertionError("the last check raises")


def _known(folder: Path) -> TrainJob | None:
    """The job of the training in a folder.

    Raises:
        InputError: the folder holds a training of triscale 0.1, or a study, a search or a fit.
    """
    if (folder / "run.json").exists():
        raise InputError(
            f"{folder} holds a training of triscale 0.1, which this version uses but does not resume.\n"
            "Use another --out, or resume it with triscale 0.1."
        )
    if not (folder / RECORDS).exists():
        return None
    stored = read(folder)
    if (begun := stored.one(BegunRecord)) is not None:
        raise InputError(f"{folder} holds a {begun.__struct_config__.tag}, not a training.\nUse another --out.")
    return next((one.job for one in stored), None)
