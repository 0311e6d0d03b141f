"""What both sides are shown: the same pictures and labels in every process, from numpy alone."""

import numpy as np
import numpy.typing as npt

Pictures = npt.NDArray[np.float32]
Size = tuple[int, int]

SIZES: dict[Size, int] = {(64, 64): 10, (32, 48): 30, (33, 49): 50, (97, 65): 10}
"""Size in pixels -> pictures of that size: square and not, even and odd; small, so that large networks take minutes."""

SMALL_SIZES: dict[Size, int] = {(32, 40): 60, (33, 33): 35, (65, 49): 5}
"""The same for networks so large that the others would take too long; Keras takes no side below 32 px."""

TRAINED: tuple[Size, int] = (36, 66), 4
"""Size and batch of the step in training mode. The last map has 2x3 pixels, for batch norm over one is ill-conditioned;
odd and even maps take turns, for SAME padding differs from symmetric padding on even ones alone."""

SMALL_TRAINED: tuple[Size, int] = (36, 34), 4
"""The same for large networks; 2x2 pixels are left."""


def pictures(count: int, size: Size, seed: int) -> Pictures:
    """`count` pictures [count, 3, h, w]: a colour, patches and noise each, so that a network tells them apart."""
    rng = np.random.default_rng(seed)
    rows, columns = (np.arange(side) * 4 // side for side in size)
    patches = rng.normal(size=(count, 3, 4, 4))[:, :, rows][:, :, :, columns]
    noise = rng.normal(size=(count, 3, *size))
    found: Pictures = (rng.normal(size=(count, 3, 1, 1)) + patches + 0.5 * noise).astype(np.float32)
    return found


def evaluated(sizes: dict[Size, int]) -> list[Pictures]:
    """The pictures of an evaluation, one array a size."""
    return [pictures(count, size, seed) for seed, (size, count) in enumerate(sizes.items(), 1)]


def trained(classes: int, trained: tuple[Size, int]) -> tuple[Pictures, npt.NDArray[np.int64]]:
    """Pictures and labels of the step in training mode."""
    size, count = trained
    return pictures(count, size, 100), np.arange(count, dtype=np.int64) * 37 % classes


def calibrating() -> Pictures:
    """Pictures over which a peer takes its running statistics, so that the signal neither fades nor explodes."""
    return pictures(32, (36, 66), 200)
