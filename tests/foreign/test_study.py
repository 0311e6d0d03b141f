"""Studies of networks of other people's code: what is planned and trained, and what cannot be studied."""

import importlib
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import triscale
from tests.cli.conftest import Answer, Run
from tests.examples import cifar_resnet
from tests.training.pictures import class_folders
from tests.trials.made import JOB
from triscale.cli import main
from triscale.errors import InputError
from triscale.foreign import path_of
from triscale.search.studies.question import Question
from triscale.search.studies.study import Study
from triscale.search.trainings.campaign import network_in
from triscale.search.trainings.progress import Quiet
from triscale.spec import ForeignNetwork, content_hash
from triscale.training import numerics_here
from triscale.trials import TEST, Trial, TrialStore, read
from triscale.trials.study_records import CamRecord, FamilyRecord, PlanRecord

RESNET = "tests.examples.cifar_resnet:build@resolution=32,width=0.5"
MOBILENET = "torchvision.models:mobilenet_v2@resolution=64,width=width_mult"
SHORT = ("--phi", 1, "--candidates", 4, "--seeds", 1, "--epochs", 2, "--train-size", 40, "--device", "cpu")
FAST = {"phi": 1, "candidates": 4, "seeds": 1, "epochs": 2, "train_size": 40}


class Said(Quiet):
    """Progress that keeps what it hears."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def say(self, text: str) -> None:
        """Keep it."""
        self.texts.append(text)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line in this process."""

    def command(*arguments: object) -> Answer:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        return Answer(code, *capsys.readouterr())

    return command


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRISCALE_CACHE", str(tmp_path_factory.getbasetemp() / "foreign-cache"))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return class_folders(tmp_path_factory.mktemp("foreign-study") / "data")


def test_the_plan_scales_what_the_code_can_scale_and_says_what_stays(data: Path) -> None:
    said = Said()
    name = "tests.foreign.models:tiny@resolution=7"
    question = Question(data=str(data), network=name, phi=2, candidates=5, epochs=2, tolerance=0.03)
    study = Study(question, jobs=1, numerics=numerics_here("cpu", 1), progress=said)
    plan = study.plan()
    scaled = "width, resolution (depth stays: the callable has no parameter depth)"
    assert f"tests.foreign.models:tiny is scaled in {scaled}" in said.texts
    assert [one.rule for one in plan.candidates][:2] == ["width", "resolution"]
    for one in plan.candidates:
        assert isinstance(one.network, ForeignNetwork)
        assert (one.cell, one.network.depth, one.network.classes) == (None, 1.0, 2)
        assert one.network.is_known
        assert one.within == (abs(one.ratio - 2) <= 0.03)
    record = plan.record(question, study.source.native)
    assert {one.within for one in plan.candidates} == {False, True}
    assert record.baseline.cell is None
    assert record.candidates[0].id == content_hash(plan.candidates[0].network)


def test_a_plan_is_shown_for_code_as_for_networks(data: Path, run: Run) -> None:
    answer = run("study", "tests.foreign.models:tiny@resolution=6", "--data", data, *SHORT, "--plan", "--json")
    assert answer.code == 0
    assert answer.json["baseline"]["network"]["path"] == "tests.foreign.models:tiny"
    assert answer.json["baseline"]["cell"] is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tests.foreign.models:fixed_size@resolution=16", "a search needs two"),
        ("tests.foreign.models:fails_when_wide@resolution=16", "ValueError: at most 8 channels"),
        ("tests.foreign.models:tiny@resolution=10", "there is nothing to compare"),
        ("tests.foreign.models:maps_out@resolution=8", "it must return logits"),
        ("__main__:build", "Move it into a file"),
        ("tests.foreign.models:tiny@width", "cannot read the setting"),
    ],
)
def test_code_that_cannot_be_studied_is_a_message(data: Path, run: Run, tmp_path: Path, text: str, words: str) -> None:
    answer = run("study", text, "--data", data, *SHORT, "--out", tmp_path / "study")
    assert answer.code in (64, 65)
    assert words in answer.err
    assert len([line for line in answer.err.splitlines() if line.startswith("triscale")]) <= 3


def test_a_function_of_a_notebook_is_told_to_move(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def build(width: float = 1.0) -> None:
        """Of a notebook."""
        del width

    monkeypatch.setattr(build, "__module__", "__main__")
    with pytest.raises(InputError, match="Move it into a file"):
        triscale.study(build, data)
    with pytest.raises(InputError, match="Move it into a file"):
        triscale.cost(build)


def test_a_store_that_names_other_code_than_the_user_is_rejected(tmp_path: Path) -> None:
    other, own = ForeignNetwork("no_such_module:build", classes=3), ForeignNetwork("tests.foreign.models:tiny")
    with TrialStore(tmp_path) as store:
        store.put(Trial(job=replace(JOB, network=other), state="waiting"))
        for baseline in (own, JOB.network):
            with pytest.raises(InputError, match="the store names the Python code no_such_module:build"):
                network_in(store, content_hash(other), baseline)
        assert network_in(store, content_hash(other), other) == other


def ended(folder: Path, trainings: int, rules: Callable[[set[str]], bool]) -> None:
    """Check what every finished study holds."""
    stored = read(folder)
    plan, family = stored.one(PlanRecord), stored.one(FamilyRecord)
    assert plan is not None
    assert family is not None
    assert len(stored) == plan.trainings == trainings
    assert {trial.state for trial in stored} == {"done"}
    assert rules({one.rule for one in family.members})
    assert all(any(TEST in trial.metrics for trial in stored.by_network()[one.id]) for one in family.members)
    assert stored.one(CamRecord) is None
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "alpha" in page


@pytest.mark.slow
def test_a_study_of_a_resnet_of_ones_own_ends_in_weights_and_resumes(data: Path, tmp_path: Path, run: Run) -> None:
    baseline = ForeignNetwork.parse(RESNET)
    found = triscale.study(baseline, data, out=tmp_path / "study", device="cpu", jobs=2, **FAST)  # type: ignore[arg-type]
    ended(found.folder, 6, lambda rules: rules == {"baseline", "compound", "depth", "width", "resolution"})
    again = run("study", RESNET, "--data", data, *SHORT, "--out", tmp_path / "study", "--json")
    assert again.json["best"] == found.answer.best
    assert run("report", tmp_path / "study").code == 0
    named = ("--network", "tests.examples.cifar_resnet:build", "--json")
    assert run("predict", tmp_path / "study", data / "0" / "0.png", *named).code == 0
    assert triscale.load(found.folder, network=path_of(cifar_resnet.build)).num_classes == 2


@pytest.mark.slow
def test_a_study_of_torchvisions_mobilenet_scales_width_and_resolution(data: Path, tmp_path: Path, run: Run) -> None:
    given = ("--data", data, *SHORT, "--enlarge", "--out", tmp_path / "study", "--jobs", 1, "--json")
    answer = run("study", MOBILENET, *given)
    assert answer.code == 0, answer.err
    assert answer.json["coefficients"]["alpha"] == 1
    ended(tmp_path / "study", 6, lambda rules: rules == {"baseline", "compound", "width", "resolution"})


@pytest.mark.slow
def test_workers_import_code_of_the_working_folder(
    data: Path, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They get the folders that the driver imports from; the code's print-outs spoil no JSON."""
    source = Path(cifar_resnet.__file__).read_text(encoding="utf-8")
    (tmp_path / "resnet_of_here.py").write_text(source + "\nprint('imported')\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [one for one in sys.path if one])
    importlib.invalidate_caches()
    text = RESNET.replace("tests.examples.cifar_resnet", "resnet_of_here")
    answer = run("study", text, "--data", data, *SHORT, "--jobs", 2, "--out", "study", "--json")
    assert answer.code == 0, answer.err
    assert answer.json["best"]
    ended(tmp_path / "study", 6, lambda rules: "compound" in rules)
