"""`triscale cost`."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from triscale import units
from triscale.cli.options.foreign_arguments import show_foreign_cost
from triscale.cli.options.network_name import named
from triscale.cli.options.sizes_and_limits import Signed, metric_names, pixels
from triscale.cli.options.stages import pipeline_rows, show_pipeline
from triscale.cli.options.training_memory import PLAINLY, CountedTraining, MemoryOptions
from triscale.cli.show.output import Flag, Whole, print_json, print_table, print_text
from triscale.cli.show.predicted_latency import calibrated_target, latency_line, predicted_latency
from triscale.costs import by_stage as cost_by_stage
from triscale.costs import cost_on, largest_batch, metric_named, needed, registry, separable_versus_standard
from triscale.costs.sections import microbatches_for
from triscale.errors import UsageError
from triscale.latency.latency_metric import LATENCY, require_target
from triscale.quantities import BYTES
from triscale.spec import Network, is_foreign_text, resolve


def cost(
    net: Annotated[str, Parameter(name="NET")],
    /,
    *,
    resolution: str | None = None,
    batch: Whole = 1,
    trained: CountedTraining = PLAINLY,
    metric: Annotated[tuple[str, ...], Parameter(negative=(), show_default=False)] = (),
    by_stage: Flag = False,
    fit_memory: Signed | None = None,
    separable: Flag = False,
    stages: Whole | None = None,
    microbatches: Whole | None = None,
    target: str | None = None,
    calibration: Path | None = None,
    json: Flag = False,
) -> None:
    """Count what a network costs: params, MACs, activations, memory.

    Args:
        net: a network's name, a spec file (.json), or your own code, such as my_package.models:build.
        resolution: pixels, 64 or 64x96 (height x width); by default the network's own.
        batch: images a step, for the memory.
        trained: how it is trained.
        metric: also count this metric, such as file_size; may be repeated.
        by_stage: show the cost of each stage.
        fit_memory: find the largest batch that trains within a memory such as 8GiB.
        separable: show a depthwise separable convolution beside a standard one, for the kernel of each stage.
        stages: cut the network into so many stages of a pipeline at equal MACs, and predict the memory of each.
        microbatches: parts into which the pipeline splits a batch; by default four a stage.
        target: ENGINE:PRECISION:tTHREADS[:bBATCH] of a predicted latency (after `calibrate`) or --metric engine_memory.
        calibration: use this calibration file of the target, made on another machine or by another version.
        json: print one JSON document instead of text.
    """
    if is_foreign_text(net):
        others = {"--fit-memory": fit_memory, "--by-stage": by_stage, "--separable": separable, "--stages": stages}
        others |= {"--microbatches": microbatches, "--metric": metric[0] if metric else None, "--target": target}
        size = None if resolution is None else pixels(resolution)
        show_foreign_cost(net, size, batch, trained, others, json=json)
        return
    engine, further = calibrated_target(target, calibration), metric_names(metric)
    require_target(further, engine)
    network, words, training = named(net), trained.words(), replace(trained.target(batch), engine=engine)
    if resolution is not None:
        network = replace(network, resolution=pixels(resolution))
    found: dict[str, Any] = {**words} | cost_on(network, training, metrics=further).to_dict()
    if engine is not None and (LATENCY.name in further or not needed(further, "target")):
        found["latency"] = predicted_latency(network, engine, calibration)
    if fit_memory is not None:
        found["fit_memory"] = int(BYTES.read(fit_memory, "a memory"))
        found["largest_batch"] = largest_batch(network, found["fit_memory"], **words)
    if by_stage:
        found["stages"] = _stages(network)
    if separable:
        found["separable"] = _separable(network)
    found |= _pipeline(network, stages, microbatches, batch, words)
    if json:
        print_json(found)
    else:
        _show(found)


def _pipeline(
    network: Network, stages: int | None, microbatches: int | None, batch: int, words: MemoryOptions
) -> dict[str, Any]:
    if stages is None:
        if microbatches is not None:
            raise UsageError("--microbatches is for a pipeline; give --stages too.")
        return {}
    parts = microbatches or microbatches_for(batch, stages)
    return {"microbatches": parts, "pipeline": pipeline_rows(network, stages, batch, parts, words)}


def _stages(network: Network) -> list[dict[str, Any]]:
    return [row._asdict() for row in cost_by_stage(network)]


def _separable(network: Network) -> list[dict[str, Any]]:
    """One comparison a stage: its kernel from its input to its output channels, at its input's size."""
    firsts = {run.stage: run.block for run in reversed(resolve(network).runs)}
    rows = []
    for index, stage in enumerate(network.stages, 1):
        block = firsts[index]
        channels = block.layers[0].in_channels, stage.channels
        compared = separable_versus_standard(block.input, *channels, stage.kernel, stage.stride)
        rows.append(
            {
                "stage": f"stage{index}",
                "kernel": stage.kernel,
                "stride": stage.stride,
                "resolution": list(block.input),
                "in_channels": channels[0],
                "out_channels": channels[1],
                "standard": compared.standard._asdict(),
                "separable": compared.separable._asdict(),
                "macs_ratio": compared.macs_ratio,
                "params_ratio": compared.params_ratio,
            }
        )
    return rows


def _training(found: dict[str, Any]) -> str:
    words = [found["optimizer"], "in fp32" if found["precision"] == "float32" else f"in {found['precision']}"]
    words += [text for name, text in (("recompute", "blocks recomputed"), ("ema", "moving average")) if found[name]]
    return ", ".join((" ".join(words[:2]), *words[2:]))


def _kernels(found: dict[str, Any]) -> str:
    if found["kernels"] is None:
        return "tensors alone"
    return f"kernels of {found['kernels']} on {found['threads']} thread{'s' * (found['threads'] > 1)} included"


def _show(found: dict[str, Any]) -> None:
    print_text(
        f"{found['network']} at {units.size(found['resolution'])} px; memory at batch {found['batch']}: inference in "
        f"fp32, training with {_training(found)}; {_kernels(found)}",
        "",
    )
    values = {name: found[name] for name in registry() if name in found} | found["metrics"]
    rows = [(name, metric_named(name).unit.show(value), f"{value:,}") for name, value in values.items()]
    if found["kernels"]:
        rows += [(n, units.memory(found[n]), f"{found[n]:,}") for n in ("inference_kernels", "training_kernels")]
    print_table(("cost", "counted", "exactly"), rows)
    if "latency" in found:
        print_text("", latency_line(found["latency"]))
    if "largest_batch" in found:
        limit = units.memory(found["fit_memory"])
        print_text("", f"The largest batch that trains within {limit}: {found['largest_batch']:,}")
    if "stages" in found:
        _show_stages(found["stages"])
    if "separable" in found:
        _show_separable(found["separable"])
    if "pipeline" in found:
        show_pipeline(found["pipeline"], found["microbatches"])


def _show_stages(rows: list[dict[str, Any]]) -> None:
    counts = ("params", "macs", "activations")
    cells = [
        (
            row["stage"],
            row["operator"],
            str(row["blocks"]),
            *(text for name in counts for text in (units.trimmed(row[name]), f"{row[f'{name}_share']:.1%}")),
        )
        for row in rows
    ]
    print_text("")
    print_table(("stage", "operator", "blocks", "params", "", "MACs", "", "activations", ""), cells)


def _show_separable(rows: list[dict[str, Any]]) -> None:
    cells = [
        (
            row["stage"],
            f"{row['kernel']}x{row['kernel']}, s{row['stride']}",
            units.size(row["resolution"]),
            f"{row['in_channels']} -> {row['out_channels']}",
            units.trimmed(row["standard"]["macs"]),
            units.trimmed(row["separable"]["macs"]),
            f"{row['macs_ratio']:.2f}x",
            f"{row['params_ratio']:.2f}x",
        )
        for row in rows
    ]
    print_text("", "A standard convolution, and the depthwise separable one in its place (weights alone):")
    titles = ("stage", "kernel", "input", "channels", "standard MACs", "separable MACs", "fewer MACs", "fewer params")
    print_table(titles, cells)
