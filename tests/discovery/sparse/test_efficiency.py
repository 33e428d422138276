"""Coefficients and their standard errors are those of maximum likelihood: no unbiased estimator does better.

With m(θ, x₀) the solution, J = ∂m/∂(θ, x₀) over σ and ε the noise over σ, the efficient estimator errs by
(JᵀJ)⁻¹ Jᵀ ε to first order, with covariance (JᵀJ)⁻¹: the Cramér–Rao bound.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import continua
from continua.discovery.sparse import Library, SparseField, sparse_law

from .records import noisy, solved

LIBRARY = Library.polynomial(("x", "y", "z"), degree=2)
ROESSLER = {"x": {"y": -1.0, "z": -1.0}, "y": {"x": 1.0, "y": 0.2}, "z": {"1": 0.2, "z": -5.7, "x*z": 1.0}}
PLACES = [(i, LIBRARY.terms.index(term)) for i, row in enumerate(ROESSLER.values()) for term in row]
VALUES = np.array([c for row in ROESSLER.values() for c in row.values()])


def roessler(_, s):
    return [-s[1] - s[2], s[0] + 0.2 * s[1], 0.2 + s[2] * (s[0] - 5.7)]


def sensitivity(start, times):
    """∂m/∂(θ, x₀), [row, state, unknown]."""
    rows, columns = np.array(PLACES).T

    @jax.jit
    def slopes(unknowns):
        def states(unknowns):
            law = jnp.zeros((3, len(LIBRARY.terms))).at[rows, columns].set(unknowns[: len(PLACES)])
            field = SparseField(law, jnp.arange(2.0), jnp.zeros((2, 0)), LIBRARY.features)
            return continua.solve(field, unknowns[len(PLACES) :], times, rtol=1e-9, atol=1e-9).ys

        return jax.jacfwd(states)(unknowns)

    return np.asarray(slopes(jnp.array([*VALUES, *start])))


@pytest.mark.parametrize("seed", [0, 1])
def test_errors_on_a_long_chaotic_record_are_those_of_the_efficient_estimator(seed):
    times, start = np.linspace(0.0, 70.0, 1201), [-5.0, -6.0, 0.02]
    clean = solved(roessler, start, times)
    y = noisy(clean, 0.1, seed)
    sigma = 0.1 * clean.std(0)
    with jax.enable_x64(True):
        matrix = (sensitivity(start, jnp.asarray(times)) / sigma[:, None]).reshape(clean.size, -1)
    size = np.linalg.norm(matrix, axis=0)
    inverse = np.linalg.pinv(matrix / size) / size[:, None]
    errors = (inverse @ ((y - clean) / sigma).ravel())[: len(VALUES)]
    deviations = np.linalg.norm(inverse, axis=1)[: len(VALUES)]
    forbidden = {state: [term for term in LIBRARY.terms if term not in row] for state, row in ROESSLER.items()}
    law = sparse_law([(times, y)], LIBRARY, forbidden=forbidden)
    found = np.array([law.coefficients[place] for place in PLACES])
    sure = np.array([law.standard_errors[place] for place in PLACES])
    assert np.abs((found - VALUES - errors) / deviations).max() < 0.2
    np.testing.assert_allclose(sure / deviations, 1.0, atol=0.05)
