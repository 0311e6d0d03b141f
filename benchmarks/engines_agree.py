"""Whether `triscale benchmark` measures what others measure: OpenVINO's benchmark_app and a plain ONNX Runtime loop.

All of them run the same network on one core, in turn, round after round. Of each round the 5th percentile of the runs
counts, by the processor's clock and by the wall's: on a loaded machine only the first means something. A second pair of
graphs shows that the graph which is written from the spec takes as long as the one that `torch.onnx.export` makes, as
`triscale export` does.

    python -m benchmarks.engines_agree --rounds 9
"""

import argparse
import contextlib
import io
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import quantiles
from time import perf_counter_ns, process_time_ns
from typing import IO, Any, cast

from benchmarks.harness import append, processor, provenance
from triscale.costs import Target
from triscale.engines import engine_named, graph_for
from triscale.families import network
from triscale.intervals import Interval, interval
from triscale.latency.measuring.loaded_group import Subject
from triscale.latency.measuring.messages import Loaded, Step, Timed
from triscale.latency.measuring.pinned_process import PinnedProcess
from triscale.machine import pin, separate_cores
from triscale.spec import Network

RUNS = 60
"""Of each in a round, at least."""

ALLOWED = 0.03

CLOCKS = ("cpu", "wall")

Runner = Callable[[], Timed]
"""Some runs."""


@dataclass(frozen=True)
class Pair:
    """Two that should take the same time."""

    ours: str
    theirs: str


PAIRS = (
    Pair("openvino", "benchmark_app"),
    Pair("onnxruntime", "plain loop"),
    Pair("openvino", "openvino, torch's graph"),
    Pair("onnxruntime", "onnxruntime, torch's graph"),
)


def main() -> None:
    """Measure, print the ratios and append the record."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--network", default="efficientnet_b0")
    options.add_argument("--rounds", type=int, default=9)
    options.add_argument("--app", help=argparse.SUPPRESS)
    options.add_argument("--loop", help=argparse.SUPPRESS)
    options.add_argument("--core", type=int, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.core is not None:
        pin([chosen.core])
        child(chosen.app, chosen.loop)
        return
    begun = provenance("engines_agree")  # before anybody edits a file
    with runners(network(chosen.network)) as found:
        rounds = measured(found, chosen.rounds)
    append({**begun, **result(chosen.network, rounds)})


def result(name: str, rounds: Mapping[str, Sequence[Timed]]) -> dict[str, object]:
    """What the record says beside where it was made; the ratios are printed too."""
    low = {clock: {one: lows(values, clock) for one, values in rounds.items()} for clock in CLOCKS}
    ratios = {
        clock: {f"{pair.ours} / {pair.theirs}": ratio(of[pair.ours], of[pair.theirs]) for pair in PAIRS}
        for clock, of in low.items()
    }
    for clock, pairs in ratios.items():
        for pair, one in pairs.items():
            word = "agree" if abs(one.median - 1) <= ALLOWED else "differ"
            print(f"{clock:4} {pair}: {one.median:.3f} ({one.low:.3f} to {one.high:.3f}), {word}")
    return {
        "network": name,
        "n": len(next(iter(rounds.values()))),
        "milliseconds": {clock: {one: asdict(interval(v)) for one, v in of.items()} for clock, of in low.items()},
        "ratios": {clock: {one: asdict(value) for one, value in of.items()} for clock, of in ratios.items()},
        "versions": {one: engine_named(one).version() for one in ("onnxruntime", "openvino", "torch")},
    }


def table(entry: Mapping[str, Any]) -> list[str]:
    """A record as lines of Markdown, for docs/benchmark.md."""
    rows = [
        f"| {pair} | {' | '.join(_cell(entry['ratios'][clock][pair]) for clock in CLOCKS)} |"
        for pair in entry["ratios"]["cpu"]
    ]
    where = f"`{entry['network']}`, {entry['n']} rounds, {processor(entry)}, {entry['date'][:10]}"
    return [f"{where}:", "", "| ratio | by the processor's clock | on the wall's |", "|---|---|---|", *rows]


def _cell(one: Mapping[str, float]) -> str:
    return f"{one['median']:.3f} ({one['low']:.3f} to {one['high']:.3f})"


def lows(rounds: Sequence[Timed], clock: str) -> list[float]:
    """The 5th percentile of each round."""
    return [quantiles(getattr(one, clock), n=20, method="inclusive")[0] for one in rounds]


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Interval:
    """The median of the ratios within each round."""
    return interval([a / b for a, b in zip(ours, theirs, strict=True)])


def measured(found: Mapping[str, Runner], rounds: int) -> dict[str, list[Timed]]:
    """The runs of each in each round; every second round runs backwards."""
    runs: dict[str, list[Timed]] = {name: [] for name in found}
    for index in range(rounds):
        for name in list(found)[:: -1 if index % 2 else 1]:
            runs[name].append(found[name]())
    return runs


@contextmanager
def runners(net: Network) -> Iterator[dict[str, Runner]]:
    """All of them, on one core, with the graphs in a folder that goes away."""
    (core,) = separate_cores(1)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        written, traced = folder / "written.onnx", folder / "traced.onnx"
        written.write_bytes(graph_for(net, Target()))
        traced.write_bytes(torch_graph(net))
        found: dict[str, Runner] = {}
        for name in ("openvino", "onnxruntime"):
            for suffix, graph in (("", written), (", torch's graph", traced)):
                subject = Subject(network=net, target=Target(runtime=name), file=graph)
                found[name + suffix] = visits(stack, subject, core)
        yield found | {"benchmark_app": partial(app, written, core), "plain loop": loop(stack, written, core)}


def torch_graph(net: Network) -> bytes:
    """As `triscale export` traces it, with random weights."""
    import torch

    from triscale.deploy.traced import quiet
    from triscale.nn import build

    with quiet():
        example = torch.zeros(1, net.input_channels, *net.resolution)
        program = torch.onnx.export(build(net).eval(), (example,), dynamo=True, verbose=False)
    assert program is not None  # noqa: S101  it is None only where a file is written
    payload: bytes = program.model_proto.SerializeToString()
    return payload


def visits(stack: ExitStack, subject: Subject, core: int) -> Runner:
    """A worker of `triscale benchmark`, visited until there are runs enough."""
    worker = stack.enter_context(PinnedProcess((core,), {}))
    worker.ask(subject.load(0), Loaded)

    def run() -> Timed:
        wall: list[float] = []
        cpu: list[float] = []
        while len(wall) < RUNS:
            found = worker.ask(Step(key=0), Timed)
            wall += found.wall
            cpu += found.cpu
        return Timed(wall=wall, cpu=cpu)

    return run


def app(graph: Path, core: int) -> Timed:
    """OpenVINO's own benchmark in a process of its own."""
    done = subprocess.run([*_self(core), "--app", str(graph)], capture_output=True, text=True, check=True)
    return Timed(**json.loads(done.stdout.splitlines()[-1]))


def loop(stack: ExitStack, graph: Path, core: int) -> Runner:
    """A plain loop in a process of its own, which runs once for each line that it gets."""
    command = [*_self(core), "--loop", str(graph)]
    process = stack.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
    stack.callback(process.kill)
    return partial(_next, cast("IO[str]", process.stdin), cast("IO[str]", process.stdout))


def _self(core: int) -> list[str]:
    return [sys.executable, "-m", "benchmarks.engines_agree", "--core", str(core)]


def _next(given: IO[str], answers: IO[str]) -> Timed:
    given.write("\n")
    given.flush()
    return Timed(**json.loads(answers.readline()))


def child(app_graph: str | None, loop_graph: str | None) -> None:
    """What the processes of the others do."""
    if app_graph is not None:
        print(json.dumps(run_app(app_graph)))
    if loop_graph is not None:
        plain_loop(loop_graph)


def run_app(graph: str) -> dict[str, list[float]]:
    """OpenVINO's benchmark: no hint, one stream, one thread, synchronous; with two clocks around its request."""
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # no such module: nothing is sent
    from openvino.tools.benchmark import benchmark, main

    requests: list[Clocked] = []
    create = benchmark.Benchmark.create_infer_requests

    def clocked(self: Any, compiled: Any) -> list["Clocked"]:
        requests[:] = [Clocked(one) for one in create(self, compiled)]
        return requests

    benchmark.Benchmark.create_infer_requests = clocked
    options = f"-m {graph} -d CPU -hint none -nstreams 1 -nthreads 1 -api sync -niter {RUNS + 5} -infer_precision f32"
    sys.argv = ["benchmark_app", *options.split()]
    with contextlib.redirect_stdout(io.StringIO()):
        main.main()
    (one,) = requests
    return {"wall": one.wall[-RUNS:], "cpu": one.cpu[-RUNS:]}


class Clocked:
    """A request of OpenVINO whose runs are timed by both clocks; all else is the request's."""

    def __init__(self, request: Any) -> None:
        self.request = request
        self.wall: list[float] = []
        self.cpu: list[float] = []

    def infer(self) -> None:
        """Run it."""
        worked, start = process_time_ns(), perf_counter_ns()
        self.request.infer()
        self.wall.append((perf_counter_ns() - start) / 1e6)
        self.cpu.append((process_time_ns() - worked) / 1e6)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.request, name)


def plain_loop(graph: str) -> None:
    """What anybody would write: a session, some runs to warm up, some runs with clocks around each."""
    import numpy as np
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    images = np.random.default_rng(0).standard_normal(given.shape).astype(np.float32)
    for _ in sys.stdin:
        wall, cpu = [], []
        for _ in range(RUNS + 5):
            worked, start = process_time_ns(), perf_counter_ns()
            session.run(None, {given.name: images})
            wall.append((perf_counter_ns() - start) / 1e6)
            cpu.append((process_time_ns() - worked) / 1e6)
        print(json.dumps({"wall": wall[5:], "cpu": cpu[5:]}), flush=True)


if __name__ == "__main__":
    main()
