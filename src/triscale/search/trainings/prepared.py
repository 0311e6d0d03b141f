"""Images rendered before workers ask for the same ones at once."""

from collections.abc import Callable, Collection

from triscale.data import Source, Split
from triscale.recipes import Recipe
from triscale.spec import Size


class Prepared:
    """Renders the images of a study at each size once, when a training first needs it.

    Args:
        source: of the study.
        recipe: of its trainings; random crops are read from the originals.
        seed: of its split.
        say: hears about each size.
    """

    def __init__(self, source: Source, recipe: Recipe, seed: int, say: Callable[[str], None]) -> None:
        self._source, self._recipe, self._seed, self._say = source, recipe, seed, say
        self._done: set[tuple[Size, Split]] = set()

    def learned(self, sizes: Collection[Size]) -> None:
        """What trainings at these sizes read."""
        held = self._source.training_split(seed=self._seed).held
        self._render(sizes, tuple(dict.fromkeys(("train", held))))

    def tested(self, sizes: Collection[Size]) -> None:
        """What the test at these sizes reads."""
        self._render(sizes, ("test",))

    def _render(self, sizes: Collection[Size], splits: tuple[Split, ...]) -> None:
        if self._recipe.crop == "random":
            return
        for size in sorted(sizes):
            for split in splits:
                if (size, split) not in self._done:
                    self._say(f"preparing {split} images at {size[0]}x{size[1]} px")
                    self._source.pictures(split, size)
                    self._done.add((size, split))
