"""A training in a notebook: what came out, its curve, and what it was."""

from triscale import units
from triscale.report.notebook.cell_parts import cell, image, sentence, table
from triscale.report.notebook.curve_svg import curve_svg
from triscale.trials import TEST, VALIDATION, Trial

_NAMES = {VALIDATION: "validation top-1", TEST: "test top-1"}


def trial_html(trial: Trial) -> str:
    """A sentence, the curve of validation accuracy where there are epochs, and a table."""
    values = [one.validation_top1 for one in trial.history]
    about = f"Validation top-1 of {trial.network.name} by epoch"
    drawn = image(curve_svg(values, about), about, "24rem") if len(values) > 1 else ""
    rows = [(_NAMES.get(name, name.replace("_", " ")), _shown(name, value)) for name, value in trial.metrics.items()]
    rows += [("epochs", f"{len(trial.history)} of {trial.epochs}"), ("seed", str(trial.seed))]
    rows += [("checkpoint", trial.checkpoint)] if trial.checkpoint else []
    return cell([sentence(_said(trial)), drawn, table(("training", ""), rows)])


def _said(trial: Trial) -> str:
    name = trial.network.name
    match trial.state:
        case "done" if VALIDATION in trial.metrics:
            return (
                f"{name} is trained: right about {units.percent(trial.metrics[VALIDATION])} of the validation images."
            )
        case "failed" | "stopped":
            return f"{name} {'failed' if trial.state == 'failed' else 'was stopped'}: {trial.reason}"
    return f"{name} is {trial.state}."


def _shown(name: str, value: float) -> str:
    if name.endswith("top1"):
        return units.percent(value)
    return units.duration(value) if name == "seconds" else f"{value:.4g}"
