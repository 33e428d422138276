"""How well any unbiased estimator can do on a record: the Cramér–Rao bound, and the estimator that reaches it.

Measurements y = m(θ, x₀) + σ ε with the true terms, unknown coefficients θ and unknown start x₀. With J = ∂m/∂(θ, x₀)
over σ, no unbiased estimator has a covariance below (JᵀJ)⁻¹, and (JᵀJ)⁻¹ Jᵀ ε, which knows where the truth is,
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
    """The bound and the efficient estimator's errors.

    Chaos makes JᵀJ too badly conditioned to be formed. So the information about θ and the present state is carried
    along the record as a triangle R, with ‖R (δx, δθ) − z‖² the sum of squares so far: a square-root information
    filter (Bierman, Factorization Methods for Discrete Sequential Estimation, 1977, chapter 5).
    """
    from continua.discovery.sparse import Library

    library = Library.polynomial(STATES, DEGREE)
    places = tuple((STATES.index(s), library.terms.index(term)) for s, row in truth.items() for term in row)
    values = jnp.array([c for row in truth.values() for c in row.values()])
    by_state, by_value = _flows(library.features, places, values, jnp.asarray(record.clean), jnp.asarray(record.t))
    size, count = len(STATES), len(places)
    sigma = record.noise * record.clean.std(0)
    measured = np.concatenate([np.diag(1 / sigma), np.zeros((size, count))], 1)
    triangle = np.zeros((0, size + count + 1))
    for row, draws in enumerate((record.y - record.clean) / sigma):
        if row:
            back = np.linalg.inv(by_state[row - 1])  # δx before = back (δx after − by_value δθ)
            before = triangle[:, :size] @ back
            parameters = triangle[:, size:-1] - before @ by_value[row - 1]
            triangle = np.concatenate([before, parameters, triangle[:, -1:]], 1)
        stacked = np.concatenate([triangle, np.concatenate([measured, draws[:, None]], 1)])
        triangle = np.linalg.qr(stacked, mode="r")[: size + count]
    inverse = np.linalg.inv(triangle[size:, size:-1])  # the rows below those of the state hold θ alone
    return Bound(np.linalg.norm(inverse, axis=1), inverse @ triangle[size:, -1])


@partial(jax.jit, static_argnums=(0, 1))
def _flows(features: Any, places: tuple[tuple[int, int], ...], values: Any, states: Any, times: Any) -> Any:
    """Derivatives of the flow over every interval: by the state [interval, state, state], by θ [interval, state, θ]."""
    import continua
    from continua.discovery.sparse import SparseField

    rows, columns = (np.array(side) for side in zip(*places, strict=True))

    def flow(state: Any, values: Any, step: Any) -> Any:
        law = jnp.zeros((len(STATES), features.count)).at[rows, columns].set(values)
        field = SparseField(law, jnp.arange(2.0), jnp.zeros((2, 0)), features)
        ends = jnp.stack([jnp.zeros_like(step), step])
        return continua.solve(field, state, ends, rtol=1e-9, atol=1e-9, throw=False).ys[-1]

    both = jax.vmap(jax.jacfwd(flow, argnums=(0, 1)), in_axes=(0, None, 0))
    return both(states[:-1], values, jnp.diff(times))
