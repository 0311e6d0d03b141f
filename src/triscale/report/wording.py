"""The sentences of the report that depend on the study: its title, its question, its fine print."""

from collections.abc import Mapping, Sequence

from triscale import intervals, units
from triscale.report.study_facts import AXES, Facts
from triscale.trials import Trial
from triscale.trials.study_records import AnswerRecord, BegunRecord, ChoiceRecord, DataFacts, MemberRecord

Lines = list[tuple[str, str]]


def title(facts: Facts) -> str:
    """What was scaled, on which images."""
    baseline = "a ConvNet" if facts.plan is None else facts.network(facts.plan.baseline.id).name
    return f"Scaling {baseline} on {'its pictures' if facts.data is None else facts.data.source}"


def headline(facts: Facts) -> str:
    """The answer in one plain sentence."""
    record = facts.stored.one(AnswerRecord)
    best = None if record is None else next((one for one in facts.members if one.id == record.best), None)
    if record is None or best is None or facts.plan is None:
        return "The study is unfinished: it has no answer yet."
    if facts.choice is not None and facts.choice.guessing is not None:
        guessed = units.percent(facts.choice.guessing)
        return f"No network is better than guessing ({guessed}), so this study says nothing yet: train longer."
    top, before = facts.test(best.id).mean, facts.test(facts.plan.baseline.id).mean
    right = "" if top is None else f" It is right about {units.percent(top)} of the test images"
    than = "" if before is None else f", the baseline about {units.percent(before)}"
    return f"{_spent(facts, best)}.{right}{than if right else ''}{'.' if right else ''}"


def _spent(facts: Facts, best: MemberRecord) -> str:
    """Where the cost goes in the network to take."""
    name = "the baseline" if facts.plan is None else facts.network(facts.plan.baseline.id).name
    factors = ((axis, getattr(best.factors, axis)) for axis in AXES)
    grown = [f"{axis} ×{value:.2f}" for axis, value in factors if abs(value - 1) > 0.005]
    if not grown:
        return f"Keep {name} as it is"
    listed = grown[0] if len(grown) == 1 else f"{', '.join(grown[:-1])} and {grown[-1]}"
    return f"At {best.ratio:.1f} times the {facts.cost_word} of {name}, spend it on {listed}"


def question(facts: Facts) -> Lines:
    """The question, as given."""
    return [] if facts.study is None else asked_lines(facts.study)


def asked_lines(begun: BegunRecord) -> Lines:
    """The question of any search, and the command that asks it."""
    asked, command = begun.question, begun.command
    given = {name: value for name, value in asked.items() if not _left_out(name, value)}
    return _lines({"command": command, **given} if command else given)


def _left_out(name: str, value: object) -> bool:
    """Whether an option was not given. In 0.1 the batch was that of a limit on memory, 1 without any."""
    return value is None or value is False or value in ({}, "") or (name == "batch" and value == 1)


def data_facts(facts: Facts) -> Lines:
    """The data in counts."""
    return [] if facts.data is None else data_lines(facts.data)


def data_lines(data: DataFacts) -> Lines:
    """The data of any search in counts."""
    counts = f"{data.train:,} train, {data.validation:,} validation, {data.test:,} test"
    return [
        ("source", data.source),
        ("images", f"{counts}; originals {units.pixels(data.native)}"),
        (f"{len(data.classes)} classes", units.text(data.classes)),
        ("left out", f"{data.skipped} images"),
        ("test from", data.test_from),
        ("fingerprint", data.fingerprint),
    ]


def plan_facts(facts: Facts) -> Lines:
    """How each network was trained: lengths, seeds, recipe."""
    plan = facts.plan
    if plan is None:
        return []
    names = ("epochs", "batch", "train_size", "seeds", "phi", "tolerance")
    lines = _lines({name: getattr(plan, name) for name in names})
    return [*lines, *((f"recipe: {name}", value) for name, value in _lines(plan.recipe.to_dict()))]


def origin(facts: Facts) -> Lines:
    """Machine, versions, time."""
    return origin_lines(facts.study, facts.done)


def origin_lines(begun: BegunRecord | None, done: Sequence[Trial]) -> Lines:
    """Machine, versions and time of any search."""
    lines = [] if begun is None else _begun_on(begun)
    used = [trial.numerics for trial in done if trial.numerics is not None]
    # Several, where the study was resumed elsewhere.
    for title, values in (
        ("device", {one.device for one in used}),
        ("threads a training", {str(one.threads) for one in used}),
    ):
        known = sorted(values - {""})
        lines += [(title, ", ".join(known))] if known else []
    seconds = sum(trial.metrics.get("seconds", 0.0) for trial in done)
    lines.append(("training", f"{len(done)} runs, {units.duration(seconds)} in all"))
    return lines


def _begun_on(begun: BegunRecord) -> Lines:
    known = {name: value for name, value in begun.machine.items() if value is not None}
    memory = known.get("memory")
    shown = {"memory": units.memory(memory)} if isinstance(memory, int | float) else {}
    return _lines({"started": begun.started, "triscale": begun.triscale, **known, **shown})


def coefficients(facts: Facts) -> str:
    """The chosen coefficients in one sentence; empty before the choice."""
    choice = facts.choice
    if choice is None:
        return ""
    chosen = choice.coefficients
    values = ", ".join(f"{name} = {units.factor(getattr(chosen, name))}" for name in ("alpha", "beta", "gamma"))
    noise = f"{100 * choice.noise_sd:.2f} points."
    if choice.noise_freedom == 0:
        spread = f"With one seed, only the sampling error of the validation images is known: {noise}"
    else:
        spread = f"In one seed, the difference of two networks has a standard deviation of {noise}"
    basis = "The choice rests on validation accuracy only."
    return f"Chosen: {values} (depth, width, resolution). {_standing(choice)} {spread} {basis}"


def _standing(choice: ChoiceRecord) -> str:
    """What the noise allows to say; older studies name no rule and took the cheapest of the tied."""
    if choice.surface is not None:
        inside, whole = len(choice.tied), len(choice.surface.places)
        return (
            "By all trainings together it is expected to be best at the target cost; with 95 % the best lies among "
            f"{inside} of {whole} networks."
        )
    if choice.rule is None and len(choice.tied) > 1:
        return f"{len(choice.tied)} candidates are tied within the noise; an older version took the cheapest of these."
    others = sum(one != choice.chosen for one in choice.tied)
    if not others:
        return "It has the best mean, and every other candidate is worse beyond the noise."
    many = "1 other candidate" if others == 1 else f"{others} other candidates"
    return f"It has the best mean; the noise hides the difference to {many}."


def method(facts: Facts) -> list[str]:
    """How costs are counted and intervals computed."""
    noise, total = facts.noise, facts.test_pictures
    lines = [
        (
            "MACs are the multiply-adds of convolutions and linear layers for one image, counted on the rounded "
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
            f"“95 %, images”: Wilson score interval for the mean accuracy on the {total:,} test images. All "
            "networks see the same images, so differences between networks are known better than this."
        )
    lines.append("The test decides nothing: it is run after the choice, on networks that validation has chosen.")
    return lines


def _lines(values: Mapping[str, object]) -> Lines:
    return [(str(name).replace("_", " "), units.text(value)) for name, value in values.items()]
