"""Networks side by side: counted where triscale has them, as printed where not, with their ratios to a reference."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from triscale.costs import ANYWHERE, Target, Values, cost
from triscale.families.published import PUBLISHED, Published, differing, value
from triscale.paper.printed_tables import TABLES, PrintedRow
from triscale.scaling import network
from triscale.spec import Network, Size


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """One network of a comparison.

    Attributes:
        label: what it is called there.
        group: rows of one group share a reference, the group's first row.
        network: its registered or scaled name; None where triscale has no such network.
        resolution: counted at, (height, width) in pixels; None without a network, as for the four counts.
        params, macs, activations: counted, for one image.
        inference_memory: in bytes, fp32, batch 1.
        published: printed figures, or None.
        differs: which of `params` and `macs` are printed and are not what is counted.
        params_ratio, macs_ratio: to the reference; counted where possible, else by the printed figure.
        published_params_ratio, published_macs_ratio: of the printed figures alone.
        metrics, metric_ratios: further metrics by name, and its ratio to the reference (None where that is 0).
    """

    label: str
    group: str
    network: str | None = None
    resolution: Size | None = None
    params: int | None = None
    macs: int | None = None
    activations: int | None = None
    inference_memory: int | None = None
    published: Published | None = None
    differs: tuple[str, ...] = ()
    params_ratio: float | None = None
    macs_ratio: float | None = None
    published_params_ratio: float | None = None
    published_macs_ratio: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    metric_ratios: Mapping[str, float | None] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        size = None if self.resolution is None else list(self.resolution)
        return asdict(self) | {"resolution": size, "differs": list(self.differs)}


def compare(
    networks: Sequence[Network | str], metrics: Sequence[str] = (), target: Target = ANYWHERE
) -> tuple[Compared, ...]:
    """Any networks, with their ratios to the first.

    Args:
        networks: specs or names.
        metrics: names of metrics beside the counts that every row has.
        target: what these metrics are of.

    Raises:
        UsageError: an unknown name of a network or metric.
        InputError: a network that is too large.
    """
    found = [network(one) if isinstance(one, str) else one for one in networks]
    values = Values(target)
    rows = [_counted(one.name, "", one, PUBLISHED.get(one.name)) for one in found]
    return _related(replace(row, metrics=values.of(one, metrics)) for row, one in zip(rows, found, strict=True))


def compare_table(name: str) -> tuple[Compared, ...]:
    """A table of the paper (`table2`, `table3`, `table7`), counted; ratios are to the first row of each group."""
    return _related([_row(row) for row in TABLES[name].rows])


def _row(row: PrintedRow) -> Compared:
    if row.network is None:
        return Compared(label=row.label, group=row.group, published=row.published)
    return _counted(row.label, row.group, network(row.network), row.published)


def _counted(label: str, group: str, net: Network, published: Published | None) -> Compared:
    found = cost(net)
    counts = {"params": found.params, "macs": found.macs, "activations": found.activations}
    return Compared(
        label=label, group=group, network=net.name, resolution=found.resolution,
        params=found.params, macs=found.macs, activations=found.activations,
        inference_memory=found.inference_memory, published=published, differs=differing(counts, published),
    )  # fmt: skip


def _related(rows: Iterable[Compared]) -> tuple[Compared, ...]:
    """The rows with their ratios to the first of their group."""
    references: dict[str, Compared] = {}
    return tuple(_ratios(row, references.setdefault(row.group, row)) for row in rows)


def _ratios(row: Compared, reference: Compared) -> Compared:
    return replace(
        row,
        params_ratio=_ratio(_best(row, "params"), _best(reference, "params")),
        macs_ratio=_ratio(_best(row, "macs"), _best(reference, "macs")),
        published_params_ratio=_ratio(_printed(row, "params"), _printed(reference, "params")),
        published_macs_ratio=_ratio(_printed(row, "macs"), _printed(reference, "macs")),
        metric_ratios={name: _ratio(value, reference.metrics[name]) for name, value in row.metrics.items()},
    )


def _best(row: Compared, figure: str) -> float | None:
    counted: int | None = getattr(row, figure)
    return _printed(row, figure) if counted is None else counted


def _printed(row: Compared, figure: str) -> float | None:
    text: str | None = getattr(row.published, figure, None)
    return None if text is None else value(text)


def _ratio(one: float | None, other: float | None) -> float | None:
    return None if one is None or not other else one / other
