"""Parents drawn from a space, and children that change one choice of them, as in evolution."""

from dataclasses import dataclass
from random import Random
from statistics import mean

from triscale.errors import InputError
from triscale.search.architecture import Space, sample
from triscale.spec import Network, content_hash
from triscale.weights import refuse_growth

_DRAWS = 2_000
"""Children that are looked at to say how many can inherit."""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A parent and its child, which changes one choice."""

    parent: Network
    child: Network
    grows: bool


def can_grow(small: Network, large: Network) -> bool:
    """Whether the larger one can begin as the function of the smaller."""
    try:
        refuse_growth(small, large)
    except InputError:
        return False
    return True


def drawn(space: Space, dice: Random) -> Pair:
    """A drawn parent, and a child as evolution makes it."""
    parent = dict(sample(space, dice))
    child = dice.choice(list(space.neighbours(parent)))
    both: list[Network] = [space.network(one) for one in (parent, child)]
    return Pair(parent=both[0], child=both[1], grows=can_grow(*both))


def pairs_of(space: Space, count: int, seed: int) -> list[Pair]:
    """So many pairs whose child can inherit and so many whose child cannot, in turn; no network twice."""
    dice, seen = Random(seed), set[str]()
    found: dict[bool, list[Pair]] = {True: [], False: []}
    while min(map(len, found.values())) < count:
        pair = drawn(space, dice)
        ids = {content_hash(pair.parent), content_hash(pair.child)}
        if len(found[pair.grows]) < count and not ids & seen:
            found[pair.grows].append(pair)
            seen |= ids
    return [pair for both in zip(found[True], found[False], strict=True) for pair in both]


def share_that_grows(space: Space, seed: int) -> float:
    """Of the children of drawn parents, how many can begin with their parent's weights."""
    dice = Random(seed)
    return mean(drawn(space, dice).grows for _ in range(_DRAWS))
