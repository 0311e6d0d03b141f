"""Small stand-ins for what a reader of the documentation has: images, a photo, a network of own code."""

import re
from pathlib import Path

import numpy as np
from PIL import Image

from tests.docs_site.blocks import blocks
from tests.paths import ROOT

CLASSES = ("cat", "dog", "owl")
IMAGES_OF_A_CLASS = 24


def furnish(folder: Path) -> Path:
    """Fill a folder with everything that the pages name; returns it."""
    draws = np.random.default_rng(0)
    for number, name in enumerate(CLASSES):
        (folder / "images" / name).mkdir(parents=True)
        for index in range(IMAGES_OF_A_CLASS):
            pixels = draws.integers(0, 96, (64, 64, 3), dtype=np.uint8)
            pixels[:, :, number] += 120  # a class is a colour, so that a short training learns something
            Image.fromarray(pixels).save(folder / "images" / name / f"{index}.jpg")
    Image.fromarray(pixels).save(folder / "photo.jpg")
    (folder / "more").mkdir()
    Image.fromarray(pixels).save(folder / "more" / "another.png")
    for module, text in own_modules():
        (folder / module).write_text(text, encoding="utf-8")
    quick = (ROOT / "src" / "triscale" / "recipes" / "quick.toml").read_text(encoding="utf-8")
    (folder / "mine.toml").write_text(quick, encoding="utf-8")
    return folder


def own_modules() -> list[tuple[str, str]]:
    """The files that pages show, by the name in their first line."""
    found = [one.text for one in blocks("docs/foreign.md") if one.language == "python"]
    named = [(re.match(r"# (\w+\.py)\n", text), text) for text in found]
    return [(name[1], text) for name, text in named if name]
