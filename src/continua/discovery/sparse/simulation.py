"""A law run freely: the check that it reproduces what it was made from."""

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from continua.core import Given, in_double_precision, kept
from continua.discovery.sparse.law import SparseLaw
from continua.discovery.sparse.library import Features
from continua.discovery.sparse.trajectories import Floats, Trajectory
from continua.equations import Equation
from continua.solver import solve

RTOL = 1e-6
MOST_STEPS = 20_000


class SparseField(Equation):
    r"""$x' = \theta \phi(x, u(t))$ with inputs given at knots: held until the next one, or straight between them.

    Args:
        coefficients: θ, [state, term].
        knots: [row], the times of the inputs.
        inputs: [row, input].
        features: the terms.
        held: whether an input keeps its value until the next knot.
    """

    coefficients: Float[Array, "state term"]
    knots: Float[Array, " row"]
    inputs: Float[Array, "row input"]
    features: Features = eqx.field(static=True)
    held: bool = eqx.field(static=True, default=False)

    def __call__(self, t: Any, y: Any, args: Any) -> Any:
        """θ φ at a state [state]."""
        if not self.inputs.shape[1]:
            return self.coefficients @ self.features(y)
        place = jnp.clip(jnp.searchsorted(self.knots, jnp.reshape(t, ()), side="right") - 1, 0, len(self.knots) - 2)
        before, after = self.inputs[place], self.inputs[place + 1]
        share = (jnp.reshape(t, ()) - self.knots[place]) / (self.knots[place + 1] - self.knots[place])
        u = before if self.held else before + share * (after - before)
        return self.coefficients @ self.features(jnp.concatenate([y, u]))


@kept(0, 1)
def _run(
    features: Features, held: bool, law: tuple[Given, Given, Given], start: Given, ts: Given, atol: Given
) -> Array:
    coefficients, knots, inputs = map(jnp.asarray, law)
    field = SparseField(coefficients, knots, inputs, features, held)
    return solve(field, start, ts, rtol=RTOL, atol=atol, max_steps=MOST_STEPS, throw=False).ys


@in_double_precision
def simulate(law: SparseLaw, trajectory: Any, start: Floats | None = None) -> Floats | None:
    """The law from a start over the times and inputs of a trajectory.

    Args:
        law: what is run.
        trajectory: a `Trajectory` or (t, y[, u[, held]]).
        start: [state]; the first row of the trajectory unless given.

    Returns:
        [row, state], or None where the law does not stay finite, or needs too many steps.
    """
    piece = Trajectory.of(trajectory)
    start = np.asarray(piece.y[0] if start is None else start, float)
    size = np.nanmax(np.abs(np.concatenate([piece.y, start[None]])), 0)
    u = np.zeros((len(piece.t), 0)) if piece.u is None else piece.u
    given = law.coefficients, piece.t, u
    with jax.debug_nans(False):
        found = np.asarray(_run(law.library.features, piece.held, given, start, piece.t, RTOL * size + 1e-300))
    return found if np.isfinite(found).all() else None


def reproduction(law: SparseLaw, trajectories: Sequence[Any]) -> float:
    """R² of free runs from the estimated starts, the mean over states; −1 at worst, also where a run diverges."""
    pieces = [piece for piece in map(Trajectory.of, trajectories) if len(piece.t) > 1]
    error, spread = np.zeros((2, len(law.library.states)))
    for piece, states in zip(pieces, law.states, strict=True):
        run = simulate(law, piece, states[0])
        if run is None:
            return -1.0
        known = np.isfinite(piece.y)
        y = np.where(known, piece.y, 0.0)
        mean = y.sum(0) / np.maximum(known.sum(0), 1)
        error += np.sum(np.where(known, run - y, 0.0) ** 2, 0)
        spread += np.sum(np.where(known, y - mean, 0.0) ** 2, 0)
    return float(np.mean(np.maximum(1 - error / np.maximum(spread, 1e-300), -1.0)))
