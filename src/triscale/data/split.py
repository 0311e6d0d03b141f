"""Stratified, seeded splits of labels."""

import numpy as np
from numpy.typing import NDArray

from triscale.errors import InputError, UsageError

Indices = NDArray[np.int64]


def split_validation(
    labels: Indices, *, fraction: float = 0.1, train_size: int | None = None, seed: int
) -> tuple[Indices, Indices]:
    """Split labels into a training and a validation part, each with the classes in the proportions of the whole.

    The validation part does not depend on `train_size`, so studies on subsets of the training part stay comparable.

    Args:
        labels: `[n]`, classes 0, 1, ...
        fraction: share of the validation part, in (0, 1); at least two of each class, at most half of it.
        train_size: number of samples in the training part; all that remain by default.
        seed: not negative; equal seeds, equal splits.

    Returns:
        Two sorted, disjoint `int64` arrays of positions in `labels`: training, validation.

    Raises:
        UsageError: the fraction, size or seed cannot be meant.
        InputError: fewer samples than `train_size`, or `train_size` below the number of classes.
    """
    if not 0 < fraction < 1:
        raise UsageError(f"A validation fraction of {fraction} cannot be meant.\nGive a number between 0 and 1.")
    if seed < 0:
        raise UsageError(f"A seed of {seed} cannot be meant.\nGive 0 or a larger whole number.")
    order = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed))).permutation(len(labels))
    members = [order[labels[order] == label] for label in np.unique(labels)]
    held_out = [min(max(round(fraction * len(some)), 2), len(some) // 2) for some in members]
    rest = [some[count:] for some, count in zip(members, held_out, strict=True)]
    if train_size is not None:
        taken = _shares(np.array([len(some) for some in rest]), train_size)
        rest = [some[:count] for some, count in zip(rest, taken, strict=True)]
    return _joined(rest), _joined([some[:count] for some, count in zip(members, held_out, strict=True)])


def _joined(groups: list[Indices]) -> Indices:
    joined: Indices = np.sort(np.concatenate([np.empty(0, np.int64), *groups]).astype(np.int64))
    return joined


def _shares(available: Indices, total: int) -> Indices:
    """Largest remainders: `total` shared in proportion to `available`, at least one each, never more than there is."""
    if total < 1:
        raise UsageError(f"A training size of {total} cannot be meant.\nGive the number of training pictures to use.")
    if total > available.sum():
        raise InputError(
            f"A training size of {total} was asked, but {available.sum()} pictures remain beside the validation part.\n"
            f"Ask for at most {available.sum()}."
        )
    if total < len(available):
        raise InputError(
            f"A training size of {total} leaves classes without a picture: there are {len(available)} classes.\n"
            f"Ask for at least {len(available)}."
        )
    quota = available * (total / available.sum())
    shares: Indices = np.maximum(np.floor(quota).astype(np.int64), 1)
    while shares.sum() != total:
        step = 1 if shares.sum() < total else -1
        allowed = (shares < available) if step > 0 else (shares > 1)
        shares[np.argmax(np.where(allowed, step * (quota - shares), -np.inf))] += step
    return shares
