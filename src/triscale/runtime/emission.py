"""From a plan to C++: one call of a kernel for each step, with every size a constant."""

from typing import NamedTuple

from triscale.machine import Isa
from triscale.runtime.arena import Place, Plan, whole_lines
from triscale.runtime.blocking import Widths, panels
from triscale.runtime.packing import Packed, is_gathered, ring_widths_of, widths_of
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
    written,
)
from triscale.spec import Activation, Gate, Layer
from triscale.spec.layer import Pad

WEIGHTS = "weights.bin"
"""A file that the assembler reads, beside the source."""

_ACTIVATIONS: dict[Activation | Gate | None, str] = {
    None: "Identity", "relu": "Relu", "relu6": "Relu6", "silu": "Silu", "hard_swish": "HardSwish",
    "sigmoid": "Sigmoid", "hard_sigmoid": "HardSigmoid",
}  # fmt: skip

_SOURCE = """// Made by triscale for one network; every size is a constant.
#include "kernels.h"

static_assert(triscale::LANES == {lanes}, "the weights are packed for another instruction set");
asm(".section .rodata\\n.balign 64\\ntriscale_weights:\\n.incbin \\"{weights}\\"\\n.text\\n");
extern "C" __attribute__((visibility("hidden"))) const float triscale_weights[];

extern "C" void triscale_one_image(float* arena, const float* image, float* logits) {{
  using namespace triscale;
  const float* const weights = triscale_weights;
{steps}
}}
"""

_SIZES = """#define TRISCALE_CHANNELS {channels}
#define TRISCALE_HEIGHT {height}
#define TRISCALE_WIDTH {width}
#define TRISCALE_CLASSES {classes}
#define TRISCALE_ARENA {arena}ul
#define TRISCALE_ISA_NAME "{isa}"
#define TRISCALE_NEEDS_{upper} 1
"""


class Source(NamedTuple):
    """The C++ of one network: its steps, and the header with its sizes for the entry functions."""

    steps: str
    sizes: str


def emit(plan: Plan, packed: Packed, isa: Isa) -> Source:
    """The source of a plan."""
    writer = _Writer(plan, packed)
    lines = [line for number, step in enumerate(plan.steps) for line in writer.step(number, step)]
    network = plan.network
    sizes = _SIZES.format(
        channels=network.input_channels, height=network.resolution[0], width=network.resolution[1],
        classes=network.classes, arena=plan.floats, isa=isa, upper=isa.upper(),
    )  # fmt: skip
    steps = "\n".join(f"  {line}" for line in lines)
    return Source(_SOURCE.format(lanes=plan.lanes, weights=WEIGHTS, steps=steps), sizes)


class _Writer(NamedTuple):
    plan: Plan
    packed: Packed

    def step(self, number: int, step: Step) -> list[str]:
        """The lines of one step."""
        shown = f"// {step.name}" + (f": {_shown(step.layer)}" if isinstance(step, Convolve | Depthwise) else "")
        framed = [y for y in written(step) if self.plan.frames[y] != NO_PAD and not self.map(y).ring]
        frames = [self.frame(y) for y in framed if self.plan.lives[y][0] == number]
        weights = f"weights + {self.packed.offsets[number]}"
        return [shown, *frames, self.call(step, weights)]

    def call(self, step: Step, weights: str) -> str:
        """The call of the kernel."""
        match step:
            case Enter():
                call = f"enter<{self.map(step.y).channels}, {self.lie(step.y)}>(image, {self.at(step.y)});"
            case Convolve():
                call = self.convolve(step, weights)
            case Depthwise():
                call = self.depthwise(step, weights)
            case Ring():
                call = self.ring(step, weights)
            case MaxPool():
                call = self.max_pool(step)
            case Mean():
                call = f"average<{self.panels(step.x)}, {self.lie(step.x)}>({self.at(step.x)}, {self.at(step.y)});"
            case Combine():
                call = self.combine(step, weights)
            case Leave():
                call = f"leave<{self.map(step.x).channels}>({self.at(step.x)}, logits);"
        return call

    def max_pool(self, step: MaxPool) -> str:
        """The pooling of a stem."""
        top, _, left, _ = step.pad
        sizes = (
            f".kernel = {step.kernel}, .stride = {step.stride}, .panels = {self.panels(step.x)}, "
            f".top = {top}, .left = {left}, .in = {self.lie(step.x)}, .out = {self.lie(step.y)}"
        )
        return f"max_pool<Pooling{{{sizes}}}>({self.at(step.x)}, {self.at(step.y)});"

    def convolve(self, step: Convolve, weights: str) -> str:
        """A convolution; where groups are not whole panels, with the places of its inputs."""
        layer, lanes = step.layer, self.plan.lanes
        sizes, name, before = self.convolution(step, widths_of(self.plan, step)), "convolve", ""
        if is_gathered(layer, lanes):
            each = 1 + layer.kernel**2 * layer.in_channels // layer.groups
            places = whole_lines(panels(layer.out_channels, lanes) * lanes * each)
            name, weights = "convolve_gathered", f"{weights}, (const int*)({weights} + {places})"
        if step.gate is not None:
            before = f"gate_weights<{sizes}>({weights}, {self.at(step.gate)}, {self.at(step.gated)});\n  "
            weights = self.at(step.gated)
        arguments = f"{self.at(*framed(step)[0])}, {weights}, {self.at(step.residual)}, {self.at(step.y)}"
        return f"{before}{name}<{sizes}, {_ACTIVATIONS[step.activation]}>({arguments});"

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

    def depthwise(self, step: Depthwise, weights: str) -> str:
        """A depthwise convolution."""
        arguments = f"{self.at(step.x)}, {weights}, {self.at(step.y)}, {self.at(step.mean)}"
        return f"depthwise<{self.spatial(step)}, {_ACTIVATIONS[step.layer.activation]}>({arguments});"

    def ring(self, step: Ring, weights: str) -> str:
        """Two convolutions with a ring between them."""
        first, second = step.first, step.second
        layer, count = first.layer, self.panels(first.y)
        each = (1 + layer.kernel**2 * layer.in_channels) * count * self.plan.lanes
        sizes = (
            f"{self.convolution(first, ring_widths_of(self.plan, step))}, {self.spatial(second)}, "
            f"{self.place(first.y).floats}, {_ACTIVATIONS[first.activation]}, {_ACTIVATIONS[second.layer.activation]}"
        )
        arguments = (
            f"{self.at(*framed(first)[0])}, {weights}, {weights} + {whole_lines(each)}, {self.at(first.y)}, "
            f"{self.at(second.y)}, {self.at(second.mean)}"
        )
        return f"by_ring<{sizes}>({arguments});"

    def combine(self, step: Combine, weights: str) -> str:
        """A gate, a norm, a sum, an activation."""
        count = self.panels(step.x)
        sizes = (
            f".panels = {count}, .scaled = {_bool(step.gate if step.norm is None else 1)}, "
            f".shifted = {_bool(step.norm)}, .residual = {_bool(step.residual)}, "
            f".in = {self.lie(step.x)}, .kept = {self.lie(step.residual)}, .out = {self.lie(step.y)}"
        )
        scale = weights if step.norm else self.at(step.gate)
        shift = f"{weights} + {count * self.plan.lanes}" if step.norm else "nullptr"
        arguments = f"{self.at(step.x)}, {scale}, {shift}, {self.at(step.residual)}, {self.at(step.y)}"
        return f"combine<Combination{{{sizes}}}, {_ACTIVATIONS[step.activation]}>({arguments});"

    def frame(self, number: int) -> str:
        """The zeros around a map, which other maps wrote over."""
        top, bottom, left, right = self.plan.frames[number]
        sizes = (
            f".panels = {panels(self.map(number).channels, self.place(number).block)}, .top = {top}, "
            f".bottom = {bottom}, .left = {left}, .right = {right}, .in = {self.lie(number)}"
        )
        return f"clear_frame<Frame{{{sizes}}}>(arena + {self.place(number).offset});"

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
        place = self.place(number)
        return f"arena + {place.offset + place.first - pad[0] * place.row - pad[2] * place.block}"


def _bool(value: object) -> str:
    return "false" if value is None else "true"


def _shown(layer: Layer) -> str:
    return f"{layer.in_channels} -> {layer.out_channels}, {layer.kernel}x{layer.kernel}, stride {layer.stride}"
