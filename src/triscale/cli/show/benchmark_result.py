"""What `triscale benchmark` prints: a table, the paper's ratios, and what to know before believing them."""

from collections.abc import Iterator, Sequence

from triscale import units
from triscale.cli.show.interval_cell import explanation, interval_cell
from triscale.cli.show.output import print_table, print_text
from triscale.latency.measuring import LatencyRatio, Measured, Measurement, ratios
from triscale.paper import LATENCIES, LatencyPair

DOUBT = "~"
"""Behind a figure that is not clean."""

_TITLES = ("network", "engine", "precision", "threads", "batch", "ms", "95% interval", "CPU ms", "rounds")
_SIZES = ("peak memory", "before", "grew by", "counted", "file")


def benchmark_document(found: Measured, notices: Sequence[str], *, table4: bool) -> dict[str, object]:
    """The document of `--json`, and of a record."""
    document = found.to_dict() | {"notices": list(notices)}
    if table4:
        document["table4"] = [_ratio_row(pair, one) for pair, one in _pairs(found)]
    return document


def show_benchmark(found: Measured, *, table4: bool) -> None:
    """Print the tables."""
    print_table((*_TITLES, *_SIZES), [_cells(one) for one in _sorted(found.measurements)])
    print_text("", *_remarks(found))
    if table4:
        _show_table4(found)


def _sorted(measurements: Sequence[Measurement]) -> list[Measurement]:
    """By network, threads and batch in their order; within them the fastest first."""
    names = list(dict.fromkeys(one.network for one in measurements))
    return sorted(
        measurements, key=lambda one: (names.index(one.network), one.target.threads, one.target.batch, one.median_ms)
    )


def milliseconds(value: float) -> str:
    """Four digits: 12.34, 0.1234."""
    return f"{value:.4g}" if value < 1000 else f"{value:,.0f}"


def _cells(one: Measurement) -> Sequence[str]:
    target, opening = one.target, one.opening
    mark = "" if one.clean else DOUBT
    return (
        one.network,
        target.runtime,
        target.precision,
        str(target.threads),
        str(target.batch),
        milliseconds(one.median_ms) + mark,
        interval_cell(one.interval_ms, one.coverage, milliseconds),
        units.MISSING if one.lowest_cpu_ms is None else milliseconds(one.lowest_cpu_ms),
        str(len(one.rounds_ms)),
        *map(_memory, (opening.peak_memory, opening.memory_before, opening.growth, opening.counted_growth)),
        units.memory(opening.file_size),
    )


def _memory(value: int | None) -> str:
    return units.MISSING if value is None else units.memory(value)


def _remarks(found: Measured) -> Iterator[str]:
    cores = ", ".join(map(str, found.cores))
    yield f"Milliseconds of a step: medians over interleaved rounds; cores {cores} of {found.machine['cpu']}."
    yield "CPU ms: time of the processor in one thread, the 5th percentile of all runs."
    yield "grew by: peak memory of the process, less that before the network was opened; counted: from the spec."
    yield from explanation([one.coverage for one in found.measurements])
    if not found.clean:
        yield (
            f"The machine was loaded: the reference took up to {found.slowest:.2f} times its best. No figure with "
            f"{DOUBT} is clean;\nmeasure again on a quiet machine, or compare CPU ms."
        )
    discarded = max(one.discarded for one in found.measurements)
    if discarded and found.clean:
        yield f"{units.counted(discarded, 'round')} thrown out: the machine was disturbed."
    wide = sum(not one.narrow for one in found.measurements)
    if wide:
        ended = "The time ended first" if found.out_of_time else "The rounds ended first"
        yield (
            f"{ended}: {wide} of {len(found.measurements)} intervals are wider than {found.limits.width:.0%} of their "
            "median. Give more --time."
        )
    if found.groups > 1:
        yield f"Memory does not hold all at once: they ran in {found.groups} groups, all networks of a target together."
    for one in found.measurements:
        if one.target.runtime == "torch_compile":
            yield f"torch took {one.opening.seconds:.0f} s to compile {one.network} in {one.target.precision}."


def _pairs(found: Measured) -> Iterator[tuple[LatencyPair, LatencyRatio]]:
    for pair in LATENCIES:
        for one in ratios(found.measurements, pair.slower, pair.faster):
            yield pair, one


def _ratio_row(pair: LatencyPair, one: LatencyRatio) -> dict[str, object]:
    return {
        "slower": pair.slower,
        "faster": pair.faster,
        "target": str(one.target),
        "paper_ratio": pair.ratio,
        "ratio": one.ratio,
        "interval": list(one.interval),
        "coverage": one.coverage,
        "cpu_ratio": one.cpu_ratio,
        "clean": one.clean,
    }


def _show_table4(found: Measured) -> None:
    rows = [
        (
            f"{pair.slower_label} / {pair.faster_label}",
            str(one.target),
            units.ratio(pair.ratio),
            units.ratio(one.ratio) + ("" if one.clean else DOUBT),
            interval_cell(one.interval, one.coverage, "{:.2f}".format),
            units.ratio(one.cpu_ratio),
        )
        for pair, one in _pairs(found)
    ]
    print_text("", "Table 4 of the paper: latency of one image on one core of an Intel Xeon E5-2690 (2019)", "")
    if rows:
        print_table(("networks", "target", "paper", "here", "95% interval", "by CPU ms"), rows)
    measured = {(pair.slower, pair.faster) for pair, _ in _pairs(found)}
    for pair in LATENCIES:
        if (pair.slower, pair.faster) not in measured:
            print_text(f"{pair.slower_label} / {pair.faster_label}: not both were measured on one target.")
