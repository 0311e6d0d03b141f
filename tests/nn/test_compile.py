"""What deployment needs: torch.export with a dynamic batch, torch.compile without graph breaks."""

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from tests.nn.networks import REGISTERED, TINY, tiny_network
from triscale.nn import build
from triscale.spec import Network

__all__ = ["tiny_network"]


ONE_OF_A_KIND = {
    "efficientnet_b0", "efficientnet_lite0", "efficientnet_es", "mobilenet_v1", "mobilenet_v2", "mobilenet_v3_small",
    "mnasnet_small", "resnet18", "resnet50", "smallnet_24",
}  # fmt: skip
"""The others hold but more, or wider, of the same blocks; deep ones take 4 to 13 seconds."""


@pytest.mark.parametrize(
    "of",
    [pytest.param(of, id=of.name, marks=[] if of.name in ONE_OF_A_KIND else [pytest.mark.slow]) for of in REGISTERED],
)
def test_every_registered_network_exports_with_a_dynamic_batch(of: Network) -> None:
    with torch.device("meta"):
        model = build(of).eval()
        x = torch.empty(2, of.input_channels, *of.resolution)

    batch = torch.export.Dim("batch", min=1, max=4096)
    exported = torch.export.export(model, (x,), dynamic_shapes=({0: batch},))

    assert exported.module()(torch.empty(7, *x.shape[1:], device="meta")).shape == (7, of.classes)


def test_an_exported_model_gives_the_same_logits(tiny_network: Network) -> None:
    model = build(tiny_network).eval()
    batch = torch.export.Dim("batch", min=1, max=64)
    exported = torch.export.export(model, (torch.randn(2, 3, 15, 18),), dynamic_shapes=({0: batch},))
    x = torch.randn(5, 3, 15, 18)

    torch.testing.assert_close(model(x), exported.module()(x))


def test_every_block_kind_compiles_without_graph_breaks_to_train(tiny_network: Network) -> None:
    torch._dynamo.reset()
    model = build(tiny_network).train()

    torch.compile(model, fullgraph=True, backend="aot_eager")(
        torch.randn(4, 3, *tiny_network.resolution)
    ).sum().backward()

    assert all(p.grad is not None for p in model.parameters())


def test_every_block_kind_compiles_without_graph_breaks_to_the_same_logits(tiny_network: Network) -> None:
    torch._dynamo.reset()
    model, x = build(tiny_network).eval(), torch.randn(4, 3, *tiny_network.resolution)

    with torch.no_grad():
        torch.testing.assert_close(model(x), torch.compile(model, fullgraph=True, backend="aot_eager")(x))


@pytest.mark.slow
def test_inductor_gives_the_same_logits() -> None:
    torch._dynamo.reset()
    of = TINY["mbconv_se"]
    model = build(of).eval()
    x = torch.randn(4, 3, *of.resolution)

    with torch.no_grad():
        torch.testing.assert_close(model(x), torch.compile(model, fullgraph=True)(x), rtol=1e-4, atol=1e-5)


def test_shapes_follow_under_fake_tensors(tiny_network: Network) -> None:
    with FakeTensorMode():
        assert build(tiny_network)(torch.empty(3, 3, 40, 31)).shape == (3, 5)
