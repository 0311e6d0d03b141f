"""Any module on batches of one's own: a DataLoader gives what the data set gives."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset
from torchvision.datasets import ImageFolder

import triscale
from tests.evaluation.conftest import CLASSES, NETWORK
from triscale.data import open_data
from triscale.errors import InputError, NumericError, TriscaleError, UsageError
from triscale.training import trained_on
from triscale.weights import load, save


def test_a_loader_of_torchvision_with_the_models_transform_gives_what_the_data_set_gives(
    weights: Path, disks: Path
) -> None:
    model = triscale.load(weights)
    wanted = triscale.evaluate(weights, disks)
    loader = DataLoader(ImageFolder(str(disks / "test"), transform=model.transform), batch_size=7)
    steps: list[tuple[int, int]] = []
    for one in (model, weights):
        found = triscale.evaluate(one, loader, progress=lambda *step: steps.append(step))
        assert np.array_equal(found.confusion, wanted.confusion)
        assert (found.classes, found.n, found.top1) == (CLASSES, 90, wanted.top1)
    assert steps[:2] == [(7, 90), (14, 90)]
    assert found.to_dict().keys() < wanted.to_dict().keys()


class Told(nn.Module):
    """A module without parameters that answers with the numbers that its images hold."""

    def forward(self, x: Tensor) -> Tensor:
        """[n, classes] of [n, classes, 1, 1]."""
        return x[:, :, 0, 0]


def test_any_module_is_scored_by_what_it_answers() -> None:
    answers = torch.eye(4)[[0, 1, 1, 3, 0]][:, :, None, None]
    labels = torch.tensor([0, 1, 2, 3, 3], dtype=torch.uint8)
    found = triscale.evaluate(Told(), DataLoader(TensorDataset(answers, labels), batch_size=2))
    assert found.classes == ("0", "1", "2", "3")
    assert found.confusion.tolist() == [[1, 0, 0, 0], [0, 1, 0, 0], [0, 1, 0, 0], [1, 0, 0, 1]]
    assert (found.top1, found.balanced_accuracy) == (0.6, (1 + 1 + 0 + 0.5) / 4)
    named = triscale.evaluate(Told(), [(answers, labels)], classes=["a", "b", "c", "d"])
    assert [row["name"] for row in named.to_dict()["classes"]] == ["a", "b", "c", "d"]


def test_a_module_is_evaluated_in_evaluation_mode_and_gets_its_own_back() -> None:
    module = nn.Sequential(nn.Dropout(1.0), Told())
    assert triscale.evaluate(module, [(torch.eye(3)[:, :, None, None], torch.arange(3))]).top1 == 1
    assert module.training
    assert module[0].training


def test_a_loaded_model_still_knows_what_it_was_trained_on(tmp_path: Path, weights: Path, disks: Path) -> None:
    """`evaluate` leaves these images out, whichever way the weights came."""
    source = open_data(disks)
    save(tmp_path / "best.safetensors", replace(load(weights), trained_on=trained_on(source, seed=0)))
    found, wanted = (triscale.evaluate(one, disks, split="train") for one in (triscale.load(tmp_path), tmp_path))
    assert found.about["seen_in_training"]["used"] == 240
    assert found.about == wanted.about
    begun = triscale.build(replace(NETWORK, classes=3), pretrained=tmp_path)
    assert begun.trained_on == load(tmp_path / "best.safetensors").trained_on


PICTURES, LABELS = torch.zeros(2, 3, 16, 16), torch.tensor([0, 1])


@pytest.mark.parametrize(
    ("batches", "said"),
    [
        ([], "the loader is empty"),
        ([PICTURES], "batch 1 is a Tensor: give batches of (tensor [n, c, h, w], labels [n])."),
        ([(PICTURES, LABELS, 3)], "batch 1 is a tuple of 3"),
        ([{"x": PICTURES, "y": LABELS}], "batch 1 is a dict of 2"),
        ((np.zeros((2, 3, 8, 8)), np.zeros(2)), "batch 1 is a ndarray"),
        ([(np.zeros((2, 3, 8, 8)), LABELS)], "batch 1 holds ndarray and Tensor"),
        (TensorDataset(PICTURES, LABELS), "give a path, or batches: DataLoader(dataset, batch_size=32)"),
        ([(PICTURES, LABELS), (PICTURES, LABELS.float())], "the labels of batch 2 are torch.float32"),
        ([(PICTURES, torch.eye(2))], "Of one-hot labels: labels.argmax(1)."),
        ([(PICTURES, LABELS[:1])], "labels [1]"),
        ([(PICTURES[:0], LABELS[:0])], "batch 1 is empty"),
        ([(PICTURES, LABELS + 5)], "batch 1 has the label 6, but the module has 6 classes"),
        ([(PICTURES, LABELS - 1)], "has the label -1"),
        ([(PICTURES[:, :1], LABELS)], "batch 1 is [2, 1, 16, 16], but the network takes [n, 3, h, w]."),
        ([(PICTURES.permute(0, 2, 3, 1), LABELS)], "Of channels that come last: x.permute(0, 3, 1, 2)."),
        ([(PICTURES.byte(), LABELS)], "batch 1 is torch.uint8: prepare its images first, with model.transform."),
        (3, "a int is not data"),
    ],
)
def test_batches_of_another_form_are_named_with_what_to_give(weights: Path, batches: Any, said: str) -> None:
    with pytest.raises(TriscaleError) as caught:
        triscale.evaluate(weights, batches)
    assert said in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 3


def test_modules_that_give_no_logits_and_options_of_data_sets_are_named(weights: Path) -> None:
    batches = [(PICTURES, LABELS)]
    with pytest.raises(InputError, match=r"the module answers \[2, 3, 16, 16\] to the 2 images of batch 1"):
        triscale.evaluate(nn.Identity(), batches)
    with pytest.raises(UsageError, match="2 names are given in classes, but the module has 6 logits"):
        triscale.evaluate(triscale.load(weights), batches, classes=["a", "b"])
    with pytest.raises(UsageError, match="split and override are for data sets"):
        triscale.evaluate(weights, batches, split="test")
    with pytest.raises(NumericError):
        triscale.evaluate(Told(), [(torch.full((2, 3, 1, 1), float("nan")), LABELS)])
