"""Training: one way from a job to a trial, a loop that reads on one screen."""

from triscale.recipes import Recipe, load_recipe, recipe_names
from triscale.training.callbacks import Callbacks, Quiet
from triscale.training.computing import numerics_here
from triscale.training.distributed.pipeline import Pipelined, PipelineTrainer
from triscale.training.distributed.processes import World, here, joined
from triscale.training.engine import Trainer
from triscale.training.feed import Feed, PictureFeed
from triscale.training.fitting import WEIGHTS, fit
from triscale.training.from_request import train_request
from triscale.training.inputs import Inputs, trained_on
from triscale.training.learning.memory import enough_memory
from triscale.training.loop import Outcome, train
from triscale.training.request import TrainRequest, data_use, resolve
from triscale.training.saved import Interrupted, ResumeState, forget_state
from triscale.trials import Epoch

__all__ = [
    "WEIGHTS",
    "Callbacks",
    "Epoch",
    "Feed",
    "Inputs",
    "Interrupted",
    "Outcome",
    "PictureFeed",
    "PipelineTrainer",
    "Pipelined",
    "Quiet",
    "Recipe",
    "ResumeState",
    "TrainRequest",
    "Trainer",
    "World",
    "data_use",
    "enough_memory",
    "fit",
    "forget_state",
    "here",
    "joined",
    "load_recipe",
    "numerics_here",
    "recipe_names",
    "resolve",
    "train",
    "train_request",
    "trained_on",
]  # fmt: skip
