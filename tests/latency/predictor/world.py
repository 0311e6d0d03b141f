"""A machine that is a formula: kernels take what known coefficients say, so that claims of a fit can be checked."""

from collections.abc import Iterator
from random import Random

from triscale.latency.predictor.block_kernels import SILU, block_kernels
from triscale.latency.predictor.calibration_networks import is_short
from triscale.latency.predictor.kernel_features import Kernel, Vectors
from triscale.latency.predictor.model_fit import Sample
from triscale.latency.predictor.node_times import NodeTimes
from triscale.spec import Network, resolve

VECTORS = Vectors(block=16, pixels=6, depthwise_pixels=6, narrow=16, separate_silu=True)

PER_WORK, PER_ELEMENT, PER_KERNEL = 3e-7, 2e-7, 4e-3
"""Milliseconds of a vector multiplication, of an element that is read or written, and of starting a kernel."""


def kernel_ms(kernel: Kernel) -> float:
    terms = kernel.terms
    elements = terms.get("elements", 0.0) + terms.get("in", 0.0) + terms.get("out", 0.0)
    return PER_WORK * (terms.get("work", 0.0) + terms.get("weights", 0.0) / 16) + PER_ELEMENT * elements + PER_KERNEL


def network_ms(network: Network) -> float:
    """What the whole takes: all kernels, and a tenth of a millisecond."""
    kernels = (k for _, block in resolve(network).flat() for k in block_kernels(block, VECTORS))
    return sum(map(kernel_ms, kernels)) + 0.1


def nodes(network: Network, random: Random) -> Iterator[NodeTimes]:
    """As ONNX Runtime names them; some runs are disturbed by half a time slice."""
    for number, (_, block) in enumerate(resolve(network).flat()):
        for kernel in block_kernels(block, VECTORS):
            role = kernel.role.removesuffix(SILU)
            silu = kernel.role.endswith(SILU)
            name = {"squeeze": "squeeze.mean", "head": "pooled.mean", "pool": "pool.max_pool"}.get(role, f"{role}.conv")
            operation = "QuickGelu" if silu else "Conv"
            micro = 1e3 * kernel_ms(kernel) + 1.8
            runs = tuple(micro * random.uniform(1, 1.03) + 2000 * (random.random() < 0.1) for _ in range(30))
            yield NodeTimes(f"{number}.{role}.silu/Gelu" if silu else f"{number}.{name}", operation, runs)


def sample(network: Network, random: Random) -> Sample:
    return Sample(
        resolved=resolve(network), nodes=() if is_short(network) else tuple(nodes(network, random)),
        milliseconds=network_ms(network) * random.uniform(0.995, 1.005),
    )  # fmt: skip
