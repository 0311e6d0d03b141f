"""Code that triscale compiles for one network: float32."""

from pathlib import Path

from triscale import compiler, runtime
from triscale.costs import Target
from triscale.engines.contract import Engine, EnginePrecision, Opened
from triscale.errors import InputError, sentence
from triscale.layer_weights import LayerWeights, RandomWeights
from triscale.spec import AnyNetwork, ForeignNetwork, Network


class NativeEngine(Engine):
    """The networks of `triscale.runtime`; opening one compiles it, which takes some seconds the first time."""

    name = "native"
    library = "triscale"

    def missing(self) -> str | None:
        """It needs a C++ compiler and nothing else."""
        try:
            compiler.toolchain(None, plain_c=True)
        except compiler.Unavailable as error:
            return f"{error}: {error.advice}"
        return None

    def unfit(self, precision: EnginePrecision) -> str | None:
        """One precision so far."""
        return None if precision == "float32" else f"the native engine has no {precision}"

    def open(self, network: AnyNetwork, target: Target, *, seed: int = 0) -> Opened:
        """See `Engine.open`; the weights are those of the graphs of the same seed."""
        return self.open_weights(_with_spec(network), RandomWeights(seed), target)

    def open_weights(self, network: Network, weights: LayerWeights, target: Target) -> Opened:
        """A network with given weights.

        Raises:
            InputError: there is no compiler, or a block is not known to the runtime.
        """
        return self.open_file(_library(network, weights), target)

    def opened(self, network: Network, target: Target) -> runtime.NativeNetwork:
        """A network with random weights, as itself.

        Raises:
            InputError: there is no compiler, or a block is not known to the runtime.
        """
        return runtime.open(_library(network, RandomWeights(0)), batch=target.batch, threads=target.threads)

    def written(self, network: AnyNetwork, target: Target, folder: Path) -> Path:  # noqa: ARG002  they stay in the cache
        """See `Engine.written`; a library serves every batch."""
        return _library(_with_spec(network), RandomWeights(0))

    def open_file(self, path: Path, target: Target) -> Opened:
        """See `Engine.open_file`: a library that was compiled on this machine."""
        return Opened(runtime.open(path, batch=target.batch, threads=target.threads), path.stat().st_size)


def _with_spec(network: AnyNetwork) -> Network:
    if isinstance(network, ForeignNetwork):
        raise InputError(f"{network.path} has no spec, so there is nothing to compile; use --engine torch.")
    return network


def _library(network: Network, weights: LayerWeights) -> Path:
    try:
        return runtime.library(network, weights)
    except compiler.Unavailable as error:
        advice = f"\n{sentence(error.advice)}, or use another engine." if error.advice else ""
        raise InputError(f"{network.name} cannot be compiled here: {error}.{advice}") from None
