"""What the answer of a search says about its lengths of training: how they rank networks, and what stopping saved."""

from triscale import units
from triscale.trials.searches.rung_records import RanksRecord
from triscale.trials.searches.search_outcomes import Saved


def saved_lines(found: Saved) -> list[str]:
    """How many epochs were saved by stopping hopeless trials; no line without any."""
    if not found.trials:
        return []
    trials = units.agreeing(found.trials, "hopeless trial", "hopeless trials")
    return [f"{trials} stopped early: {found.epochs:,} of the {found.whole:,} epochs of all trials were saved."]


def ranks_line(one: RanksRecord) -> str:
    """Whether short trainings ranked the networks as longer ones did, and what to do where they did not."""
    tau, interval = (one.best_tau, one.best_interval) if one.tau is None else (one.tau, one.interval)
    if tau is None:
        return f"Whether {one.short} epochs rank networks as {one.long} do is unknown: all have one score."
    who = f"{one.n} of {units.agreeing(one.of, 'network', 'networks')}"
    how = (
        f"the best {one.n - one.drawn} and {one.drawn} drawn at random" if one.drawn
        else "all of them" if one.n == one.of else "the best alone, whose range is narrow"
    )  # fmt: skip
    found = f"tau {tau:+.2f}{'' if interval is None else f', 95 %: {interval[0]:+.2f} to {interval[1]:+.2f}'}"
    about = f"({found}; {who}: {how})"
    if interval is not None and interval[0] <= 0 <= interval[1]:
        return (
            f"The trainings of {one.short} epochs did not rank these networks as {one.long} epochs do {about}; "
            f"longer ones may: --epochs {one.long}."
        )
    return f"The trainings of {one.short} epochs rank networks as {one.long} epochs do by Kendall's {about[1:-1]}."
