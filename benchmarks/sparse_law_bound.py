"""How well any unbiased estimator can do on a record: the Cramér–Rao bound, and the estimator that reaches it.

Measurements y = m(θ, x₀) + σ ε with the true terms, unknown coefficients θ and unknown start x₀. With J = ∂m/∂(θ, x₀)
scaled by 1/σ, no unbiased estimator has a covariance below (JᵀJ)⁻¹, and (JᵀJ)⁻¹ Jᵀ ε, which knows where the truth is,
has just this one. Its errors on the very draws of a record show what of an estimator's error is the draw's luck.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from sparse_law_records import DEGREE, STATES, NoisyRecord, Terms


class Bound(NamedTuple):
    """Of each coefficient, in the order of the law: the standard deviation, and the efficient estimator's error."""

    deviations: Any
    errors: Any


def bound(truth: Terms, record: NoisyRecord) -> Bound:
    """The bound and the efficient estimator's errors."""
    from continua.discovery.sparse import Library

    library = Library.polynomial(STATES, DEGREE)
    places = tuple((STATES.index(s), library.terms.index(term)) for s, row in truth.items() for term in row)
    coefficients = [c for row in truth.values() for c in row.values()]
    unknowns = jnp.array([*coefficients, *record.clean[0]])
    slopes = np.asarray(_slopes(library.features, places, unknowns, jnp.asarray(record.t)))
    sigma = record.noise * record.clean.std(0)
    matrix = (slopes / sigma[:, None]).reshape(-1, len(unknowns))
    size = np.linalg.norm(matrix, axis=0)
    inverse = np.linalg.pinv(matrix / size) / size[:, None]  # chaos makes JᵀJ too badly conditioned to be formed
    count = len(coefficients)
    errors = inverse @ ((record.y - record.clean) / sigma).ravel()
    return Bound(np.linalg.norm(inverse, axis=1)[:count], errors[:count])


@partial(jax.jit, static_argnums=(0, 1))
def _slopes(features: Any, places: tuple[tuple[int, int], ...], unknowns: Any, times: Any) -> Any:
    """∂m/∂(θ, x₀), [row, state, unknown]."""
    import continua
    from continua.discovery.sparse import SparseField

    rows, columns = (np.array(side) for side in zip(*places, strict=True))

    def states(unknowns: Any) -> Any:
        law = jnp.zeros((len(STATES), features.count)).at[rows, columns].set(unknowns[: len(places)])
        field = SparseField(law, jnp.arange(2.0), jnp.zeros((2, 0)), features)
        return continua.solve(field, unknowns[len(places) :], times, rtol=1e-9, atol=1e-9, throw=False).ys

    return jax.jacfwd(states)(unknowns)
