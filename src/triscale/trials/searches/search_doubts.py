"""What makes the answer of a search doubtful, in one sentence each: guessing, random draws, and size alone."""

from collections.abc import Sequence

from triscale.trials.searches.worth_records import DrawnRecord, GuessingRecord, PredictorRecord

_NAMES = {"params": "params", "macs": "MACs", "depth": "depth"}


def guessing_line(found: GuessingRecord, epochs: int) -> str | None:
    """That no trial beats guessing, and what would help; None where one does."""
    if found.beaten:
        return None
    whose = "its one network" if found.n == 1 else f"the best of {found.n:,} networks"
    return (
        f"The search had nothing to go by: after {epochs} epochs no network beats guessing. Of {found.images:,} "
        f"validation images {whose} knows {100 * found.best:.1f}%, and whoever always names the most frequent class "
        f"{100 * found.accuracy:.1f}%. Give more --epochs or more images."
    )


def predictors_line(found: Sequence[PredictorRecord]) -> str | None:
    """How well trivial numbers rank the trials by accuracy; None where none of them ranks any."""
    parts = [f"{one.accuracy_tau:+.2f} by {_NAMES[one.name]}" for one in found if one.accuracy_tau is not None]
    return f"Size alone ranks the accuracies of the trials with Kendall's tau {', '.join(parts)}." if parts else None


def drawn_line(drawn: DrawnRecord | None, sampler: str, trials: int, drawn_first: int) -> str | None:
    """How the proposals that a sampler chose compare with those drawn at random; None for random search itself.

    Args:
        drawn: the comparison; None where there is none.
        sampler: its name.
        trials: that were proposed.
        drawn_first: how many of the first of them were drawn at random.
    """
    if sampler == "random":
        return None
    if drawn is not None:
        return f"{compared(drawn, sampler)}{_apart(drawn)}."
    if drawn_first == trials:
        why = f"all {trials:,} were drawn at random, before it knew enough; give more --trials"
    else:
        why = (
            f"{drawn_first:,} of {trials:,} networks were drawn at random, too few of one kind to compare; "
            "search with --sampler random in another --out beside it"
        )
    return f"Whether {sampler} beats random draws is not known: {why}."


def compared(drawn: DrawnRecord, sampler: str) -> str:
    """Whether the networks that a sampler chose are better on average than those it drew at random."""
    chose = f"The networks that {sampler} chose are"
    if drawn.interval[0] > 0:
        return f"{chose} better on average than those drawn at random"
    return f"{chose} no better on average than those drawn at random"


def _apart(drawn: DrawnRecord) -> str:
    low, high = (f"{100 * end:+.1f}" for end in drawn.interval)
    return f" ({drawn.chosen} beside {drawn.n}: {100 * drawn.difference:+.1f} points, {low} to {high})"
