"""What deployment needs: torch.export with a dynamic batch, torch.compile without graph breaks."""

from collections.abc import Iterator

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from tests.nn.networks import REGISTERED, TINY, tiny_network
from triscale.nn import build
from triscale.spec import Network, resolve

__all__ = ["tiny_network"]


def _networks() -> Iterator[object]:
    """Deep networks are slow to export (4 to 13 seconds) and hold but more of the same blocks; widths alike."""
    for of in REGISTERED:
        more = len(list(resolve(of).flat())) > 20 or of.name.endswith(("_025", "_035", "_050", "_075", "_140"))
        yield pytest.param(of, id=of.name, marks=[pytest.mark.slow] if more else [])


@pytest.mark.parametrize("of", list(_networks()))
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


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
def test_every_block_kind_compiles_without_graph_breaks(tiny_network: Network, *, training: bool) -> None:
    torch._dynamo.reset()
    model = build(tiny_network).train(training)
    compiled = torch.compile(model, fullgraph=True, backend="aot_eager")
    x = torch.randn(4, 3, *tiny_network.resolution)

    torch.manual_seed(0)
    logits = compiled(x)
    logits.sum().backward()

    assert all(p.grad is not None for p in model.parameters())
    if not training:
        torch.testing.assert_close(model(x), logits)


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
