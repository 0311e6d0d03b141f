"""The trainings of a fit: requests as `triscale train` makes them, each in a folder below that of the fit."""

from dataclasses import dataclass, replace
from pathlib import Path

from triscale.data import CheckOptions, Source
from triscale.recipes import Recipe
from triscale.search.trainings.campaign import TUNED_FROM
from triscale.shipping.fit_watch import FitWatch
from triscale.spec import Network
from triscale.speed_plan import SpeedPlan
from triscale.training import Inputs, TrainRequest, World, resolve, train_request
from triscale.trials import Execution, Numerics, Stored, TrainJob, Trial, TrialStore
from triscale.weights import Checkpoint

ANSWER, LARGER = "answer", "larger"
"""Purposes of the trials, and the folders of their trainings."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FitTrainings:
    """What all trainings of a fit share.

    Attributes:
        source: the images, opened.
        data: what opens them.
        policy: what is done about doubtful images.
        weights: that they begin with; None: fresh ones.
        seed: of all that is drawn.
        train_size: training images to use; None: all.
        numerics, execution: see `triscale.training.fit`.
        watch: receives the progress.
    """

    source: Source
    data: str
    policy: CheckOptions
    weights: Checkpoint | None
    seed: int
    train_size: int | None
    numerics: Numerics
    execution: Execution
    watch: FitWatch

    @property
    def inputs(self) -> Inputs:
        """What they read."""
        return Inputs(source=self.source, weights=self.weights)

    def request(self, network: Network, recipe: Recipe) -> TrainRequest:
        """A training of a network."""
        return TrainRequest(
            network=network, data=self.data, recipe=recipe, seed=self.seed, subset=self.train_size,
            weights=self.weights, policy=self.policy,
        )  # fmt: skip

    def job(self, network: Network, recipe: Recipe) -> TrainJob:
        """The same with nothing left open."""
        request = self.request(network, recipe)
        return resolve(request, self.inputs, self.numerics, self.execution, World(), lambda _: None)

    def trained(self, store: TrialStore, purpose: str, network: Network, recipe: Recipe) -> Trial:
        """Train, or resume; the trial stands in the store of the fit once it is done.

        Raises:
            Interrupted: the watch wants to stop; the state is saved.
            InputError, NumericError, OutOfMemoryError, StorageError: see `triscale.training.fit`.
        """
        if (known := done(store, purpose)) is not None:
            return known
        images = self.source.training_split(seed=self.seed, train_size=self.train_size).training.size
        short = recipe.epochs * (images // recipe.batch) < TUNED_FROM
        numerics = replace(self.numerics, plan=SpeedPlan()) if short else self.numerics
        folder = store.folder / purpose
        with self.watch.training(network.name) as callbacks:
            trial = train_request(self.request(network, recipe), folder, numerics, self.execution, callbacks)
        kept = replace(trial, purpose=purpose, checkpoint=f"{purpose}/{trial.checkpoint}")
        store.put(kept)
        return kept


def done(stored: Stored, purpose: str) -> Trial | None:
    """The finished trial of a purpose; None without any."""
    return next((one for one in stored if one.purpose == purpose and one.state == "done"), None)


def weights_of(folder: Path, trial: Trial) -> Path:
    """The checkpoint of a trial of a fit."""
    return folder / trial.purpose / Path(str(trial.checkpoint)).name
