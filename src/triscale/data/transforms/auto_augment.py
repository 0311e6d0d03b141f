"""AutoAugment's policy v0 and RandAugment (arXiv 1805.09501, 1909.13719) as the paper's authors used them."""

import numpy as np
from PIL import Image

from triscale.data.transforms.auto_operations import FULL, OPS

Step = tuple[str, float, int]
"""An operation, the probability that it is done, and its level."""

AUTOAUGMENT_V0: tuple[tuple[Step, Step], ...] = (
    (("Equalize", 0.8, 1), ("ShearY", 0.8, 4)),
    (("Color", 0.4, 9), ("Equalize", 0.6, 3)),
    (("Color", 0.4, 1), ("Rotate", 0.6, 8)),
    (("Solarize", 0.8, 3), ("Equalize", 0.4, 7)),
    (("Solarize", 0.4, 2), ("Solarize", 0.6, 2)),
    (("Color", 0.2, 0), ("Equalize", 0.8, 8)),
    (("Equalize", 0.4, 8), ("SolarizeAdd", 0.8, 3)),
    (("ShearX", 0.2, 9), ("Rotate", 0.6, 8)),
    (("Color", 0.6, 1), ("Equalize", 1.0, 2)),
    (("Invert", 0.4, 9), ("Rotate", 0.6, 0)),
    (("Equalize", 1.0, 9), ("ShearY", 0.6, 3)),
    (("Color", 0.4, 7), ("Equalize", 0.6, 0)),
    (("Posterize", 0.4, 6), ("AutoContrast", 0.4, 7)),
    (("Solarize", 0.6, 8), ("Color", 0.6, 9)),
    (("Solarize", 0.2, 4), ("Rotate", 0.8, 9)),
    (("Rotate", 1.0, 7), ("TranslateY", 0.8, 9)),
    (("ShearX", 0.0, 0), ("Solarize", 0.8, 4)),
    (("ShearY", 0.8, 0), ("Color", 0.6, 4)),
    (("Color", 1.0, 0), ("Rotate", 0.6, 2)),
    (("Equalize", 0.8, 4), ("Equalize", 0.0, 8)),
    (("Equalize", 1.0, 4), ("AutoContrast", 0.6, 2)),
    (("ShearY", 0.4, 7), ("SolarizeAdd", 0.6, 7)),
    (("Posterize", 0.8, 2), ("Solarize", 0.6, 10)),
    (("Solarize", 0.6, 8), ("Equalize", 0.6, 1)),
    (("Color", 0.8, 6), ("Rotate", 0.4, 5)),
)
"""The 25 pairs; each image goes through one of them."""


def autoaugment(image: Image.Image, draws: np.random.Generator) -> Image.Image:
    """One pair of policy v0, drawn evenly; each step with its probability."""
    for name, probability, level in AUTOAUGMENT_V0[draws.integers(len(AUTOAUGMENT_V0))]:
        if draws.random() < probability:
            image = OPS[name](image, level / FULL, draws)
    return image


def randaugment(image: Image.Image, layers: int, magnitude: float, draws: np.random.Generator) -> Image.Image:
    """`layers` operations drawn evenly, all at level `magnitude`; each with a probability between 0.2 and 0.8."""
    names = list(OPS)
    for _ in range(layers):
        name = names[draws.integers(len(names))]
        if draws.random() < draws.uniform(0.2, 0.8):
            image = OPS[name](image, magnitude / FULL, draws)
    return image
