"""`scale --budget latency=...` and `compare --equal latency`, on a calibration and a stopwatch that are a formula."""

from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.cli.conftest import Run
from tests.cli.test_calibrate import TARGET, keep
from tests.latency.predictor.world import network_ms
from triscale.costs import Target
from triscale.latency import clocked_fit, clocked_networks, equal_latency
from triscale.latency.measuring import Measurement, Opening
from triscale.spec import Network

Measure = Callable[..., SimpleNamespace]


def stopwatch(*, clean: bool = True, off: float = 1.0, opens: int | None = None) -> Measure:
    """Measures what the formula says, times an error; networks beyond the first `opens` cannot be opened."""

    def measure(networks: Sequence[Network], targets: Sequence[Target], _: object, watch: object) -> SimpleNamespace:
        kept = networks[:opens]
        if len(kept) < len(networks):
            watch.notice("its block is not known")  # type: ignore[attr-defined]
        found = [measured(one, targets[0], off * network_ms(one), clean=clean) for one in kept]
        return SimpleNamespace(measurements=tuple(found), clean=clean)

    return measure


def measured(network: Network, target: Target, milliseconds: float, *, clean: bool) -> Measurement:
    return Measurement(
        network=network.name, target=target, median_ms=milliseconds * (1.0 if clean else 1.4), coverage=0.95,
        interval_ms=(milliseconds, milliseconds), cpu_ms=milliseconds, lowest_cpu_ms=milliseconds,
        rounds_ms=(milliseconds,), discarded=0, clean=clean, narrow=True,
        opening=Opening(seconds=1.0, file_size=1, version="1"),
    )  # fmt: skip


@pytest.fixture(autouse=True)
def calibrated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A cache folder with a calibration, and a quiet machine."""
    monkeypatch.setenv("TRISCALE_CACHE", str(tmp_path))
    keep()
    monkeypatch.setattr(equal_latency, "STEPS", 1)
    set_watch(monkeypatch, stopwatch())
    return monkeypatch


def set_watch(patch: pytest.MonkeyPatch, watch: Measure) -> None:
    patch.setattr(clocked_fit, "measure", watch)
    patch.setattr(clocked_networks, "measure", watch)


def test_scale_answers_with_a_network_that_keeps_the_limit_as_measured(
    run: Run, calibrated: pytest.MonkeyPatch
) -> None:
    set_watch(calibrated, stopwatch(off=1.08))
    found = run("scale", "smallnet_48", "--budget", "latency=1.5ms", "--target", TARGET, "--json").json
    latency = found["latency"]
    assert latency["target"] == f"{TARGET}:b1"
    assert latency["measured_ms"] <= 1.5
    assert latency["measured_ms"] == pytest.approx(1.08 * latency["predicted_ms"], rel=0.1)
    assert latency["clean"]


def test_a_loaded_machine_is_said_beside_the_answer_and_in_the_table(run: Run, calibrated: pytest.MonkeyPatch) -> None:
    set_watch(calibrated, stopwatch(clean=False))
    text = run("scale", "smallnet_48", "--budget", "latency=1.5ms", "--target", TARGET).out
    assert "measured on a loaded machine, by the processor's time" in text
    words = ("compare", "smallnet_48", "--rules", "width", "--equal", "latency", "--target", TARGET)
    assert "The machine was loaded" in run(*words).out


def test_rules_at_equal_latency_take_as_long_and_say_that_the_machine_was_quiet(run: Run) -> None:
    words = ("compare", "smallnet_48", "--rules", "width,resolution", "--equal", "latency", "--target", TARGET)
    rows = run(*words, "--json").json["rows"]
    assert [row["rule"] for row in rows] == ["compound", "width", "resolution", "most_macs"]
    for row in rows[1:]:
        assert row["latency_ms"] == pytest.approx(rows[0]["latency_ms"], rel=0.1)
    assert {row["clean"] for row in rows} == {True}


def test_a_network_that_cannot_be_measured_beside_the_others_is_an_error_with_its_reason(
    run: Run, calibrated: pytest.MonkeyPatch
) -> None:
    set_watch(calibrated, stopwatch(opens=1))
    found = run("compare", "smallnet_48", "--rules", "width", "--equal", "latency", "--target", TARGET)
    assert found.code == 65
    assert "its block is not known" in found.err


@pytest.mark.parametrize(
    ("target", "code", "words"),
    [
        ("onnxruntme:float32:t1", 64, "did you mean 'onnxruntime'"),
        ("onnxruntime:flaot32:t1", 64, "did you mean 'float32'"),
        ("onnxruntime:float16:t1", 64, "unknown precision of an engine 'float16'"),
        ("onnxruntime:bfloat16:t1", 65, "ONNX Runtime has no bfloat16"),
        ("torch_compile:float32:t1", 65, "says nothing of its kernels"),
        ("torch:float32:t1", 65, "torch:float32:t1:b1 has not been calibrated on this machine"),
    ],
)
@pytest.mark.parametrize("command", ["scale", "cost"])
def test_a_target_that_cannot_be_is_an_error_about_the_target(
    run: Run, command: str, target: str, code: int, words: str
) -> None:
    limit = ("--budget", "latency=1ms") if command == "scale" else ()
    found = run(command, "smallnet_48", *limit, "--target", target)
    assert found.code == code
    assert found.err.startswith("triscale: ")
    assert "cannot be reached" not in found.err
    assert words in found.err
