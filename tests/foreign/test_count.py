"""Counts of foreign networks: torchvision's own figures, our own cost of our own networks, and the paper."""

import random
import sys
from pathlib import Path

import pytest
import torch
import torchvision
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import triscale
from tests.foreign import models
from tests.nn.networks import TINY
from triscale.costs import count as own_count
from triscale.errors import InputError, UsageError
from triscale.foreign import build, count, counted, known
from triscale.nn import build as own_build
from triscale.spec import ForeignNetwork

HERE = "tests.foreign.models"
CIFAR = "tests.examples.cifar_resnet:build@resolution=32"


def at(text: str) -> ForeignNetwork:
    return ForeignNetwork.parse(text)


@pytest.mark.parametrize("name", ["mobilenet_v2", "resnet18", "shufflenet_v2_x1_0"])
def test_counts_are_those_that_torchvision_publishes(name: str) -> None:
    published = torchvision.models.get_model_weights(name).DEFAULT.meta
    found = count(at(f"torchvision.models:{name}"))
    assert found.params == published["num_params"]
    assert found.macs / 1e9 == pytest.approx(published["_ops"], abs=0.0006)  # given to three digits


@pytest.mark.parametrize("kind", TINY)
def test_our_own_networks_cost_as_foreign_ones_what_they_cost_as_ours(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Activations too, which torch has no counter for."""
    ours = TINY[kind]
    monkeypatch.setattr(models, "ours", lambda: own_build(ours), raising=False)
    foreign = ForeignNetwork(f"{HERE}:ours", resolution=ours.resolution, input_channels=ours.input_channels)
    assert count(foreign) == own_count(ours)


@pytest.mark.parametrize("blocks", [3, 5, 9])
def test_a_cifar_resnet_has_the_params_of_the_paper(blocks: int) -> None:
    """ResNet-20, 32 and 56 (arXiv 1512.03385, Table 6)."""
    printed = {3: 0.27, 5: 0.46, 9: 0.85}[blocks]
    assert count(at(f"{CIFAR},blocks={blocks}")).params / 1e6 == pytest.approx(printed, abs=0.008)


def test_depth_and_width_move_what_they_should() -> None:
    plain, deep, wide, large = (count(at(f"{CIFAR}{more}")) for more in ("", ",depth=2", ",width=2", ""))
    large = count(at("tests.examples.cifar_resnet:build@resolution=64"))
    assert deep.macs / plain.macs == pytest.approx(2, rel=0.05)
    assert wide.macs / plain.macs == pytest.approx(4, rel=0.05)
    assert large.macs / plain.macs == pytest.approx(4, rel=0.001)
    assert large.params == plain.params


def test_width_by_the_callables_own_name_is_that_network() -> None:
    foreign = at("torchvision.models:mobilenet_v2@width=1.4,width=width_mult,resolution=96")
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        model = torchvision.models.mobilenet_v2(width_mult=1.4).eval()
        model(torch.empty(1, 3, 96, 96))
    assert count(foreign).macs * 2 == counter.get_total_flops()
    assert {n: tuple(p.shape) for n, p in build(foreign).state_dict().items()} == {
        n: tuple(p.shape) for n, p in model.state_dict().items()
    }


@pytest.mark.parametrize(
    ("name", "how"), [("tiny", "meta"), ("reads_numbers", "built on cpu"), ("branches", "run on cpu")]
)
def test_networks_that_need_numbers_are_counted_all_the_same(name: str, how: str) -> None:
    found = counted(at(f"{HERE}:{name}@resolution=20"))
    assert found.how == how
    assert found.counts == (8 * 28 + 10 * 9, 8 * 27 * 400 + 80, 8 * 400)
    assert dict(found.operations) == {"convolution": 8 * 27 * 400, "matrix product": 80}


def test_functional_convolutions_count_and_frozen_parameters_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "functional", models.Functional, raising=False)
    assert count(at(f"{HERE}:functional@resolution=4")) == (15, 15 * 16, 5 * 16)


def test_a_count_moves_no_random_numbers() -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    count(at(f"{HERE}:branches@resolution={random.randint(200, 300)}"))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("maps_out", "returns a tensor of shape (1, 4, 16, 16) in evaluation mode"),
        ("tuple_out", "returns a tuple in evaluation mode"),
        ("no_parameters", "without trainable parameters"),
        ("fixed_size@resolution=20", "20x20 px failed on an image: RuntimeError"),
        ("reads_numbers@classes=3", "returns 10 logits for 3 classes"),
    ],
)
def test_what_is_no_classifier_is_rejected(name: str, words: str) -> None:
    text = name if "resolution" in name else f"{name}{',' if '@' in name else '@'}resolution=16"
    with pytest.raises(InputError) as caught:
        count(at(f"{HERE}:{text}"))
    assert words in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 3


def test_a_known_network_says_all_that_was_left_to_the_callable() -> None:
    found = known(at(f"{HERE}:sized"))
    assert found.is_known
    assert (found.resolution, found.classes) == ((48, 48), 4)
    assert known(found) == found


def test_other_code_under_the_same_path_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By shapes, and by MACs where the shapes are equal."""
    monkeypatch.syspath_prepend(tmp_path)
    known_before: list[ForeignNetwork] = []
    for index, source in enumerate(("Conv2d(3, 4, 3)", "Conv2d(3, 5, 3)", "Conv2d(3, 4, 3, stride=2)")):
        (tmp_path / f"changing{index}.py").write_text(
            "from torch import nn\n\ndef build():\n"
            f"    conv = nn.{source}\n"
            "    pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())\n"
            "    return nn.Sequential(conv, pool, nn.Linear(conv.out_channels, 2))\n"
        )
        known_before.append(known(at(f"changing{index}:build@resolution=16")))
    assert len({one.fingerprint for one in known_before}) == 3
    for stale in ("changing1", "changing2"):
        monkeypatch.setitem(sys.modules, "changing0", sys.modules[stale])
        with pytest.raises(InputError, match="the code of changing0:build changed"):
            count(known_before[0])


def test_a_module_keeps_the_names_of_its_weights() -> None:
    model = build(at(f"{HERE}:tiny"))
    assert isinstance(model, nn.Module)
    assert list(model.state_dict()) == ["conv.weight", "conv.bias", "classifier.weight", "classifier.bias"]
    model.load_state_dict(models.tiny().state_dict())
    with pytest.raises(InputError, match="in training mode"):
        build(at("torchvision.models:googlenet@init_weights=False"))(torch.zeros(2, 3, 64, 64))


def test_the_public_cost_is_that_of_the_module() -> None:
    """By text and by value; at another resolution too."""
    by_text = triscale.cost(f"{HERE}:tiny@classes=3", resolution=20, batch=4)
    by_value = triscale.cost(ForeignNetwork(f"{HERE}:tiny", classes=3, resolution=20), batch=4)
    assert by_text == by_value
    assert (by_text.params, by_text.macs) == (8 * 28 + 3 * 9, 8 * 27 * 400 + 24)
    assert by_text.training_memory > by_text.inference_memory > 4 * 3 * 400 * 4
    assert by_text.network == f"{HERE}:tiny@resolution=20,classes=3"
    for other in (triscale.scale, triscale.build):
        with pytest.raises(UsageError, match="is your own code, which this command does not take"):
            other(f"{HERE}:tiny")
