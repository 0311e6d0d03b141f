"""The Lite form of trained weights: what it begins with, and the command that fine-tunes and judges it."""

from pathlib import Path

import pytest
import torch

from tests.cli.conftest import Run, run
from tests.deploy.networks import NAMES, classifier, saved, small
from triscale.lite_training import carried_over
from triscale.spec import Preprocessing
from triscale.weights import Checkpoint, load_weights

__all__ = ["run"]


def checkpoint(name: str, width: float = 1.0, depth: float = 1.0) -> Checkpoint:
    made = classifier(small(name, (32, 32), width=width, depth=depth), Preprocessing())
    return Checkpoint(
        network=made.network, state=made.model.state_dict(), classes=NAMES, preprocessing=made.preprocessing
    )


def test_all_that_has_the_same_name_and_shape_is_the_networks_own() -> None:
    original = checkpoint("smallnet_24")
    made = carried_over(original)
    state = made.checkpoint.state
    assert (made.copied, made.tensors, made.share) == (len(state), len(state), 1.0)
    assert all(torch.equal(tensor, original.state[name]) for name, tensor in state.items())
    assert not any("squeeze_excite" in name for name in state)
    assert any("squeeze_excite" in name for name in original.state)
    made.checkpoint.model()  # every tensor once, in its shape


def test_what_the_fixed_ends_change_is_fresh_and_counted() -> None:
    """A scaled network's stem and head are wider than its baseline's: those weights cannot be taken."""
    made = carried_over(checkpoint("smallnet_24", width=1.5, depth=2.0))
    assert 0.4 < made.share < 1
    assert made.copied < made.tensors
    assert f"{made.copied} of {made.tensors} tensors" in str(made)
    made.checkpoint.model()
    again = carried_over(checkpoint("smallnet_24", width=1.5, depth=2.0))
    assert all(torch.equal(tensor, again.checkpoint.state[name]) for name, tensor in made.checkpoint.state.items())


def test_the_statistics_of_weights_are_known_of_the_lite_form(tmp_path: Path) -> None:
    """Its classes and the preparation of its images are those of the network, through a file and back."""
    found = load_weights(saved(tmp_path / "best.safetensors", classifier(small(), Preprocessing())))
    made = carried_over(found, "hard_swish").checkpoint
    assert (made.classes, made.preprocessing) == (found.classes, found.preprocessing)
    assert made.spec.activation == "hard_swish"


@pytest.mark.slow
def test_lite_prints_both_networks_in_both_precisions(run: Run, tmp_path: Path) -> None:
    """On the embedded flowers; the folder is a run, and the same command resumes it."""
    first, out = tmp_path / "first", tmp_path / "lite"
    data, quick = ("--data", "flowers:240"), ("--recipe", "quick", "--epochs", 1, "--threads", 1)
    assert run("train", "--network", "finenet_20", *data, *quick, "--no-kernels", "--out", first).code == 0
    command = ("lite", first, *data, *quick, "--out", out, "--json", "--calibration", 32)
    made = run(*command).json
    assert [(row["network"], row["precision"]) for row in made["rows"]] == [
        ("finenet_20", "float32"), ("finenet_20", "int8"), ("finenet_20@lite", "float32"), ("finenet_20@lite", "int8"),
    ]  # fmt: skip
    assert all(row["images"] == 60 for row in made["rows"]), "neither network saw them"
    assert made["rows"][0]["int8_gap"] is None
    assert made["copied"] == made["tensors"]
    rows = run(*command).json["rows"]
    assert [row["top1"] for row in rows] == [row["top1"] for row in made["rows"]]
    found = run("evaluate", out, *data, "--json").json
    assert found["top1"] == made["rows"][2]["top1"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--out", "x"), 64, "no weights given"),
        (("none", "--out", "x"), 65, "no such run folder"),
        (("WEIGHTS", "--out", "x", "--epochs", "0"), 64, "epochs is 0"),
        (("WEIGHTS", "--out", "x", "--activation", "gelu"), 64, "gelu"),
        (("WEIGHTS", "--out", "x", "--calibration", "0"), 64, "calibration is 0"),
    ],
)
def test_a_lite_form_that_cannot_be_made_leaves_nothing(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], code: int, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    weights = saved(tmp_path / "w.safetensors", classifier(small(), Preprocessing()))
    given = [str(weights) if one == "WEIGHTS" else one for one in arguments]
    answer = run("lite", *given, "--data", "flowers:240", "--json")
    assert (answer.code, answer.out) == (code, "")
    assert words in answer.err
    assert len(answer.err.splitlines()) <= 3
    assert not (tmp_path / "x").exists()
