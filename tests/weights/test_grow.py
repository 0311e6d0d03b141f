"""Growth: the larger network answers what the smaller one did, and its copies part."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.nn.networks import TINY, randomise
from triscale.errors import InputError
from triscale.nn import Model, build
from triscale.scaling import network as named
from triscale.spec import IMAGENET, Network, scale
from triscale.weights import Checkpoint, grown, refuse_growth

PICTURES = torch.randn(3, 3, 33, 33, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def trained(network: Network) -> Checkpoint:
    """Random weights in float64, norms with statistics of their own."""
    torch.manual_seed(0)
    model = build(network).double()
    randomise(model)
    names = tuple(f"class {index}" for index in range(network.classes))
    return Checkpoint(network=network, state=model.state_dict(), classes=names, preprocessing=IMAGENET)


def of(checkpoint: Checkpoint) -> Model:
    """In float64, in evaluation mode."""
    model = build(checkpoint.spec).double().eval()
    model.load_state_dict(dict(checkpoint.state))
    return model


def logits(checkpoint: Checkpoint) -> Tensor:
    with torch.inference_mode():
        found: Tensor = of(checkpoint)(PICTURES)
    return found


def small(name: str) -> Network:
    """A registered network at few pixels and with few classes."""
    return replace(named(name), resolution=(33, 33), classes=7)


BOTH = {"depth": 1.4, "width": 1.2, "resolution": 1.3}
SCALED = [("efficientnet_b0", {"depth": 1.4}), ("efficientnet_b0", {"width": 1.2}), ("smallnet_24", {"width": 2.3})]
SCALED += [
    (name, BOTH) for name in ("efficientnet_b0", "mobilenet_v2", "mobilenet_v3_small", "resnet18", "smallnet_24")
]


def assert_same_answers(before: Checkpoint, after: Checkpoint) -> None:
    expected, found = logits(before), logits(after)
    assert float((found - expected).abs().max()) <= 1e-9 * max(1.0, float(expected.abs().max()))


@pytest.mark.parametrize(("name", "factors"), SCALED, ids=str)
def test_a_scaled_network_answers_what_the_smaller_one_did(name: str, factors: dict[str, float]) -> None:
    before = trained(small(name))
    larger = scale(before.spec, **factors)
    assert sum(stage.repeats * stage.channels for stage in larger.stages) > sum(
        stage.repeats * stage.channels for stage in before.spec.stages
    )
    after = grown(before, larger)
    assert after.network == larger
    assert_same_answers(before, after)


LADDERS = {
    "efficientnet": [*(f"efficientnet_b{index}" for index in range(9)), "efficientnet_l2"],
    "lite": [f"efficientnet_lite{index}" for index in range(5)],
    "v2": [f"efficientnetv2_b{index}" for index in range(4)],
    "resnet": ["resnet50", "resnet101", "resnet152", "resnet200"],
}


@pytest.mark.parametrize("members", LADDERS.values(), ids=LADDERS)
def test_each_member_of_a_family_may_grow_into_the_next(members: list[str]) -> None:
    for small, large in pairwise(map(named, members)):
        refuse_growth(small, large)
        with pytest.raises(InputError):
            refuse_growth(large, small)


KINDS = [name for name in TINY if name not in ("cell", "senet")]


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_block_may_become_wider(name: str) -> None:
    before = trained(TINY[name])
    assert_same_answers(before, grown(before, scale(before.spec, width=1.8)))


@pytest.mark.parametrize("name", [*KINDS, "senet"])
def test_every_kind_of_block_but_separable_ones_may_become_more(name: str) -> None:
    before = trained(TINY[name])
    larger = scale(before.spec, depth=2.5)
    if name == "separable":
        with pytest.raises(InputError, match="block 3 of stage 1, separable, is new and has no skip"):
            grown(before, larger)
        return
    assert_same_answers(before, grown(before, larger))


def test_in_training_mode_the_loss_is_the_same_and_copies_get_different_gradients() -> None:
    """Without drops; equal shares would leave the copies alike for ever."""
    network = replace(TINY["mbconv_se"], stochastic_depth=0.0, head=replace(TINY["mbconv_se"].head, dropout=0.0))
    before = trained(network)
    larger = grown(before, scale(network, width=2.0))
    losses, gradients = [], {}
    for one in (before, larger):
        model = of(one).train()
        loss = model(PICTURES).square().mean()
        loss.backward()
        losses.append(loss.item())
        gradients = {name: weight.grad for name, weight in model.named_parameters()}
    assert losses[1] == pytest.approx(losses[0], rel=1e-9)
    stem = gradients["stem.conv.weight"]
    assert stem is not None
    first, copy = stem[:8], stem[8:]
    assert torch.equal(larger.state["stem.conv.weight"][:8], larger.state["stem.conv.weight"][8:])
    cosine = torch.nn.functional.cosine_similarity(first.flatten(1), copy.flatten(1))
    assert float(cosine.max()) < 0.999, "in direction too, since Adam does not see the length"


def test_the_same_seed_grows_the_same_bits_and_the_smaller_one_is_not_changed() -> None:
    before = trained(TINY["mbconv_se"])
    held = {name: one.clone() for name, one in before.state.items()}
    digests = []
    for _ in range(2):
        torch.manual_seed(5)
        digests.append(grown(before, scale(before.spec, width=1.8, depth=2.0)).digest)
    assert digests[0] == digests[1]
    assert all(torch.equal(held[name], before.state[name]) for name in held)


def test_float32_stays_float32_and_classes_and_colours_stay() -> None:
    network = TINY["basic"]
    state = build(network).state_dict()
    how = replace(IMAGENET, resolution=(30, 30))
    before = Checkpoint(network=network, state=state, classes=tuple("abcde"), preprocessing=how)
    after = grown(before, replace(scale(network, width=1.5), classes=9))
    assert {one.dtype for one in after.state.values()} == {torch.float32, torch.int64}
    assert (after.classes, after.network.classes) == (before.classes, 5)
    assert after.preprocessing == IMAGENET
    assert after.model()(PICTURES.float()).shape == (3, 5)


def changed(**fields: Any) -> Network:
    network = TINY["mbconv_se"]
    return replace(network, stages=(replace(network.stages[0], **fields), *network.stages[1:]))


@pytest.mark.parametrize(("larger", "told"), [
    (scale(TINY["mbconv_se"], depth=0.5), "block 2 of stage 1 is gone"),
    (changed(channels=4), r"block 1 of stage 1, mbconv, is narrower in its project"),
    (changed(kernel=5), "block 1 of stage 1, mbconv, has another kernel: 3 became 5"),
    (changed(expand=1.0), "has other layers: expand, depthwise, squeeze, excite, project became"),
    (changed(skip=False), "block 2 of stage 1, mbconv, has another skip"),
    (replace(TINY["mbconv_se"], activation="relu"), "the stem, stem, has another activation"),
    (replace(TINY["mbconv_se"], input_channels=1), "input channels: 3 became 1"),
    (TINY["cell"], "its cells"),
    (replace(TINY["mbconv_se"], stages=TINY["mbconv_se"].stages * 2), "stages: 2 became 4"),
])  # fmt: skip
def test_what_cannot_keep_the_function_is_refused_with_the_place(larger: Network, told: str) -> None:
    with pytest.raises(InputError, match=told) as caught:
        grown(trained(TINY["mbconv_se"]), larger)
    assert len(str(caught.value).splitlines()) <= 3


def test_wider_groups_are_refused() -> None:
    with pytest.raises(InputError, match="convolves in groups in its conv"):
        grown(trained(TINY["senet"]), scale(TINY["senet"], width=2.0))


def test_a_silu_after_the_sum_refuses_new_blocks_and_takes_width() -> None:
    before = trained(replace(TINY["basic"], activation="silu"))
    assert_same_answers(before, grown(before, scale(before.spec, width=1.5)))
    with pytest.raises(InputError, match="the silu after its sum"):
        grown(before, scale(before.spec, depth=2.0))
