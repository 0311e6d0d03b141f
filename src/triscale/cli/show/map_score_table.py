"""What class activation maps are worth, as a table and as JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from triscale.cli.show.output import print_table, print_text, printable
from triscale.map_scores import MapScore, MeanScore, paired, summary

_TITLES = {
    "deletion": "deletion",
    "insertion": "insertion",
    "deletion_gain": "deletion below shuffled",
    "insertion_gain": "insertion above shuffled",
    "energy": "energy in the box",
    "box_share": "box",
}


@dataclass(frozen=True, kw_only=True)
class ScoredNetwork:
    """A network and the scores of its maps, in the order of the images."""

    name: str
    scores: Sequence[MapScore]


def scores_document(networks: Sequence[ScoredNetwork], steps: int) -> dict[str, Any]:
    """JSON-ready: `steps`, the means of each network, and how the others differ from the first."""
    first, *others = networks
    return {
        "steps": steps,
        "networks": [{"network": one.name, "scores": _documents(summary(one.scores))} for one in networks],
        "differences": [
            {"network": one.name, "than": first.name, "scores": _documents(paired(one.scores, first.scores))}
            for one in others
        ],
    }


def show_scores(networks: Sequence[ScoredNetwork], steps: int) -> None:
    """Print a table: a line a network, and a line a difference."""
    first, *others = networks
    lines = {printable(one.name): summary(one.scores) for one in networks}
    lines |= {f"{printable(one.name)} less {printable(first.name)}": paired(one.scores, first.scores) for one in others}
    measures = [name for name in _TITLES if any(name in line for line in lines.values())]
    n = len(first.scores)
    print_text(
        f"What the maps are worth: {n} image{'s' * (n != 1)}, {steps} steps, means with 95% intervals over images."
    )
    rows = [(name, *(_cell(line.get(measure)) for measure in measures)) for name, line in lines.items()]
    print_table(("network", *(_TITLES[name] for name in measures)), rows)
    print_text(
        "Deletion: the lower, the better. Insertion and all gains over the shuffled map: the higher, the better."
    )


def _cell(one: MeanScore | None) -> str:
    if one is None:
        return "-"
    return f"{one.mean:.3f}" + (f" ({one.interval[0]:.3f} to {one.interval[1]:.3f})" if one.interval else "")


def _documents(scores: dict[str, MeanScore]) -> dict[str, Any]:
    return {name: one.to_dict() for name, one in scores.items()}
