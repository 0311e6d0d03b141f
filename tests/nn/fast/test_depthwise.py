"""Gradients of depthwise convolutions in every way, against float64 and beside torch's own."""

import copy
import itertools

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from triscale.nn.fast import native
from triscale.nn.fast.depthwise import Depthwise, Way, is_depthwise, use
from triscale.nn.primitives import SameConv2d

WAYS: list[Way] = ["rewritten", "native"]
CASES = [
    # channels, kernel, stride, height, width, batch
    *[
        (c, k, s, 9, 12, 2)
        for c, (k, s) in zip((40, 16, 3, 40, 16, 3), itertools.product((3, 5, 7), (1, 2)), strict=True)
    ],
    *[(24, k, s, h, w, 1) for (k, s), (h, w) in itertools.product(((3, 1), (5, 2)), ((1, 1), (2, 7), (17, 5)))],
]


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def way_or_skip(way: str) -> None:
    """Skip where there are no kernels, saying why."""
    if way != "rewritten" and (why := native.missing()):
        pytest.skip(f"no compiled kernels: {why}")


def conv_of(channels: int, kernel: int, stride: int, *, same: bool = False, bias: bool = False) -> nn.Conv2d:
    """A depthwise convolution with symmetric or SAME padding."""
    kind, padding = (SameConv2d, 0) if same else (nn.Conv2d, kernel // 2)
    return kind(channels, channels, kernel, stride, padding, groups=channels, bias=bias)


def gradients(conv: nn.Conv2d, x: Tensor, dy: Tensor, *, bfloat16: bool = False) -> list[Tensor]:
    """Output, and gradients of input and parameters, in float64."""
    x = x.detach().clone().requires_grad_()
    conv.zero_grad()
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        y = conv(x)
    y.backward(dy.to(y.dtype))
    found = [y.detach(), x.grad, *(one.grad for one in conv.parameters())]
    return [one.double() for one in found if one is not None]


def errors(found: list[Tensor], exact: list[Tensor]) -> list[float]:
    """Relative errors."""
    return [((a - b).norm() / b.norm()).item() for a, b in zip(found, exact, strict=True)]


@pytest.mark.parametrize("same", [False, True], ids=["symmetric", "same"])
@pytest.mark.parametrize("bfloat16", [False, True], ids=["float32", "bfloat16"])
@pytest.mark.parametrize("way", WAYS)
def test_gradients_are_as_near_to_float64_as_torchs_own(way: Way, *, bfloat16: bool, same: bool) -> None:
    way_or_skip(way)
    for channels, kernel, stride, height, width, batch in CASES:
        conv = conv_of(channels, kernel, stride, same=same, bias=channels == 3)
        ours = copy.deepcopy(conv)
        use(ours, way)
        x = torch.randn(batch, channels, height, width)
        dy = torch.randn_like(conv(x))
        exact = gradients(copy.deepcopy(conv).double(), x.double(), dy.double())
        stock = errors(gradients(conv, x, dy, bfloat16=bfloat16), exact)
        least = 4e-3 if bfloat16 else 1e-6  # a rounding or two, where torch's happen to cancel
        for mine, theirs in zip(errors(gradients(ours, x, dy, bfloat16=bfloat16), exact), stock, strict=True):
            assert mine <= max(1.5 * theirs, least), (channels, kernel, stride, height, width)


@pytest.mark.parametrize("way", WAYS)
def test_values_are_torchs_to_the_bit_with_symmetric_padding(way: Way) -> None:
    way_or_skip(way)
    for channels, kernel, stride, height, width, batch in CASES:
        conv = conv_of(channels, kernel, stride)
        ours = copy.deepcopy(conv)
        use(ours, way)
        x = torch.randn(batch, channels, height, width).to(memory_format=torch.channels_last)
        assert torch.equal(conv(x), ours(x))


@pytest.mark.parametrize("way", WAYS)
def test_parameters_and_their_names_stay_and_the_class_comes_back(way: Way) -> None:
    conv = conv_of(16, 3, 2, same=True)
    before, weight = set(conv.state_dict()), conv.weight
    use(conv, way)
    assert type(conv) is Depthwise
    assert set(conv.state_dict()) == before
    assert conv.weight is weight
    use(copy.deepcopy(conv), "stock")
    use(conv, "stock")
    assert type(conv).__name__ == "SameConv2d"
    assert not vars(conv).keys() & {"way", "stock"}


@pytest.mark.parametrize("way", WAYS)
def test_the_same_bits_twice_and_with_any_threads(way: Way) -> None:
    way_or_skip(way)
    conv = conv_of(40, 5, 2)
    use(conv, way)
    x, threads = torch.randn(3, 40, 13, 11), torch.get_num_threads()
    dy = torch.randn_like(conv(x))
    first = gradients(conv, x, dy)
    try:
        again = [gradients(conv, x, dy)]
        if way == "native":
            torch.set_num_threads(2)
            again.append(gradients(conv, x[:1], dy[:1]))
            torch.set_num_threads(1)
            again.append(gradients(conv, x[:1], dy[:1]))
    finally:
        torch.set_num_threads(threads)
    assert all(torch.equal(a, b) for a, b in zip(first, again[0], strict=True))
    if way == "native":
        assert all(torch.equal(a, b) for a, b in zip(again[1], again[2], strict=True))


@pytest.mark.parametrize("way", WAYS)
def test_a_second_derivative_is_refused_clearly(way: Way) -> None:
    way_or_skip(way)
    conv = conv_of(16, 3, 1)
    use(conv, way)
    x = torch.randn(1, 16, 5, 5, requires_grad=True)
    (dx,) = torch.autograd.grad(conv(x).square().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        dx.sum().backward()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("way", WAYS)
def test_what_is_not_finite_shows_in_the_gradients(way: Way) -> None:
    way_or_skip(way)
    conv = conv_of(16, 3, 1)
    use(conv, way)
    x = torch.randn(1, 16, 6, 6)
    dy = torch.randn(1, 16, 6, 6)
    dy[0, 3, 2, 2] = torch.nan
    _, dx, dweight = gradients(conv, x, dy)
    assert dx[0, 3].isnan().any()
    assert dweight[3].isnan().all()
    assert dx[0, :3].isfinite().all()


@pytest.mark.parametrize("way", WAYS)
def test_compiled_and_without_gradients_it_is_torchs_own(way: Way) -> None:
    conv = conv_of(16, 5, 2, same=True)
    ours = copy.deepcopy(conv)
    use(ours, way)
    x = torch.randn(2, 16, 9, 9)
    with torch.no_grad():
        assert torch.equal(conv(x), ours(x))
    torch._dynamo.reset()
    compiled = torch.compile(ours, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(conv(x), compiled(x))


def test_other_convolutions_are_left_alone() -> None:
    assert is_depthwise(conv_of(16, 3, 1))
    others = [
        nn.Conv2d(16, 16, 3, padding=1),
        nn.Conv2d(16, 32, 3, groups=16),
        nn.Conv2d(16, 16, 9, groups=16),
        nn.Conv2d(16, 16, 3, 3, groups=16),
        nn.Conv2d(16, 16, 3, dilation=2, groups=16),
        nn.Conv2d(16, 16, 3, groups=16, padding="same"),
        nn.Conv2d(16, 16, 3, padding=1, groups=16, padding_mode="reflect"),
        nn.Conv2d(16, 16, (3, 5), groups=16),
        nn.Conv2d(16, 16, 3, padding=3, groups=16),
        nn.Conv2d(16, 16, 5, padding=(2, 5), groups=16),
    ]
    assert not any(map(is_depthwise, others))


def test_weights_in_double_are_torchs_own() -> None:
    conv = conv_of(16, 3, 1).double()
    use(conv, "rewritten")
    x = torch.randn(1, 16, 5, 5, dtype=torch.float64, requires_grad=True)
    assert torch.equal(conv(x), F.conv2d(x, conv.weight, None, 1, 1, 1, 16))
