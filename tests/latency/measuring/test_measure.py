"""The measurement as a whole, with real engines in real processes on a small network."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from triscale.api.benchmarking import benchmark
from triscale.costs import Target
from triscale.errors import InputError, UsageError
from triscale.families import network
from triscale.latency.measuring import (
    Limits,
    Measured,
    Measurement,
    Opening,
    measure,
    measure_subjects,
    possible_targets,
    ratios,
)
from triscale.latency.measuring.loaded_group import Subject
from triscale.latency.measuring.measure_all import grouped
from triscale.latency.measuring.messages import Load, Loaded, Multiply, Step, Timed, Weigh, Weighed
from triscale.latency.measuring.pinned_process import PinnedProcess
from triscale.latency.measuring.resident import peak_bytes, resident_bytes
from triscale.latency.measuring.results import Ready
from triscale.latency.silent_watch import SilentWatch
from triscale.machine import separate_cores

NET = network("smallnet_24")
ORT, OPENVINO = (Target(runtime=name) for name in ("onnxruntime", "openvino"))


@pytest.fixture(scope="module")
def measured() -> Measured:
    """Of two engines that start fast."""
    return measure([NET], [ORT, OPENVINO], Limits(rounds=6), SilentWatch())


def test_every_network_is_measured_on_every_target(measured: Measured) -> None:
    assert [(one.network, one.target) for one in measured.measurements] == [(NET.name, ORT), (NET.name, OPENVINO)]
    for one in measured.measurements:
        low, high = one.interval_ms
        assert 0 < low <= one.median_ms <= high
        assert one.coverage >= 0.95
        assert len(one.rounds_ms) == 6, "with one less no interval has 95%, so all are shown, as doubtful"
        assert not (one.discarded and one.clean)
        assert one.lowest_cpu_ms is not None
        assert one.cpu_ms is not None
        assert 0 < one.lowest_cpu_ms <= 1.05 * one.cpu_ms


def test_memory_is_that_of_a_process_with_this_network_alone(measured: Measured) -> None:
    """More than the library, by more than the weights; a process that imports nothing is far below."""
    for one in measured.measurements:
        before, peak = one.opening.memory_before, one.opening.peak_memory
        assert before is not None
        assert peak is not None
        assert peak - before > one.opening.file_size
        assert 20e6 < before < 1e9


def test_a_second_process_on_the_core_makes_every_figure_doubtful() -> None:
    """A real load, on the same core, from before to after."""
    (core,) = separate_cores(1)
    spin = f"import os\nos.sched_setaffinity(0, {{{core}}})\nwhile True: pass"
    with subprocess.Popen([sys.executable, "-c", spin]) as other:
        try:
            found = measure([NET], [ORT], Limits(rounds=6), SilentWatch())
        finally:
            other.kill()
    assert not found.clean


def test_a_worker_is_pinned_and_its_libraries_have_a_thread_a_core() -> None:
    (core,) = separate_cores(1)
    with PinnedProcess((core,), {}) as worker:
        assert len(worker.ask(Multiply(), Timed).wall) == 1
        assert os.sched_getaffinity(worker._process.pid) == {core}
        environment = Path(f"/proc/{worker._process.pid}/environ").read_bytes().split(b"\0")
        assert b"OMP_NUM_THREADS=1" in environment
        loaded = worker.ask(load(ORT), Loaded)
        threads = len(list(Path(f"/proc/{worker._process.pid}/task").iterdir()))
        assert loaded.file_size > 0
        assert threads <= 3, "the main thread, the one that watches its parent, and one of the runtime"


def load(target: Target) -> Load:
    return Subject(network=NET, target=target).load(0)


def test_a_worker_that_ends_is_a_message_and_no_wait() -> None:
    with PinnedProcess(separate_cores(1), {}) as worker:
        worker._process.kill()
        with pytest.raises(InputError, match="was killed, perhaps for want of memory"):
            worker.ask(Weigh(), Weighed)


def test_what_a_worker_prints_is_heard_only_when_it_fails(capfd: pytest.CaptureFixture[str]) -> None:
    with PinnedProcess(separate_cores(1), {"OMP_DISPLAY_ENV": "true"}) as worker:
        worker.ask(load(ORT), Loaded)
        with pytest.raises(InputError, match=r"ended with exit code 1: KeyError: 7\."):
            worker.ask(Step(key=7), Timed)
    assert capfd.readouterr() == ("", "")


def test_what_an_engine_rejects_is_a_message_of_the_worker_and_it_lives_on(tmp_path: Path) -> None:
    graph = tmp_path / "x.onnx"
    graph.write_bytes(b"no graph")
    with PinnedProcess(separate_cores(1), {}) as worker:
        with pytest.raises(InputError, match="rejects the graph"):
            worker.ask(Subject(network=NET, target=ORT, file=graph).load(0), Loaded)
        worker.ask(load(ORT), Loaded)
        assert worker.ask(Step(key=0), Timed).wall


def test_networks_that_no_engine_opens_are_notices_and_in_the_end_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise InputError("too large a graph.")

    monkeypatch.setattr("triscale.latency.measuring.measure_all._file", refused)
    watch = SilentWatch()
    with pytest.raises(InputError, match="none of the networks"):
        measure([NET], [ORT], Limits(rounds=1), watch)
    assert watch.lines == ["smallnet_24 on onnxruntime:float32:t1:b1: too large a graph."]


def test_more_threads_than_cores_are_a_mistake() -> None:
    with pytest.raises(UsageError, match="100000 threads need as many cores"):
        measure([NET], [Target(runtime="onnxruntime", threads=100_000)], Limits(rounds=1), SilentWatch())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"engines": "onxruntime"}, "did you mean 'onnxruntime'"),
        ({"precisions": "fp32"}, "did you mean 'float32'"),
        ({"precisions": "float16"}, "unknown precision 'float16'"),
        ({"threads": 0}, "threads is 0"),
        ({"batches": (1, 0)}, "batches is 0"),
        ({"seconds": 0}, "above 0"),
        ({"rounds": 0}, "rounds is 0"),
    ],
)
def test_a_mistake_is_found_before_anything_is_opened(options: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        benchmark(NET, **options)  # type: ignore[arg-type]


def test_no_network_is_a_mistake() -> None:
    with pytest.raises(UsageError, match="no network"):
        benchmark([])


def test_what_cannot_run_here_is_left_out_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    watch = SilentWatch()
    found = possible_targets(["openvino", "onnxruntime"], ["all"], [1, 2], [1, 8], watch.notice)
    assert {str(one) for one in found} == {
        f"onnxruntime:{precision}:t{t}:b{b}" for precision in ("float32", "int8") for t in (1, 2) for b in (1, 8)
    }
    assert watch.lines == [
        "openvino is left out: openvino is not installed: pip install 'triscale[openvino]'",
        "onnxruntime in bfloat16 is left out: ONNX Runtime has no bfloat16 convolution for CPUs",
    ]


def test_where_nothing_can_run_the_error_says_how_to_install_it_even_to_those_who_watch_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(InputError, match=r"^nothing to measure: openvino .* pip install 'triscale\[openvino\]'\.$"):
        benchmark(NET, engines="openvino")


def test_where_nothing_can_be_opened_the_error_has_the_reason(tmp_path: Path) -> None:
    (tmp_path / "broken.onnx").write_bytes(b"no graph")
    broken = Subject(network=NET, target=ORT, file=tmp_path / "broken.onnx")
    with pytest.raises(InputError, match=r"could be opened.* smallnet_24 on onnxruntime.*rejects the graph"):
        measure_subjects([broken], Limits(rounds=1), SilentWatch())


def ready(target: Target, taken: int) -> Ready:
    opening = Opening(seconds=1.0, file_size=1, version="1", memory_before=100, peak_memory=100 + taken)
    return Ready(subject=Subject(network=NET, target=target), opening=opening)


def test_what_memory_does_not_hold_at_once_runs_in_groups_and_no_target_is_parted() -> None:
    parts = [ready(target, 40) for target in (ORT, OPENVINO, Target()) for _ in range(2)]
    assert [len(group) for group in grouped(parts, 170)] == [4, 2]
    assert [len(group) for group in grouped(parts, 1)] == [2, 2, 2]
    assert [len(group) for group in grouped(parts, float("inf"))] == [6]


def result(name: str, *rounds: float, clean: bool = True) -> Measurement:
    return Measurement(
        network=name, target=ORT, median_ms=1.0, interval_ms=(1.0, 1.0), coverage=1.0, cpu_ms=1.0,
        lowest_cpu_ms=min(rounds), rounds_ms=rounds, discarded=0, clean=clean, narrow=True,
        opening=Opening(seconds=1.0, file_size=1, version="1"),
    )  # fmt: skip


def test_a_ratio_is_taken_within_rounds_so_that_drift_cancels() -> None:
    slow, fast = result("slow", *(2.0 * i for i in range(1, 8))), result("fast", *map(float, range(1, 8)), clean=False)
    (found,) = ratios([slow, fast], "slow", "fast")
    assert (found.ratio, found.interval, found.cpu_ratio, found.clean) == (2.0, (2.0, 2.0), 2.0, False)
    assert list(ratios([slow, fast], "slow", "other")) == []


def test_a_ratio_of_few_rounds_says_how_surely_its_interval_holds() -> None:
    for rounds, coverage in (((1.0,), 0.0), ((1.0, 2.0, 3.0), 0.75), ((1.0, 2.0, 3.0, 4.0, 5.0, 6.0), 0.96875)):
        (found,) = ratios([result("slow", *rounds), result("fast", *rounds)], "slow", "fast")
        assert found.coverage == coverage


def test_the_memory_of_a_process_is_read_as_linux_writes_it(tmp_path: Path) -> None:
    status = tmp_path / "status"
    status.write_text("Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n")
    assert (peak_bytes(status), resident_bytes(status)) == (2 << 20, 1 << 20)
    assert resident_bytes(tmp_path / "absent") is None
    assert (peak_bytes(tmp_path / "absent") or 0) > 1 << 20, "by another call where there is no such file"
