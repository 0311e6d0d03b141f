"""`triscale search`: architectures, as the paper found B0, and where a search stands."""

from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Group, Parameter

from triscale.api.training import jobs_of
from triscale.cli.help.page_writer import HELP_ALL
from triscale.cli.options import sizes_and_limits
from triscale.cli.options.cluster import NO_CLUSTER, Cluster
from triscale.cli.options.compute import HERE, Compute
from triscale.cli.options.doubtful import LEFT_OUT, Doubtful
from triscale.cli.options.searching import question_fields, refuse_another_folder
from triscale.cli.show.output import Flag, Whole, complain, print_json, print_text
from triscale.cli.show.progress.progress_lines import terminal_progress
from triscale.cli.show.search_result import search_document, status_lines
from triscale.cli.signals import Stopped, terminable
from triscale.lock import locked

if TYPE_CHECKING:
    from triscale.search.explorations.search_question import SearchQuestion

search = App(
    name="search",
    help="Find a network on your images, and see where a search stands.",
    help_flags=("--help", "-h", HELP_ALL),
    group_commands=Group("Commands", sort_key=0),
)


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class SearchArguments:
    """The question of a search; what is left out is as `SearchQuestion` says.

    Attributes:
        space: mnasnet_b0, mnasnet_mobilenet_v2, small_24 (the default) to small_64, or a .json file.
        data: flowers (the default, embedded), or class folders, .npz, .csv, .tar: see `triscale check`.
        objective: soft (the default) or hard: reward accuracy x (cost / target)^exponent, hard only above the target;
            front: Pareto front of accuracy and costs; accuracy: alone, within the budget.
        cost: the cost in the reward, macs by default; for a front, one or two with a comma between.
        reward_target: the cost at which the reward equals the accuracy, such as 4M; by default the baseline's.
        target: where latency is measured, as a cost or a limit: ENGINE:PRECISION:tTHREADS[:bBATCH].
        exponent: exponent of the cost in the reward; -0.07 by default.
        worth: instead of --exponent, a sentence: "2x macs must buy 5% accuracy".
        budget: a limit that every network keeps, such as params=100K; may be repeated.
        sampler: evolution (the default), random, controller, surrogate, nsga2, tpe or gp.
        trials: networks to train; by default 64, or as many as --time allows.
        lag: at most so many of them train at a time; 8 by default. It changes the proposals.
        finalists: the best networks, trained in full with several seeds beside the baseline; 1 by default.
        epochs: epochs of each trial; 5 by default.
        final_epochs: epochs of the finalists; by default four times as many.
        rungs: lengths of training at which networks are chosen; 1 by default: the trials only. With 2, the best are
            trained again for longer before the finalists are taken, and so on.
        eta: one in so many networks goes on to the next rung, trained so many times as long; 2 by default.
        stop_hopeless: stop a trial that, after half of its epochs, is behind three quarters of the earlier ones.
        seeds: seeds of the finalists and the baseline; 3 by default.
        train_size: training images to use; at least 10.
        time: size the search to a time such as 60m: it sets trials and images by the baseline's speed before anything
            is trained. No clock stops the search, so networks slower than the baseline make it longer.
        recipe: efficientnet, modern, quick or transfer, or a .toml file; quick by default.
        precision: float32, bfloat16 or auto, instead of the recipe's.
        batch: images a step, instead of the recipe's.
        seed: the first seed, also of the sampler.
    """

    space: str | None = None
    data: str | None = None
    objective: Literal["soft", "hard", "front", "accuracy"] | None = None
    cost: str | None = None
    reward_target: str | None = None
    target: str | None = None
    exponent: float | None = None
    worth: str | None = None
    budget: Annotated[
        tuple[str, ...],
        Parameter(
            negative=(),
            show_default=False,
            help=sizes_and_limits.budget_help("a limit that every network keeps, such as params=100K"),
        ),
    ] = ()
    sampler: str | None = None
    trials: Whole | None = None
    lag: Whole | None = None
    finalists: Whole | None = None
    epochs: Whole | None = None
    final_epochs: Whole | None = None
    rungs: Whole | None = None
    eta: Whole | None = None
    stop_hopeless: Flag = False
    seeds: Whole | None = None
    train_size: Whole | None = None
    time: sizes_and_limits.Signed | None = None
    recipe: str | None = None
    precision: Literal["float32", "bfloat16", "auto"] | None = None
    batch: Whole | None = None
    seed: Whole | None = None

    def question(self, net: str | None, doubtful: Doubtful) -> "SearchQuestion":
        """The question, around a baseline or that of the space."""
        from triscale.costs import read_limit  # noqa: PLC0415
        from triscale.search.explorations.search_question import SearchQuestion, metric_of_reward  # noqa: PLC0415

        metric = metric_of_reward(self.cost or "macs", self.worth)
        at = None if self.reward_target is None else read_limit(metric, self.reward_target)
        return SearchQuestion(**question_fields(self, net, doubtful, reward_target=at))


NOTHING = SearchArguments()


@search.command
def architecture(
    net: Annotated[str | None, Parameter(name="NET")] = None,
    /,
    *,
    asked: SearchArguments = NOTHING,
    jobs: Whole | None = None,
    loader_workers: Whole = 0,
    cluster: Cluster = NO_CLUSTER,
    doubtful: Doubtful = LEFT_OUT,
    compute: Compute = HERE,
    kernels: Annotated[bool, Parameter(show_default=False)] = True,
    out: Path | None = None,
    optuna_storage: str | None = None,
    json: Flag = False,
) -> None:
    """Search a space of networks for the best one on your images.

    The search compares its answer with the baseline. Interrupt it at any time: the same command resumes with the same
    proposals.

    Args:
        net: the baseline at the centre of the space: a network's name or a spec file; by default that of the space.
        asked: see `SearchArguments`.
        jobs: trainings at a time, at most --lag; by default one a core (or as many as --threads leaves room for).
        loader_workers: workers of each training that prepare batches ahead.
        cluster: see `Cluster`.
        doubtful: see `Doubtful`.
        compute: see `Compute`.
        kernels: as in `triscale study`.
        out: the folder of the search; by default triscale-runs/HASH.
        optuna_storage: also write all trials to this storage of Optuna, for optuna-dashboard: a URL such as
            sqlite:///search.db or postgresql+psycopg://USER@HOST/DATABASE (with pip install 'psycopg[binary]').
        json: print one JSON document instead of text.
    """
    if out is not None:
        refuse_another_folder(out, "search")
    question = asked.question(net, doubtful)
    with terminable(), locked(out) if out is not None else nullcontext(), terminal_progress() as progress:
        from triscale.search.explorations.architecture_search import ArchitectureSearch  # noqa: PLC0415  loads torch
        from triscale.training import numerics_here  # noqa: PLC0415

        engine = cluster.engine()
        numerics = numerics_here(compute.place(), compute.threads or 1, kernels=kernels)
        found = ArchitectureSearch(
            question, out, jobs=jobs_of(jobs, engine, numerics.device, numerics.threads), numerics=numerics,
            progress=progress, loader_workers=loader_workers, engine=engine, optuna_storage=optuna_storage,
        )  # fmt: skip
        try:
            stored = found.run()
        except (KeyboardInterrupt, Stopped):
            complain(f"stopped; the same command resumes in {found.folder}.")
            raise
        from triscale.report import write_report  # noqa: PLC0415  plotly is loaded only here

        path = write_report(found.folder)
    document = search_document(stored, found.folder)
    if json:
        print_json({**document, "report": str(path)})
    else:
        print_text(*document["lines"], f"Report: {path}")


@search.command
def status(folder: Path, /, *, json: Flag = False) -> None:
    """Show how far a search is, and what it has found so far.

    Args:
        folder: the folder of the search, which may be running.
        json: print one JSON document instead of text.
    """
    from triscale import trials  # noqa: PLC0415

    stored = trials.read(folder)
    if json:
        print_json(search_document(stored, folder))
    else:
        print_text(*status_lines(stored, folder))
