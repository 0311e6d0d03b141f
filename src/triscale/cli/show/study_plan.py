"""What `triscale study --plan` shows."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from triscale import units
from triscale.cli.show.output import print_table, print_text
from triscale.spec import to_document

if TYPE_CHECKING:
    from triscale.search.planning.plan import StudyPlan
    from triscale.search.studies.study import Study


def plan_document(study: "Study", plan: "StudyPlan") -> dict[str, Any]:
    """The `plan` record of docs/records.md with its networks, the folder, the jobs, and the counts of the data."""
    source, record = study.source, plan.record(study.question, study.source.native)
    networks = {one.id: to_document(one.network) for one in (plan.baseline, *plan.candidates)}
    document: dict[str, Any] = msgspec.to_builtins(record)
    for one in (document["baseline"], *document["candidates"]):
        one["network"] = networks[one["id"]]
    document["recipe"] = record.recipe.to_dict()
    return {
        "folder": str(study.folder),
        "jobs": study.jobs,
        "data": {
            "source": source.name,
            "classes": list(source.classes),
            "native": source.native,
            **study.counts,
            "test_from": source.test_from,
            "skipped": source.skipped,
            "notes": list(source.notes),
        },
        **document,
        "remarks": plan.remarks(study.counts["validation"]),
    }


def show_plan(document: dict[str, Any]) -> None:
    """The plan as text."""
    data = document["data"]
    print_text(
        f"data      {data['source']}: {len(data['classes'])} classes; {data['train']:,} images for training, "
        f"{data['validation']:,} for validation, {data['test']:,} for the test (from {data['test_from']})",
        *(f"          {note}" for note in data["notes"]),
        f"training  {document['epochs']} epochs of {document['train_size']:,} images, seeds "
        f"{', '.join(map(str, document['seeds']))}; {document['jobs']} trainings at a time",
        f"networks  {len(document['candidates'])} candidates of {document['distinct']:,} distinct ones of "
        f"{document['target']:g} times the {_cost_word(document.get('cost', 'macs'))}",
        f"family    phi {', '.join(f'{phi:.3g}' for phi in document['phis'])}",
        f"time      {units.duration(document['predicted_seconds'])} predicted for {document['trainings']} trainings",
        f"folder    {document['folder']}",
        *(f"note      {remark}" for remark in document["remarks"]),
        "",
    )
    rows = [_row(one) for one in (document["baseline"], *document["candidates"])]
    print_table(
        ("network", "depth", "width", "resolution", "repeats", "channels", "px", "params", "MACs", "ratio", "remark"),
        rows,
    )
    if document["baseline"]["cell"]:
        print_text(
            "", "depth, width, resolution: the centre of the cell [low, high] of triples that round to the network"
        )


def _cost_word(metric: str) -> str:
    return "cost" if metric == "macs" else metric


def _row(one: dict[str, Any]) -> list[str]:
    factors, cell, network = one["factors"], one["cell"], one["network"]
    remarks = [] if one["within"] or one["rule"] == "baseline" else ["outside the tolerance"]
    remarks += [f"{one['merged']} grid triples merged"] if one["merged"] > 1 else []
    remarks += ["more pixels than the originals"] if one["upsampled"] else []
    return [
        one["rule"],
        *(_factor(factors[name], cell and cell[name]) for name in ("depth", "width", "resolution")),
        ",".join(str(stage["repeats"]) for stage in network.get("stages", ())) or units.MISSING,
        ",".join(str(stage["channels"]) for stage in network.get("stages", ())) or units.MISSING,
        units.size(network["resolution"]),
        units.trimmed(one["cost"]["params"]),
        units.trimmed(one["cost"]["macs"]),
        f"{one['ratio']:.3f}",
        "; ".join(remarks),
    ]


def _factor(value: float, cell: Sequence[float] | None) -> str:
    return f"{value:.3f}" + (f" [{cell[0]:.3f}, {cell[1]:.3f}]" if cell else "")
