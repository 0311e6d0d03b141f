"""Training networks of other people's code: the same loop, the same resume, and what needs blocks is rejected."""

import itertools
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import triscale
from tests.cli.conftest import Answer, Run
from tests.examples import cifar_resnet
from tests.foreign import models
from tests.training.pictures import class_folders
from tests.training.trainings import Heard, job_of, only
from tests.training.trainings import run as trained
from tests.trials.made import JOB
from triscale import costs
from triscale.cli import main
from triscale.costs import training_memory
from triscale.errors import InputError, UsageError
from triscale.families import network
from triscale.foreign import build, count_any, known, largest_batch_any
from triscale.foreign import training_memory as foreign_memory
from triscale.spec import AnyNetwork, ForeignNetwork, Preprocessing, altered
from triscale.training import Inputs, Interrupted, Recipe, TrainRequest
from triscale.training.distributed.pipeline import Pipelined
from triscale.training.first import first_model
from triscale.trials import Trial, TrialStore, read
from triscale.weights import Checkpoint, load_weights

RESNET = "tests.examples.cifar_resnet:build@resolution=12,width=0.25,blocks=1"
RECIPE = Recipe(epochs=2, batch=16, mixup=0.2, ema=0.9)


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
    return class_folders(tmp_path_factory.mktemp("foreign") / "data")


def request(data: Path, text: str = RESNET, **changed: Any) -> TrainRequest:
    return replace(TrainRequest(network=ForeignNetwork.parse(text), data=str(data), recipe=RECIPE, seed=1), **changed)


def test_a_run_serves_every_command_once_its_code_is_named(data: Path, run: Run, tmp_path: Path) -> None:
    folder, picture = tmp_path / "run", data / "0" / "0.png"
    assert run("train", "--network", RESNET, "--data", data, "--epochs", 2, "--batch", 16, "--out", folder).code == 0
    named = ("--network", "tests.examples.cifar_resnet:build")
    predicted = run("predict", folder, picture, *named, "--json")
    evaluated = run("evaluate", folder, *named, "--data", data, "--split", "all", "--json")
    exported = run("export", folder, *named, "--out", tmp_path / "net.onnx", "--json")
    assert {one.code for one in (predicted, evaluated, exported)} == {0}
    assert evaluated.json["n"] == 92
    assert exported.json["network"] == RESNET.replace("blocks", "classes=2,blocks")
    by_file = run("predict", tmp_path / "net.onnx", picture, "--json").json[0]["top"]
    for own, other in zip(predicted.json[0]["top"], by_file, strict=True):
        assert own["probability"] == pytest.approx(other["probability"], abs=1e-5)
    unnamed = run("predict", folder, picture)
    assert (unnamed.code, "name it: --network tests.examples.cifar_resnet:build" in unnamed.err) == (65, True)


def test_a_callable_trains_in_python_and_its_run_predicts(data: Path, tmp_path: Path) -> None:
    found = triscale.train(models.tiny, data, out=tmp_path / "run", epochs=1, batch=16, resolution=10)
    assert (found.trial.network.name, found.trial.network.classes) == (
        "tests.foreign.models:tiny@resolution=10,classes=2", 2,
    )  # fmt: skip
    (answer,) = triscale.predict(found.checkpoint, data / "0" / "0.png", network="tests.foreign.models:tiny")
    assert {one.name for one in answer.top} == {"0", "1"}
    module = triscale.load(found.checkpoint, network="tests.foreign.models:tiny")
    assert triscale.predict(module, data / "0" / "0.png")[0].top == answer.top


def test_the_first_weights_are_those_that_the_code_draws_at_the_seed(data: Path) -> None:
    asked = request(data, recipe=replace(RECIPE, zero_classifier=False))
    model = first_model(job_of(asked), Inputs(source=asked.inputs().source), list[str]().append)
    torch.manual_seed(asked.seed)
    expected = cifar_resnet.build(width=0.25, num_classes=2, blocks=1).state_dict()
    assert all(torch.equal(one, expected[name]) for name, one in model.state_dict().items())


def test_a_training_that_was_stopped_resumes_to_the_same_bits(data: Path, tmp_path: Path) -> None:
    trained(request(data), tmp_path / "whole", threads=1)
    with pytest.raises(Interrupted):
        trained(request(data), tmp_path / "broken", Heard(stop_after=3), threads=1)
    trained(request(data), tmp_path / "broken", threads=1)
    whole, broken = (load_weights(tmp_path / name, RESNET).state for name in ("whole", "broken"))
    assert only(tmp_path / "whole").key == only(tmp_path / "broken").key
    assert all(torch.equal(one, broken[name]) for name, one in whole.items())


def weights(text: str, classes: int) -> Checkpoint:
    torch.manual_seed(3)
    found = known(altered_foreign(text, classes))
    names = tuple(map(str, range(classes)))
    return Checkpoint(network=found, state=build(found).state_dict(), classes=names, preprocessing=Preprocessing())


def altered_foreign(text: str, classes: int) -> ForeignNetwork:
    found = altered(ForeignNetwork.parse(text), classes=classes)
    assert isinstance(found, ForeignNetwork)
    return found


def test_other_classes_get_a_new_last_layer_and_all_else_stays(data: Path) -> None:
    before, said = weights(RESNET, 5), list[str]()
    asked = request(data, weights=before)
    state = first_model(job_of(asked), asked.inputs(), said.append).state_dict()
    assert [name for name, one in state.items() if one.shape != before.state[name].shape] == [
        "classifier.weight", "classifier.bias",
    ]  # fmt: skip
    kept_names = [name for name in state if not name.startswith("classifier")]
    assert all(torch.equal(state[name], before.state[name]) for name in kept_names)
    assert said == ["the classifier is new: the weights were trained for 5 other classes"]


def test_which_layer_gives_the_classes_must_be_certain(data: Path) -> None:
    two = "tests.foreign.models:two_heads@resolution=8"
    asked, said = request(data, two, recipe=replace(RECIPE, zero_classifier=True)), list[str]()
    first_model(job_of(asked), asked.inputs(), said.append)
    assert len(said) == 1
    assert said[0].startswith("zero_classifier is left out: which layer of tests.foreign.models:two_heads")
    asked = replace(asked, weights=weights(two, 5))
    with pytest.raises(InputError, match=r"no single nn\.Linear of 2 outputs"):
        first_model(job_of(asked), asked.inputs(), said.append)


def test_zero_classifier_zeroes_the_last_layer(data: Path) -> None:
    asked = request(data, recipe=replace(RECIPE, zero_classifier=True))
    state = first_model(job_of(asked), asked.inputs(), list[str]().append).state_dict()
    assert not state["classifier.weight"].any()
    assert state["stem.weight"].all()


def test_weights_of_another_callable_are_rejected(data: Path) -> None:
    with pytest.raises(InputError, match=r"the weights are of tests\.foreign\.models:tiny"):
        job_of(request(data, weights=weights("tests.foreign.models:tiny@resolution=12", 2)))


def test_what_needs_blocks_is_rejected_before_anything_is_written(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    small = weights(RESNET, 2)
    for what, asked, how in (
        ("gradient checkpointing", request(data), {"gradient_checkpointing": True}),
        ("growing from smaller weights", request(data, weights=small, grow=True), {}),
        ("a pipeline", request(data), {"world": Pipelined(microbatches=2)}),
    ):
        with pytest.raises(UsageError, match=f"{what} needs the blocks of triscale's own networks"):
            trained(asked, folder, **how)
    assert not (folder / "records.jsonl").exists()
    with pytest.raises(UsageError, match="growing needs the blocks"):
        triscale.train(RESNET, data, out=folder, grow=small)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tests.foreign.models:fails_when_wide@resolution=8,width=2", "width 2, 8x8 px failed: ValueError: at most 8"),
        ("tests.foreign.models:tuple_out@resolution=8", "must return logits"),
        ("tests.foreign.models:reads_numbers@resolution=8", "returns 10 logits for 2 classes"),
        ("__main__:build", "Move it into a file"),
        ("nowhere_at_all:build", "there is no module nowhere_at_all"),
    ],
)
def test_code_that_cannot_train_is_a_message(data: Path, run: Run, tmp_path: Path, text: str, words: str) -> None:
    answer = run("train", "--network", text, "--data", data, "--epochs", 1, "--out", tmp_path / "run")
    assert (answer.code, words in answer.err) == (65, True), answer.err
    assert len([line for line in answer.err.splitlines() if line.startswith("triscale")]) <= 3


def test_a_store_is_read_without_importing_what_it_names(tmp_path: Path) -> None:
    foreign = ForeignNetwork("no_such_module:build", resolution=8, classes=3, fingerprint="ab")
    trial = Trial(job=replace(JOB, network=foreign), state="waiting")
    with TrialStore(tmp_path) as store:
        store.put(trial)
    assert next(iter(read(tmp_path))) == trial
    assert "no_such_module" not in sys.modules


def test_changed_code_is_another_training_and_says_so(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = request(data, "tests.foreign.models:tiny@resolution=10", recipe=replace(RECIPE, epochs=1))
    trained(first, tmp_path / "run")
    monkeypatch.setattr(models, "tiny", lambda width=1.0, num_classes=10: models.Tiny(round(9 * width), num_classes))
    with pytest.raises(InputError, match=r"the code of tests\.foreign\.models:tiny changed"):
        trained(first, tmp_path / "run")


@pytest.mark.parametrize("one", [ForeignNetwork.parse(RESNET), replace(network("smallnet_24"), resolution=(12, 12))])
def test_the_largest_batch_is_the_last_that_fits(one: AnyNetwork) -> None:
    def takes(batch: int) -> int:
        if isinstance(one, ForeignNetwork):
            return foreign_memory(one, batch, "adamw")
        return training_memory(one, batch, "adamw")

    for batch, more in itertools.product((1, 5, 12), (0, 1)):
        found = largest_batch_any(one, takes(batch) + more, 12, "adamw", precision="float32")
        assert found == max(size for size in range(1, 13) if takes(size) <= takes(batch) + more)
    with pytest.raises(InputError, match="does not fit into"):
        largest_batch_any(one, takes(1) - 1, 12, "adamw", precision="float32")


def test_own_networks_are_counted_as_ever() -> None:
    assert count_any(network("efficientnet_b0")) == costs.count(network("efficientnet_b0"))
