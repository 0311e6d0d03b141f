"""`triscale benchmark`: how long a step takes on the engines of this machine."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from triscale.cli.options.network_name import any_named
from triscale.cli.options.working_folder import foreign_code
from triscale.cli.show.output import Flag, Whole, complain, make_folder, print_json, printable
from triscale.errors import UsageError
from triscale.paper import LATENCIES
from triscale.quantities import seconds

if TYPE_CHECKING:
    from triscale.latency.measuring import Measured


def benchmark(
    *nets: Annotated[str, Parameter(name="NET")],
    engine: str = "all",
    precision: str = "float32",
    threads: str = "1",
    batch: str = "1",
    time: str = "60s",
    rounds: Whole | None = None,
    table4: Flag = False,
    out: Path | None = None,
    json: Flag = False,
) -> None:
    """Measure latency of networks side by side on several engines.

    The networks have random weights and run on pinned cores. Rounds go on until the interval of each median is narrow;
    rounds that other work disturbed are thrown out.

    Args:
        nets: network names, spec files (.json), or your own code, such as my_package.models:build.
        engine: torch, torch_compile, onnxruntime, openvino, native, several with commas, or all that are installed.
        precision: float32, bfloat16, int8, several with commas, or all that an engine runs on this machine.
        threads: threads of arithmetic; several with commas, such as 1,2.
        batch: images a step; several with commas, such as 1,8.
        time: start no round after this time, such as 60s or 5m; opening the networks is not counted.
        rounds: measure exactly so many rounds instead.
        table4: print the ratios of the paper's Table 4 beside the measured ones; without NET, measure its networks.
        out: append the record to this file (.jsonl), or write record and figure into this folder.
        json: print one JSON document instead of text.
    """
    names = nets or (tuple(one for pair in LATENCIES for one in (pair.slower, pair.faster)) if table4 else ())
    if not names:
        raise UsageError("give the networks to measure, such as triscale benchmark efficientnet_b0 mobilenet_v2.")
    networks = [any_named(net) for net in names]
    options: dict[str, Any] = {
        "engines": _words("--engine", engine),
        "precisions": _words("--precision", precision),
        "threads": _numbers("--threads", threads),
        "batches": _numbers("--batch", batch),
        "seconds": seconds(time),
        "rounds": rounds,
    }
    if out is not None:
        make_folder(out.parent if out.suffix == ".jsonl" else out)
    from triscale.api.benchmarking import benchmark as measured  # noqa: PLC0415  loads NumPy
    from triscale.cli.show.progress.benchmark_progress import watching  # noqa: PLC0415  loads rich where there is a terminal

    with watching(complain) as watch, foreign_code():
        found = measured(networks, **options, watch=watch)
    chosen = {"engine": engine, "precision": precision, "threads": threads, "batch": batch, "time": time}
    words = [word for name, value in chosen.items() for word in (f"--{name}", value)]
    words += ["--rounds", str(rounds)] * (rounds is not None) + ["--table4"] * table4
    _give(found, watch.lines, shlex.join(["triscale", "benchmark", *nets, *words]), table4=table4, out=out, json=json)


def _give(found: "Measured", notices: list[str], command: str, *, table4: bool, out: Path | None, json: bool) -> None:
    from triscale.cli.show.benchmark_result import benchmark_document, show_benchmark  # noqa: PLC0415  loads NumPy

    document = benchmark_document(found, notices, table4=table4)
    files = [] if out is None else _written(out, document, found, command)
    if json:
        print_json(document | ({"files": [str(file) for file in files]} if files else {}))
        return
    show_benchmark(found, table4=table4)
    for file in files:
        print(f"Written: {printable(file)}")


def _written(out: Path, document: dict[str, object], found: "Measured", command: str) -> list[Path]:
    from triscale.report.latency.benchmark_record import write_benchmark  # noqa: PLC0415  plotly is loaded only here

    return write_benchmark(out, document, found.measurements, command)


def _words(option: str, text: str) -> list[str]:
    words = [word.strip() for word in text.split(",")]
    if not all(words):
        raise UsageError(f"{option} is {text!r}; give names with commas between them.")
    return words


def _numbers(option: str, text: str) -> list[int]:
    words = _words(option, text)
    if not all(word.isdecimal() and word.isascii() and 0 < int(word) < 10**6 for word in words):
        raise UsageError(f"{option} is {text!r}; give whole numbers above 0 with commas between them, such as 1,8.")
    return [int(word) for word in words]
