"""Pipelines on the command line: what each stage costs, and the processes of a training that hold a stage each."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from cyclopts import Parameter

from triscale import units
from triscale.cli.options.training_memory import MemoryOptions
from triscale.cli.show.output import Whole, print_table, print_text
from triscale.costs.sections import PipelineSchedule, cut, microbatches_for, pipeline_memory
from triscale.errors import UsageError
from triscale.spec import Network, Resolved, resolve

if TYPE_CHECKING:
    from triscale.training import World


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class PipelineArguments:
    """How processes share one network; a command takes it as the argument `line: Line = NO_LINE`.

    Attributes:
        pipeline: cut the network into so many stages, one for each process that torchrun started; by default every
            process has the whole network and a share of each batch.
        microbatches: parts into which the pipeline splits a batch; by default four a stage.
        schedule: 1f1b, or gpipe, which needs more memory for the same gradient.
    """

    pipeline: Whole | None = None
    microbatches: Whole | None = None
    schedule: str = "1f1b"

    def world(self, there: "World", batch: int, *, auto: bool) -> "World":
        """The processes as what they are to be; `auto`: the batch was to be split by memory."""
        if self.pipeline is None:
            if self.microbatches is not None:
                raise UsageError("--microbatches is for a pipeline; give --pipeline too.")
            return there
        if self.pipeline != there.size or there.size < 2:
            raise UsageError(
                f"--pipeline {self.pipeline} needs as many processes, two at least, and there are {there.size}.\n"
                f"Start it with torchrun --nproc-per-node {max(2, self.pipeline)} -m triscale train ..."
            )
        if auto:
            raise UsageError("--batch auto splits a batch by itself; give a pipeline a number and --microbatches.")
        count = self.microbatches or microbatches_for(batch, there.size)
        if batch % count or not there.size <= count <= batch // 2:
            raise UsageError(
                f"a batch of {batch} cannot be split into {count} micro-batches for {there.size} stages.\n"
                f"Give {there.size} or more that divide it and leave two images in each."
            )
        from triscale.training import Pipelined  # noqa: PLC0415  torch is loaded only here

        return Pipelined(
            there.rank, there.size, there.local_rank, microbatches=count, schedule=_schedule(self.schedule)
        )


NO_LINE = PipelineArguments()
"""Every process has all of the network."""


def _schedule(text: str) -> PipelineSchedule:
    for known in get_args(PipelineSchedule):
        if text == known:
            kind: PipelineSchedule = known
            return kind
    raise UsageError(f"unknown schedule {text!r}; allowed: {', '.join(get_args(PipelineSchedule))}.")


def pipeline_rows(
    network: Network, stages: int, batch: int, microbatches: int, words: MemoryOptions
) -> list[dict[str, Any]]:
    """One row a stage of a pipeline, JSON-ready; memory in bytes by schedule."""
    resolved = resolve(network)
    sections = cut(resolved, stages)
    memory = {
        one: pipeline_memory(resolved, sections, batch, microbatches, schedule=one, **words)
        for one in get_args(PipelineSchedule)
    }
    names, macs = _names(resolved), sum(one.macs for one in sections)
    return [
        {
            "first": names[one.first],
            "last": names[one.end - 1],
            "blocks": one.end - one.first,
            "params": one.params,
            "macs": one.macs,
            "macs_share": one.macs / macs,
            "activations": one.activations,
            "sends": [list(shape) for shape in one.gives],
            "memory": {name: found[index] for name, found in memory.items()},
        }
        for index, one in enumerate(sections)
    ]


def show_pipeline(rows: list[dict[str, Any]], microbatches: int) -> None:
    """The rows as a table."""
    print_text("", f"A pipeline of {len(rows)} stages; memory of each in training with {microbatches} micro-batches:")
    cells = [
        (
            str(index),
            f"{row['first']} to {row['last']}",
            str(row["blocks"]),
            units.trimmed(row["params"]),
            units.trimmed(row["macs"]),
            f"{row['macs_share']:.1%}",
            units.trimmed(row["activations"]),
            " + ".join("x".join(map(str, shape)) for shape in row["sends"]) or "-",
            *map(units.memory, row["memory"].values()),
        )
        for index, row in enumerate(rows)
    ]
    titles = ("", "from", "blocks", "params", "MACs", "", "activations", "sends an image", *rows[0]["memory"])
    print_table(titles, cells)


def _names(resolved: Resolved) -> list[str]:
    """`stem`, `stage1.0` and so on, as weights are named, but for the stages, which count from 1; `head`."""
    names, before, place = [], 0, 0
    for stage, _ in resolved.flat():
        place = place + 1 if stage == before else 0
        before = stage
        names.append("stem" if stage == 0 else "head" if stage < 0 else f"stage{stage}.{place}")
    return names
