"""The ledger as a page: nothing in it that does not stand in the records."""

from collections import Counter
from collections.abc import Mapping, Sequence

from benchmarks.parity.compare import LEAST
from benchmarks.parity.ledger import Entry
from benchmarks.parity.plans import limits

_TITLE = """# Parity ledger

Every registered network beside the same network of other libraries, with the same random weights (`triscale.weights`
carries them over by name). Written by `make parity` and `make parity-keras` from `benchmarks/parity/records.jsonl`; a
test holds page, records and registry together, and proves a part again on every run.
"""

_COLUMNS = """
- **params**, **MACs**: at the native resolution, equal to the peer's to the unit (its own parameters; half of PyTorch's
  FLOP counter, or kernel elements times output pixels of Keras' layers).
- **layers**: convolutions and linear layers, each with the peer's output shape, in the same order, those of every stage
  among them.
- **logits**: in evaluation mode; the largest difference over the largest logit of the same size of image. At most
  {logits:g}. In float32; with Keras in float64, for a deep network of random weights enlarges rounding very much, which
  shows where another library's kernels sum in another order.
- **top-1**: images with the peer's best class, of those shown; in brackets, how many different classes these were.
- **gradients**: of one step in training mode (cross-entropy; dropout and stochastic depth off); the largest difference
  over the largest gradient of the same tensor, or {least:g} of the network's largest if that is more; worst tensor.
  In float64, where rounding is far below any fault: at most {gradients:g}. A star marks float32, for a network whose
  gradients would otherwise take more than 7 GB: at most {single:g}.
- **statistics**: running means and variances after that step, over the largest of the same tensor. Of Keras, only the
  means: it moves variances by the biased estimate, PyTorch by the unbiased one.
- **padding, eps**: SAME or symmetric; of batch norm. 0 means equal to the last bit.
"""

_HEAD = """| network | peer's model | params | MACs | layers | logits | top-1 | gradients | statistics | padding, eps |
|---|---|---:|---:|---:|---:|---:|---:|---:|---|"""


def page(entries: Sequence[Entry], alone: Mapping[str, str]) -> str:
    """The whole page.

    Args:
        entries: the newest line of each row, in the order in which they are shown.
        alone: network without a peer -> why.
    """
    double, single = limits(double=True), limits(double=False)
    columns = _COLUMNS.format(
        logits=double["logits"], least=LEAST, gradients=double["gradients"], single=single["gradients"]
    )
    parts = [_TITLE, _provenance(entries), _shown(entries), columns]
    for peer in dict.fromkeys(entry["peer"] for entry in entries):
        lines = [_line(entry) for entry in entries if entry["peer"] == peer]
        parts.append(f"\n## {_PEERS[peer]}\n\n{_HEAD}\n" + "\n".join(lines) + "\n")
    stands = "\n".join(f"| {name} | {why} |" for name, why in alone.items())
    parts.append(f"\n## Without a peer\n\n| network | why, and what stands in its place |\n|---|---|\n{stands}\n")
    return "".join(parts)


_PEERS = {"torchvision": "torchvision", "timm": "timm", "keras": "Keras applications"}


def _provenance(entries: Sequence[Entry]) -> str:
    """Which versions, when, where, how many rows."""
    groups = Counter(
        (entry["peer"], _versions(entry), entry["date"][:10], entry["commit"] or "-", entry["machine"]["cpu"])
        for entry in entries
    )
    lines = [f"| {' | '.join(group)} | {count} |" for group, count in groups.items()]
    return (
        "\n| peer | versions | date | commit | machine | rows |\n|---|---|---|---|---|---:|\n" + "\n".join(lines) + "\n"
    )


def _versions(entry: Entry) -> str:
    return ", ".join(f"{name} {version}" for name, version in entry["versions"].items())


def _shown(entries: Sequence[Entry]) -> str:
    """The sizes tested; one sentence, unless rows differ."""
    kinds = Counter((tuple(map(tuple, entry["sizes"])), tuple(entry["trained"])) for entry in entries)
    sentences = []
    for (sizes, (height, width, batch)), count in kinds.items():
        listed = ", ".join(f"{n} of {h}x{w}" for h, w, n in sizes)
        sentences.append(f"{count} rows were shown {listed} px, and trained on {batch} of {height}x{width} px.")
    return "\n" + "\n".join(sentences) + "\n"


def _line(entry: Entry) -> str:
    star = "" if entry["double"] else " *"
    cells = (
        entry["network"],
        f"`{entry['model']}`",
        _equal(f"{entry['params']:,}", equal=entry["counts_equal"]),
        _equal(f"{entry['macs']:,}", equal=entry["counts_equal"]),
        _equal(f"{entry['layers']}", equal=entry["shapes_equal"]),
        _difference(entry["logits"]),
        f"{entry['agreed']}/{entry['pictures']} ({entry['answers']})",
        _difference(entry["gradients"]) + star,
        _difference(entry["statistics"]) + star,
        f"{'SAME' if entry['padding'] == 'same' else entry['padding']}, {entry['eps']:g}",
    )
    return f"| {' | '.join(cells)} |"


def _equal(text: str, *, equal: bool) -> str:
    return text if equal else f"**{text} differs**"


def _difference(value: float) -> str:
    return "0" if value == 0 else f"{value:.0e}"
