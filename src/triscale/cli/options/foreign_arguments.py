"""What a foreign network costs, on the command line."""

from collections.abc import Mapping
from typing import Any

from triscale import api, units
from triscale.cli.options.training_memory import CountedTraining
from triscale.cli.options.working_folder import foreign_code
from triscale.cli.show.output import print_json, print_table, print_text
from triscale.costs import metric_named
from triscale.errors import UsageError
from triscale.spec import ForeignNetwork, Size

_COSTS = ("params", "macs", "activations", "inference_memory", "training_memory", "file_size")


def show_foreign_cost(
    name: str, size: Size | None, batch: int, trained: CountedTraining, others: Mapping[str, object], *, json: bool
) -> None:  # fmt: skip
    """The cost of a foreign network as a table or as JSON.

    Args:
        name: see `triscale.spec.foreign_text`.
        size: (height, width) in pixels; None: its own.
        batch: images a step.
        trained: how it is trained; it has no kernels and no blocks to recompute.
        others: options of our own networks, by name; none may be given.
        json: whether to print JSON.

    Raises:
        UsageError: an option that is for our own networks.
    """
    others = {"--gradient-checkpointing": trained.recompute, **others}
    if given := [option for option, value in others.items() if value not in (None, False, ())]:
        raise UsageError(f"{given[0]} needs to know the blocks of a network; {name} is code of its own. Leave it out.")
    words = trained.words()
    training = {"optimizer": words["optimizer"], "precision": words["precision"], "ema": words["ema"]}
    network = ForeignNetwork.parse(name)
    with foreign_code():
        found = training | api.cost(
            network, resolution=size, batch=batch, weights_precision=trained.target(batch).stored, **words
        ).to_dict()  # fmt: skip
    print_json(found) if json else _show(found)


def _show(found: Mapping[str, Any]) -> None:
    precision = "fp32" if found["precision"] == "float32" else found["precision"]
    average = ", moving average" if found["ema"] else ""
    print_text(
        f"{found['network']} at {units.size(found['resolution'])} px, {found['classes']} classes, counted by torch "
        f"({found['counted']}); memory at batch {found['batch']}: inference in fp32, training with "
        f"{found['optimizer']} in {precision}{average}; tensors alone",
        "",
    )
    rows = [(name, metric_named(name).unit.show(found[name]), f"{found[name]:,}") for name in _COSTS]
    print_table(("cost", "counted", "exactly"), rows)
