r"""The linearised problem: Runge–Kutta flows over all intervals at once, their derivatives, and normal equations.

Unknowns are the states $x_k$ at every sample and the coefficients θ of $x' = \theta \phi(x, u)$. The sum of squares is

$$ \sum_k \Big\| \frac{x_k - y_k}{\sigma} \Big\|^2 + \sum_k \Big\| \frac{x_{k+1} - F(x_k; \theta)}{\tau} \Big\|^2 $$

where F is the classical Runge–Kutta flow over an interval. Its derivatives follow from the stages: with
$J_s = \partial f / \partial x$ at stage s and $K_s = \partial F / \partial k_s$, found backwards,
$\partial F / \partial \theta_{rm} = \sum_s (K_s)_{\cdot r} \phi_m(x_s)$.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from continua.core import Given, kept
from continua.discovery.sparse.library import Features


class Measurements(NamedTuple):
    """Of padded rows: everything that a search leaves as it is.

    Args:
        y: [state, row], 0 where there is none.
        step: [row], the length of the interval after each row.
        left: [input, row], inputs at its start.
        right: [input, row], inputs at its end.
        unit: [state], the size of a state in the units of the library.
        feature_unit: [term], the size of a term.
    """

    y: Float[Array, "state row"]
    step: Float[Array, " row"]
    left: Float[Array, "input row"]
    right: Float[Array, "input row"]
    unit: Float[Array, " state"]
    feature_unit: Float[Array, " term"]


class Normal(NamedTuple):
    """The sum of squares at a point, and its Gauss–Newton normal equations.

    Args:
        misfit: [state], the sum of squares of measurements.
        defect: [state], that of the flow.
        band: [2 state, row · state], the lower band of the Hessian of the states.
        coupling: [coefficient, row · state], its block between coefficients and states.
        slopes: [coefficient, row · state], weighted derivatives of the defects by the coefficients, negative.
        gaps: [row · state], weighted defects.
        gradient: [row · state], half the gradient by the states.
    """

    misfit: Float[Given, " state"]
    defect: Float[Given, " state"]
    band: Float[Given, "band unknown"]
    coupling: Float[Given, "coefficient unknown"]
    slopes: Float[Given, "coefficient unknown"]
    gaps: Float[Given, " unknown"]
    gradient: Float[Given, " unknown"]


def _times(a: Array, b: Array) -> Array:
    """Products of small matrices whose last axis is the row: a fused loop, where a batched product would not be."""
    return jnp.sum(a[:, :, None, :] * b[None], 1)


class _Step(NamedTuple):
    """One Runge–Kutta step: x [state, row], its derivatives by the old x and by the coefficients."""

    x: Array
    by_x: Array
    by_theta: Array


def _runge_kutta(
    features: Features, theta: Array, x: Array, h: Array, inputs: list[Array], data: Measurements
) -> _Step:
    """The classical step with both derivatives; inputs at its start, middle and end."""
    size, rows = x.shape
    basis = jnp.broadcast_to(jnp.eye(size)[:, :, None], (size, size, rows))

    def stage(x: Array, u: Array) -> tuple[Array, Array, Array]:
        def terms(x: Array) -> Array:
            return features(jnp.concatenate([x * data.unit[:, None], u])) / data.feature_unit[:, None]

        phi, push = jax.linearize(terms, x)
        return theta @ phi, phi, jnp.einsum("im,jmr->ijr", theta, jax.vmap(push)(basis))

    k1, phi1, j1 = stage(x, inputs[0])
    k2, phi2, j2 = stage(x + h[0] / 2 * k1, inputs[1])
    k3, phi3, j3 = stage(x + h[0] / 2 * k2, inputs[1])
    k4, phi4, j4 = stage(x + h[0] * k3, inputs[2])
    by_k4 = h / 6 * basis
    by_k3 = h / 3 * basis + h * _times(by_k4, j4)
    by_k2 = h / 3 * basis + h / 2 * _times(by_k3, j3)
    by_k1 = h / 6 * basis + h / 2 * _times(by_k2, j2)
    weights, phis = (by_k1, by_k2, by_k3, by_k4), (phi1, phi2, phi3, phi4)
    by_x = basis + sum(_times(w, j) for w, j in zip(weights, (j1, j2, j3, j4), strict=True))
    by_theta = sum(w[:, :, None, :] * phi[None, None] for w, phi in zip(weights, phis, strict=True))
    return _Step(x + h[0] / 6 * (k1 + 2 * k2 + 2 * k3 + k4), by_x, jnp.asarray(by_theta))


def _flow(features: Features, theta: Array, x: Array, data: Measurements, substeps: Int[Array, ""]) -> _Step:
    """F over every interval, in substeps; their number is traced, so that it does not recompile."""
    size, rows = x.shape
    count = substeps.astype(x.dtype)
    h = (data.step / count)[None, None]  # beside matrices [state, state, row]
    start = _Step(
        x,
        jnp.broadcast_to(jnp.eye(size)[:, :, None], (size, size, rows)),
        jnp.zeros((size, *theta.shape, rows)),
    )

    def substep(number: Array, before: _Step) -> _Step:
        places = [(number.astype(x.dtype) + c) / count for c in (0.0, 0.5, 1.0)]
        inputs = [data.left + c * (data.right - data.left) for c in places]
        after = _runge_kutta(features, theta, before.x, h, inputs, data)
        moved = jnp.sum(after.by_x[:, :, None, None] * before.by_theta[None], 1)
        return _Step(after.x, _times(after.by_x, before.by_x), moved + after.by_theta)

    return jax.lax.fori_loop(0, substeps, substep, start)


@kept(0)
def normal_equations(
    features: Features,
    x: Float[Given, "state row"],
    theta: Float[Given, "state term"],
    data: Measurements,
    weight: Float[Given, "state row"],
    tie: Float[Given, "state row"],
    substeps: Int[Given, ""],
) -> Normal:
    """Everything that one step of a search needs.

    Args:
        features: the terms; a program is compiled for each, and for each number of padded rows.
        x: the states at the samples.
        theta: the coefficients.
        data: the measurements.
        weight: 1/σ, 0 where nothing was measured.
        tie: 1/τ, 0 where no row follows.
        substeps: Runge–Kutta steps in an interval.
    """
    x, theta, weight, tie, substeps = (jnp.asarray(part) for part in (x, theta, weight, tie, substeps))
    size = len(x)
    end = _flow(features, theta, x, data, substeps)
    residual, gap = weight * (x - data.y), tie * (jnp.roll(x, -1, 1) - end.x)
    by_x, by_theta = tie[:, None] * end.by_x, tie[:, None, None] * end.by_theta
    before = jnp.roll(tie, 1, 1)
    gradient = weight * residual + before * jnp.roll(gap, 1, 1) - jnp.sum(by_x * gap[:, None], 0)
    own = jnp.sum(by_x[:, :, None] * by_x[:, None], 0) + jnp.eye(size)[:, :, None] * (weight**2 + before**2)[None]
    next_one = -tie[:, None] * by_x
    coupled = jnp.sum(by_x[:, :, None, None] * by_theta[:, None], 0) - before[:, None, None] * jnp.roll(by_theta, 1, -1)
    return Normal(
        misfit=jnp.sum(residual**2, 1),
        defect=jnp.sum(gap**2, 1),
        band=_band(own, next_one),
        coupling=_by_rows(coupled),
        slopes=_by_rows(by_theta),
        gaps=gap.T.reshape(-1),
        gradient=gradient.T.reshape(-1),
    )


def _band(own: Array, next_one: Array) -> Array:
    """LAPACK's lower band storage of a block-tridiagonal matrix: entry (i + b, i) at [b, i]."""
    size, _, rows = own.shape
    nothing = jnp.zeros(rows)

    def entry(row: int, column: int) -> Array:
        if row < size:
            return own[row, column]
        return next_one[row - size, column] if row < 2 * size else nothing

    return jnp.stack([jnp.stack([entry(j + b, j) for j in range(size)], 1).reshape(-1) for b in range(2 * size)])


def _by_rows(blocks: Float[Array, "state equation term row"]) -> Float[Array, "coefficient unknown"]:
    size, _, terms, rows = blocks.shape
    return jnp.transpose(blocks, (1, 2, 3, 0)).reshape(size * terms, rows * size)
