"""Recipes: how a network is trained, as data, and the ones that come with triscale."""

from triscale.recipes.catalogue import load_recipe, recipe_names
from triscale.recipes.recipe import Norms, Recipe

__all__ = ["Norms", "Recipe", "load_recipe", "recipe_names"]
