"""The sentences of the report that depend on the study: its title, its question, its fine print."""

from collections.abc import Mapping
from typing import Any

from triscale import intervals, units
from triscale.cost import registry
from triscale.report.facts import Facts

Lines = list[tuple[str, str]]


def title(facts: Facts) -> str:
    """What was scaled, on which pictures."""
    baseline = (facts.plan.get("baseline") or {}).get("network", {}).get("name", "a ConvNet")
    source = str(facts.data.get("source", "its pictures"))
    return f"Scaling {baseline} on {source}"


def question(facts: Facts) -> Lines:
    """What was asked, as given."""
    asked = facts.study.get("question")
    if isinstance(asked, Mapping):
        command = facts.study.get("command")
        batch = any(_depends_on_batch(limit) for limit in asked.get("budget") or ())
        given = {name: value for name, value in asked.items() if value not in (None, {}) and (batch or name != "batch")}
        return _lines({"command": command, **given} if command else given)
    return [] if asked is None else [("question", units.text(asked))]


def _depends_on_batch(limit: str) -> bool:
    """Of a metric that is not known here, perhaps."""
    metric = registry().get(limit)
    return metric is None or bool(metric.needs)


def data_facts(facts: Facts) -> Lines:
    """The data in counts."""
    data = facts.data
    if not data:
        return []
    classes = data.get("classes") or []
    counts = ", ".join(
        f"{data[part]:,} {part}" for part in ("train", "validation", "test") if data.get(part) is not None
    )
    return [
        ("source", units.text(data.get("source"))),
        ("pictures", f"{counts}; originals {units.pixels(data.get('native'))}"),
        (f"{len(classes)} classes", units.text(classes)),
        ("left out", f"{data.get('skipped') or 0} pictures"),
        ("test from", units.text(data.get("test_from"))),
        ("fingerprint", units.text(data.get("fingerprint"))),
    ]


def plan_facts(facts: Facts) -> Lines:
    """How each network was trained: lengths, seeds, recipe."""
    plan = facts.plan
    names = ("epochs", "batch", "train_size", "seeds", "leader_seeds", "phi", "tolerance")
    lines = _lines({name: plan[name] for name in names if plan.get(name) is not None})
    recipe = plan.get("recipe")
    if isinstance(recipe, Mapping):
        return [*lines, *((f"recipe: {name}", value) for name, value in _lines(recipe))]
    return lines if recipe is None else [*lines, ("recipe", units.text(recipe))]


def origin(facts: Facts) -> Lines:
    """Machine, versions, time."""
    study = facts.study
    lines = _lines({"started": study["started"]} if study.get("started") else {})
    if study.get("triscale"):
        lines.append(("triscale", units.text(study["triscale"])))
    machine = study.get("machine")
    if isinstance(machine, Mapping):
        known = {name: value for name, value in machine.items() if value is not None}
        lines += _lines({**known, **({"memory": units.memory(known["memory"])} if "memory" in known else {})})
    else:
        lines.append(("machine", units.text(machine)))
    runs = facts.records.all("run")
    for name, title in (("device", "device"), ("threads", "threads a training")):
        used = sorted({str(run[name]) for run in runs if run.get(name) is not None})  # several, if resumed elsewhere
        lines += [(title, ", ".join(used))] if used else []
    seconds = sum(run.get("seconds") or 0 for run in runs)
    lines.append(("training", f"{len(runs)} runs, {units.duration(seconds)} in all"))
    return lines


def coefficients(facts: Facts) -> str:
    """The chosen coefficients in one sentence; empty before the choice."""
    chosen = facts.choice.get("coefficients")
    if not chosen:
        return ""
    values = ", ".join(f"{name} = {units.factor(chosen.get(name))}" for name in ("alpha", "beta", "gamma"))
    noise = facts.choice.get("noise_sd")
    if noise is None:
        spread = ""
    elif facts.choice.get("noise_freedom") == 0:
        spread = (
            f" With one seed, only the sampling error of the validation pictures is known: {100 * noise:.2f} points."
        )
    else:
        spread = f" In one seed, the difference of two networks has a standard deviation of {100 * noise:.2f} points."
    basis = "The choice rests on validation accuracy only."
    return f"Chosen: {values} (depth, width, resolution). {_standing(facts.choice)}{spread} {basis}"


def _standing(choice: Mapping[str, Any]) -> str:
    """What the noise allows to say; older studies name no rule and took the cheapest of the tied."""
    tied = choice.get("tied") or []
    if "rule" not in choice and len(tied) > 1:
        return f"{len(tied)} candidates are tied within the noise; an older version took the cheapest of these."
    others = sum(one != choice.get("chosen") for one in tied)
    if not others:
        return "It has the best mean, and the noise tells every other candidate apart from it."
    many = "1 other candidate" if others == 1 else f"{others} other candidates"
    return f"It has the best mean; the noise does not tell {many} apart from it."


def method(facts: Facts) -> list[str]:
    """How costs are counted and intervals computed."""
    noise, total = facts.noise, facts.test_pictures
    lines = [
        (
            "MACs are the multiply-adds of convolutions and linear layers for one picture, counted on the rounded "
            "network; squeeze-excite counts its two 1×1 convolutions. Biases, norms, activations and pooling are not "
            "counted. Params are the trainable parameters."
        ),
        "Training compute is samples seen × 3 × MACs: one forward pass and a backward pass of about twice its cost.",
    ]
    if noise is not None:
        spread, freedom = noise
        lines.append(
            "Error bars and “95 %, seeds”: t interval of the mean over seeds, with the standard deviation within "
            f"networks pooled over the family ({100 * spread:.2f} points, {freedom} degrees of freedom, "
            f"t = {intervals.t_quantile(freedom):.2f})."
        )
    if total:
        lines.append(
            f"“95 %, pictures”: Wilson score interval for the mean accuracy on the {total:,} test pictures. All "
            "networks see the same pictures, so differences between networks are known better than this."
        )
    lines.append("The test decides nothing: it is run after the choice, on networks that validation has chosen.")
    return lines


def _lines(values: Mapping[str, Any]) -> Lines:
    return [(str(name).replace("_", " "), units.text(value)) for name, value in values.items()]
