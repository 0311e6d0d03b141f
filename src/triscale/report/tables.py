"""The tables of the report: the family, the candidates, equal training compute."""

from collections.abc import Sequence

from triscale import intervals, units
from triscale.records import Record
from triscale.report.facts import Facts, Training, label
from triscale.report.table import Row, Table

UPSAMPLED = "↑"
FLAG = "⚠"
# Training computes further apart than this are not called equal.
_NEAR = 0.1
_AXES = ("depth", "width", "resolution")


def family(facts: Facts) -> Table | None:
    """The scaled family with its rivals: factors, counted cost, validation and test accuracy; None before it exists."""
    if not facts.members:
        return None
    header = ("network", "depth", "width", "resol.", "input", "params", "MACs", "ratio", "to compound")
    scores = ("validation top-1, %", "test top-1, %", "95 %, seeds", "95 %, pictures")
    rows = tuple(_member(facts, member, facts.noise) for member in facts.members)
    note = (
        "Accuracies: mean ± standard deviation over seeds (number of seeds). Ratio: counted MACs over the baseline's; "
        f"to compound: over the compound network's at the same φ, {FLAG} beyond 3 %. {UPSAMPLED}: larger than the "
        "original pictures."
    )
    return Table((*header, *scores), rows, note)


def _member(facts: Facts, member: Record, noise: tuple[float, int] | None) -> Row:
    cost, factors = member["cost"], member["factors"]
    validation, test = facts.validation(member["id"]), facts.test(member["id"])
    cells = (
        label(member),
        *(units.factor(factors.get(axis)) for axis in _AXES),
        _input(member),
        units.count(cost["params"]),
        units.count(cost["macs"]),
        units.ratio(member.get("ratio")),
        _flagged(member, "cost_ratio"),
        units.spread(validation.mean, validation.deviation, validation.n),
        units.spread(test.mean, test.deviation, test.n),
        units.span(_seed_interval(test.mean, test.n, noise)),
        units.span(_picture_interval(test.mean, facts.test_pictures)),
    )
    return Row(cells, "chosen" if member["rule"] == "compound" else "")


def candidates(facts: Facts) -> Table | None:
    """Every candidate of the coefficient search, best first, with its cell of triples and its rank at half length."""
    if not facts.candidates:
        return None
    ranked = {row["id"]: (place, row) for place, row in enumerate(facts.choice.get("ranking", []), 1)}
    halves = {id_: training.half.mean for id_, training in facts.trainings.items()}
    halves |= {id_: row["half_mean"] for id_, (_, row) in ranked.items()}
    half_places = _places({one["id"]: halves.get(one["id"]) for one in facts.candidates if one["rule"] != "baseline"})
    last = len(ranked) + 1

    def order(one: Record) -> tuple[bool, int, float]:
        place = ranked[one["id"]][0] if one["id"] in ranked else last
        return one["rule"] == "baseline", place, -(facts.validation(one["id"]).mean or 0)

    rows = tuple(
        _candidate(facts, one, ranked.get(one["id"]), halves.get(one["id"]), half_places.get(one["id"]))
        for one in sorted(facts.candidates, key=order)
    )
    header = ("candidate", "depth [cell]", "width [cell]", "resolution [cell]", "input", "ratio", "merged")
    scores = ("validation top-1, %", "rank", "half length, %", "rank", "behind the best", "verdict")
    note = (
        "Cell: every factor in it rounds to this same network. Ratio: counted MACs over the baseline's; "
        f"{FLAG}: outside the tolerance. Merged: grid triples that rounded to this network. Behind the best: points of "
        "validation top-1, paired by seed, with its 95 % interval. Half length: the same runs at half the training."
    )
    return Table((*header, *scores), rows, note)


def _candidate(
    facts: Facts, one: Record, ranked: tuple[int, Record] | None, half: float | None, half_place: int | None
) -> Row:
    place, row = ranked or (None, {})
    validation = facts.validation(one["id"])
    cells = (
        one["rule"],
        *(_with_cell(one, axis) for axis in _AXES),
        _input(one),
        _flagged(one, "ratio"),
        _merged(one.get("merged")),
        units.spread(validation.mean, validation.deviation, validation.n),
        str(place or units.MISSING),
        units.MISSING if half is None else f"{100 * half:.1f}",
        str(half_place or units.MISSING),
        _behind(place, row),
        _verdict(facts.choice, one["id"], row),
    )
    return Row(cells, "chosen" if one["id"] == facts.choice.get("chosen") else "tied" if row.get("tied") else "")


def equal_compute(facts: Facts) -> Table | None:
    """Each compound network beside the baseline trained to the same training compute; None without such runs."""
    compound = [member for member in facts.members if member["rule"] == "compound" and member["id"] in facts.trainings]
    rows = [row for member in compound for row in _pair(facts, member)]
    if not rows:
        return None
    header = ("network", "epochs", "training compute", "ratio", "validation top-1, %", "test top-1, %", "difference")
    note = (
        "Training compute: samples seen × 3 × MACs, in MACs. Difference: test top-1 of the compound network minus that "
        "of the baseline trained longer, in points."
    )
    return Table(header, tuple(rows), note)


def _pair(facts: Facts, member: Record) -> tuple[Row, ...]:
    """The compound network and the baseline's training of nearly the same compute; nothing where there is none."""
    own = facts.trainings[member["id"]]
    spent = facts.compute(own)
    distances = (
        {training: abs((facts.compute(training) or 0) / spent - 1) for training in facts.longer} if spent else {}
    )
    longer = min(distances, key=lambda training: distances[training], default=None)
    if spent is None or longer is None or distances[longer] > _NEAR:
        return ()
    ours, theirs = facts.test(member["id"]).mean, facts.test(longer.id, longer).mean
    difference = None if ours is None or theirs is None else ours - theirs
    return (
        Row((*_training(facts, own, None, spent, label(member)), units.points(difference)), "chosen"),
        Row((*_training(facts, longer, longer, spent, f"baseline, longer (for φ={member['phi']:g})"), "")),
    )


def _training(facts: Facts, training: Training, longer: Training | None, spent: float, name: str) -> tuple[str, ...]:
    compute = facts.compute(training)
    validation, test = training.validation, facts.test(training.id, longer)
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


def _input(one: Record) -> str:
    size = units.pixels(one["network"].get("resolution"))
    return f"{size} {UPSAMPLED}" if one.get("upsampled") else size


def _flagged(one: Record, key: str) -> str:
    """A cost ratio, marked where it misses what it should be; the baseline should be nothing but itself."""
    missed = one.get("within") is False and one["rule"] != "baseline"
    return f"{units.ratio(one.get(key))}{' ' + FLAG if missed else ''}"


def _with_cell(one: Record, axis: str) -> str:
    cell = (one.get("cell") or {}).get(axis)
    value = units.factor(one["factors"].get(axis))
    return f"{value} [{units.factor(cell[0])}, {units.factor(cell[1])}]" if cell else value


def _merged(triples: int | Sequence[object] | None) -> str:
    if triples is None:
        return units.MISSING
    return str(triples if isinstance(triples, int) else len(triples))


def _behind(place: int | None, row: Record) -> str:
    if place is None or row.get("difference") is None:
        return units.MISSING
    if place == 1:
        return "best"
    interval = row.get("interval")
    between = f" [{units.points(interval[0])}, {units.points(interval[1])}]" if interval else ""
    return f"{100 * row['difference']:.1f}{between}"


def _verdict(choice: Record, id_: str, row: Record) -> str:
    if id_ == choice.get("chosen"):
        return "chosen"
    return "tied" if row.get("tied") else ""


def _places(scores: dict[str, float | None]) -> dict[str, int]:
    """Rank of each network that has a score, 1 for the best."""
    known = {id_: score for id_, score in scores.items() if score is not None}
    return {id_: place for place, id_ in enumerate(sorted(known, key=lambda id_: -known[id_]), 1)}
