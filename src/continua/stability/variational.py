r"""How small differences travel along a trajectory: the variational equation.

$$ y' = f(t, y), \qquad V' = \frac{\partial f}{\partial y}(t, y)\, V $$

It is stepped together with the state, in one solve: it compiles in less than half the time of a derivative of the solve
and gives the same numbers within the tolerance.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from continua.core import Args, Instant, Scalar, kept
from continua.equations import Equation
from continua.methods import Method
from continua.solver import solve

Frame = Float[Array, "state direction"]
Pair = tuple[Float[Array, " state"], Frame]


class Variational(Equation):
    r"""An equation with its linearisation: the state is (y [state], V [state, direction])."""

    equation: Equation

    def __call__(self, t: Instant, y: Pair, args: Args) -> Pair:
        """The slopes of y and of V."""
        state, frame = y
        slope, push = jax.linearize(lambda y: jnp.asarray(self.equation(t, y, args), y.dtype), state)
        return slope, jax.vmap(push, 1, 1)(frame)


@kept(6, 7)
def carry(
    equation: Equation,
    y: Array,
    frame: Frame,
    span: Float[Array, "2"],
    args: Args,
    rtol: Scalar,
    method: Method,
    max_steps: int,
) -> tuple[Float[Array, " state"], Frame, Array]:
    """(y, V, status) at the end of `span`; the units are such that the state is of order 1."""
    solution = solve(
        Variational(equation),
        (y, frame),
        span,
        args=args,
        method=method,
        rtol=rtol,
        atol=rtol * 1e-2,
        max_steps=max_steps,
        throw=False,
    )
    state, moved = solution.ys
    return state[-1], moved[-1], solution.status
