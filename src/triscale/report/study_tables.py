"""The tables of the report: the family, the candidates, equal training compute."""

from triscale import intervals, units
from triscale.costs import unit_of
from triscale.report.printable_table import Table, TableRow
from triscale.report.study_facts import AXES, Facts, Training, kind, label
from triscale.trials.study_records import CandidateRecord, ChoiceRecord, MemberRecord, NetworkRecord, Ranked

UPSAMPLED = "↑"
FLAG = "⚠"
# Training computes further apart than this are not called equal.
_NEAR = 0.1


def family(facts: Facts) -> Table | None:
    """The scaled family with its rivals: factors, counted cost, validation and test accuracy; None before it exists."""
    if not facts.members:
        return None
    own = () if facts.own_cost is None else (facts.cost_word,)
    header = ("network", "depth", "width", "resol.", "input", "params", "MACs", *own, "ratio", "to compound")
    scores = ("validation top-1, %", "test top-1, %", "95 %, seeds", "95 %, images")
    rows = tuple(_member(facts, member, facts.noise) for member in facts.members)
    note = (
        f"Accuracies: mean ± standard deviation over seeds (number of seeds). Ratio: {_ratio_of(facts)} over the "
        "baseline's; "
        f"to compound: over the compound network's at the same φ, {FLAG} beyond 3 %. {UPSAMPLED}: larger than the "
        "original images."
    )
    return Table((*header, *scores), rows, note)


def _ratio_of(facts: Facts) -> str:
    return "counted MACs" if facts.cost == "macs" else facts.cost_word


def _member(facts: Facts, member: MemberRecord, noise: tuple[float, int] | None) -> TableRow:
    validation, test = facts.validation(member.id), facts.test(member.id)
    cells = (
        label(member),
        *(units.factor(getattr(member.factors, axis)) for axis in AXES),
        _input(facts, member),
        units.count(member.cost["params"]),
        units.count(member.cost["macs"]),
        *(() if facts.own_cost is None else (unit_of(facts.own_cost).show(member.cost[facts.own_cost]),)),
        units.ratio(member.ratio),
        _flagged(member, member.cost_ratio),
        units.spread(validation.mean, validation.deviation, validation.n),
        units.spread(test.mean, test.deviation, test.n),
        units.span(_seed_interval(test.mean, test.n, noise)),
        units.span(_picture_interval(test.mean, facts.test_pictures)),
    )
    return TableRow(cells, "chosen" if member.rule == "compound" else "")


def candidates(facts: Facts) -> Table | None:
    """Every candidate of the coefficient search, best first, with its cell of triples and its rank at half length."""
    if not facts.candidates:
        return None
    rows = () if facts.choice is None else facts.choice.ranking
    ranked = {row.id: (place, row) for place, row in enumerate(rows, 1)}
    halves = {id_: training.half.mean for id_, training in facts.trainings.items()}
    halves |= {id_: row.half_mean for id_, (_, row) in ranked.items()}
    half_places = _places({one.id: halves.get(one.id) for one in facts.candidates if one.rule != "baseline"})
    last = len(ranked) + 1

    def order(one: CandidateRecord) -> tuple[bool, int, float]:
        place = ranked[one.id][0] if one.id in ranked else last
        return one.rule == "baseline", place, -(facts.validation(one.id).mean or 0)

    shown = tuple(
        _candidate(facts, one, ranked.get(one.id), halves.get(one.id), half_places.get(one.id))
        for one in sorted(facts.candidates, key=order)
    )
    header = ("candidate", "depth [cell]", "width [cell]", "resolution [cell]", "input", "ratio", "merged")
    scores = ("validation top-1, %", "rank", "half length, %", "rank", "behind the best", "verdict")
    note = (
        f"Cell: every factor in it rounds to this same network. Ratio: {_ratio_of(facts)} over the baseline's; "
        f"{FLAG}: outside the tolerance. Merged: grid triples that rounded to this network. Behind the best: points of "
        "validation top-1, paired by seed, with its 95 % interval. Half length: the same runs at half the training."
    )
    return Table((*header, *scores), shown, note)


def _candidate(
    facts: Facts, one: CandidateRecord, ranked: tuple[int, Ranked] | None, half: float | None, half_place: int | None
) -> TableRow:
    place, row = ranked or (None, None)
    validation = facts.validation(one.id)
    cells = (
        kind(one),
        *(_with_cell(one, axis) for axis in AXES),
        _input(facts, one),
        _flagged(one, one.ratio),
        str(one.merged),
        units.spread(validation.mean, validation.deviation, validation.n),
        str(place or units.MISSING),
        units.MISSING if half is None else f"{100 * half:.1f}",
        str(half_place or units.MISSING),
        _behind(place, row),
        verdict := _verdict(facts.choice, one.id, row),
    )
    return TableRow(cells, verdict)


def equal_compute(facts: Facts) -> Table | None:
    """Each compound network beside the baseline trained to the same training compute; None without such runs."""
    compound = [member for member in facts.members if member.rule == "compound" and member.id in facts.trainings]
    rows = [row for member in compound for row in _pair(facts, member)]
    if not rows:
        return None
    header = ("network", "epochs", "training compute", "ratio", "validation top-1, %", "test top-1, %", "difference")
    note = (
        "Training compute: samples seen × 3 × MACs, in MACs. Difference: test top-1 of the compound network minus that "
        "of the baseline trained longer, in points."
    )
    return Table(header, tuple(rows), note)


def _pair(facts: Facts, member: MemberRecord) -> tuple[TableRow, ...]:
    """The compound network and the baseline's training of nearly the same compute; nothing where there is none."""
    own = facts.trainings[member.id]
    spent = facts.compute(own)
    distances = (
        {training: abs((facts.compute(training) or 0) / spent - 1) for training in facts.longer} if spent else {}
    )
    longer = min(distances, key=lambda training: distances[training], default=None)
    if spent is None or longer is None or distances[longer] > _NEAR:
        return ()
    ours, theirs = own.test.mean, longer.test.mean
    difference = None if ours is None or theirs is None else ours - theirs
    return (
        TableRow((*_training(facts, own, spent, label(member)), units.points(difference)), "chosen"),
        TableRow((*_training(facts, longer, spent, f"baseline, longer (for φ={member.phi:g})"), "")),
    )


def _training(facts: Facts, training: Training, spent: float, name: str) -> tuple[str, ...]:
    compute = facts.compute(training)
    validation, test = training.validation, training.test
    return (
        name,
        f"{training.epochs:g}",
        units.MISSING if compute is None else units.count(compute),
        units.MISSING if compute is None or not spent else units.ratio(compute / spent),
        units.spread(validation.mean, validation.deviation, validation.n),
        units.spread(test.mean, test.deviation, test.n),
    )


def _seed_interval(mean: float | None, seeds: int, noise: tuple[float, int] | None) -> tuple[float, float] | None:
    if mean is None or noise is None:
        return None
    margin = intervals.seed_margin(noise, seeds)
    return max(0.0, mean - margin), min(1.0, mean + margin)  # an accuracy cannot lie outside


def _picture_interval(mean: float | None, total: int | None) -> tuple[float, float] | None:
    return None if mean is None or not total else intervals.wilson(mean * total, total)


def _input(facts: Facts, one: NetworkRecord) -> str:
    size = units.pixels(facts.network(one.id).resolution)
    return f"{size} {UPSAMPLED}" if one.upsampled else size


def _flagged(one: NetworkRecord, ratio: float) -> str:
    """A cost ratio, marked where it misses what it should be; the baseline should be nothing but itself."""
    missed = not one.within and one.rule != "baseline"
    return f"{units.ratio(ratio)}{' ' + FLAG if missed else ''}"


def _with_cell(one: CandidateRecord, axis: str) -> str:
    value = units.factor(getattr(one.factors, axis))
    if one.cell is None:
        return value
    low, high = getattr(one.cell, axis)
    return f"{value} [{units.factor(low)}, {units.factor(high)}]"


def _behind(place: int | None, row: Ranked | None) -> str:
    if row is None:
        return units.MISSING
    if place == 1:
        return "best"
    low, high = row.interval
    return f"{100 * row.difference:.1f} [{units.points(low)}, {units.points(high)}]"


def _verdict(choice: ChoiceRecord | None, id_: str, row: Ranked | None) -> str:
    if choice is not None and id_ == choice.chosen:
        return "chosen"
    return "tied" if row is not None and row.tied else ""


def _places(scores: dict[str, float | None]) -> dict[str, int]:
    """Rank of each network that has a score, 1 for the best."""
    known = {id_: score for id_, score in scores.items() if score is not None}
    return {id_: place for place, id_ in enumerate(sorted(known, key=lambda id_: -known[id_]), 1)}
