"""Options of an export in int8 or bfloat16."""

from dataclasses import dataclass
from typing import Annotated, Any

from cyclopts import Parameter

from triscale.cli.options.sizes_and_limits import Signed, seconds
from triscale.cli.show.output import Whole


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class LowerPrecision:
    """The precision of a file, and the accuracy that a lower one must keep.

    Attributes:
        precision: float32, int8 (.onnx by ONNX Runtime, .xml by NNCF) or bfloat16 (.xml).
        data: images for a lower precision: training images calibrate int8, others measure the accuracy as in
            `evaluate`.
        split: the images that measure the accuracy: test, val, train or all.
        max_drop: percentage points of top-1 that may be lost; 1.0 by default. The upper end of the 95% interval of the
            drop must stay below it, else nothing is written.
        calibration: number of images that calibrate int8; 256 by default.
        time: time for finding layers to keep in float32 where int8 loses too much; 10m by default.
    """

    precision: str = "float32"
    data: str | None = None
    split: str | None = None
    max_drop: Annotated[float | None, Parameter(allow_leading_hyphen=True)] = None
    calibration: Whole | None = None
    time: Signed | None = None

    def options(self) -> dict[str, Any]:
        """As `triscale.export` takes them."""
        return {**vars(self), "time": None if self.time is None else seconds(self.time)}


FLOAT32 = LowerPrecision()
"""Nothing but float32."""
