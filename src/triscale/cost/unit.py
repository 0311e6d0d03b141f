"""Live bytes of one convolution with its norm and activation, forward and backward, as torch runs them eagerly in fp32.

What is modelled is mechanism: what each caller and each saved tensor still holds, what each backward function allocates
before it lets go, and oneDNN's copies of maps and weights in its blocked layout.
"""

from triscale.spec import Activation, Gate, Layer

FLOAT = 4
_LANES = 16
"""oneDNN groups channels by 16 (AVX-512)."""

IN_PLACE: tuple[Activation | Gate | None, ...] = ("relu",)
"""These overwrite their input and need their output for backward; the others need their input."""


class Tape:
    """A running total of bytes and its peak."""

    def __init__(self) -> None:
        self.live = self.peak = 0

    def add(self, size: int) -> None:
        """Allocates what stays (or, if negative, frees it)."""
        self.live += size
        self.peak = max(self.peak, self.live)

    def spike(self, size: int) -> None:
        """Allocates what is gone when the op returns."""
        self.peak = max(self.peak, self.live + size)


class Unit:
    """The sizes in bytes of a layer's maps and weights at a batch, and what its passes do to a tape."""

    def __init__(self, layer: Layer, batch: int) -> None:
        pixel = FLOAT * batch
        height, width = layer.input
        top, bottom, left, right = layer.pad
        copied = top != bottom or left != right
        source = (height + top + bottom) * (width + left + right) if copied else height * width
        target = layer.output[0] * layer.output[1]
        self.input = pixel * layer.in_channels * height * width
        self.padded = pixel * layer.in_channels * source if copied else 0
        self.output = pixel * layer.out_channels * target
        self.weights = FLOAT * layer.out_channels * (layer.in_channels // layer.groups) * layer.kernel**2
        self.vectors = FLOAT * layer.out_channels * (layer.bias + 2 * layer.norm)
        # a picture's few channels are read where they lie
        self._blocked_in = pixel * _blocked(layer.in_channels) * source if layer.in_channels > 4 else 0
        self._blocked_out = pixel * _blocked(layer.out_channels) * target
        self.in_place = layer.activation in IN_PLACE
        self._saves_norm_output = layer.activation is not None and not self.in_place
        self._statistics = 2 * FLOAT * layer.out_channels

    def infer(self, tape: Tape, held: int) -> None:
        """Peak of inference while `held` bytes wait; what is left, the output, is the caller's to add."""
        tape.spike(held + max(self._convolve(), 2 * self.output))

    def forward(self, tape: Tape) -> None:
        """Adds the output and what is saved: padded input, the norm's input and statistics, the activation's input."""
        tape.spike(self._convolve())
        tape.add(self.padded + self._statistics + self.output * (2 + self._saves_norm_output))

    def backward(self, tape: Tape, *, shared: bool = False, first: bool = False) -> None:
        """From the output's gradient to the input's (none if `first`), with the gradients of the weights.

        `shared`: somebody else holds the output's gradient too, so it is not freed here.
        """
        if self.in_place or self._saves_norm_output:
            tape.spike(self.output)
            tape.add(-self.output)
        tape.spike(2 * self.output)
        tape.add(self.vectors - self._statistics - (0 if shared else self.output))
        source = 0 if first else self.padded or self.input
        blocked = self._blocked_in + self.weights + self._blocked_out
        tape.spike(max(source + blocked, source + 2 * self.weights, self._blocked_in + source))
        tape.add(self.weights + source)
        tape.add(-self.output - self.padded)
        if self.padded and not first:
            tape.spike(self.input)
            tape.add(self.input - self.padded)

    def _convolve(self) -> int:
        """The convolution: input, weights and output blocked, then the output in both layouts."""
        return self.padded + max(self._blocked_in + self.weights + self._blocked_out, self._blocked_out + self.output)


def _blocked(channels: int) -> int:
    return -(-channels // _LANES) * _LANES
