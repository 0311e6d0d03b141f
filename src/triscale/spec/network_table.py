"""A network printed like Table 1 of the EfficientNet paper."""

from triscale.spec.network import Network, Stage
from triscale.spec.resolved import resolve

_TITLES = ("Stage", "Operator", "Resolution", "Channels", "Layers")


def table(network: Network) -> str:
    """Stage, operator, input resolution (pixels), output channels and layers, one row a stage."""
    firsts = {run.stage: run.block for run in reversed(resolve(network).runs)}
    stem, head = network.stem, network.head
    pool = " & MaxPool3x3, s2" if stem.pool else ""
    rows = [_TITLES, ("1", f"Conv{stem.kernel}x{stem.kernel}, s{stem.stride}{pool}",
                      _size(firsts[0].input), str(stem.channels), str(1 + len(stem.deep)))]  # fmt: skip
    for index, stage in enumerate(network.stages, 1):
        first = firsts[index]
        rows.append((str(index + 1), operator(stage), _size(first.input), str(first.out_channels), str(stage.repeats)))
    last = firsts[-1]
    name = ("Conv1x1 & " if head.channels else "") + "Pooling" + (" & FC" if head.hidden else "") + " & FC"
    rows.append((str(len(network.stages) + 2), name, _size(last.input), str(last.inner_channels), "1"))
    widths = [max(len(row[column]) for row in rows) for column in range(len(_TITLES))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([f"{network.name} ({_size(network.resolution)} px, {network.classes} classes)", *lines])


def operator(stage: Stage) -> str:
    """The operator of a stage in the paper's words, such as `MBConv6, k5x5, s2, se0.25`; f: of a cell's states."""
    kernel = f"k{stage.kernel}x{stage.kernel}"
    expand = f"{stage.expand:.4g}"
    name = {
        "mbconv": f"MBConv{expand}",
        "fused_mbconv": f"Fused-MBConv{expand}",
        "separable": "Separable",
        "basic": "Basic",
        "bottleneck": "Bottleneck",
        "preactivation": "Pre-activation",
        "cell": "Cell",
    }[stage.operator]
    parts = [name, f"f{stage.channels}" if stage.operator == "cell" else kernel]
    if stage.groups != 1:
        parts.append(f"g{stage.groups}")
    if stage.stride != 1:
        parts.append(f"s{stage.stride}")
    if stage.squeeze_excite is not None:
        parts.append(f"se{stage.squeeze_excite.ratio:.4g}")
    return ", ".join(parts)


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"
