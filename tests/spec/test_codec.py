"""The codec: what is written is read again, one network has one hash, and differences can be read."""

import json
from dataclasses import replace
from pathlib import Path

from hypothesis import given, settings

from tests.spec.strategies import networks
from triscale.families import network
from triscale.spec import (
    Head,
    Network,
    SqueezeExcite,
    Stage,
    Stem,
    content_hash,
    diff,
    dumps,
    from_dict,
    loads,
    read,
    scale,
    to_document,
)

quick = settings(max_examples=30, deadline=None)


def backwards(value: object) -> object:
    """The same JSON value with the keys of every object in the opposite order."""
    if isinstance(value, dict):
        return {key: backwards(value[key]) for key in reversed(value)}
    return [backwards(item) for item in value] if isinstance(value, list) else value


def floated(value: object) -> object:
    """The same JSON value with every integer written as a float."""
    if isinstance(value, dict):
        return {key: item if key == "version" else floated(item) for key, item in value.items()}
    if isinstance(value, list):
        return [floated(item) for item in value]
    return float(value) if type(value) is int else value


@quick
@given(networks())
def test_every_network_comes_back_from_its_json(net: Network) -> None:
    assert net == loads(dumps(net))
    assert net == from_dict(to_document(net))
    assert dumps(net) == dumps(loads(dumps(net)))


@quick
@given(networks())
def test_key_order_and_6_or_6_point_0_change_neither_network_nor_hash(net: Network) -> None:
    for document in (backwards(to_document(net)), floated(to_document(net))):
        again = from_dict(json.loads(json.dumps(document)))
        assert net == again
        assert content_hash(net) == content_hash(again)


@quick
@given(networks(), networks())
def test_networks_have_one_hash_exactly_where_they_differ_at_most_in_name(one: Network, two: Network) -> None:
    assert (replace(one, name="n") == replace(two, name="n")) == (content_hash(one) == content_hash(two))
    assert content_hash(one) == content_hash(replace(one, name="another"))


@quick
@given(networks())
def test_every_single_change_of_the_network_changes_the_hash_and_stands_in_the_difference(net: Network) -> None:
    first, *rest = net.stages
    changed = {
        "resolution: ": replace(net, resolution=(net.resolution[0] + 1, net.resolution[1])),
        "stem.kernel: ": replace(net, stem=replace(net.stem, kernel=9)),
        "stages[0].repeats: ": replace(net, stages=(replace(first, repeats=9), *rest)),
        "stages[0].skip: ": replace(net, stages=(replace(first, skip=not first.skip), *rest)),
        "head.scales: ": replace(net, head=replace(net.head, scales=not net.head.scales)),
        "norm.eps: ": replace(net, norm=replace(net.norm, eps=0.5)),
        "stochastic_depth: ": replace(net, stochastic_depth=0.3),
        "classes: ": replace(net, classes=net.classes + 1),
    }
    for line, other in changed.items():
        assert content_hash(net) != content_hash(other)
        assert [line] == [found[: len(line)] for found in diff(net, other)]


def test_the_difference_of_two_networks_can_be_read() -> None:
    b0 = network("efficientnet_b0")
    assert diff(b0, b0) == []
    assert diff(b0, scale(b0, depth=1.3, resolution=1.15)) == [
        'name: "efficientnet_b0" -> "efficientnet_b0@depth=1.3,width=1.0,resolution=1.15"',
        "resolution: [224, 224] -> [258, 258]",
        "stages[0].repeats: 1 -> 2",
        "stages[1].repeats: 2 -> 3",
        "stages[2].repeats: 2 -> 3",
        "stages[3].repeats: 3 -> 4",
        "stages[4].repeats: 3 -> 4",
        "stages[5].repeats: 4 -> 6",
        "stages[6].repeats: 1 -> 2",
    ]


def test_the_difference_shows_what_only_one_side_has() -> None:
    stage = Stage(operator="mbconv", repeats=1, channels=8, squeeze_excite=SqueezeExcite())
    plain = replace(stage, squeeze_excite=None)
    one = Network(name="n", resolution=(8, 8), stem=Stem(channels=8), stages=(stage,), head=Head(channels=None))
    two = replace(one, stages=(plain, plain))
    lines = diff(one, two)
    assert "stages[0].squeeze_excite.ratio: 0.25 -> absent" in lines
    assert "stages[0].squeeze_excite: absent -> null" in lines
    assert "stages[1].channels: absent -> 8" in lines


def test_fields_with_a_default_may_be_left_out() -> None:
    document = {
        "name": "mine",
        "resolution": [32, 48],
        "stem": {"channels": 16},
        "stages": [{"operator": "basic", "repeats": 2, "channels": 16}],
        "head": {"channels": None},
    }
    expected = Network(
        name="mine",
        resolution=(32, 48),
        stem=Stem(channels=16),
        stages=(Stage(operator="basic", repeats=2, channels=16),),
        head=Head(channels=None),
    )
    assert expected == from_dict(document)


def test_the_hash_is_64_hex_digits_and_stays_the_same_over_versions() -> None:
    """Run folders and records are found again by it: a change of this value orphans them."""
    assert content_hash(network("efficientnet_b0"))[:12] == "dbc85f44ee91"
    assert len(content_hash(network("efficientnet_b0"))) == 64


def test_a_network_is_read_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "b0.json"
    file.write_text(dumps(network("efficientnet_b0")), encoding="utf-8")
    assert network("efficientnet_b0") == read(file)
