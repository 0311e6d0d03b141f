"""Checkpoints of foreign networks: nothing is imported unless the user names it, and changed code is found."""

import importlib
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import safetensors
import torch

import triscale
from tests.cli.conftest import Answer, Run
from triscale.cli import main
from triscale.deploy import export, load_exported
from triscale.errors import InputError, UsageError
from triscale.foreign import build, known
from triscale.spec import ForeignNetwork, Preprocessing
from triscale.weights import Checkpoint, grown, load, load_classifier, load_weights, save

CODE = """
from pathlib import Path

from torch import nn

Path({canary!r}).touch()


def build(width=1.0, num_classes=10):
    wide = round(8 * width)
    return nn.Sequential(nn.Conv2d(3, wide, 3), nn.{activation}(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                         nn.Linear(wide, num_classes))
"""


class Place:
    """A folder with a module of foreign code, which leaves a file behind when it is imported."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.canary, self.checkpoint = folder, folder / "canary", folder / "net.safetensors"

    def write(self, activation: str = "ReLU") -> None:
        """Write the code again, as if it had never been imported."""
        sys.modules.pop("canary_models", None)
        (self.folder / "canary_models.py").write_text(CODE.format(canary=str(self.canary), activation=activation))
        self.canary.unlink(missing_ok=True)
        importlib.invalidate_caches()

    def save(self) -> Checkpoint:
        """Save a checkpoint of random weights, and forget the code."""
        torch.manual_seed(0)
        network = known(ForeignNetwork("canary_models:build", resolution=16, width=1.5, classes=2))
        checkpoint = Checkpoint(
            network=network, state=build(network).state_dict(), classes=("a", "b"), preprocessing=Preprocessing()
        )
        save(self.checkpoint, checkpoint)
        self.write()
        return checkpoint


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line in this process."""

    def command(*arguments: object) -> Answer:
        code = main([str(argument) for argument in arguments])
        return Answer(code, *capsys.readouterr())

    return command


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # two versions of the code have one age
    found = Place(tmp_path)
    found.write()
    yield found
    sys.modules.pop("canary_models", None)


def test_a_checkpoint_gives_the_network_back_where_its_callable_is_named(place: Place) -> None:
    saved = place.save()
    found = load_weights(place.checkpoint, "canary_models:build")
    assert found.network == saved.network
    assert not place.canary.exists(), "reading is not using"
    images = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    assert isinstance(saved.network, ForeignNetwork)
    expected = build(saved.network)
    expected.load_state_dict(dict(saved.state))
    assert torch.equal(found.model()(images), expected.eval()(images))
    assert found.digest == saved.digest


@pytest.mark.parametrize("named", [None, "efficientnet_b0", "other_models:build", "canary_models:other"])
def test_no_path_is_imported_that_the_user_does_not_name(place: Place, named: str | None) -> None:
    place.save()
    for use in (load_weights, load_classifier, triscale.load, load):
        with pytest.raises(InputError, match="--network canary_models:build") as caught:
            use(place.checkpoint, named)
        assert len(str(caught.value).splitlines()) <= 3
    assert not place.canary.exists()


@pytest.mark.parametrize("command", ["predict", "evaluate", "export"])
def test_no_command_imports_what_is_not_named(place: Place, command: str, run: Run) -> None:
    place.save()
    out = str(place.folder / "x.onnx")
    given = {"predict": ["x.png"], "evaluate": ["--data", "."], "export": ["--out", out]}[command]
    answer = run(command, place.checkpoint, *given)
    assert answer.code == 65
    assert "canary_models:build" in answer.err
    assert not place.canary.exists()


def test_a_spec_file_that_holds_a_path_is_not_imported(place: Place, run: Run) -> None:
    network = ForeignNetwork("canary_models:build", resolution=16)
    (place.folder / "spec.json").write_text(json.dumps(network.to_dict()))
    for command in (["cost"], ["study", "--dry-run"], ["scale"]):
        answer = run(command[0], place.folder / "spec.json", *command[1:])
        assert answer.code in (64, 65)
    with pytest.raises(InputError, match="canary_models:build@resolution=16"):
        triscale.cost(str(place.folder / "spec.json"))
    assert not place.canary.exists()


def test_code_that_computes_otherwise_with_the_same_tensors_is_found_by_the_probe(place: Place) -> None:
    place.save()
    place.write("SiLU")
    with pytest.raises(InputError, match="with the same weights it gives other logits"):
        load_weights(place.checkpoint, "canary_models:build").model()


def test_code_with_other_tensors_is_found_by_the_fingerprint(place: Place) -> None:
    place.save()
    source = (place.folder / "canary_models.py").read_text()
    (place.folder / "canary_models.py").write_text(source.replace("3, wide, 3)", "3, wide, 3, bias=False)"))
    with pytest.raises(InputError, match="its tensors or operations are not those it had"):
        load_weights(place.checkpoint, "canary_models:build").model()


def test_a_probe_that_was_changed_in_the_file_is_damage(place: Place) -> None:
    place.save()
    with safetensors.safe_open(place.checkpoint, framework="pt") as file:
        about = json.loads(file.metadata()["triscale"])
    assert len(about["probe"]) == 2
    assert about["network"]["path"] == "canary_models:build"
    first = str(about["probe"][0]).encode()
    other = first[:-1] + (b"1" if first[-1:] != b"1" else b"2")
    place.checkpoint.write_bytes(place.checkpoint.read_bytes().replace(first, other))
    with pytest.raises(InputError, match="damaged"):
        load(place.checkpoint, "canary_models:build")


def test_a_foreign_classifier_answers_and_exports(place: Place) -> None:
    place.save()
    classifier = load_classifier(place.checkpoint, "canary_models:build")
    images = torch.randn(3, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    assert classifier.resolution == (16, 16)
    made = export(classifier, place.folder / "net.onnx")
    assert made.proof.holds
    sys.modules.pop("canary_models")
    place.canary.unlink()
    exported = load_exported(place.folder / "net.onnx")
    torch.testing.assert_close(exported.logits(images), classifier.logits(images), rtol=1e-4, atol=1e-5)
    assert not place.canary.exists(), "an exported file holds the graph, not the code"
    with pytest.raises(UsageError, match="leave --dynamic-size out"):
        export(classifier, place.folder / "net.onnx", dynamic_size=True)
    with pytest.raises(UsageError, match="whose maps have names"):
        _ = classifier.own_model


def test_what_needs_our_own_parts_rejects_a_foreign_checkpoint(place: Place) -> None:
    saved = place.save()
    with pytest.raises(InputError, match="triscale's own networks only"):
        grown(saved, triscale.network("efficientnet_b0"))
    broken = replace(saved, state={name: one * float("nan") for name, one in saved.state.items()})
    with pytest.raises(InputError, match="not finite"):
        save(place.folder / "broken.safetensors", broken)


def test_a_foreign_name_for_other_weights_says_what_they_are(tmp_path: Path) -> None:
    network = replace(triscale.network("smallnet_24"), classes=2)
    state = triscale.build(network).state_dict()
    save(tmp_path / "own.safetensors", Checkpoint(
        network=network, state=state, classes=("a", "b"), preprocessing=Preprocessing()))  # fmt: skip
    with pytest.raises(InputError, match="not of my_models:build"):
        load_weights(tmp_path / "own.safetensors", "my_models:build")
    with pytest.raises(UsageError, match="there are no weights for my_models:build"):
        load_weights(None, "my_models:build")
