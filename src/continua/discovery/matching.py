r"""Where a search begins: parameters whose law integrates to the measured changes.

$$ y(t_{k+1}) - y(t_k) \approx \int_{t_k}^{t_{k+1}} f(y)\,dt $$

with the trapezoidal rule on the measurements themselves: no equation is solved, no derivative of data is taken.
"""

import contextlib

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array
from numpy.typing import NDArray

from continua.core import Given, kept
from continua.discovery.chain import Chain, Point, descend
from continua.discovery.family import Family
from continua.discovery.observations import Observations
from continua.discovery.padding import edge_padded, power_of_two

FEWEST_ROWS = 32  # of a program
FARTHEST = 10.0  # of the logarithm of a parameter
MOST_EVALUATIONS = 30
TOLERANCE = 1e-4


@kept(0)
def _mismatch(
    family: Family, u: Given, typical: Given, time: Given, values: Given, inputs: Given, weight: Given
) -> tuple[Array, Array]:
    """The weighted mismatch of changes, and its Jacobian."""
    u, typical, time, values, inputs, weight = map(jnp.asarray, (u, typical, time, values, inputs, weight))

    def mismatch(u: Array) -> tuple[Array, Array]:
        law = family.equation(family.values(u, typical))
        args = {name: inputs[:, i] for i, name in enumerate(family.inputs)}
        slopes = jax.vmap(law)(time, values, args)
        steps = jnp.diff(time)[:, None]
        gap = (jnp.diff(values, axis=0) - steps * (slopes[1:] + slopes[:-1]) / 2) * weight
        return gap.reshape(-1), gap.reshape(-1)

    jacobian, value = jax.jacfwd(mismatch, has_aux=True)(u)
    return value, jacobian


def starting_points(family: Family, data: Observations, typical: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Unknowns u from several starts, best matched first."""
    return [u for _, u in _matches(family, data, typical)]


def matching_cost(family: Family, data: Observations) -> float:
    """How badly the best match integrates to the measured changes."""
    return min((cost for cost, _ in _matches(family, data, family.typical_sizes(data))), default=np.inf)


def _matches(
    family: Family, data: Observations, typical: NDArray[np.float64]
) -> list[tuple[float, NDArray[np.float64]]]:
    rows = power_of_two(len(data.time), FEWEST_ROWS)
    weight = np.ones((rows - 1, 1)) / data.spread
    weight[[piece.start - 1 for piece in data.pieces[1:]]] = 0  # from one trajectory to the next nothing changes
    weight[len(data.time) - 1 :] = 0  # nor in rows that only fill up a program
    time, values, inputs = (edge_padded(part, rows) for part in (data.time, data.guess, data.inputs))
    arrays = (typical, time, values, inputs, weight)
    reach = np.where(family.logarithmic, FARTHEST, np.inf)

    def linearised(point: Point) -> Chain:
        return Chain.of_parameters(*(np.asarray(x) for x in _mismatch(family, point.u, *arrays)))

    found = []
    for start in family.starts():
        with contextlib.suppress(ValueError):  # a mismatch that is not finite where it starts
            match = descend(linearised, Point(start, np.zeros((1, 0))), reach, MOST_EVALUATIONS, TOLERANCE)
            found.append((linearised(match).cost / 2, match.u))
    return sorted(found, key=lambda pair: pair[0])
