"""What a training is asked, and by what one training is told from another."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from triscale.data import Policy, Source, SplitRule, recorded_rule
from triscale.data.chosen import identities
from triscale.data.photo import DEFAULT
from triscale.data.photos import PhotoPart
from triscale.data.split import VALIDATION
from triscale.errors import InputError, UsageError
from triscale.recipes.recipe import Recipe
from triscale.spec import Network, to_document
from triscale.trained_on import TrainedOn, heads_of
from triscale.weights import Checkpoint

_SHOWN_CLASSES = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What a training is asked; everything that decides its result.

    Attributes:
        network: with the resolution to train at; its number of classes becomes that of the data.
        data: as `triscale.data.open_data` takes it.
        recipe: how.
        seed: of the weights, the split, the order, and all that is drawn.
        weights: of the same network, to begin with; classes that are others get a new classifier.
        policy: what is done about doubtful pictures.
        grow: the weights are of a smaller network, as whose function this one begins.
        teacher: of the same classes as the data, whose answers are learned too.
    """

    network: Network
    data: str
    recipe: Recipe
    seed: int = 0
    weights: Checkpoint | None = None
    policy: Policy = DEFAULT
    grow: bool = False
    teacher: Checkpoint | None = None

    def __post_init__(self) -> None:
        if self.grow and self.weights is None:
            raise UsageError("nothing is given to grow from: give weights of a smaller network.")
        if self.recipe.norms == "freeze" and self.weights is None:
            raise UsageError('norms = "freeze" keeps the statistics of weights; give --weights, or norms = "auto".')
        if self.teacher and not self.recipe.distil:
            raise UsageError("distil is 0 in the recipe, so that the teacher would teach nothing; give up to 1.")


def identity_of(asked: Asked, source: Source) -> dict[str, Any]:
    """All that decides the result of a training, JSON-ready; where the data lie does not count, what they hold does."""
    later: dict[str, Any] = {}  # what older trainings did not know is left out where it says nothing
    if asked.grow:
        later["grow"] = True
    if asked.teacher:
        later["teacher"] = asked.teacher.digest
    if rule := source.rule.document():
        later["split"] = rule
    return {
        "network": to_document(asked.network),
        "data": {
            "fingerprint": source.fingerprint,
            "classes": list(source.classes),
            "pictures": len(source.labels("train")),
        },
        "recipe": asked.recipe.document(),
        "seed": asked.seed,
        "weights": None if asked.weights is None else asked.weights.digest,
        **later,
    }


def trained_on(
    source: Source, *, seed: int, train_size: int | None = None, earlier: Iterable[Checkpoint | None] = ()
) -> TrainedOn:
    """What a training with this seed uses of its data, for a checkpoint, so that an evaluation can leave it out.

    Args:
        source: the data.
        seed, train_size: see `Source.training_split`.
        earlier: the weights that it begins with, and its teacher.
    """
    split = source.training_split(seed=seed, train_size=train_size)
    seen = (
        (identities(source.parts["train"]), split.training),
        (identities(source.parts[split.held]), split.validation),
    )
    before = [one.trained_on for one in earlier if one is not None and one.trained_on is not None]
    return TrainedOn(
        fingerprint=source.fingerprint,
        test_from=source.test_from,
        version=source.rule.version,
        group_by=source.rule.group_by,
        fraction=VALIDATION if split.held == "train" else None,
        seed=seed,
        train_size=train_size,
        training=len(split.training),
        validation=len(split.validation),
        images=heads_of((known[one] for known, positions in seen for one in positions), before),
    )


def rule_in(path: Path, asked: SplitRule) -> SplitRule:
    """The rule by which the run whose `run.json` lies at `path` splits; what is asked where there is none yet.

    Raises:
        InputError: a rule of a later version.
        UsageError: the rule of the run cannot group as asked.
    """
    try:
        identity = json.loads(path.read_bytes())["identity"]
        found = recorded_rule(identity.get("split"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # `refuse_another` says what is damaged
        return asked
    return replace(asked, version=found.version)


def contents_of(source: Source) -> dict[str, str]:
    """What each class has, for training and test together: how many pictures and, of files, a digest of them."""
    counts = [0] * len(source.classes)
    digests: list[list[str]] = [[] for _ in source.classes]
    for part in source.parts.values():
        for index, label in enumerate(part.labels.tolist()):
            counts[label] += 1
            if isinstance(part, PhotoPart):
                digests[label].append(part.digests[index])
    return {
        name: f"{count} pictures"
        + (f" ({hashlib.sha256(' '.join(sorted(own)).encode()).hexdigest()[:8]})" if own else "")
        for name, count, own in zip(source.classes, counts, digests, strict=True)
    }


@dataclass(frozen=True)
class Known:
    """What `run.json` holds: by what a training is told from another, and what its classes have."""

    identity: dict[str, Any]
    contents: dict[str, str]

    def payload(self) -> bytes:
        """The file."""
        return (json.dumps(asdict(self), indent=2) + "\n").encode()


def refuse_another(path: Path, now: Known) -> None:
    """InputError that says what differs between what a folder's `run.json` holds and what is asked."""
    try:
        document = json.loads(path.read_bytes())
        then = Known(document["identity"], document.get("contents", {}))
        if then.identity == now.identity:
            return
        differ = [name for name in now.identity | then.identity if then.identity.get(name) != now.identity.get(name)]
        listed = "; ".join(_difference(name, then, now) for name in differ)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise InputError(f"{path} is damaged; use another --out.") from None
    changed = "its data changed" if differ == ["data"] else f"another training ({', '.join(differ)})"
    raise InputError(
        f"{path.parent} cannot be gone on with: {changed}.\n{listed}.\nUse another --out, or the first command."
    )


def _difference(name: str, then: Known, now: Known) -> str:
    one: Any = then.identity.get(name)
    other: Any = now.identity.get(name)
    if name == "network":
        shown = [f"{it['name']} at {it['resolution']} px" for it in (one, other)]
    elif name == "data":
        return f"data: {_data_difference(then, now)}"
    elif name == "recipe":
        usual = asdict(Recipe())
        changed = [key for key in one | other if one.get(key, usual.get(key)) != other.get(key, usual.get(key))]
        shown = [", ".join(f"{key} {it.get(key, usual.get(key))}" for key in changed) for it in (one, other)]
    elif name == "split":
        shown = [f"rule {rule.version} by {rule.group_by}" for rule in map(recorded_rule, (one, other))]
    else:
        shown = [str(one), str(other)]
    return f"{name}: {shown[0]} then, {shown[1]} now"


def _data_difference(then: Known, now: Known) -> str:
    """The classes whose pictures are others; where it is none of them, what is known of the whole."""
    before, after = then.contents, now.contents
    found = [name for name in after | before if before.get(name, "none") != after.get(name, "none")] if before else []
    if not found:
        shown = [
            f"{one['pictures']} pictures in {len(one['classes'])} classes ({one['fingerprint'][:8]})"
            for one in (then.identity["data"], now.identity["data"])
        ]
        same = "; each class has as many as before" if before else ""
        return f"{shown[0]} then, {shown[1]} now{same}"
    texts = [
        f"{name!r} had {before.get(name, 'none')}, has {after.get(name, 'none')}" for name in found[:_SHOWN_CLASSES]
    ]
    more = f", and {len(found) - _SHOWN_CLASSES} more classes" if len(found) > _SHOWN_CLASSES else ""
    return ", ".join(texts) + more
