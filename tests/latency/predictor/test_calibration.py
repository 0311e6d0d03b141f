"""Calibrations: a kill loses nothing, each is kept with what it is of, and one of another target is rejected."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from time import thread_time

import msgspec
import pytest

from tests.latency.predictor.world import VECTORS, sample
from triscale.costs import Target, parse_target
from triscale.errors import InputError
from triscale.families.by_name import network
from triscale.latency.predictor import Calibration, calibrate, calibration, calibration_path, check_drift, predict
from triscale.latency.predictor.calibrating import adjusted, drift_of
from triscale.latency.predictor.calibration_networks import ANCHORS, RECIPE, calibration_networks
from triscale.latency.predictor.calibration_passes import Header, measure_passes
from triscale.latency.predictor.calibration_store import fingerprint, installed_version, save
from triscale.latency.predictor.model_fit import fit
from triscale.latency.predictor.profiles.profiling import profiler_of
from triscale.machine import machine
from triscale.spec import Network, scale

TARGET = parse_target("onnxruntime:float32:t1")
HEADER = Header(recipe=RECIPE, target=str(TARGET), engine_version="1", machine=fingerprint())


@pytest.fixture(scope="module")
def made() -> Calibration:
    """A calibration of this machine, fitted to a formula."""
    random = Random(0)
    model = fit([sample(net, random) for net in calibration_networks()], VECTORS)
    return Calibration(
        target=str(TARGET), engine_version=installed_version(TARGET), machine=machine(), made="2026-11-28",
        seconds=60.0, networks=25, recipe=RECIPE, model=model, whole={ANCHORS[0]: 0.8, "calibration_12": 3.0},
    )  # fmt: skip


@pytest.fixture
def kept(made: Calibration, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("TRISCALE_CACHE", str(tmp_path))
    save(made, calibration_path(TARGET))
    yield calibration_path(TARGET)
    shutil.rmtree(tmp_path / "latency")


def tiny() -> list[Network]:
    return [replace(scale(network("smallnet_24"), width=width), name=f"w{width}") for width in (0.5, 1)]


def test_a_kept_calibration_predicts_what_the_fitted_one_did(made: Calibration, kept: Path) -> None:
    """JSON keeps every bit of a coefficient, and is readable."""
    net = network("efficientnet_b0")
    assert predict(net, TARGET) == made.predict(net)
    assert '"coefficients": {\n' in kept.read_text(encoding="utf-8")


@pytest.mark.usefixtures("kept")
def test_a_prediction_takes_about_a_millisecond() -> None:
    """Of networks whose layers were never seen; a low quartile with room, since the machine may be busy."""
    predict(network("efficientnet_b0"), TARGET)
    nets = [replace(network("efficientnet_b0"), resolution=(100 + 2 * i, 100 + 2 * i)) for i in range(25)]
    times = []
    for net in nets:
        begun = thread_time()
        predict(net, TARGET)
        times.append(thread_time() - begun)
    assert sorted(times)[len(times) // 4] < 4e-3


def test_what_is_missing_damaged_or_of_others_is_refused_with_the_line_that_renews_it(
    made: Calibration, kept: Path
) -> None:
    line = f"triscale calibrate --target {TARGET}"
    others: list[tuple[dict[str, object], str]] = [
        ({"machine": {**made.machine, "cpu": "another"}}, "of another machine"),
        ({"engine_version": "0.1"}, "of onnxruntime 0.1, here is"),
        ({"recipe": RECIPE + 1}, "another version of triscale"),
    ]
    for change, words in others:
        save(msgspec.structs.replace(made, **change), kept)
        with pytest.raises(InputError, match=words) as caught:
            calibration(TARGET)
        assert line in str(caught.value)
        assert len(str(caught.value).splitlines()) <= 3
        assert calibration(TARGET, kept).predict(network("mobilenet_v2")).milliseconds > 0, "who names it wants it"
    kept.write_bytes(kept.read_bytes()[:100])
    with pytest.raises(InputError, match="damaged") as caught:
        calibration(TARGET)
    kept.unlink()
    with pytest.raises(InputError, match="has not been calibrated on this machine"):
        predict(network("mobilenet_v2"), TARGET)
    save(msgspec.structs.replace(made, target="openvino:int8:t1:b1"), kept)
    with pytest.raises(InputError, match="a calibration of openvino:int8:t1:b1"):
        calibration(TARGET, kept)


def test_a_target_that_nothing_here_runs_is_refused_before_anything_is_measured(kept: Path) -> None:
    for target, words in (
        (replace(TARGET, precision="bfloat16"), "no bfloat16"),
        (replace(TARGET, precision="float16"), "does not run float16"),
        (replace(TARGET, threads=10_000), "more than the"),
    ):
        with pytest.raises(Exception, match=words):
            calibrate(target)
    assert not list(kept.parent.glob("*.passes.jsonl"))


def test_a_calibration_that_was_killed_measures_only_what_is_missing(tmp_path: Path) -> None:
    """The file is cut in the middle of a line, as a kill leaves it; other headers begin again."""
    passes, path, seen = 2, tmp_path / "passes.jsonl", list[int]()

    def watch(done: int, whole: int) -> None:
        assert whole == passes * 2 * 2
        seen.append(done)

    def run(header: Header = HEADER, target: Target = TARGET) -> float:
        begun = len(path.read_bytes().splitlines()) if path.exists() else 1
        samples = measure_passes(path, header, target, tiny(), profiler_of(target), watch, 60, passes)
        assert [one.resolved.network.name for one in samples] == ["w0.5", "w1"]
        assert all(one.nodes and one.milliseconds > 0 for one in samples)
        return len(path.read_bytes().splitlines()) - begun

    assert run() == 4 * passes
    lines = path.read_bytes().splitlines(keepends=True)
    for kept in (3, 6):  # among whole runs, and among profiles
        path.write_bytes(b"".join(lines[:kept]) + lines[kept][:30])
        run()
        assert len(path.read_bytes().splitlines()) == len(lines)
        assert path.read_bytes().splitlines(keepends=True)[:kept] == lines[:kept]
    assert run() == 0
    assert run(msgspec.structs.replace(HEADER, engine_version="2")) == 0
    assert path.read_bytes().splitlines(keepends=True)[1] != lines[1]


def test_drift_is_found_and_taken_into_account(made: Calibration) -> None:
    """Beyond a quarter it is not a drift: the calibration is to be renewed. Within 2% it is noise."""
    anchor = next(net for net in calibration_networks() if net.name == ANCHORS[0])
    before, name = made.predict(anchor), anchor.name
    for now, ratio, factor in ((0.88, 1.1, 1.1), (0.72, 0.9, 0.9), (0.81, 1.0125, 1.0)):
        found = drift_of(made, {name: now})
        assert found.ratio == pytest.approx(ratio)
        after = adjusted(made, found).predict(anchor)
        assert after == pytest.approx(tuple(factor * value for value in before))
    for now in (0.8 * 1.3, 0.8 / 1.3):
        with pytest.raises(InputError, match="renew the calibration") as caught:
            drift_of(made, {name: now})
        assert len(str(caught.value).splitlines()) <= 3


def test_anchors_are_measured_as_they_were(kept: Path) -> None:
    """On a loaded machine they may take longer; then the calibration stays as it was."""
    content = kept.read_bytes()
    try:
        found = check_drift(TARGET)
    except InputError:
        assert kept.read_bytes() == content
    else:
        assert calibration(TARGET).drift in (1.0, found.ratio)


@pytest.mark.slow
@pytest.mark.parametrize("text", ["onnxruntime:float32:t1", "native:float32:t1"])
def test_a_real_calibration_predicts_networks_that_it_has_not_seen(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two minutes; the oracle is the time of the networks themselves, on whatever machine this is."""
    target = parse_target(text)
    monkeypatch.setenv("TRISCALE_CACHE", str(tmp_path))
    done = list[int]()
    found = calibrate(target, watch=lambda number, whole: done.append(whole - number))
    assert done[-1] == 0 or found.seconds > 60
    assert calibration(target) == found
    from benchmarks.latency.truth import measure, times

    nets = {name: network(name) for name in ("efficientnet_b0", "mobilenet_v2", "resnet18")}
    measure(target, nets, tmp_path / "truth.jsonl", 4)
    for name, milliseconds in times(tmp_path / "truth.jsonl").items():
        assert found.predict(nets[name]).milliseconds == pytest.approx(milliseconds, rel=0.25), name
