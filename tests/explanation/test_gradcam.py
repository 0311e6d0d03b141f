"""The map of one class: CAM where it is exact, Grad-CAM by its closed forms elsewhere."""

import pytest
import torch

from tests.nn.networks import randomise
from triscale.errors import UsageError
from triscale.explanation import class_activation_maps, class_maps, method_for
from triscale.explanation.gradcam import _grad_cam
from triscale.families import network
from triscale.nn import Model, build


def made(name: str) -> Model:
    torch.manual_seed(0)
    model = build(network(name))
    randomise(model)
    return model.eval()


@pytest.fixture
def pictures() -> torch.Tensor:
    return torch.randn(3, 3, 48, 64, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", ["smallnet_24", "mnasnet_small", "resnet18"])
def test_cam_and_the_bias_make_up_the_logit_of_the_class_that_is_shown(name: str, pictures: torch.Tensor) -> None:
    model = made(name)
    with torch.inference_mode():
        expected = model(pictures)
    logits, chosen, maps = class_maps(model, pictures)
    other = class_maps(model, pictures, wanted=7)

    assert method_for(model) == "CAM"
    assert torch.equal(chosen, expected.argmax(1))
    assert torch.allclose(maps.mean((1, 2)) + model.classifier.bias[chosen], expected.amax(1), rtol=1e-4, atol=1e-4)
    assert other.chosen.tolist() == [7, 7, 7]
    assert torch.allclose(other.maps.mean((1, 2)) + model.classifier.bias[7], expected[:, 7], rtol=1e-4, atol=1e-4)
    assert torch.allclose(logits, expected, atol=1e-4)


@pytest.mark.parametrize("name", ["smallnet_24", "resnet18"])
def test_grad_cam_of_a_linear_head_is_cam_over_the_number_of_places_cut_at_zero(
    name: str, pictures: torch.Tensor
) -> None:
    """The gradient of a logit that is a mean over places is the classifier's weight over their number."""
    model = made(name)
    cam = class_activation_maps(model, pictures)[1][:, 5]
    found = _grad_cam(model, pictures, 5, "head").maps

    assert float(found.max()) > 0
    assert torch.allclose(found, (cam / cam[0].numel()).relu(), rtol=1e-4, atol=1e-6)


def test_grad_cam_behind_a_hidden_layer_matches_the_chain_rule_by_hand(pictures: torch.Tensor) -> None:
    """MobileNetV3: classifier . hard-swish' . hidden weight, over the number of places."""
    model = made("mobilenet_v3_small")
    found = class_maps(model, pictures, wanted=3)
    hidden = model.hidden[0]
    assert isinstance(hidden, torch.nn.Linear)
    with torch.inference_mode():
        last = model.forward_features(pictures)
        before = hidden(last.mean((2, 3)))
        slope = torch.where(before <= -3, 0, torch.where(before >= 3, 1, (2 * before + 3) / 6))
        weights = (slope * model.classifier.weight[3]) @ hidden.weight / last[0, 0].numel()
        expected = torch.einsum("nchw,nc->nhw", last, weights).relu()

    assert method_for(model) == "Grad-CAM"
    assert torch.allclose(found.maps, expected, rtol=1e-4, atol=1e-6)


def test_grad_cam_of_an_earlier_map_matches_differences_of_the_logit(pictures: torch.Tensor) -> None:
    """The weight of a channel is how the logit answers when the whole channel is raised a little."""
    model = made("smallnet_24").double()
    x = pictures[:1].double()
    with torch.inference_mode():
        before = model.features(x)["stage1"]
        raised = torch.eye(before.shape[1], dtype=torch.float64)[:, :, None, None] * 1e-5

        def logit(state: torch.Tensor) -> torch.Tensor:
            for stage in list(model.stages)[1:]:
                state = stage(state)
            answer: torch.Tensor = model.classifier(model.hidden(model.head(state).mean((2, 3))))[:, 2]
            return answer

        slopes = (logit(before + raised) - logit(before - raised)) / 2e-5
    expected = torch.einsum("nchw,c->nhw", before, slopes / before[0, 0].numel()).relu()
    found = class_maps(model, x, wanted=2, layer="stage1")

    assert method_for(model, "stage1") == "Grad-CAM"
    assert torch.allclose(found.maps, expected, rtol=1e-4, atol=1e-9)


def test_a_frozen_network_of_cells_is_explained_too(pictures: torch.Tensor) -> None:
    from tests.nn.networks import TINY

    model = build(TINY["cell"]).requires_grad_(requires_grad=False)
    assert class_maps(model, pictures, layer="stage1").maps.shape[0] == 3


@pytest.mark.parametrize("layer", ["stage0", "stage99", "classifier", ""])
def test_a_layer_that_is_not_there_is_a_usage_error(layer: str) -> None:
    with pytest.raises(UsageError, match=r"stem, stage1 to stage\d, or head"):
        method_for(made("smallnet_24"), layer)
