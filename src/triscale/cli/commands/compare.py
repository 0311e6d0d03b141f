"""`triscale compare` and `triscale errata`: the paper's tables and what is not so in them, beside the counts."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from triscale.cli.commands.networks import differences
from triscale.cli.options.network_name import named
from triscale.cli.options.rule_choice import NO_RULES, RuleChoice
from triscale.cli.options.sizes_and_limits import metric_names, require_batch
from triscale.cli.options.training_memory import PLAINLY, CountedTraining
from triscale.cli.show.equal_latency_result import show_timed
from triscale.cli.show.members_table import show_members
from triscale.cli.show.networks_table import MARK, NAMES, count_text, show_networks, show_rules, times
from triscale.cli.show.output import Flag, Whole, print_json, print_table, print_text, printable, write_text
from triscale.costs import ANYWHERE, Target
from triscale.errors import UsageError
from triscale.latency.limited_on import limited_on
from triscale.paper import ERRATA, TABLES, TITLES, Compared, compare_table, errata_about, members
from triscale.paper import compare as compare_networks
from triscale.scaling import Ruled
from triscale.spec import Network

_MEMBERS = "members"
"""A set that is no table of the paper."""


def compare(
    *nets: Annotated[str, Parameter(name="NET")],
    metric: Annotated[tuple[str, ...], Parameter(negative=(), show_default=False)] = (),
    batch: Whole | None = None,
    trained: CountedTraining = PLAINLY,
    table: Annotated[str | None, Parameter(name="--set")] = None,
    figure: Path | None = None,
    phi: float | None = None,
    by: RuleChoice = NO_RULES,
    target: str | None = None,
    json: Flag = False,
) -> None:
    """Count networks or the paper's tables side by side.

    Without NET it shows a table of the paper; with several, these networks; with one and --rules, the network scaled by
    each rule.

    Args:
        nets: network names or spec files (.json); ratios are to the first. None: a table of the paper.
        metric: compare by this metric, such as file_size, instead of the usual ones; may be repeated.
        batch: images a step, for metrics of memory.
        trained: how it is trained, for the same.
        table: table2 (members and rivals, the default), table3 (existing networks scaled), table7 (B0 scaled) or
            members (B0 to B7 with their phi, beside what the formula alpha^phi, beta^phi, gamma^phi gives).
        figure: draw NET (efficientnet_b0 by default) and its scalings by width, depth, resolution and all three into
            this SVG file.
        phi: how far --rules (1 by default) or --figure (2) scale; 2^phi is the nominal cost.
        by: see `RuleChoice`.
        target: where latency is measured: ENGINE:PRECISION:tTHREADS[:bBATCH].
        json: print one JSON document instead of text.
    """
    _check(nets, table, figure, phi, by)
    asked = metric_names(metric)
    _check_metrics(asked, by.limits, nets, batch, figure)
    if figure is not None:
        _draw(figure, nets[0] if nets else "efficientnet_b0", 2.0 if phi is None else phi, json=json)
        return
    if table == _MEMBERS:
        _members(json=json)
        return
    name = None if nets else table or "table2"
    found = [named(net) for net in nets]
    used = [*asked, *by.limits, *metric_names(() if by.equal is None else (by.equal,))]
    place = limited_on(used, target, trained.target(batch or 1) if used else ANYWHERE)
    if by.rules:
        if timed := by.timed(found[0], phi, place):
            show_timed(found[0], timed, str(place.engine), json=json)
        else:
            _by_rules(found[0], by.scaled(found[0], phi, place), asked, place, json=json)
        return
    rows = compare_networks(nets, asked, place) if name is None else compare_table(name)
    if json:
        print_json({"set": name, "rows": [row.to_dict() for row in rows]})
    elif name is None:
        show_networks(rows, asked)
    else:
        _show_table(name, rows)


def _members(*, json: bool) -> None:
    rows = members()
    if json:
        print_json({"set": _MEMBERS, "rows": [row.to_dict() for row in rows]})
    else:
        show_members(rows)


def _by_rules(base: Network, found: Sequence[Ruled], asked: Sequence[str], target: Target, *, json: bool) -> None:
    """The network and its scalings, each with its rule and the source of that."""
    rows = compare_networks([base, *(one.network for one in found)], asked, target)
    if json:
        baseline = {"rule": None, "rule_source": None, "phi": None, "factors": None}
        places = [baseline, *(one.to_dict() for one in found)]
        print_json({"set": None, "rows": [row.to_dict() | place for row, place in zip(rows, places, strict=True)]})
        return
    show_networks(rows, asked)
    show_rules(found)


def _draw(path: Path, net: str, phi: float, *, json: bool) -> None:
    from triscale.report import scaling_figure  # noqa: PLC0415  plotly is loaded only where a report is made

    write_text(path, scaling_figure(named(net), phi))
    if json:
        print_json({"figure": str(path), "network": net, "phi": phi})
    else:
        print_text(f"{net} at phi = {phi:g}, drawn: {path}")


def _check(nets: Sequence[str], table: str | None, figure: Path | None, phi: float | None, by: RuleChoice) -> None:
    by.require_usable(len(nets), phi)
    if table is not None and table not in (*TABLES, _MEMBERS):
        raise UsageError(f"unknown set {table!r}; the sets are {', '.join((*TABLES, _MEMBERS))}.")
    if table is not None and (nets or figure):
        raise UsageError("--set is a table of the paper: give no networks and no --figure with it.")
    if figure is not None and figure.suffix.lower() != ".svg":
        raise UsageError(f"--figure is {printable(figure)}; give FILE.svg.")
    if figure is not None and len(nets) > 1:
        raise UsageError("--figure draws one network and its scalings: give one NET.")
    if figure is not None and by.rules:
        raise UsageError("--figure draws width, depth, resolution and compound: give --figure or --rules.")
    if phi is not None and figure is None and not by.rules:
        raise UsageError("--phi belongs to --figure and --rules; a network is scaled by its name, such as NET@phi=1.")


def _check_metrics(
    asked: Sequence[str], limited: Iterable[str], nets: Sequence[str], batch: int | None, figure: Path | None
) -> None:
    if asked and (not nets or figure is not None):
        raise UsageError("--metric compares networks: name them, and give no --set and no --figure with it.")
    used = [*asked, *limited]
    if batch is not None and not used:
        raise UsageError("--batch is for --metric: name a metric that depends on it, such as training_memory.")
    require_batch(used, batch)


def _show_table(name: str, rows: Sequence[Compared]) -> None:
    print_text(TABLES[name].title, "")
    titles = ("network", "params", "", "MACs", "", "top-1", "top-5", "printed, where it differs")
    cells: list[Sequence[str]] = []
    for index, row in enumerate(rows):
        if index and row.group != rows[index - 1].group:
            cells.append([""] * len(titles))
        cells.append(_cells(row, reference=index == 0 or row.group != rows[index - 1].group))
    print_table(titles, cells)
    print_text("", "Counted; ratios are to the first of each group. Accuracies are those printed.")
    if any(row.network is None for row in rows):
        print_text(f"{MARK} as printed: triscale has no such network.")
    print_text(TABLES[name].note)


def _cells(row: Compared, *, reference: bool) -> Sequence[str]:
    label = row.label if reference else f"  {row.label}"
    costs = [text for key in NAMES for text in (count_text(row, key), times(getattr(row, f"{key}_ratio")))]
    published = row.to_dict()["published"]
    return [label, *costs, published["top1"] or "", published["top5"] or "", _printed(row)]


def _printed(row: Compared) -> str:
    """Printed figures that are not the counted ones, and ratios of printed figures that are not those shown."""
    ratios = (
        f"{NAMES[key]} {text}"
        for key in NAMES
        if (text := times(getattr(row, f"published_{key}_ratio"))) and text != times(getattr(row, f"{key}_ratio"))
    )
    return ", ".join(text for text in (differences(row.to_dict()), *ratios) if text)


def errata(
    name: Annotated[str | None, Parameter(name="NAME")] = None, /, *, out: Path | None = None, json: Flag = False
) -> None:
    """List wrong figures of the paper, of articles and of ports.

    Each entry says what is printed, what is true (counted now), and how to check it.

    Args:
        name: only entries about this network or topic, such as b4, resnet50, table2 or phi.
        out: write the list there as a Markdown page.
        json: print one JSON document instead of text.
    """
    chosen = ERRATA if name is None else errata_about(name, ERRATA)
    if out is not None:
        from triscale.report import errata_markdown  # noqa: PLC0415  plotly is loaded only where a report is made

        write_text(out, errata_markdown(chosen))
    if json:
        print_json([one.to_dict() for one in chosen])
        return
    for kind, title in TITLES.items():
        if of_kind := [one for one in chosen if one.kind == kind]:
            print_text(title, "=" * len(title), "")
        for one in of_kind:
            print_text(f"{one.id} ({one.where})", f"  said:  {one.says}", f"  true:  {one.truth}")
            print_text(*(f"  check: {command}" for command in one.check), "")
