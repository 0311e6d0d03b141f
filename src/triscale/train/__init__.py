"""Training: one way from a job to a trial, a loop that reads on one screen."""

from triscale.recipes import Recipe, load_recipe, recipe_names
from triscale.train.callbacks import Callbacks, Quiet
from triscale.train.engine import Engine
from triscale.train.feed import Feed, PictureFeed
from triscale.train.fit import WEIGHTS, fit
from triscale.train.from_request import train_request
from triscale.train.inputs import Inputs, trained_on
from triscale.train.loop import Outcome, train
from triscale.train.memory import enough_memory
from triscale.train.numerics import numerics_here
from triscale.train.pipeline import Pipelined, PipelineEngine
from triscale.train.request import TrainRequest, data_use, resolve
from triscale.train.saved import Interrupted, Keeper
from triscale.train.world import World, here, joined
from triscale.trials import Epoch

__all__ = [
    "WEIGHTS", "Callbacks", "Engine", "Epoch", "Feed", "Inputs", "Interrupted", "Keeper", "Outcome", "PictureFeed",
    "PipelineEngine", "Pipelined", "Quiet", "Recipe", "TrainRequest", "World",
    "data_use", "enough_memory", "fit", "here", "joined", "load_recipe", "numerics_here", "recipe_names", "resolve",
    "train", "train_request", "trained_on",
]  # fmt: skip
