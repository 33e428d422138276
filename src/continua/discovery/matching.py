r"""Where a search begins: parameters whose law integrates to the measured changes.

$$ y(t_{k+1}) - y(t_k) \approx \int_{t_k}^{t_{k+1}} f(y)\,dt $$

with the trapezoidal rule on the measurements themselves: no equation is solved, no derivative of data is taken.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array
from numpy.typing import NDArray

from continua.discovery.family import Family
from continua.discovery.observations import Observations
from continua.discovery.search import Vector, least_squares

STARTS = 6
HALVINGS = 50


@partial(jax.jit, static_argnums=0)
def _mismatch(
    family: Family, u: Array, typical: Array, time: Array, values: Array, spread: Array
) -> tuple[Array, Array]:
    """The mismatch of changes in units of the spreads, and its Jacobian."""

    def mismatch(u: Array) -> tuple[Array, Array]:
        law = family.equation(family.values(u, typical))
        slopes = jax.vmap(lambda y: law(jnp.zeros(()), y, None))(values)
        steps = jnp.diff(time)[:, None]
        gap = (jnp.diff(values, axis=0) - steps * (slopes[1:] + slopes[:-1]) / 2) / spread
        return gap.reshape(-1), gap.reshape(-1)

    jacobian, value = jax.jacfwd(mismatch, has_aux=True)(u)
    return value, jacobian


@partial(jax.jit, static_argnums=0)
def _sensitivity(family: Family, p: Array, values: Array) -> Array:
    """∂f/∂p at the measurements, [row, state, parameter]."""
    return jax.vmap(lambda y: jax.jacfwd(lambda p: family.equation(p)(jnp.zeros(()), y, None))(p))(values)


def typical_sizes(family: Family, data: Observations) -> NDArray[np.float64]:
    """The size of each parameter that moves the law by its own typical slope: the unit in which it is searched.

    A parameter that enters nonlinearly has such a size only at itself; halving the distance, in logarithms, finds it
    for linear ones too, and from any start: so a change of units changes the sizes by just that change.
    """
    values, slope = jnp.asarray(data.filled()), data.spread * data.rate
    own = len(family.free)
    p = np.ones(len(family.names))
    if family.free:
        p[own : own + len(family.scales)] = data.size[list(family.scales)]
        p[own + len(family.scales) :] = data.rate
    searched = np.arange(len(p)) < own if family.free else np.ones(len(p), bool)
    for _ in range(HALVINGS):
        effect = np.asarray(_sensitivity(family, jnp.asarray(p), values)) / slope[:, None]
        size = 1 / np.clip(np.sqrt(np.mean(np.sum(effect**2, 1), 0)), 1e-150, 1e150)
        p = np.where(searched, np.sqrt(p * size), p)
    return p


def starting_points(family: Family, data: Observations, typical: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Unknowns u from several starts, best matched first."""
    return [u for _, u in _matches(family, data, typical)]


def matching_cost(family: Family, data: Observations) -> float:
    """How badly the best match integrates to the measured changes."""
    return min((cost for cost, _ in _matches(family, data, typical_sizes(family, data))), default=np.inf)


def _matches(
    family: Family, data: Observations, typical: NDArray[np.float64]
) -> list[tuple[float, NDArray[np.float64]]]:
    random = np.random.default_rng(0)
    arrays = [jnp.asarray(x) for x in (typical, data.time, data.filled(), data.spread)]
    reach = np.where(family.logarithmic, 10.0, np.inf)
    found = []
    for attempt in range(STARTS if family.free else 1):
        start = random.normal(0, 1, len(family.names)) * (attempt > 0)

        def mismatch(u: Vector) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
            value, jacobian = _mismatch(family, jnp.asarray(u), *arrays)
            return np.asarray(value), np.asarray(jacobian)

        if all(np.isfinite(x).all() for x in mismatch(start)):
            match = least_squares(mismatch, start, reach, 50, 1e-8)
            found.append((match.cost, match.x))
    return sorted(found, key=lambda pair: pair[0])
