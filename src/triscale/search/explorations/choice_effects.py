"""What each choice of a space is worth: an additive model of the scores of all trials, with intervals."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from triscale.intervals import t_quantile
from triscale.trials.searches.worth_records import EffectRecord, EffectsRecord, Value

Floats = NDArray[np.float64]
Rows = Sequence[Mapping[str, Value]]

FEWEST = 8
"""Trials below which no effect is looked for."""
_FREEDOM = 10
"""Degrees of freedom of the residuals from which on least squares serve."""
_PENALTIES = np.logspace(-2, 2, 41)
"""Variance of the noise over that of an effect; each is as likely beforehand."""
_ZERO = 1e-8


def choice_effects(rows: Rows, scores: Sequence[float], choices: Mapping[str, Sequence[Value]]) -> EffectsRecord | None:
    """Fit score = mean + one number for each value that is chosen, and say how sure each number is.

    With 10 or more degrees of freedom left the fit is by least squares, and intervals are those of the residuals
    (Student's t). With fewer it is a ridge regression: effects are drawn towards 0 by as much as their restricted
    likelihood says, and the intervals know that this is not sure.

    Args:
        rows: the values that each trial had, by choice.
        scores: one for each row.
        choices: name of a choice -> all its values; what no row has is left out.

    Returns:
        None for fewer than 8 rows, or where no choice has two tried values.
    """
    tried = {name: _tried(name, values, rows) for name, values in choices.items()}
    tried = {name: values for name, values in tried.items() if len(values) > 1}
    if len(rows) < FEWEST or not tried:
        return None
    x, y = _one_hot(rows, tried), np.asarray(scores, dtype=float)
    rank = int(np.linalg.matrix_rank(x))
    fit = _least_squares(x, y, rank) if len(rows) - rank >= _FREEDOM else _ridge(x, y)
    variance = float(y.var(ddof=1))
    return EffectsRecord(
        method=fit.method, n=len(rows), freedom=fit.freedom, noise=fit.noise,
        explained=max(0.0, 1 - fit.noise**2 / variance) if variance > 0 else 0.0,
        effects=tuple(_effects(fit, x, tried)),
    )  # fmt: skip


class _Fit:
    """Coefficients (intercept first), their covariance, and which combinations of them the rows determine."""

    def __init__(
        self, method: str, coefficients: Floats, covariance: Floats, freedom: int, noise: float, seen: Floats | None
    ) -> None:
        self.method, self.coefficients, self.freedom, self.noise = method, coefficients, freedom, noise
        self._covariance, self._seen = covariance, seen

    def along(self, contrast: Floats) -> tuple[float, tuple[float, float]] | None:
        """A contrast of the coefficients with its 95% interval; None where the rows do not determine it."""
        if self._seen is not None and float(np.abs(self._seen @ contrast - contrast).max()) > _ZERO:
            return None
        middle = float(contrast @ self.coefficients)
        variance = max(0.0, float(contrast @ self._covariance @ contrast))
        margin = t_quantile(self.freedom) * variance**0.5
        return middle, (middle - margin, middle + margin)


def _tried(name: str, values: Sequence[Value], rows: Rows) -> list[Value]:
    return [value for value in values if any(_same(row[name], value) for row in rows)]


def _same(one: Value, other: Value) -> bool:
    """True is not 1."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _one_hot(rows: Rows, tried: Mapping[str, Sequence[Value]]) -> Floats:
    """Columns: 1, then one for each tried value of each choice."""
    columns = [[float(_same(row[name], value)) for row in rows] for name, values in tried.items() for value in values]
    return np.array([[1.0] * len(rows), *columns]).T


def _least_squares(x: Floats, y: Floats, rank: int) -> _Fit:
    inverse = np.linalg.pinv(x)
    coefficients = inverse @ y
    freedom = len(y) - rank
    variance = float(((y - x @ coefficients) ** 2).sum()) / freedom
    return _Fit("least squares", coefficients, variance * inverse @ inverse.T, freedom, variance**0.5, inverse @ x)


def _ridge(x: Floats, y: Floats) -> _Fit:
    """The mean over penalties, each with the weight of its restricted likelihood: of few rows none is sure."""
    likelihoods, variances = _restricted(x[:, 1:], y)
    shares = np.exp(likelihoods - likelihoods.max())
    shares /= shares.sum()
    inverses = [np.linalg.inv(x.T @ x + np.diag([0.0, *[one] * (x.shape[1] - 1)])) for one in _PENALTIES]
    fits = np.array([inverse @ x.T @ y for inverse in inverses])
    middle: Floats = shares @ fits
    within = sum(w * v * inverse for w, v, inverse in zip(shares, variances, inverses, strict=True))
    between = (fits - middle).T @ (shares[:, None] * (fits - middle))
    return _Fit("ridge", middle, within + between, len(y) - 1, float(shares @ variances) ** 0.5, None)


def _restricted(z: Floats, y: Floats) -> tuple[Floats, Floats]:
    """For each penalty the restricted log-likelihood (Patterson and Thompson 1971) and the variance of the noise.

    Without the mean, the covariance of y has the eigenvalues 1 + d / penalty, where d are those of the centred z z'.
    """
    freedom = len(y) - 1
    centred = z - z.mean(0)
    values, vectors = np.linalg.eigh(centred @ centred.T)
    squares = (vectors.T @ (y - y.mean())) ** 2
    spread = 1 + np.maximum(values, 0.0)[None] / _PENALTIES[:, None]
    variances: Floats = np.maximum((squares / spread).sum(1) / freedom, np.finfo(float).tiny)
    return -0.5 * (freedom * np.log(variances) + np.log(spread).sum(1)), variances


def _effects(fit: _Fit, x: Floats, tried: Mapping[str, Sequence[Value]]) -> list[EffectRecord]:
    """Of each tried value, against the mean over the tried values of its choice."""
    found, first = [], 1
    for name, values in tried.items():
        last = first + len(values)
        for column, value in enumerate(values, first):
            contrast = np.zeros(x.shape[1])
            contrast[first:last] = -1 / len(values)
            contrast[column] += 1
            effect, interval = fit.along(contrast) or (None, None)
            n = int(x[:, column].sum())
            found.append(EffectRecord(choice=name, value=value, n=n, effect=effect, interval=interval))
        first = last
    return found
