"""Bayesian ridge regression on features and on the products of their pairs, solved in as many unknowns as rows."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.random import Generator

from triscale.search.samplers.choice_grid import Floats

_PAIRS = (0.1, 0.3, 1.0, 3.0)
_NOISE = tuple(10 ** (power / 2) for power in range(-6, 2))


@dataclass(frozen=True)
class Shares:
    """The prior: what pairs of features weigh beside single ones, and the variance of noise beside that of both."""

    pairs: float
    noise: float


@dataclass(frozen=True)
class PairProcess:
    """A posterior over functions f(x) = w.x + x'Wx with normal priors on w and W, given noisy values.

    Prior to data, f has the covariance (m + pairs * m^2) * variance, where m is the inner product of two rows.
    """

    rows: Floats
    values: Floats
    shares: Shares
    variance: float
    centre: float
    precision: Floats
    """The inverse of covariance plus noise, without the variance."""

    def mean(self, rows: Floats) -> Floats:
        """The expected value at rows of features."""
        pulled: Floats = _covariance(rows, self.rows, self.shares.pairs) @ self.weights
        return self.centre + pulled

    @property
    def weights(self) -> Floats:
        """What each given value adds to the mean, by the covariance with its row."""
        return self.precision @ self.values

    def draw(self, rng: Generator) -> Callable[[Floats], Floats]:
        """A function drawn from the posterior: one of the prior, corrected at the data (Matheron's rule)."""
        width = self.rows.shape[1]
        single = rng.normal(size=width) * math.sqrt(self.variance)
        paired = rng.normal(size=(width, width)) * math.sqrt(self.variance * self.shares.pairs)

        def prior(rows: Floats) -> Floats:
            drawn: Floats = rows @ single + np.einsum("ij,ij->i", rows @ paired, rows)
            return drawn

        noise = rng.normal(size=len(self.values)) * math.sqrt(self.variance * self.shares.noise)
        left = self.values - prior(self.rows) - noise
        weights = self.precision @ left
        return lambda rows: self.centre + prior(rows) + _covariance(rows, self.rows, self.shares.pairs) @ weights


def fit(rows: Floats, values: Floats, shares: Shares | None = None) -> PairProcess:
    """The posterior given values at rows of features.

    Args:
        rows: features, one row for each value; equal rows may stand more than once.
        values: noisy ones.
        shares: the prior; without it, that of the highest likelihood on a small lattice.
    """
    centre = float(values.mean())
    left = values - centre
    shares = shares or likeliest(rows, left)
    covariance = _covariance(rows, rows, shares.pairs) + shares.noise * np.eye(len(rows))
    precision = np.linalg.inv(covariance).astype(np.float64, copy=False)
    variance = float(left @ precision @ left) / len(left)
    return PairProcess(rows, left, shares, max(variance, 1e-12), centre, precision)


def likeliest(rows: Floats, values: Floats) -> Shares:
    """The prior under which centred values are the likeliest, their variance being free."""
    spectra = {pairs: np.linalg.eigh(_covariance(rows, rows, pairs)) for pairs in _PAIRS}

    def deviance(shares: Shares) -> float:
        powers, vectors = spectra[shares.pairs]
        spread = np.clip(powers, 0, None) + shares.noise
        fitted = float((np.square(vectors.T @ values) / spread).mean())
        return len(values) * math.log(max(fitted, 1e-300)) + float(np.log(spread).sum())

    return min((Shares(pairs, noise) for pairs, noise in product(_PAIRS, _NOISE)), key=deviance)


def _covariance(one: Floats, other: Floats, pairs: float) -> Floats:
    inner = one @ other.T
    return inner + pairs * inner * inner
