"""`triscale.fit`: the file keeps its limits, its accuracy is what `evaluate` says, and the same call resumes."""

import re
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module
from pathlib import Path
from time import monotonic, process_time
from types import ModuleType

import numpy as np
import onnx
import onnxruntime
import pytest

import triscale
from tests.shipping.conftest import BUDGET, Fitted, ask
from triscale.api import FitResult
from triscale.data import CheckOptions
from triscale.deploy import as_onnx
from triscale.errors import InputError, UsageError
from triscale.intervals import paired_drop
from triscale.search.trainings.work import opened
from triscale.shipping.fit_watch import SilentFit
from triscale.training import Callbacks, Interrupted, Quiet, Trainer
from triscale.trials import RECORDS, read
from triscale.trials.fits.fit_records import FitPlanRecord, FitTestRecord, LargerRecord, ShippedRecord


def copied(fitted: Fitted, tmp_path: Path, records: int | None = None) -> Path:
    """The folder of the fit at another place, with its first records alone."""
    folder = tmp_path / "shipped"
    shutil.copytree(fitted.folder, folder)
    if records is not None:
        lines = (folder / RECORDS).read_bytes().splitlines(keepends=True)
        (folder / RECORDS).write_bytes(b"".join(lines[:records]))
    return folder


def found(result: FitResult) -> tuple[object, ...]:
    """What a fit answers, without the folder's name."""
    stored = read(result.folder)
    trials = [(one.key, one.metrics["validation_top1"], one.history[-1].train_loss) for one in stored]
    test = stored.one(FitTestRecord)
    assert test is not None
    return trials, test, result.lines[:3], result.limits


def test_the_file_keeps_every_limit(fitted: Fitted) -> None:
    """Counted here from the exported file itself."""
    file = fitted.folder / "model.onnx"
    network = triscale.load(fitted.folder).network
    assert file.stat().st_size <= BUDGET["file_size"]
    assert triscale.cost(network).macs <= BUDGET["macs"]
    weights = sum(int(np.prod(one.dims)) for one in onnx.load(file).graph.initializer)
    assert weights <= triscale.cost(network).params + 4096, "the file holds this network"
    plan = read(fitted.folder).one(FitPlanRecord)
    assert plan is not None
    promised = next(one.use for one in plan.limits if one.name == "file_size")
    assert file.stat().st_size <= promised <= BUDGET["file_size"], "the rehearsal saw the file"


def test_the_reported_accuracy_is_what_evaluate_says_of_the_file(fitted: Fitted) -> None:
    test = fitted.result.test
    for split in ("test", None):
        judged = triscale.evaluate(fitted.result.file, fitted.data, split=split)
        assert (judged.n, round(judged.top1 * judged.n)) == (test.images, test.correct)
    assert test.images == sum(one.images for one in test.classes) == 40
    assert test.correct == sum(one.correct for one in test.classes)
    assert f"{test.correct / 40:.1%} of 40 test images" in fitted.result.lines[1]


def test_the_larger_network_costs_twice_as_much_and_is_judged_on_the_same_images(fitted: Fitted) -> None:
    stored = read(fitted.folder)
    plan, decided, test = stored.one(FitPlanRecord), stored.one(LargerRecord), stored.one(FitTestRecord)
    assert plan is not None
    assert decided is not None
    assert test is not None
    assert plan.larger is not None
    assert test.larger is not None
    network, larger = stored.network(plan.network), stored.network(plan.larger)
    assert 1.5 < triscale.cost(larger).macs / triscale.cost(network).macs < 2.7
    assert decided.epochs == plan.recipe.epochs == 3
    judged = triscale.evaluate(fitted.folder / "larger", fitted.data)
    assert round(judged.top1 * judged.n) == test.larger.correct
    assert test.larger.correct - test.correct == test.larger.gained - test.larger.lost
    low, _ = paired_drop(test.larger.lost, test.larger.gained, test.images)
    assert f"{-100 * low:+.1f}" in fitted.result.lines[2]


def test_asking_again_trains_nothing_and_answers_the_same(fitted: Fitted) -> None:
    before = (fitted.folder / RECORDS).read_bytes()
    again = ask(fitted.data, fitted.folder)
    assert (fitted.folder / RECORDS).read_bytes() == before
    assert again.lines == fitted.result.lines


SLOW = pytest.mark.slow


@pytest.mark.parametrize("records", [2, pytest.param(4, marks=SLOW), 9, pytest.param(99, marks=SLOW)])
def test_a_fit_that_was_cut_off_resumes_to_the_same_answer(fitted: Fitted, tmp_path: Path, records: int) -> None:
    """After its first record; before its trainings; after the answer's; and at the end with its file gone."""
    folder = copied(fitted, tmp_path, records)
    for name in ("model.onnx", "best.safetensors", "report.html", "README.md"):
        (folder / name).unlink()
    again = ask(fitted.data, folder)
    assert found(again) == found(fitted.result)
    assert {"model.onnx", "best.safetensors", "report.html", "README.md"} <= {one.name for one in folder.iterdir()}


class _Stops(SilentFit):
    """Interrupts the training of this number after two steps."""

    def __init__(self, number: int) -> None:
        self._left = number

    def training(self, what: str) -> AbstractContextManager[Callbacks]:
        del what
        self._left -= 1
        return self._stopping() if self._left == 0 else SilentFit().training("")

    @contextmanager
    def _stopping(self) -> Iterator[Callbacks]:
        class Stop(Quiet):
            steps = 0

            def step(self, engine: Trainer) -> None:
                del engine
                self.steps += 1

            def stopping(self) -> bool:
                return self.steps > 2

        yield Stop()


class _Hears(SilentFit):
    """Keeps what the trainings say."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    @contextmanager
    def training(self, what: str) -> Iterator[Callbacks]:
        del what
        lines = self.lines

        class Keep(Quiet):
            def say(self, text: str) -> None:
                lines.append(text)

        yield Keep()


@pytest.mark.parametrize("training", [1, pytest.param(2, marks=SLOW)])
def test_a_fit_that_is_interrupted_in_a_training_resumes_to_the_same_bits(
    fitted: Fitted, tmp_path: Path, training: int
) -> None:
    folder = tmp_path / "shipped"
    with pytest.raises(Interrupted):
        ask(fitted.data, folder, watch=_Stops(training))
    assert read(folder).one(ShippedRecord) is None
    watch = _Hears()
    assert found(ask(fitted.data, folder, watch=watch)) == found(fitted.result)
    assert any(line.startswith("resuming at step 3 of ") for line in watch.lines), "and not from its beginning"


def test_a_file_that_was_changed_is_exported_again(fitted: Fitted, tmp_path: Path) -> None:
    folder = copied(fitted, tmp_path)
    content = bytearray((folder / "model.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "model.onnx").write_bytes(bytes(content))
    ask(fitted.data, folder)
    judged = triscale.evaluate(folder / "model.onnx", fitted.data)
    assert round(judged.top1 * judged.n) == fitted.result.test.correct


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"budget": {"macs": 200_000.0}}, "budget was macs 120000, file_size 90000, now macs 200000"),
        ({"epochs": 4}, "epochs was 3, now 4"),
        ({"time": "2h"}, "time was 3600, now 7200"),
        ({"weights": "none"}, "weights was auto, now none"),
    ],
)
def test_another_question_in_the_folder_is_rejected_with_what_differs(
    fitted: Fitted, other: dict[str, object], words: str
) -> None:
    with pytest.raises(InputError, match=re.escape(words)):
        ask(fitted.data, fitted.folder, **other)


@pytest.mark.parametrize("missing", ["onnx", "onnxscript", "onnxruntime"])
def test_a_missing_library_is_reported_before_any_training(
    colour_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    def found(name: str) -> ModuleType:
        if name == missing:
            raise ImportError(name)
        return import_module(name)

    monkeypatch.setattr(as_onnx, "import_module", found)
    with pytest.raises(InputError, match=rf"need {missing}: pip install 'triscale\[export\]'"):
        ask(colour_data, tmp_path / "fit")
    assert not (tmp_path / "fit" / RECORDS).exists()


def test_other_images_in_the_folder_are_rejected(fitted: Fitted, tmp_path: Path) -> None:
    """The same path, other contents."""
    folder, path = copied(fitted, tmp_path), fitted.data
    kept = path.read_bytes()
    arrays = dict(np.load(path))
    arrays["x_train"] = arrays["x_train"][:100]
    arrays["y_train"] = arrays["y_train"][:100]
    try:
        np.savez(path, **arrays)
        with pytest.raises(InputError, match="other images: 108 to train on then, 92 now"):
            ask(path, folder)
    finally:
        path.write_bytes(kept)
        opened(str(path), CheckOptions(), afresh=True)


def test_a_training_and_a_study_reject_the_folder_of_a_fit(fitted: Fitted) -> None:
    with pytest.raises(InputError, match="holds a fit, not a training"):
        triscale.train("smallnet_24", fitted.data, out=fitted.folder)
    with pytest.raises(InputError, match="holds a fit, not a study"):
        triscale.study("smallnet_24", fitted.data, out=fitted.folder, jobs=1)


def test_a_time_that_is_too_short_says_what_is_needed(fitted: Fitted, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"(?s)the time is too short: .*\nGive --time 1m or more, or") as error:
        ask(fitted.data, tmp_path / "short", epochs=None, time=0.001, budget={"macs": 120_000})
    assert len(str(error.value).splitlines()) <= 3
    assert not (tmp_path / "short").exists(), "nothing was trained, so nothing is left"
    more = ask(fitted.data, tmp_path / "short", epochs=2, budget={"macs": 100_000}, no_comparison=True)
    assert more.limits[0].limit == 100_000
    assert "--no-comparison was given" in more.lines[2]


@SLOW
def test_a_limit_on_latency_is_measured_and_the_file_keeps_it(fitted: Fitted, tmp_path: Path) -> None:
    """The target is calibrated on the way; the file is timed here by itself, on the processor's time of one thread."""
    limit = 0.4e-3
    result = ask(fitted.data, tmp_path / "fast", budget={"latency": limit}, network="smallnet_32", no_comparison=True)
    (kept,) = result.limits
    assert (kept.name, kept.measured) == ("latency", True)
    assert kept.use <= limit
    session = onnxruntime.InferenceSession(result.file, one_thread(), providers=["CPUExecutionProvider"])
    images = np.zeros((1, 3, *result.network.resolution), np.float32)
    times = []
    for _ in range(300):
        began = process_time()
        session.run(None, {session.get_inputs()[0].name: images})
        times.append(process_time() - began)
    assert min(times) <= 1.1 * limit
    assert "onnxruntime:float32:t1" in str(read(result.folder).one(FitPlanRecord))


def one_thread() -> onnxruntime.SessionOptions:
    """As the target says."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return options


@SLOW
def test_a_fit_keeps_its_time(fitted: Fitted, tmp_path: Path) -> None:
    """Half of it for the answer at most; the rest for the network of twice the cost."""
    began, seconds = monotonic(), 30.0
    ask(fitted.data, tmp_path / "timed", epochs=None, time=seconds, budget={"macs": 400_000})
    stored = read(tmp_path / "timed")
    plan = stored.one(FitPlanRecord)
    assert plan is not None
    assert plan.seconds_per_epoch is not None
    answer = next(one for one in stored if one.purpose == "answer")
    assert 3 < answer.epochs == plan.recipe.epochs
    assert plan.spent + answer.epochs * plan.seconds_per_epoch < 0.6 * seconds
    assert monotonic() - began < 2 * seconds, "twice: this core has other work too"


def test_a_limit_that_nothing_keeps_is_an_error_before_any_training(fitted: Fitted, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="macs"):
        ask(fitted.data, tmp_path / "none", budget={"macs": 10})
    assert not (tmp_path / "none").exists()


@SLOW
def test_a_budget_that_nothing_keeps_is_answered_with_one_that_can_be_kept(fitted: Fitted, tmp_path: Path) -> None:
    """As counted, and as its file shows, which takes more than its weights."""
    with pytest.raises(InputError, match=r"Give macs=\S+ or more and file_size=\S+ or more\.$") as error:
        ask(fitted.data, tmp_path / "small", budget={"macs": 10.0, "file_size": "9kB"})
    budget = dict(re.findall(r"(\w+)=([0-9.]+k?B?) or more", str(error.value)))
    result = ask(fitted.data, tmp_path / "small", budget=budget, epochs=2, no_comparison=True)
    assert all(one.use <= one.limit for one in result.limits)


class _Fails(SilentFit):
    """Breaks the first training before its first step."""

    def training(self, what: str) -> AbstractContextManager[Callbacks]:
        raise InputError(f"{what} cannot be trained")


def test_a_fit_that_failed_before_any_training_leaves_its_folder_to_another_question(
    fitted: Fitted, tmp_path: Path
) -> None:
    folder = tmp_path / "shipped"
    with pytest.raises(InputError, match="cannot be trained"):
        ask(fitted.data, folder, watch=_Fails(), budget={"macs": 100_000})
    assert read(folder).one(FitPlanRecord) is not None, "the plan is kept for the same question"
    assert found(ask(fitted.data, folder)) == found(fitted.result), "another question takes the folder"


def test_a_failed_fit_touches_nothing_of_others(fitted: Fitted, tmp_path: Path) -> None:
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="macs"):
        ask(fitted.data, folder, budget={"macs": 10})
    assert (folder / "notes.txt").read_text() == "mine"
    triscale.train("smallnet_24", fitted.data, out=tmp_path / "run", epochs=2, device="cpu", threads=1)
    before = (tmp_path / "run" / RECORDS).read_bytes()
    with pytest.raises(InputError, match="holds a training, not a fit"):
        ask(fitted.data, tmp_path / "run")
    assert (tmp_path / "run" / RECORDS).read_bytes() == before


def test_what_contradicts_itself_is_rejected_before_the_images_are_opened(tmp_path: Path) -> None:
    nothing = tmp_path / "no such images"
    for other, words in (
        ({"budget": {}}, "no limit is given"),
        ({"budget": {"training_memory": "1GiB"}}, "no limit on what is shipped"),
        ({"target": "onnxruntime:int8:t1", "budget": {"latency": "9ms"}}, "a fit ships float32"),
        ({"target": "torch:float32:t1", "budget": {"latency": "9ms"}}, "the target is of torch"),
        ({"target": "openvino:float32:t1", "format": "onnx", "budget": {"latency": "9ms"}}, "does not run on openvino"),
        ({"format": "pt2"}, "format is 'pt2'"),
        ({"engine": "onnxruntime"}, "engine is 'onnxruntime'; give auto"),
        ({"engine": "auto", "format": "onnx"}, "--engine auto chooses the format: leave --format out"),
        ({"engine": "auto", "target": "native:float32:t1"}, "leave --target out"),
        ({"engine": "auto"}, "a limit on file_size needs it before"),
        ({"network": "efficientnet_b9"}, "unknown network"),
        ({"baseline": "efficientnet_b0"}, "did you mean 'network'"),
    ):
        with pytest.raises(UsageError, match=re.escape(words)):
            ask(nothing, tmp_path / "out", **other)


def test_the_page_and_the_readme_say_the_five_lines_and_need_nothing_from_outside(fitted: Fitted) -> None:
    page = (fitted.folder / "report.html").read_text(encoding="utf-8")
    readme = (fitted.folder / "README.md").read_text(encoding="utf-8")
    assert len(fitted.result.lines) == 5
    for line in fitted.result.lines:
        assert line in page
        assert line.split(": ", 1)[1].split(",")[0].replace("_", "\\_") in readme
    assert "triscale predict model.onnx photo.jpg" in readme
    for heading in ("The limits", "What the limit costs", "How it was chosen", "By class", "How to use it"):
        assert f"<h2>{heading}" in page
    outside = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    assert not re.search(r'(src|href)="(?!data:)', outside)


def test_the_shipped_folder_answers_by_itself(fitted: Fitted) -> None:
    """The weights beside the file are those of the file."""
    images, _ = np.load(fitted.data)["x_test"], None
    ours = [one.top[0].name for one in triscale.predict(fitted.folder, list(images[:8]))]
    assert [one.top[0].name for one in triscale.predict(fitted.result.file, list(images[:8]))] == ours


@SLOW
def test_engine_auto_ships_the_fastest_of_the_files_that_were_measured(fitted: Fitted, tmp_path: Path) -> None:
    folder = tmp_path / "fast"
    asked: dict[str, object] = {"budget": {"macs": 120_000}, "epochs": 2, "no_comparison": True, "engine": "auto"}
    result = ask(fitted.data, folder, **asked)
    shipped = read(folder).one(ShippedRecord)
    assert shipped is not None
    assert shipped.choice is not None
    assert result.file.suffix in (".onnx", ".xml", ".so", ".pt2")
    assert result.file.name == shipped.file == f"model{result.file.suffix}"
    judged = triscale.evaluate(result.file, fitted.data)
    assert round(judged.top1 * judged.n) == result.test.correct
    assert shipped.choice in (folder / "report.html").read_text().replace("&#x27;", "'")
    before = result.file.read_bytes()
    assert ask(fitted.data, folder, **asked).lines == result.lines
    assert result.file.read_bytes() == before, "it is not chosen again"
