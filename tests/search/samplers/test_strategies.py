"""Each way of sampling is what its paper, its library or its closed form says."""

import builtins
import warnings
from collections.abc import Mapping
from functools import partial
from itertools import product
from types import ModuleType

import numpy as np
import optuna
import pytest
from numpy.random import default_rng

from tests.search.samplers.playing import CHOICES, QUICK, play, worth
from triscale.errors import InputError, UsageError
from triscale.search.samplers import Choices, Evolution, Make, Point, Result, sampler
from triscale.search.samplers.choice_grid import Floats, grid_of
from triscale.search.samplers.controller import PPO, Controller
from triscale.search.samplers.pair_process import Shares, fit, likeliest
from triscale.search.samplers.strategy import best_of

GRID = grid_of(CHOICES)
EVERY = list(product(*(range(len(values)) for values in CHOICES.values())))


def of(number: int, scores: tuple[float, ...] | None, point: Point = (0, 0, 0, 0, 0), **broken: float) -> Result:
    return Result(number, point, scores, {}, broken)


# --- which result is better


def test_a_kept_constraint_comes_before_any_score() -> None:
    results = [of(0, (9.0,), macs=0.2), of(1, (8.0,), macs=0.1, params=0.1), of(2, (1.0,), macs=-5)]
    assert best_of(results).number == 2
    assert best_of(results[:2]).number == 0
    assert best_of([of(0, (1.0,)), of(1, (2.0,))]).number == 1


def test_of_several_scores_the_first_front_with_most_room_is_best() -> None:
    results = [of(0, (1.0, 1.0)), of(1, (5.0, 5.1), macs=1), of(2, (2.0, 3.0)), of(3, (3.0, 2.0)), of(4, (2.9, 2.1))]
    assert best_of(results).number in {2, 3}


# --- evolution


def test_a_child_differs_in_one_choice_from_the_best_of_the_living() -> None:
    """With a tournament of the whole population; the best of all is older than that, and dead."""
    strategy = Evolution(GRID, 0, population=5, tournament=5)
    points = EVERY[:: len(EVERY) // 9][:9]
    for number, (point, score) in enumerate(zip(points, (9, 1, 2, 3, None, 8, 4, 5, 6), strict=True)):
        strategy.learn(of(number, None if score is None else (float(score),), point))
    for seed in range(20):
        assert strategy.propose(9, default_rng(seed)) in list(GRID.neighbours(points[5]))


def test_points_are_drawn_until_the_population_is_full() -> None:
    strategy = Evolution(GRID, 0, population=3, tournament=1)
    for number in range(2):
        strategy.learn(of(number, (1.0,)))
    assert strategy.propose(2, default_rng(4)) == GRID.drawn(default_rng(4))


def test_a_tournament_is_not_larger_than_its_population() -> None:
    with pytest.raises(UsageError, match="a tournament of 6 needs a population as large"):
        sampler(partial(Evolution, population=5, tournament=6), CHOICES, seed=0)


# --- the surrogate


def test_the_mean_is_that_of_ridge_regression_on_features_and_all_their_products() -> None:
    """Solved in the features, with the penalties that the prior means."""
    rng, shares = default_rng(0), Shares(pairs=0.3, noise=0.05)
    some = [EVERY[at] for at in rng.choice(len(EVERY), 40, replace=False)]
    values, rows = rng.normal(size=40), GRID.features(some)
    wide, every = (
        np.concatenate([one, np.sqrt(shares.pairs) * np.einsum("ni,nj->nij", one, one).reshape(len(one), -1)], axis=1)
        for one in (rows, GRID.features(EVERY))
    )
    weights = np.linalg.solve(wide.T @ wide + shares.noise * np.eye(wide.shape[1]), wide.T @ (values - values.mean()))
    assert fit(rows, values, shares).mean(GRID.features(EVERY)) == pytest.approx(values.mean() + every @ weights)


def test_drawn_functions_have_the_mean_and_covariance_of_the_posterior() -> None:
    """Closed forms of Gaussian conditioning, within the error of 4,000 draws."""
    rng, shares = default_rng(1), Shares(pairs=0.5, noise=0.1)
    rows, new, values = GRID.features(EVERY[::20]), GRID.features(EVERY[3:140:45]), rng.normal(size=len(EVERY[::20]))
    process = fit(rows, values, shares)
    draws = np.array([process.draw(rng)(new) for _ in range(4_000)])

    def prior(one: Floats, other: Floats) -> Floats:
        inner: Floats = one @ other.T
        return process.variance * (inner + shares.pairs * inner**2)

    among = prior(rows, rows) + process.variance * shares.noise * np.eye(len(rows))
    covariance = prior(new, new) - prior(new, rows) @ np.linalg.solve(among, prior(rows, new))
    error = 5 * np.sqrt(np.outer(covariance.diagonal(), covariance.diagonal()) / 4_000)
    assert (np.abs(np.cov(draws.T) - covariance) < error).all()
    assert np.abs(draws.mean(0) - process.mean(new)).max() < 5 * np.sqrt(covariance.diagonal() / 4_000).max()


def test_the_likeliest_prior_has_the_highest_normal_density() -> None:
    rng = default_rng(2)
    rows = GRID.features(EVERY[::3])
    values = rng.normal(size=len(rows)) * 0.3 + rows @ rng.normal(size=rows.shape[1])
    values -= values.mean()

    def density(shares: Shares) -> float:
        """With its own best variance."""
        inner = rows @ rows.T
        matrix = inner + shares.pairs * inner**2 + shares.noise * np.eye(len(rows))
        variance = values @ np.linalg.solve(matrix, values) / len(values)
        return float(-0.5 * (np.linalg.slogdet(variance * matrix)[1] + len(values)))

    best = likeliest(rows, values)
    lattice = [Shares(pairs, 10**power) for pairs in (0.1, 0.3, 1.0, 3.0) for power in np.arange(-3, 1, 0.5)]
    assert density(best) == pytest.approx(max(map(density, lattice)))


# --- every one that learns


@pytest.mark.parametrize("name", [name for name in QUICK if name != "random"])
def test_learning_finds_more_than_drawing(name: str) -> None:
    """The mean of the last 20 of 50 trials, over three seeds."""

    def late(make: Make) -> float:
        asked = [play(sampler(make, CHOICES, seed=seed, lag=2), 50)[30:] for seed in range(3)]
        return float(np.mean([worth(one) - 9 * (int(str(one["layers"])) > 3) for some in asked for one in some]))

    assert late(QUICK[name]) > late(QUICK["random"]) + 0.5


# --- the controller


def test_the_policy_is_a_distribution_and_begins_with_the_uniform_one() -> None:
    import torch

    from triscale.search.samplers.policy import Policy

    policy, points = Policy(GRID, 8, seed=0), torch.tensor(EVERY)
    log, entropy = policy(points)
    assert log.tolist() == pytest.approx([-np.log(len(EVERY))] * len(EVERY), rel=1e-5)
    assert entropy[0].item() == pytest.approx(np.mean([np.log(len(values)) for values in CHOICES.values()]))
    with torch.no_grad():
        policy.weight.normal_()
        policy.bias.normal_()
        probability = policy(points)[0].exp()
        drawn = policy.draw(4_000, torch.Generator().manual_seed(1))
    assert probability.sum().item() == pytest.approx(1, abs=1e-5)
    counts = np.array([(drawn == point).all(1).sum().item() for point in points])
    expected = probability.double().numpy() * 4_000
    often = expected > 5
    assert ((counts - expected)[often] ** 2 / expected[often]).sum() < 2 * often.sum()


def test_a_batch_moves_the_policy_to_its_best_point_and_from_a_failed_one() -> None:
    import torch

    controller = Controller(GRID, 0, ppo=PPO(batch=4, epochs=4))
    points = [EVERY[at] for at in (0, 50, 100, 140)]
    for number, (point, score) in enumerate(zip(points, ((1.0,), None, (3.0,), (2.0,)), strict=True)):
        controller.learn(of(number, score, point))
    log = controller._policy(torch.tensor(points))[0]
    uniform = -np.log(len(EVERY))
    assert log[2] > uniform > log[1], "the best one against the failed one"


def test_a_controller_leaves_the_generator_of_torch_alone() -> None:
    import torch

    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    play(sampler("controller", CHOICES, seed=1), 12)
    assert torch.rand(3).equal(expected)


# --- Optuna


def suggested(study: optuna.Study, sizes: Mapping[str, int]) -> tuple[optuna.Trial, Point]:
    trial = study.ask()
    return trial, tuple(
        trial.suggest_int(name, 0, size - 1) if name == "width" else trial.suggest_categorical(name, range(size))
        for name, size in sizes.items()
    )


@pytest.mark.parametrize("name", ["nsga2", "tpe"])
def test_proposals_are_those_of_optuna_itself(name: str) -> None:
    """Driven by hand. The first point is ours, since no result says how many scores there are; repeats have failed."""
    sizes = {"kernel": 2, "width": 400, "operator": 90}
    space: Choices = {"kernel": [3, 5], "width": list(range(400)), "operator": [f"o{at}" for at in range(90)]}
    ours = sampler(name, space, seed=4, lag=1)
    theirs = {
        "tpe": optuna.samplers.TPESampler(seed=4),
        "nsga2": optuna.samplers.NSGAIISampler(seed=4, population_size=20),
    }
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=theirs[name])
    seen = set[Point]()
    for number in range(50):
        asked = ours.ask()
        if number == 0:
            study.enqueue_trial(dict(zip(sizes, ours.grid.point(asked), strict=True)))
        trial, at = suggested(study, sizes)
        while at in seen:
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
            trial, at = suggested(study, sizes)
        assert ours.grid.point(asked) == at
        seen.add(at)
        score = float(sum(at) * 7919 % 101) if number % 5 != 4 else None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trial.set_constraint("width", at[1] - 300.0)
        ours.tell(asked, score, violations={"width": at[1] - 300.0})
        study.tell(trial, score, state=None if score is not None else optuna.trial.TrialState.FAIL)


def test_a_gaussian_process_searches_too() -> None:
    """It takes seconds for a proposal, so this asks for few."""
    assert searched_by_gp() == searched_by_gp()


def searched_by_gp() -> list[Point]:
    search = sampler("gp", {"a": [1, 2, 3, 4], "b": ["x", "y"]}, seed=0, lag=1)
    points = []
    for _ in range(12):
        asked = search.ask()
        points.append(search.grid.point(asked))
        search.tell(asked, float(sum(points[-1])), violations={"b": -1.0})
    return points


def test_without_optuna_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *more: object, **others: object) -> ModuleType:
        if name == "optuna" or name.startswith("optuna."):
            raise ImportError(name)
        return real(name, *more, **others)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match=r"pip install 'triscale\[optuna\]'"):
        sampler("tpe", CHOICES, seed=0)
