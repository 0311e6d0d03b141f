"""The texts of C++ that `emission` fills in."""

WEIGHTS = "weights.bin"
"""A file that the assembler reads, beside the source."""

SOURCE = """// Made by triscale for one network; every size is a constant.
#include "embed.h"
#include "kernels.h"

static_assert(triscale::LANES == {lanes}, "the weights are packed for another instruction set");
#ifdef TRISCALE_EMBED
alignas(64) static const unsigned char triscale_weight_bytes[] = {{
#embed "{weights}"
}};
static_assert(sizeof triscale_weight_bytes == {bytes}, "{weights} is not whole");
#define triscale_weights ((const float*)triscale_weight_bytes)
#else
TRISCALE_EMBED_FILE("triscale_weights", "{weights}", {bytes});
TRISCALE_HIDDEN const float triscale_weights[];
#endif

using namespace triscale;

{functions}
TRISCALE_HIDDEN const Step triscale_steps[{count}];
const Step triscale_steps[{count}] = {{
{steps}
}};
"""
"""The source: weights, a function for each step, and the table of both."""

FUNCTION = """// {shown}
static void step_{number}(const Task& at, Part tiles) {{
{calls}
}}
"""
"""Some tiles of one step."""

SIZES = """#define TRISCALE_CHANNELS {channels}
#define TRISCALE_HEIGHT {height}
#define TRISCALE_WIDTH {width}
#define TRISCALE_CLASSES {classes}
#define TRISCALE_ARENA {arena}ul
#define TRISCALE_OWN {own}ul
#define TRISCALE_STEPS {steps}
#define TRISCALE_WEIGHT_BYTES {bytes}
#define TRISCALE_ISA_NAME "{isa}"
#define TRISCALE_NEEDS_{upper} 1
"""
"""The header with what the entry functions have to know."""
