"""What a callable is told follows from its signature, from constants and from the names that the user gives."""

from typing import Any

import pytest
import torchvision

from tests.examples import cifar_resnet
from tests.foreign import models
from triscale.errors import InputError
from triscale.foreign.callables import Foreign
from triscale.foreign.signature import arguments, roles, sized
from triscale.spec import ForeignNetwork


def network(settings: str = "") -> ForeignNetwork:
    return ForeignNetwork.parse(f"a:b@{settings}")


@pytest.mark.parametrize(
    ("function", "settings", "given"),
    [
        (cifar_resnet.build, "depth=2,blocks=5", {"depth": 2.0, "width": 1.0, "blocks": 5}),
        (cifar_resnet.build, "classes=7", {"depth": 1.0, "width": 1.0, "num_classes": 7}),
        (models.sized, "resolution=64", {"resolution": 64}),
        (models.sized, "resolution=64x32", {"resolution": (64, 32)}),
        (models.by_keywords, "classes=7", {"num_classes": 7}),
        (models.by_keywords, "classes=7,classes=n", {"n": 7}),
        (models.by_keywords, "classes=7,classes=,width=channels", {"channels": 1.0}),
        (models.tiny, "width=,classes=3", {"num_classes": 3}),
        (models.tiny, "width=2,width=num_classes", {"num_classes": 2.0}),
        (torchvision.models.mobilenet_v2, "width=1.4,width=width_mult", {"width_mult": 1.4}),
        (models.by_keywords, "layers=[2,[3]]", {"layers": [2, [3]]}),
    ],
)
def test_a_callable_is_told_what_it_can_be_told(function: Foreign, settings: str, given: dict[str, Any]) -> None:
    assert arguments(network(settings), function) == given


def test_a_constant_of_the_name_of_a_dimension_holds_it() -> None:
    held = ForeignNetwork("a:b", arguments={"width": 3})
    assert roles(held, models.tiny) == {"classes": "num_classes"}
    assert arguments(held, models.tiny) == {"width": 3}


def test_the_resolution_is_the_users_then_the_callables_then_224() -> None:
    assert sized(network("resolution=20"), models.sized).resolution == (20, 20)
    assert sized(network(), models.sized).resolution == (48, 48)
    assert sized(network(), models.tiny).resolution == (224, 224)


def test_one_parameter_for_two_dimensions_is_an_input_error() -> None:
    with pytest.raises(InputError, match="width is named for two"):
        roles(network("depth=width,width=width"), models.tiny)


def test_a_callable_without_a_signature_is_an_input_error() -> None:
    with pytest.raises(InputError, match="wrap it in your own function"):
        arguments(network(), type)
