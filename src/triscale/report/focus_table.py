"""What the class activation maps of a study are worth: the paper's "looks more focused" (Figure 7) as a measurement."""

from triscale import units
from triscale.map_scores import MeanScore, paired, summary
from triscale.report.printable_table import Table, TableRow
from triscale.report.study_facts import Facts, label
from triscale.trials.map_records import FocusRecord

_GAIN = "insertion_gain"


def focus_sentence(facts: Facts) -> str:
    """Whether the maps of the largest networks point better than the baseline's; empty without scores."""
    first, others = _baseline(facts)
    if first is None or not others:
        return ""
    lines = [_beside(facts, one, first) for one in others]
    return (
        "On the same images, the gain of a map over its shuffled copy, in points of probability while pixels are "
        f"inserted, differs from the baseline's: {'; '.join(lines)}. An interval around 0 is no difference."
    )


def focus_table(facts: Facts) -> Table | None:
    """Deletion, insertion and the gains over shuffled maps; None where no maps were scored."""
    if not facts.focus:
        return None
    rows = []
    for one in facts.focus:
        found = summary(one.scores)
        values = (found[name] for name in ("deletion", "insertion", "deletion_gain", _GAIN))
        rows.append(TableRow((_name(facts, one), *map(_points, values)), "chosen" if one.rule == "compound" else ""))
    n = len(facts.focus[0].scores)
    return Table(
        ("network", "deletion AUC", "insertion AUC", "deletion below shuffled", "insertion above shuffled"),
        tuple(rows),
        f"Areas below the curves of deletion and insertion (RISE), in percent: means over {units.counted(n, 'image')} "
        "of the test with 95 % intervals over images. A lower deletion and a higher insertion are better, and so is "
        "a larger gain over the same map with its places shuffled. Each map is that of the network's own prediction.",
    )


def _baseline(facts: Facts) -> tuple[FocusRecord | None, list[FocusRecord]]:
    first = next((one for one in facts.focus if one.rule == "baseline"), None)
    return first, [one for one in facts.focus if one is not first]


def _beside(facts: Facts, one: FocusRecord, than: FocusRecord) -> str:
    return f"{_name(facts, one)} {_points(paired(one.scores, than.scores)[_GAIN], signed=True)}"


def _points(one: MeanScore, *, signed: bool = False) -> str:
    sign = "+" if signed else ""
    middle = f"{100 * one.mean:{sign}.1f}"
    if one.interval is None:
        return middle
    return f"{middle} ({100 * one.interval[0]:{sign}.1f} to {100 * one.interval[1]:{sign}.1f})"


def _name(facts: Facts, one: FocusRecord) -> str:
    known = facts.known(one.id)
    return one.rule if known is None else label(known)
