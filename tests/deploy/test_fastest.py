"""`--engine auto`: what is taken is the fastest by measurement, and what would lose too much is not taken."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.cli.conftest import Run
from tests.deploy.lower_data import harden, own_truth
from tests.deploy.networks import classifier, saved, small
from triscale.costs import Target, parse_target
from triscale.deploy import AutoRequest, Lowering, export, export_fastest, load_exported, lowering_of_auto
from triscale.deploy.fastest import fastest_export
from triscale.deploy.fastest.choice import Contender, choose
from triscale.deploy.formats import FORMATS
from triscale.deploy.precision.accuracy_gate import AccuracyDrop, level_of, refuse_undecidable
from triscale.engines import ENGINES, engine_named
from triscale.errors import InputError, UsageError
from triscale.latency.measuring import Measurement, Opening
from triscale.spec import Preprocessing
from triscale.weights import Classifier


def took(target: Target, *rounds: float) -> Measurement:
    middle = sorted(rounds)[len(rounds) // 2]
    return Measurement(
        network="x", target=target, median_ms=middle, interval_ms=(min(rounds), max(rounds)), coverage=1.0,
        cpu_ms=middle, lowest_cpu_ms=middle, rounds_ms=rounds, discarded=0, clean=True, narrow=True,
        opening=Opening(seconds=1.0, file_size=1, version="1"),
    )  # fmt: skip


def contender(text: str, *rounds: float, reason: str = "") -> Contender:
    target = parse_target(f"{text}:t1")
    return Contender(target=target, suffix=".x", measurement=took(target, *rounds) if rounds else None, reason=reason)


NOISY = (1.0, 1.1, 0.9, 1.02, 0.98, 1.05, 0.97)
SLOWER = tuple(1.01 * one for one in reversed(NOISY))


@pytest.mark.parametrize(
    ("given", "taken", "words"),
    [
        ([("torch:float32", 3.0, 3.0), ("native:float32", 1.0, 1.0)], "native:float32", "takes 3.00 times as long"),
        ([("openvino:int8", *NOISY), ("native:float32", *SLOWER)], "native:float32", "as fast as openvino in int8"),
        ([("openvino:int8", *NOISY), ("openvino:bfloat16", *SLOWER)], "openvino:bfloat16", "loses less"),
        ([("openvino:int8", 1.0, 1.0), ("native:float32", 1.01, 1.01)], "openvino:int8", "1.01 times as long"),
        ([("openvino:int8", 0.5, 1.5), ("native:float32", 0.55, 1.6)], "openvino:int8", "is the fastest"),
        ([("torch:float32", 3.0), ("native:float32",)], "torch:float32", "the only one"),
    ],
)
def test_the_fastest_is_taken_and_a_tie_goes_to_what_loses_less(
    given: list[tuple[str, float]], taken: str, words: str
) -> None:
    """A tie is within the noise and within 2%: the last but one is within the noise alone, that before within 2%."""
    found = choose([contender(*one) for one in given])
    assert str(found.taken.target) == f"{taken}:t1:b1"
    assert words in found.why


def test_where_no_engine_runs_the_reasons_are_said() -> None:
    with pytest.raises(InputError, match=r"no engine runs.*\nonnxruntime in float32: too large"):
        choose([contender("onnxruntime:float32", reason="too large")])


def test_files_that_are_judged_on_the_same_images_share_the_risk() -> None:
    assert level_of() == pytest.approx(0.95)
    assert sum(1 - level_of(shared=3) for _ in range(3)) == pytest.approx(0.05)
    assert 1 - level_of(look=2, shared=3) == pytest.approx(0.05 / 12)
    refuse_undecidable(400, 1.0)
    with pytest.raises(UsageError, match=r"the 98\.33% interval"):
        refuse_undecidable(400, 1.0, level_of(shared=3))


def test_a_bound_without_data_is_a_mistake() -> None:
    assert lowering_of_auto(None, {"max_drop": None}) is None
    assert lowering_of_auto("flowers", {"max_drop": 2.0}, print) == Lowering(
        precision="int8", data="flowers", max_drop=2.0, say=print
    )
    with pytest.raises(UsageError, match="--max-drop is for int8 and bfloat16"):
        lowering_of_auto(None, {"max_drop": 1.0})
    with pytest.raises(UsageError, match="--max-drop is 0"):
        lowering_of_auto("flowers", {"max_drop": 0.0})


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--engine", "fast", "--out", "x"), "give auto"),
        (("--engine", "auto", "--out", "x.onnx"), "without the ending"),
        (("--engine", "auto", "--out", "x", "--format", "onnx"), "leave --format out"),
        (("--engine", "auto", "--out", "x", "--precision", "int8"), "leave --precision out"),
        (("--engine", "auto", "--out", "x", "--max-drop", "1"), "give --data"),
        (("--engine", "auto", "--out", "x", "--threads", "0"), "threads"),
        (("--threads", "2", "--out", "x.onnx"), "threads are for engine auto"),
    ],
)
def test_options_that_contradict_auto_are_refused(
    run: Run, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = run("export", checkpoint, *arguments, "--json")
    assert (answer.code, answer.out) == (64, "")
    assert words in answer.err
    assert len(answer.err.splitlines()) <= 3
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def plain() -> Classifier:
    return classifier(small(depth=0.3, width=0.5), Preprocessing())


@pytest.mark.parametrize("hidden", ["openvino", pytest.param("", marks=pytest.mark.slow)])
def test_auto_writes_the_file_of_the_engine_that_it_measured_as_the_fastest(
    run: Run, plain: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hidden: str
) -> None:
    """The truth of the answers is the checkpoint's; torch cannot be the fastest for so small a network."""
    monkeypatch.setattr(fastest_export, "SECONDS", 1.0)
    if hidden:
        monkeypatch.setitem(sys.modules, hidden, None)
    weights = saved(tmp_path / "w.safetensors", plain)
    made = run("export", weights, "--engine", "auto", "--out", tmp_path / "v1.2", "--json").json
    choice, (file, *_) = made["choice"], made["files"]
    times = {one["target"]: one["median_ms"] for one in choice["candidates"] if one["median_ms"]}
    here = {one.name for one in ENGINES.values() if one.name != "torch_compile" and not one.missing()}
    assert {target.partition(":")[0] for target in times} == here
    reasons = {one["engine"]: one["reason"] for one in choice["candidates"]}
    assert not hidden or "pip install" in reasons[hidden]
    assert times[choice["target"]] <= 1.02 * min(times.values())
    engine = choice["target"].partition(":")[0]
    (suffix,) = (form.suffix for form in FORMATS.values() if form.engine == engine)
    assert file["file"] == str(tmp_path / f"v1.2{suffix}")
    images = torch.randn(3, 3, 24, 24)
    assert torch.allclose(load_exported(file["file"]).logits(images), plain.logits(images), atol=1e-4)
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix != ".bin") == sorted(
        ["w.safetensors", Path(file["file"]).name]
    )


@pytest.mark.slow
def test_what_loses_more_than_allowed_is_not_taken_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """int8 of such maps loses most answers; bfloat16 keeps its mantissa wherever they lie."""
    monkeypatch.setattr(fastest_export, "SECONDS", 1.0)
    hard = harden(classifier(small(depth=0.5), Preprocessing()))
    lowering = Lowering(precision="int8", data=own_truth(tmp_path, hard), max_drop=16.0, calibration=32, seconds=1e-9)
    said: list[str] = []
    made = export_fastest(hard, AutoRequest(place=tmp_path / "x", lowering=lowering), said.append)
    assert made.choice is not None
    found = {(one.target.runtime, one.target.precision): one for one in made.choice.contenders}
    for engine in ("onnxruntime", "openvino"):
        int8 = found[engine, "int8"]
        assert "may lose" in int8.reason
        assert int8.measurement is None
    assert made.choice.taken.target.precision != "int8"
    assert ("openvino", "bfloat16") in found or engine_named("openvino").unfit("bfloat16")
    assert any(line.startswith("measuring") for line in said)


def test_every_form_runs_in_its_engine_as_it_does_when_it_is_loaded(plain: Classifier, tmp_path: Path) -> None:
    """The file that is timed is the one that is used: `load_exported` is the truth."""
    images = np.random.default_rng(0).standard_normal((2, 3, 24, 24), dtype=np.float32)
    for form in FORMATS.values():
        path = tmp_path / f"x{form.suffix}"
        export(plain, path, batch=2)
        target = Target(runtime=form.engine, batch=2)
        opened = engine_named(form.engine).open_file(path, target)
        wanted = load_exported(path, trusted=True).logits(torch.from_numpy(images)).numpy()
        assert np.allclose(opened.run(images), wanted, atol=1e-5), form.engine
        assert opened.file_size >= path.stat().st_size
    with pytest.raises(InputError, match="torch_compile opens no files"):
        engine_named("torch_compile").open_file(path, Target())


def test_an_accuracy_says_its_level() -> None:
    assert "98.33% interval" in str(AccuracyDrop(images=300, lost=3, gained=1, before=290, level=level_of(shared=3)))
