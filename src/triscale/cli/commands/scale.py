"""`triscale scale`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from triscale import api, scaling
from triscale.cli.options.coefficients import read_coefficients
from triscale.cli.options.network_name import named, remark
from triscale.cli.options.sizes_and_limits import budget_help, require_batch
from triscale.cli.options.sizes_and_limits import limits as read_limits
from triscale.cli.options.training_memory import PLAINLY, CountedTraining
from triscale.cli.show.output import Flag, Whole, print_json, write_text
from triscale.cli.show.progress.clock_progress import clocking
from triscale.cli.show.scale_result import Scaled, show
from triscale.costs import Target
from triscale.errors import UsageError
from triscale.latency.any_budget import fit_any_budget
from triscale.latency.limited_on import limited_on
from triscale.scaling import PAPER, Coefficients, Factors, rule_named
from triscale.spec import Network, dumps

_BUDGET_HELP = budget_help("find the largest network within a limit such as macs=1.0G")
_Budget = Annotated[tuple[str, ...], Parameter(negative=(), show_default=False, help=_BUDGET_HELP)]


def scale(
    net: Annotated[str, Parameter(name="NET")],
    /,
    *,
    phi: float | None = None,
    depth: float | None = None,
    width: float | None = None,
    resolution: float | None = None,
    budget: _Budget = (),
    batch: Whole | None = None,
    trained: CountedTraining = PLAINLY,
    rule: str = "compound",
    coefficients: str | None = None,
    fix_stem_head: Flag = False,
    fill: Flag = False,
    target: str | None = None,
    explain: Flag = False,
    out: Path | None = None,
    json: Flag = False,
) -> None:
    """Scale a network: by phi, by factors, or to fill a budget.

    Args:
        net: a network's name, or a spec file (.json).
        phi: how far along the rule; 2^phi is the nominal cost. Below 0 it shrinks.
        depth: factor of the repeats.
        width: factor of the channels.
        resolution: factor of the sides (not pixels).
        budget: find the largest network within a limit such as macs=1.0G; may be repeated.
        batch: images a step, for the memory.
        trained: how it is trained.
        rule: compound, found (with --coefficients), depth, width, resolution, uniform, fast_compound, resnet_rs_depth,
            resnet_rs_width or tinynet.
        coefficients: alpha,beta,gamma for the rules compound and found; or a study's folder or records.jsonl, or a JSON
            file.
        fix_stem_head: keep stem, head and the depth of the first and last stage (as EfficientNet-Lite does).
        fill: spend what rounding leaves of the budget on resolution, then on width.
        target: where a limit on latency is measured: ENGINE:PRECISION:tTHREADS[:bBATCH].
        explain: list each rounding: wanted and got.
        out: write the network there as a spec file.
        json: print one JSON document instead of text.
    """
    limits, factors_given = read_limits(budget), any(factor is not None for factor in (depth, width, resolution))
    _check(phi=phi, factored=factors_given, limits=limits, batch=batch, rule=rule, coefficients=coefficients, fill=fill)
    base, training = named(net), limited_on(limits, target, trained.target(batch or 1))
    if fix_stem_head:
        base = scaling.fixed(base)
    if factors_given:
        result = _by_factors(base, (depth, width, resolution), training)
    else:
        curve = None if coefficients is None else read_coefficients(coefficients)
        result = _along(base, rule, curve, phi=phi, limits=limits, target=training, fill=fill)
    remark(result.network)
    if out is not None:
        write_text(out, dumps(result.network))
    if json:
        print_json(result.to_dict(explain=explain))
    else:
        show(result, explain=explain)


def _by_factors(base: Network, factors: tuple[float | None, ...], target: Target) -> Scaled:
    given = Factors(*(1.0 if factor is None else factor for factor in factors))
    return Scaled(base, api.scale(base, **given._asdict()), given, target)


def _along(
    base: Network,
    rule: str,
    curve: Coefficients | None,
    *,
    phi: float | None,
    limits: dict[str, float],
    target: Target,
    fill: bool,
) -> Scaled:
    """Along the curve of a rule: to phi, or as far as the limits allow."""
    used = None if rule_named(rule).coefficients == "none" else curve or PAPER
    if phi is not None:
        network, factors = scaling.scale_by_rule(base, rule, phi, curve), scaling.factors(rule, phi, curve)
        return Scaled(base, network, factors, target, phi, rule, used)
    with clocking() as watch:
        fitted = fit_any_budget(base, limits, rule=rule, coefficients=curve, target=target, filled=fill, watch=watch)
    return Scaled(base, fitted.network, fitted.factors, target, fitted.phi, rule, used, limits, fitted)


def _check(
    *,
    phi: float | None,
    factored: bool,
    limits: Mapping[str, float],
    batch: int | None,
    rule: str,
    coefficients: str | None,
    fill: bool,
) -> None:
    """Exactly one way of scaling, and only options that it uses."""
    if (phi is not None) + factored + bool(limits) != 1:
        raise UsageError("give one of: --phi; --depth, --width and --resolution; or --budget NAME=LIMIT.")
    takes = rule_named(rule).coefficients != "none"
    if factored and (rule != "compound" or coefficients is not None):
        raise UsageError("--rule and --coefficients go with --phi or --budget, not with factors.")
    if coefficients is not None and not takes:
        raise UsageError(f"--coefficients belong to the rules compound and found, not to {rule}.")
    if fill and not limits:
        raise UsageError("--fill spends the rest of a budget: give one with --budget NAME=LIMIT.")
    if batch is not None and batch < 1:
        raise UsageError(f"the batch is {batch}; give at least 1.")
    require_batch(limits, batch)
