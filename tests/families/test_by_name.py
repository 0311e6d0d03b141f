"""The registry: names, round trips, the nearest name for a wrong one, and the law of the small baselines."""

import pytest

from triscale.costs import count
from triscale.errors import UsageError
from triscale.families import full_name, matching, network, registry
from triscale.scaling import network as scaled
from triscale.spec import Network, content_hash, dumps, loads

SMALL = [net for family, net in registry().values() if family == "smallnet"]


def test_every_registered_network_comes_back_from_its_json_under_its_name() -> None:
    for name in registry():
        assert network(name).name == name
        assert loads(dumps(network(name))) == network(name), name


def test_every_name_that_the_papers_family_has_is_registered() -> None:
    expected = {f"efficientnet_{m}" for m in ("l2", *(f"b{i}" for i in range(9)), *(f"lite{i}" for i in range(5)))}
    expected |= {"mobilenet_v1", "mobilenet_v2", *(f"resnet{n}" for n in (18, 34, 50, 101, 152, 200))}
    assert expected <= registry().keys()


def test_no_two_names_stand_for_one_network() -> None:
    assert len({content_hash(net) for _, net in registry().values()}) == len(registry())


def test_the_registry_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        registry()["mine"] = ("mine", network("resnet18"))  # type: ignore[index]


@pytest.mark.parametrize(
    ("wrong", "nearest"),
    [
        ("efficientnet-b9", "efficientnet_b8"),
        ("effnet_b0", "efficientnet_b0"),
        ("resnet51", "resnet50"),
        ("smalnet_24", "smallnet_24"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(wrong: str, nearest: str) -> None:
    with pytest.raises(UsageError, match="unknown network") as caught:
        network(wrong)
    message = str(caught.value)
    assert repr(wrong) in message
    assert nearest in message
    assert message.count("\n") <= 2


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("b0", "efficientnet_b0"),
        ("B7", "efficientnet_b7"),
        ("efficientnet-b0", "efficientnet_b0"),
        ("EfficientNet-B4", "efficientnet_b4"),
        ("EfficientNet_B3", "efficientnet_b3"),
        ("efficientnetb7", "efficientnet_b7"),
        ("ResNet-50", "resnet50"),
        ("mobilenetv2", "mobilenet_v2"),
        ("MobileNetV3 Large", "mobilenet_v3_large"),
    ],
)
def test_a_name_is_known_as_people_write_it(written: str, name: str) -> None:
    assert network(written) == registry()[name][1]
    assert full_name(written) == name
    assert matching(written) == [name]
    assert scaled(f"{written}@phi=1") == scaled(f"{name}@phi=1")


def test_no_spelling_stands_for_two_networks() -> None:
    for name in registry():
        assert full_name(name) == full_name(name.upper().replace("_", "-")) == name
    assert full_name("mine") == "mine"


@pytest.mark.parametrize("wrong", ["", "zzz", "\n"])
def test_a_name_near_to_none_is_answered_with_where_the_names_are(wrong: str) -> None:
    with pytest.raises(UsageError, match="triscale networks"):
        network(wrong)


@pytest.mark.parametrize("net", SMALL, ids=lambda net: net.name)
def test_a_small_baseline_has_small_steps_of_width_and_depth(net: Network) -> None:
    """20 to 64 px, 0.4 to 10 M MACs, widths on a divisor of 2 or 4, and at least two blocks in every stage."""
    divisor = 2 if net.name.startswith("finenet") else 4
    assert net.channel_divisor == divisor
    assert all(stage.repeats >= 2 and stage.channels % divisor == 0 for stage in net.stages)
    assert net.stem.channels % divisor == 0
    assert all(20 <= side <= 64 for side in net.resolution)
    assert 400_000 <= count(net).macs <= 10_000_000


def test_the_small_baselines_reach_from_20_to_64_px() -> None:
    sides = [net.resolution[0] for net in SMALL]
    assert (min(sides), max(sides)) == (20, 64)
