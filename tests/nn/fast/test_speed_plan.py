"""Whole models under a plan: gradients beside float64 and torch's own, statistics, names, the plan as data."""

import copy
import json
from dataclasses import replace
from typing import cast

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.nn.networks import TINY, at, randomise
from triscale.errors import InputError
from triscale.nn import apply_plan, build, synchronise_norms, tune
from triscale.nn.fast import native, swap
from triscale.nn.fast.inner_mbconv import InnerMBConv
from triscale.nn.fast.norm_activation import NormActivation, norm_fits
from triscale.spec import Network
from triscale.speed_plan import SpeedPlan

KERNELS = pytest.mark.skipif(not native.available(), reason=f"no compiled kernels: {native.missing()}")
LEVELS = ["rewritten", pytest.param("native", marks=KERNELS), pytest.param("inner", marks=KERNELS)]


def quiet(of: Network) -> Network:
    """Without anything drawn."""
    return replace(of, stochastic_depth=0.0, head=replace(of.head, dropout=0.0))


def model_of(of: Network) -> nn.Module:
    """In channels-last memory, with norms that are not the identity."""
    torch.manual_seed(0)
    model = build(quiet(of)).to(memory_format=torch.channels_last)
    randomise(model)
    return model


def plan_of(model: nn.Module, level: str) -> SpeedPlan:
    """Everything that can be fast in this way is."""
    convolutions = dict.fromkeys(swap.convolutions(model), "rewritten" if level == "rewritten" else "native")
    norms = {} if level == "rewritten" else {pair.norm: "native" for pair in swap.pairs(model)}
    blocks = dict.fromkeys(swap.blocks(model), "inner") if level == "inner" else {}
    return SpeedPlan(convolutions=convolutions, norms=norms, blocks=blocks)


def step(model: nn.Module, x: Tensor, *, bfloat16: bool = False) -> tuple[list[Tensor], list[Tensor]]:
    """One backward: gradients of the parameters, and the buffers after it."""
    model.zero_grad()
    torch.manual_seed(1)
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        logits = model(x)
    labels = torch.arange(len(x)) % logits.shape[1]
    F.cross_entropy(logits if logits.dtype == torch.float64 else logits.float(), labels).backward()  # type: ignore[no-untyped-call]
    return [cast("Tensor", one.grad) for one in model.parameters()], list(model.buffers())


def distance(found: list[Tensor], exact: list[Tensor]) -> float:
    """Relative to all of them together: single gradients that are zero in exact numbers have no relative error."""
    differences = sum((a.double() - b).square().sum().item() for a, b in zip(found, exact, strict=True))
    return float((differences / sum(one.double().square().sum().item() for one in exact)) ** 0.5)


NETWORKS = {
    "mbconv_se": TINY["mbconv_se"], "mbconv": TINY["mbconv"], "mobilenet_v3": TINY["mobilenet_v3"],
    "separable": TINY["separable"], "preactivation": TINY["preactivation"], "basic": TINY["basic"],
    "odd": at("smallnet_24", 23, 29), "b0": at("efficientnet_b0", 64, 64),
}  # fmt: skip


@pytest.mark.parametrize("bfloat16", [False, True], ids=["float32", "bfloat16"])
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", NETWORKS)
def test_a_models_gradients_are_as_near_to_float64_as_torchs_own(name: str, level: str, *, bfloat16: bool) -> None:
    of = NETWORKS[name]
    model = model_of(of)
    x = torch.randn(4, 3, *of.resolution).to(memory_format=torch.channels_last)
    exact, statistics = step(copy.deepcopy(model).double(), x.double())
    stock, _ = step(copy.deepcopy(model), x, bfloat16=bfloat16)

    apply_plan(model, plan_of(model, level))
    ours, counted = step(model, x, bfloat16=bfloat16)

    assert distance(ours, exact) <= max(1.5 * distance(stock, exact), 1e-6)
    assert distance(counted, statistics) <= (2e-2 if bfloat16 else 1e-5)


@pytest.mark.parametrize("level", LEVELS)
def test_the_same_bits_twice(level: str) -> None:
    model = model_of(TINY["mbconv_se"])
    apply_plan(model, plan_of(model, level))
    x = torch.randn(4, 3, 15, 18)
    first, second = (step(copy.deepcopy(model), x)[0] for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("level", LEVELS)
def test_names_weights_and_evaluation_stay_and_an_empty_plan_undoes_it(level: str) -> None:
    model = model_of(TINY["mbconv_se"])
    x = torch.randn(2, 3, 15, 18)
    text, state = repr(model), {name: id(value) for name, value in model.state_dict(keep_vars=True).items()}
    with torch.no_grad():
        expected = model.eval()(x)
    apply_plan(model, plan_of(model, level))
    assert list(state.items()) == [(name, id(value)) for name, value in model.state_dict(keep_vars=True).items()]
    with torch.no_grad():
        assert torch.equal(expected, model(x))
        assert torch.equal(expected, copy.deepcopy(model)(x))
    apply_plan(model, SpeedPlan())
    assert repr(model) == text
    assert {type(one).__module__ for one in model.modules()} <= {"triscale.nn.blocks", "triscale.nn.primitives",
        "triscale.nn.model", *(type(one).__module__ for one in build(TINY["mbconv_se"]).modules())}  # fmt: skip


@KERNELS
def test_recomputed_blocks_give_the_same_bits() -> None:
    model = model_of(TINY["mbconv_se"])
    apply_plan(model, plan_of(model, "inner"))
    again = copy.deepcopy(model)
    vars(again)["recompute"] = True
    x = torch.randn(4, 3, 15, 18)
    (kept, counted), (made, recounted) = step(model, x), step(again, x)
    assert all(torch.equal(a, b) for a, b in zip(kept + counted, made + recounted, strict=True))


@KERNELS
def test_timms_norms_and_convolutions_take_part() -> None:
    """With SiLU: at kinks such as ReLU6's a last bit turns whole gradients, of torch's as of ours."""
    timm = pytest.importorskip("timm")
    torch.manual_seed(0)
    model = timm.create_model("efficientnet_lite0", num_classes=5, act_layer=nn.SiLU)
    model = model.to(memory_format=torch.channels_last)
    x = torch.randn(4, 3, 33, 41).to(memory_format=torch.channels_last)
    exact, _ = step(copy.deepcopy(model).double(), x.double())
    stock, _ = step(copy.deepcopy(model), x)
    plan = plan_of(model, "native")
    apply_plan(model, plan)
    ours, _ = step(model, x)
    assert distance(ours, exact) <= 1.5 * distance(stock, exact)
    assert len(plan.convolutions) == 16
    assert sum(isinstance(one, NormActivation) for one in model.modules()) == 49


@KERNELS
def test_frozen_norms_and_synchronised_ones_are_torchs_own() -> None:
    model = model_of(TINY["mbconv_se"])
    apply_plan(model, plan_of(model, "inner"))
    stock = copy.deepcopy(model)
    apply_plan(stock, SpeedPlan())
    x = torch.randn(4, 3, 15, 18)
    for one in (model, stock):
        for norm in one.modules():
            if isinstance(norm, nn.BatchNorm2d):
                norm.eval()
    for mine, theirs in zip(step(model, x)[0], step(stock, x)[0], strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-5)
    synchronised = nn.SyncBatchNorm.convert_sync_batchnorm(build(TINY["mbconv_se"]))  # type: ignore[no-untyped-call]
    assert not swap.pairs(synchronised)
    assert not swap.pairs(synchronise_norms(build(TINY["mbconv_se"])))
    late = synchronise_norms(build(TINY["mbconv_se"]))
    apply_plan(late, SpeedPlan())
    assert not any(map(norm_fits, late.modules()))
    assert not swap.blocks(synchronised)


@KERNELS
def test_a_norm_of_one_value_is_refused_as_by_torch() -> None:
    model = model_of(TINY["mbconv_se"]).train()
    apply_plan(model, plan_of(model, "inner"))
    with pytest.raises(ValueError, match="more than 1 value"):
        model(torch.randn(1, 3, 4, 4))


@KERNELS
def test_autocast_to_another_type_is_torchs_own() -> None:
    model = model_of(TINY["mbconv_se"]).train()
    stock = copy.deepcopy(model)
    apply_plan(model, plan_of(model, "inner"))
    x = torch.randn(4, 3, 15, 18)
    with torch.autocast("cpu", torch.float16):
        assert torch.equal(stock(x), model(x))


@KERNELS
def test_a_model_under_a_plan_compiles_without_graph_breaks() -> None:
    torch._dynamo.reset()
    model = model_of(TINY["mbconv_se"])
    x = torch.randn(4, 3, 15, 18)
    stock, _ = step(copy.deepcopy(model), x)
    apply_plan(model, plan_of(model, "inner"))
    ours, _ = step(cast("nn.Module", torch.compile(model, fullgraph=True, backend="aot_eager")), x)
    for mine, theirs in zip(ours, stock, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-3, atol=1e-4)


def test_tuning_measures_changes_nothing_and_gives_plain_data() -> None:
    model = model_of(TINY["mbconv_se"]).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    text = repr(model)
    plan = tune(model, 4, (15, 18), "float32")
    assert repr(model) == text
    assert all(torch.equal(value, model.state_dict()[name]) for name, value in before.items())
    again = SpeedPlan.from_dict(json.loads(json.dumps(plan.to_dict())))
    assert again == plan
    assert (plan.build is not None) == plan.compiled
    apply_plan(model, again)
    assert len(plan.blocks) == sum(isinstance(one, InnerMBConv) for one in model.modules())


def test_a_plan_of_another_model_or_of_nonsense_is_refused() -> None:
    model = model_of(TINY["mbconv_se"])
    with pytest.raises(InputError, match="another model"):
        apply_plan(model, SpeedPlan(convolutions={"stages.9.conv": "rewritten"}))
    with pytest.raises(InputError, match="magic"):
        SpeedPlan(convolutions={"a": "magic"})
    with pytest.raises(InputError, match="not a plan"):
        SpeedPlan.from_dict({"conv": {}})


def test_a_plan_that_needs_kernels_says_so_where_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "missing", lambda: "there is no C++ compiler (g++) here")
    model = model_of(TINY["mbconv_se"])
    with pytest.raises(InputError, match=r"no C\+\+ compiler"):
        apply_plan(model, plan_of(model, "native"))
    apply_plan(model, plan_of(model, "rewritten"))
    plan = tune(model, 2, (15, 18), "float32")
    assert not plan.compiled
