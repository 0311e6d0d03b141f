"""Numbers as people read them, on a terminal and in a report: 1.23 M, 2.00 GiB, 45.6 %, 24×32 px, 1 h 02 min."""

from collections.abc import Mapping, Sequence

MISSING = "–"
_PREFIXES = ("", "k", "M", "G", "T", "P")


def count(value: float, digits: int = 3) -> str:
    """A count with significant digits and a decimal prefix, so that columns line up: 385814752 -> "386 M"."""
    if abs(value) < 1000 and value == int(value):
        return str(int(value))
    # Rounded before the prefix is chosen, so that 999,500 reads 1.00 M and not 1000 k.
    mantissa, exponent = f"{abs(value):.{digits - 1}e}".split("e")
    step = min(max(int(exponent) // 3, 0), len(_PREFIXES) - 1)
    power = int(exponent) - 3 * step
    size = float(f"{mantissa}e{power}")
    return f"{'-' if value < 0 else ''}{size:.{max(0, digits - 1 - power)}f} {_PREFIXES[step]}".rstrip()


def counted(number: int, noun: str) -> str:
    """A number of things: (1, "line") -> "1 line", (2345, "line") -> "2,345 lines"."""
    return f"{number:,} {noun}" + ("s" if number != 1 else "")


def agreeing(number: int, one: str, many: str) -> str:
    """A number with the words that agree with it: (1, "file is", "files are") -> "1 file is"."""
    return f"{number:,} {one if number == 1 else many}"


def trimmed(value: float, digits: int = 4) -> str:
    """A count without trailing zeros: 385814752 -> "385.8 M", 2000000 -> "2 M"."""
    number, _, prefix = count(value, digits).partition(" ")
    return f"{float(number):g} {prefix}".rstrip()


def memory(value: float) -> str:
    """Bytes with a binary unit: 2147483648 -> "2.00 GiB"."""
    for factor, unit in ((2**40, "TiB"), (2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if abs(value) >= factor:
            return f"{value / factor:.2f} {unit}"
    return f"{value:.0f} bytes"


def latency(seconds: float) -> str:
    """A short time: 0.01234 -> "12.3 ms"."""
    size = abs(seconds)
    factor, unit = (1.0, "s") if size >= 1 else (1e-3, "ms") if size >= 1e-3 else (1e-6, "us")
    return f"{seconds / factor:.3g} {unit}"


def rate(per_second: float) -> str:
    """How often a second: 1234 -> "1.234 k/s"."""
    return f"{trimmed(per_second)}/s"


def percent(fraction: float | None, digits: int = 1) -> str:
    """0.4561 -> "45.6 %"."""
    return MISSING if fraction is None else f"{100 * fraction:.{digits}f} %"


def span(interval: Sequence[float] | None) -> str:
    """An interval of fractions, in percent without the sign: [0.441, 0.463] -> "44.1 to 46.3"."""
    return MISSING if interval is None else f"{100 * interval[0]:.1f} to {100 * interval[1]:.1f}"


def points(fraction: float | None) -> str:
    """A difference of fractions in percentage points, signed: 0.0123 -> "+1.2"."""
    return MISSING if fraction is None else f"{100 * fraction:+.1f}"


def spread(mean: float | None, deviation: float | None, number: int) -> str:
    """Mean, standard deviation, how many, in percent without the sign: "45.6 ± 0.4 (3)"; one value has no deviation."""
    if mean is None:
        return MISSING
    middle = "" if deviation is None else f" ± {100 * deviation:.1f}"
    return f"{100 * mean:.1f}{middle} ({number})"


def factor(value: float | None) -> str:
    """A scaling factor: 1.2 -> "1.20"."""
    return MISSING if value is None else f"{value:.2f}"


def ratio(value: float | None) -> str:
    """A ratio of costs: 2.034 -> "2.03×"."""
    return MISSING if value is None else f"{value:.2f}×"


def pixels(size: Sequence[int] | None) -> str:
    """[24, 24] -> "24 px"; [24, 32] -> "24×32 px"."""
    if not size:
        return MISSING
    return f"{size[0]} px" if size[0] == size[-1] else f"{size[0]}×{size[1]} px"


def size(pixels: Sequence[int]) -> str:
    """As the command line reads it: (64, 96) -> "64x96"."""
    return f"{pixels[0]}x{pixels[1]}"


def some(names: Sequence[str], most: int, last: str = " and") -> str:
    """The first names, and how many there are beyond: "a, b and 3 more"."""
    more = f"{last} {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def duration(seconds: float) -> str:
    """3725 -> "1 h 02 min"."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def text(value: object) -> str:
    """Any value of a record in one line: lists with commas, mappings as `name value`."""
    match value:
        case None:
            return MISSING
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:g}"
        case Mapping():
            return ", ".join(f"{name} {text(part)}" for name, part in value.items()) or MISSING
        case list() | tuple():
            return ", ".join(text(part) for part in value) or MISSING
        case _:
            return str(value)
