"""Where training in bfloat16 is fast."""

import torch

from triscale.machine import bfloat16_is_fast

NO_INSTRUCTIONS = "torch has no bf16 instructions on this processor"


def slow_bfloat16(device: torch.device, *, kernels: bool) -> str | None:
    """Why bfloat16 is slower than float32 on a device, or may be; None where it is known to be faster.

    Args:
        device: where the training computes.
        kernels: whether it may take our compiled kernels: torch's own depthwise convolutions are slow in bfloat16.
    """
    if device.type == "cuda":
        emulated = not torch.cuda.is_bf16_supported(including_emulation=False)
        return "the GPU has no bf16 instructions" if emulated else None
    if device.type != "cpu":
        return f"bfloat16 was not measured on {device.type}"
    match bfloat16_is_fast():
        case None:
            return "the system does not say what its processor can do"
        case False:
            return NO_INSTRUCTIONS
        case True:
            return None if kernels else "compiled kernels are not used"
