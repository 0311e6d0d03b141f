"""Training: recipes as data and a loop that reads on one screen."""

from triscale.recipes.catalogue import load_recipe, recipe_names
from triscale.recipes.recipe import Recipe
from triscale.train.engine import Engine, Epoch
from triscale.train.feed import Feed, PictureFeed
from triscale.train.identity import Asked, trained_on
from triscale.train.loop import Outcome, train
from triscale.train.memory import enough_memory
from triscale.train.pipeline import Pipelined, PipelineEngine
from triscale.train.run import Result, Run
from triscale.train.saved import Interrupted, Keeper
from triscale.train.world import World, here, joined

__all__ = [
    "Asked",
    "Engine",
    "Epoch",
    "Feed",
    "Interrupted",
    "Keeper",
    "Outcome",
    "PictureFeed",
    "PipelineEngine",
    "Pipelined",
    "Recipe",
    "Result",
    "Run",
    "World",
    "enough_memory",
    "here",
    "joined",
    "load_recipe",
    "recipe_names",
    "train",
    "trained_on",
]
