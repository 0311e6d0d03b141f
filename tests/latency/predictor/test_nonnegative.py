"""The solver of the fit beside scipy's."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls

from triscale.latency.predictor.nonnegative import nonnegative_least_squares, relative_least_squares


@given(seed=st.integers(0, 10_000), rows=st.integers(1, 60), columns=st.integers(1, 18), flat=st.booleans())
@settings(max_examples=60, deadline=None)
def test_it_is_as_good_as_scipy_at_any_scale_of_columns(seed: int, rows: int, columns: int, flat: bool) -> None:
    """Columns of milliseconds beside columns of 1e9 elements; equal and empty columns too."""
    draw = np.random.default_rng(seed)
    terms = draw.random((rows, columns)) * 10.0 ** draw.integers(-3, 9, columns)
    if flat and columns > 2:
        terms[:, 0], terms[:, 1] = 0.0, terms[:, 2]
    values = draw.normal(size=rows) + 1
    found = nonnegative_least_squares(terms, values)
    scale = np.maximum(np.linalg.norm(terms, axis=0), 1e-300)
    expected, residual = nnls(terms / scale, values)
    assert found.shape == expected.shape
    assert (found >= 0).all()
    assert np.linalg.norm(terms @ found - values) <= residual * (1 + 1e-6) + 1e-6


def test_relative_errors_count_where_the_power_is_one() -> None:
    """Two rows that contradict each other by a factor of ten: the solution minimises relative errors, by hand."""
    terms, values = np.array([[1.0], [1.0]]), np.array([1.0, 10.0])
    assert np.isclose(relative_least_squares(terms, values, 0.0)[0], 5.5)
    assert np.isclose(relative_least_squares(terms, values, 1.0)[0], (1 + 0.1) / (1 + 0.01))
