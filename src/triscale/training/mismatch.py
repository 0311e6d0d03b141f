"""What a user reads where a folder holds another training than the one asked for."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from triscale.errors import InputError
from triscale.recipes import Recipe
from triscale.spec import AnyNetwork, ForeignNetwork
from triscale.trials import DataUse, FirstWeights, TrainJob

_SHOWN_CLASSES = 3
_NAMES = {
    "seed": "seed", "parts": "parts of a batch", "processes": "processes", "pipeline": "pipeline",
    "keep": "kept epoch", "teacher": "teacher",
}  # fmt: skip


def refuse_another(folder: Path, then: TrainJob, now: TrainJob) -> None:
    """InputError with the differences, unless both are the same training."""
    if then.key == now.key:
        return
    found = differences(then, now)
    changed = "its data changed" if list(found) == ["data"] else f"another training ({', '.join(found)})"
    listed = "; ".join(f"{name}: {text}" for name, text in found.items())
    raise InputError(f"cannot resume in {folder}: {changed}.\n{listed}.\nUse another --out, or the first command.")


def differences(then: TrainJob, now: TrainJob) -> dict[str, str]:
    """By what differs: `X then, Y now`."""
    before, after = then.to_dict(), now.to_dict()
    found = {}
    if before["network"] != after["network"]:
        found["network"] = _networks(then.network, now.network)
    if then.data.fingerprint != now.data.fingerprint:
        found["data"] = _data(then.data, now.data)
    elif _split(then.data) != _split(now.data):
        found["split"] = _both(_split(then.data), _split(now.data))
    if before["recipe"] != after["recipe"]:
        found["recipe"] = _recipe(then.recipe, now.recipe)
    if then.weights != now.weights:
        found["weights"] = _both(*map(_weights, (then.weights, now.weights)))
    return found | {name: _both(before[key], after[key]) for key, name in _NAMES.items() if before[key] != after[key]}


def _weights(weights: FirstWeights | None) -> str:
    if weights is None:
        return "none"
    return f"those of {weights.network} ({weights.digest[:8]}{', grown' if weights.grow else ''})"


def _networks(then: AnyNetwork, now: AnyNetwork) -> str:
    if isinstance(now, ForeignNetwork) and replace(now, fingerprint="") == _unmarked(then):
        return f"the code of {now.path} changed"
    return _both(*(f"{one.name} at {one.resolution} px" for one in (then, now)))


def _unmarked(network: AnyNetwork) -> AnyNetwork:
    return replace(network, fingerprint="") if isinstance(network, ForeignNetwork) else network


def _both(then: object, now: object) -> str:
    return f"{then} then, {now} now"


def _split(data: DataUse) -> str:
    subset = "" if data.subset is None else f", {data.subset:,} images"
    return f"rule {data.rule} by {data.group_by}, seed {data.seed}{subset}"


def _recipe(then: Recipe, now: Recipe) -> str:
    before, after = asdict(then), asdict(now)
    changed = [name for name in after if before[name] != after[name]]
    return _both(*(", ".join(f"{name} {one[name]}" for name in changed) for one in (before, after)))


def _data(then: DataUse, now: DataUse) -> str:
    """The classes whose images differ; where it is none of them, what is known of the whole."""
    before, after = _contents(then), _contents(now)
    found = [name for name in after | before if before.get(name, "none") != after.get(name, "none")]
    if not found:
        shown = [f"{one.images} images in {len(one.classes)} classes ({one.fingerprint[:8]})" for one in (then, now)]
        return f"{_both(*shown)}; each class has as many as before"
    texts = [
        f"{name!r} had {before.get(name, 'none')}, has {after.get(name, 'none')}" for name in found[:_SHOWN_CLASSES]
    ]
    more = f", and {len(found) - _SHOWN_CLASSES} more classes" if len(found) > _SHOWN_CLASSES else ""
    return ", ".join(texts) + more


def _contents(data: DataUse) -> dict[str, Any]:
    """What each class holds. Runs that were started by an older version say pictures."""
    held = [text.replace("picture", "image") for text in data.contents]
    return dict(zip(data.classes, held or [f"{data.images} in all"] * len(data.classes), strict=True))
