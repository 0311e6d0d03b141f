"""From a plan to C++: for each step a function that runs some of its tiles, with every size a constant."""

from typing import NamedTuple, TypeGuard

from triscale.machine import Isa
from triscale.runtime.arena import Plan, mean_of, whole_lines
from triscale.runtime.blocking import Place, Widths, is_gathered, panels
from triscale.runtime.cutting import Cut, gate_cut_of
from triscale.runtime.packing import Packed, ring_widths_of, widths_of
from triscale.runtime.source_texts import FUNCTION, SIZES, SOURCE, WEIGHTS
from triscale.runtime.steps import (
    NO_PAD,
    Combine,
    Convolve,
    Depthwise,
    Enter,
    Leave,
    Map,
    MaxPool,
    Mean,
    Ring,
    Step,
    framed,
    shown,
    written,
)
from triscale.runtime.winograd import room
from triscale.spec import Activation, Gate
from triscale.spec.layer import Pad

_ACTIVATIONS: dict[Activation | Gate | None, str] = {
    None: "Identity", "relu": "Relu", "relu6": "Relu6", "silu": "Silu", "hard_swish": "HardSwish",
    "sigmoid": "Sigmoid", "hard_sigmoid": "HardSigmoid",
}  # fmt: skip


class Source(NamedTuple):
    """The C++ of one network: its steps, and the header with its sizes for the entry functions."""

    steps: str
    sizes: str


class _Shared(NamedTuple):
    """What threads share: calls of kernels for some of so many tiles."""

    shown: str
    calls: list[str]
    tiles: int


def emit(plan: Plan, packed: Packed, isa: Isa, weights: str = WEIGHTS) -> Source:
    """The source of a plan, which reads the packed weights from a file of that name."""
    shared = [one for number in range(len(plan.steps)) for one in _Writer(plan, packed, number).shared()]
    functions = [
        FUNCTION.format(shown=one.shown, number=number, calls="\n".join(f"  {call}" for call in one.calls))
        for number, one in enumerate(shared)
    ]
    steps = "\n".join(f"    {{step_{number}, {one.tiles}}}," for number, one in enumerate(shared))
    network = plan.network
    sizes = SIZES.format(
        channels=network.input_channels, height=network.resolution[0], width=network.resolution[1],
        classes=network.classes, arena=plan.floats, own=plan.own, steps=len(shared), bytes=packed.blob.nbytes,
        isa=isa, upper=isa.upper(),
    )  # fmt: skip
    source = SOURCE.format(
        lanes=plan.lanes, weights=weights, bytes=packed.blob.nbytes, functions="\n".join(functions),
        count=len(shared), steps=steps,
    )  # fmt: skip
    return Source(source, sizes)


def functions_of(plan: Plan) -> tuple[int, ...]:
    """How many functions of the source each step of a plan is."""
    steps = zip(plan.steps, plan.cuts, strict=True)
    return tuple(1 + _has_gate(step) + (cut.blocks > 1 and mean_of(step) is not None) for step, cut in steps)


def _has_gate(step: Step) -> TypeGuard[Convolve]:
    return isinstance(step, Convolve) and step.gate is not None


class _Writer(NamedTuple):
    plan: Plan
    packed: Packed
    number: int
    """Of the step."""

    def shared(self) -> list[_Shared]:
        """What a step is to threads: also a gate in front of it that must be whole, and means behind it."""
        step, cut = self.plan.steps[self.number], self.plan.cuts[self.number]
        name = step.name + (f": {shown(step.layer)}" if isinstance(step, Convolve | Depthwise) else "")
        found = [_Shared(name, [*self.cleared(step, cut), self.call(step)], cut.tiles)]
        if _has_gate(step):
            gate = gate_cut_of(step, self.plan.lanes, self.plan.tile)
            found.insert(0, _Shared(f"{step.name}, its gate", [self.gate(step, gate)], gate.tiles))
        if cut.blocks > 1 and (mean := mean_of(step)) is not None:
            found.append(_Shared(f"{step.name}, its means", [self.means(step, mean, cut)], 1))
        return found

    def cleared(self, step: Step, cut: Cut) -> list[str]:
        """The frames of maps that begin with a step."""
        framed = [y for y in written(step) if self.plan.frames[y] != NO_PAD and not self.map(y).ring]
        return [self.frame(y, cut.tiles) for y in framed if self.plan.lives[y][0] == self.number]

    def call(self, step: Step) -> str:
        """The call of the kernel."""
        cut = self.cut
        match step:
            case Enter(y=y):
                call = f"enter<{self.map(y).channels}, {self.lie(y)}, {cut}>(at.image, {self.at(y)}, tiles);"
            case Convolve(winograd=True):
                call = self.winograd(step)
            case Convolve():
                call = self.convolve(step)
            case Depthwise():
                call = self.depthwise(step)
            case Ring():
                call = self.ring(step)
            case MaxPool():
                call = self.max_pool(step)
            case Mean(x=x, y=y):
                call = f"average<{self.panels(x)}, {self.lie(x)}, {cut}>({self.at(x)}, {self.at(y)}, tiles);"
            case Combine():
                call = self.combine(step)
            case Leave():
                call = f"leave<{self.map(step.x).channels}>({self.at(step.x)}, at.logits);"
        return call

    @property
    def cut(self) -> str:
        """How the step is cut."""
        return _cut(self.plan.cuts[self.number])

    @property
    def weights(self) -> str:
        """Where the step's weights begin."""
        return f"triscale_weights + {self.packed.offsets[self.number]}"

    def max_pool(self, step: MaxPool) -> str:
        """The pooling of a stem."""
        top, _, left, _ = step.pad
        sizes = (
            f".kernel = {step.kernel}, .stride = {step.stride}, .panels = {self.panels(step.x)}, "
            f".top = {top}, .left = {left}, .in = {self.lie(step.x)}, .out = {self.lie(step.y)}"
        )
        return f"max_pool<Pooling{{{sizes}}}, {self.cut}>({self.at(step.x)}, {self.at(step.y)}, tiles);"

    def gate(self, step: Convolve, cut: Cut) -> str:
        """The weights of a convolution times a vector."""
        sizes = f"{self.convolution(step, widths_of(self.plan, step))}, {_cut(cut)}"
        return f"gate_weights<{sizes}>({self.weights}, {self.at(step.gate)}, {self.at(step.gated)}, tiles);"

    def means(self, step: Step, mean: int, cut: Cut) -> str:
        """The means of a depthwise convolution, from the sums of its blocks of rows."""
        second = step.second if isinstance(step, Ring) else step
        assert isinstance(second, Depthwise)  # noqa: S101  nothing else takes means on the way
        return f"add_blocks<{self.spatial(second)}, {cut.blocks}>({self.sums(mean)}, {self.at(mean)});"

    def sums(self, mean: int | None) -> str:
        """Where a depthwise convolution puts its sums: where the means are, or behind them if there are several."""
        if mean is None or self.plan.cuts[self.number].blocks == 1:
            return self.at(mean)
        return f"{self.at(mean)} + {whole_lines(self.panels(mean) * self.plan.lanes)}"

    def convolve(self, step: Convolve) -> str:
        """A convolution; where groups are not whole panels, with the places of its inputs."""
        layer, lanes, weights = step.layer, self.plan.lanes, self.weights
        sizes, name = self.convolution(step, widths_of(self.plan, step)), "convolve"
        if is_gathered(layer, lanes):
            each = 1 + layer.kernel**2 * layer.in_channels // layer.groups
            places = whole_lines(panels(layer.out_channels, lanes) * lanes * each)
            name, weights = "convolve_gathered", f"{weights}, (const int*)({weights} + {places})"
        if step.gate is not None:
            weights = self.at(step.gated)
        arguments = f"{self.at(*framed(step)[0])}, {weights}, {self.at(step.residual)}, {self.at(step.y)}, tiles"
        return f"{name}<{sizes}, {_ACTIVATIONS[step.activation]}, {self.cut}>({arguments});"

    def winograd(self, step: Convolve) -> str:
        """A convolution by the products of transformed tiles."""
        wide, tiles = widths_of(self.plan, step), room(step.layer, self.plan.cuts[self.number].blocks)
        sizes = f"{self.convolution(step, wide)}, {_ACTIVATIONS[step.activation]}, {self.cut}, {tiles}, {self.plan.own}"
        arguments = f"{self.weights}, {self.at(step.residual)}, {self.at(step.y)}, at.own, tiles"
        return f"winograd<{sizes}>({self.at(*framed(step)[0])}, {arguments});"

    def convolution(self, step: Convolve, wide: Widths) -> str:
        """The sizes of a convolution."""
        layer = step.layer
        return (
            f"Convolution{{.kernel = {layer.kernel}, .stride = {layer.stride}, .groups = {layer.groups}, "
            f".in_channels = {layer.in_channels}, .out_channels = {layer.out_channels}, "
            f".wide_first = {wide.first}, .wide = {wide.wide}, .in = {self.lie(step.x)}, .out = {self.lie(step.y)}, "
            f".residual = {_bool(step.residual)}, .kept = {self.lie(step.residual)}}}"
        )

    def spatial(self, step: Depthwise) -> str:
        """The sizes of a depthwise convolution."""
        layer = step.layer
        return (
            f"Spatial{{.kernel = {layer.kernel}, .stride = {layer.stride}, .panels = {self.panels(step.x)}, "
            f".top = {layer.pad[0]}, .left = {layer.pad[2]}, .in = {self.lie(step.x)}, .out = {self.lie(step.y)}, "
            f".mean = {_bool(step.mean)}}}"
        )

    def depthwise(self, step: Depthwise) -> str:
        """A depthwise convolution."""
        arguments = f"{self.at(step.x)}, {self.weights}, {self.at(step.y)}, {self.sums(step.mean)}, tiles"
        return f"depthwise<{self.spatial(step)}, {_ACTIVATIONS[step.layer.activation]}, {self.cut}>({arguments});"

    def ring(self, step: Ring) -> str:
        """Two convolutions with a ring between them."""
        first, second, weights = step.first, step.second, self.weights
        layer, count = first.layer, self.panels(first.y)
        each = (1 + layer.kernel**2 * layer.in_channels) * count * self.plan.lanes
        sizes = (
            f"{self.convolution(first, ring_widths_of(self.plan, step))}, {self.spatial(second)}, "
            f"{_ACTIVATIONS[first.activation]}, {_ACTIVATIONS[second.layer.activation]}, {self.cut}"
        )
        arguments = (
            f"{self.at(*framed(first)[0])}, {weights}, {weights} + {whole_lines(each)}, {self.at(first.y)}, "
            f"{self.at(second.y)}, {self.sums(second.mean)}, tiles"
        )
        return f"by_ring<{sizes}>({arguments});"

    def combine(self, step: Combine) -> str:
        """A gate, a norm, a sum, an activation."""
        count = self.panels(step.x)
        sizes = (
            f".panels = {count}, .scaled = {_bool(step.gate if step.norm is None else 1)}, "
            f".shifted = {_bool(step.norm)}, .residual = {_bool(step.residual)}, "
            f".in = {self.lie(step.x)}, .kept = {self.lie(step.residual)}, .out = {self.lie(step.y)}"
        )
        scale = self.weights if step.norm else self.at(step.gate)
        shift = f"{self.weights} + {count * self.plan.lanes}" if step.norm else "nullptr"
        arguments = f"{self.at(step.x)}, {scale}, {shift}, {self.at(step.residual)}, {self.at(step.y)}, tiles"
        return f"combine<Combination{{{sizes}}}, {_ACTIVATIONS[step.activation]}, {self.cut}>({arguments});"

    def frame(self, number: int, tiles: int) -> str:
        """The zeros around a map, which other maps wrote over."""
        top, bottom, left, right = self.plan.frames[number]
        sizes = (
            f".panels = {panels(self.map(number).channels, self.place(number).block)}, .top = {top}, "
            f".bottom = {bottom}, .left = {left}, .right = {right}, .in = {self.lie(number)}"
        )
        return f"clear_frame<Frame{{{sizes}}}, {tiles}>(at.arena + {self.place(number).offset}, tiles);"

    def map(self, number: int) -> Map:
        """A map."""
        return self.plan.maps[number]

    def place(self, number: int) -> Place:
        """And where it lies."""
        return self.plan.places[number]

    def panels(self, number: int) -> int:
        """How many panels a map has."""
        return panels(self.map(number).channels, self.plan.lanes)

    def lie(self, number: int | None) -> str:
        """How a map lies."""
        if number is None:
            return "{}"
        (height, width), place = self.map(number).size, self.place(number)
        return f"Lie{{{height}, {width}, {place.block}, {place.row}, {place.panel}}}"

    def at(self, number: int | None, pad: Pad = NO_PAD) -> str:
        """The first pixel of a map that is read, which may lie in its frame."""
        if number is None:
            return "nullptr"
        place, memory = self.place(number), "own" if self.map(number).ring else "arena"
        return f"at.{memory} + {place.offset + place.first - pad[0] * place.row - pad[2] * place.block}"


def _cut(cut: Cut) -> str:
    return f"Cut{{{cut.spans}, {cut.blocks}}}"


def _bool(value: object) -> str:
    return "false" if value is None else "true"
