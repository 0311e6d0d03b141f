"""Training: recipes as data and a loop that reads on one screen."""

from triscale.train.catalogue import load_recipe, recipe_names
from triscale.train.loop import Epoch, Outcome, train
from triscale.train.recipe import Recipe

__all__ = ["Epoch", "Outcome", "Recipe", "load_recipe", "recipe_names", "train"]
