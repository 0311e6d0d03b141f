"""The parity ledger: the page is what its records say, the records are of the registry, and a part is proved again."""

import re
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from functools import cache

import pytest
import torch
from torch import nn

from benchmarks.parity import __main__ as command
from benchmarks.parity import compare, keras_job, ledger, plans, torch_peer
from benchmarks.parity.compare import Verdict
from benchmarks.parity.reference import Reference
from benchmarks.parity.rows import Row, alone, rows
from triscale.costs import count
from triscale.families import network, registry
from triscale.nn import build
from triscale.spec import Network, Norm, SqueezeExcite, Stage, content_hash

ROWS = {f"{row.peer}-{row.model}": row for row in rows()}
TORCH = {name: row for name, row in ROWS.items() if row.peer != "keras"}

LIVE = (
    "timm-tf_efficientnet_b0", "timm-tf_efficientnet_es", "timm-tf_efficientnetv2_b0", "timm-mobilenetv1_100",
    "timm-mobilenetv3_small_100", "timm-mnasnet_small", "timm-resnet50", "torchvision-efficientnet_b0",
    "torchvision-mobilenet_v2", "torchvision-resnet18",
)  # fmt: skip
"""Every family but the largest, SAME and symmetric padding, every kind of block."""


def _with_last_stage(of: Network, stage: Stage) -> Network:
    return replace(of, stages=(*of.stages[:-1], stage))


BROKEN: dict[str, Callable[[Network], Network]] = {
    "eps": lambda of: replace(of, norm=Norm(eps=1e-5, momentum=0.1)),
    "padding": lambda of: replace(of, padding="symmetric"),
    "activation": lambda of: _with_last_stage(of, replace(of.stages[-1], activation="hard_swish")),
    "gate": lambda of: _with_last_stage(
        of, replace(of.stages[-1], squeeze_excite=SqueezeExcite(ratio=0.25, gate="hard_sigmoid"))
    ),
}
"""What a network may do otherwise with the same tensors; in the last stage alone where that is enough to be seen."""


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Layers this small are slower on many threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@cache
def recorded() -> dict[tuple[str, str], ledger.Entry]:
    return ledger.read()


def verdict(entry: ledger.Entry) -> Verdict:
    return Verdict(**{field.name: entry[field.name] for field in fields(Verdict)})


def proved(row: Row) -> Verdict:
    plan = plans.quick(row.of, row.peer)
    return compare.compare(row.of, row.peer, torch_peer.reference(row.peer, row.model, plan), plan)


def test_every_registered_network_has_a_row_or_a_stated_reason() -> None:
    assert {row.network for row in rows()} | set(alone()) == set(registry())
    assert [name for name, why in alone().items() if not why] == []


_MILLIONS = re.compile(r"([\d.]+) M (params|MACs)")


def _as(printed: str, number: int) -> str:
    """The number in millions, with as many digits as were printed."""
    return f"{number / 1e6:.{len(printed.partition('.')[2])}f}"


@pytest.mark.parametrize("name", [name for name, why in alone().items() if "are met" in why])
def test_a_network_without_a_peer_meets_the_published_counts(name: str) -> None:
    with torch.device("meta"):
        modules = list(build(network(name)).modules())
    norms = sum(2 * module.num_features for module in modules if isinstance(module, nn.BatchNorm2d))
    cost, why = count(network(name)), alone()[name]

    told = dict.fromkeys(("params", "MACs"), "") | {what: number for number, what in _MILLIONS.findall(why)}

    assert told["params"] == _as(told["params"], cost.params - norms * ("no norms" in why))
    assert told["MACs"] in ("", _as(told["MACs"], cost.macs))


def test_every_row_is_recorded_of_the_network_as_it_is_now_and_holds() -> None:
    for name, row in ROWS.items():
        entry = recorded().get((row.peer, row.model))

        assert entry is not None, f"{name}: run `make parity` (or `make parity-keras`)"
        assert entry["id"] == content_hash(row.of), f"{name} has changed since: run `make parity`"
        assert entry["method"] == ledger.METHOD, name
        assert verdict(entry).faults() == [], name
        assert entry["pictures"] == 100, name
        assert entry["answers"] > 1, name


def test_the_page_is_what_the_records_say() -> None:
    assert command.PAGE.read_text(encoding="utf-8") == command.written()


@pytest.mark.parametrize("name", LIVE)
def test_a_network_equals_its_peer_with_the_same_weights(name: str) -> None:
    """Params, MACs, shapes, logits, one training step with its gradients; in a few pictures of odd sizes."""
    assert proved(TORCH[name]).faults() == []


@cache
def reference() -> tuple[Reference, Network]:
    of = TORCH["timm-tf_efficientnet_b0"].of
    return torch_peer.reference("timm", "tf_efficientnet_b0", plans.quick(of, "timm")), of


@pytest.mark.parametrize("part", BROKEN)
def test_a_network_that_computes_otherwise_is_found(part: str) -> None:
    theirs, of = reference()

    found = compare.compare(
        BROKEN[part](of), "timm", replace(theirs, weights=dict(theirs.weights)), plans.quick(of, "timm")
    ).faults()

    assert {fault.split(" differ")[0] for fault in found} >= {"logits", "step", "gradients"}


def test_a_network_with_other_counts_is_found() -> None:
    theirs, of = reference()
    counted = replace(theirs.counted, macs=theirs.counted.macs + 1, shapes=theirs.counted.shapes[:-1])

    found = compare.compare(
        of, "timm", replace(theirs, weights=dict(theirs.weights), counted=counted), plans.quick(of, "timm")
    )

    assert found.faults() == ["params or MACs differ", "shapes differ"]


def test_one_changed_number_in_one_tensor_is_found() -> None:
    theirs, of = reference()
    weights = {name: tensor.clone() for name, tensor in theirs.weights.items()}
    weights["blocks.6.0.bn3.running_var"][7] *= 1.01

    found = compare.compare(of, "timm", replace(theirs, weights=weights), plans.quick(of, "timm")).faults()

    assert any(fault.startswith("logits") for fault in found)


def test_a_line_is_proved_again_once_network_or_version_has_changed() -> None:
    row = next(iter(ROWS.values()))
    versions = {"torch": "1"}
    entries = {(row.peer, row.model): ledger.identity(row, versions)}

    assert ledger.is_recorded(row, versions, entries)
    assert not ledger.is_recorded(row, {"torch": "2"}, entries)
    assert not ledger.is_recorded(row, versions, {(row.peer, row.model): {**entries[row.peer, row.model], "id": "0"}})


def test_an_interpreter_without_keras_is_named() -> None:
    with pytest.raises(RuntimeError, match="no-such-python"):
        keras_job.Keras("no-such-python")


@pytest.mark.slow
@pytest.mark.parametrize("name", TORCH)
def test_every_network_equals_its_peers(name: str) -> None:
    """The whole ledger of this process, on the few pictures of the live part."""
    assert proved(TORCH[name]).faults() == []
