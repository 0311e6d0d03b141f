"""The operations of a network are those of its resolved layers, in an order that can run."""

import pytest
import torch

from triscale import nn
from triscale.families.by_name import network, registry
from triscale.spec import resolve
from triscale.spec.dataflow import Activate, Concatenate, Normalize, Scale, Sum, Unit, nodes_of


@pytest.mark.parametrize("name", list(registry()))
def test_every_layer_of_a_registered_network_is_one_operation(name: str) -> None:
    """The oracle is `Resolved`: the same layers in all, no operation before what it reads, the last one the logits."""
    resolved = resolve(network(name))
    nodes = nodes_of(resolved)
    layers = sum(len(block.layers) for _, block in resolved.flat())
    assert sum(isinstance(node.operation, Unit | Normalize) for node in nodes) == layers
    assert all(one < number for number, node in enumerate(nodes) for one in node.inputs)
    assert (nodes[-1].channels, nodes[-1].size) == (resolved.network.classes, (1, 1))
    assert len({(node.block, node.role, type(node.operation)) for node in nodes}) == len(nodes), "two have one name"


@pytest.mark.parametrize("name", list(registry()))
def test_operations_read_maps_that_fit(name: str) -> None:
    """What is added is of one shape, what is scaled has a gate of as many channels, and layers get their channels."""
    nodes = nodes_of(resolve(network(name)))
    for node in nodes:
        shapes = [(nodes[one].channels, nodes[one].size) for one in node.inputs]
        own = node.channels, node.size
        match node.operation:
            case Unit(layer):
                assert shapes[0][0] == layer.in_channels, node
                assert layer.kind == "linear" or shapes[0][1] == layer.input, node
            case Sum():
                assert shapes == [own, own], node
            case Scale():
                assert shapes == [own, (node.channels, (1, 1))], node
            case Activate() | Normalize():
                assert shapes == [own], node
            case Concatenate():
                assert sum(channels for channels, _ in shapes) == node.channels, node


@pytest.mark.parametrize("name", ["efficientnet_b0", "mobilenet_v3_large", "resnet50", "resnet164", "senet154"])
def test_modules_named_in_operations_are_those_of_the_built_network(name: str) -> None:
    with torch.device("meta"):
        known = {module for module, _ in nn.build(network(name)).named_modules()}
    for node in nodes_of(resolve(network(name))):
        match node.operation:
            case Unit(layer, conv, norm):
                assert {conv, norm} <= known | {""} if layer.norm else conv in known, node
            case Normalize(_, module):
                assert module in known, node
