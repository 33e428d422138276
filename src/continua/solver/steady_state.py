r"""Steady states: where a trajectory comes to rest, with the derivative of the place and not of the way there.

$$ f(y^*, p) = 0, \qquad \partial_y f\, \delta y^* + \partial_p f\, \delta p = 0 $$
"""

from collections.abc import Callable
from typing import Any, cast

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.flatten_util import ravel_pytree
from jaxtyping import Array

from continua.core import Args, FailedSolve, State, is_traced
from continua.equations import Equation
from continua.methods import Method, Rodas5P
from continua.solver import arguments, functions
from continua.solver.driver import MAX_STEPS, solve
from continua.solver.events import Event
from continua.solver.post_mortem import Status
from continua.solver.solution import Solution
from continua.solver.step_control import Adaptive

NEAR = 100  # tolerances: a trajectory that explicit steps keep at the edge of stability comes no closer than a few
POLISHING = 4  # Newton steps at the end: each squares a small error
LIFETIMES = 1e9  # of waiting: in units of the time in which the first slope changes the state by its own size


class SteadyState(eqx.Module):
    """Where a trajectory came to rest.

    Attributes:
        y: the structure of y0; NaN where it never did.
        found: whether it did.
        approach: the `Solution` of the way there, without derivatives.
    """

    y: State
    found: Any
    approach: Solution

    def check(self) -> "SteadyState":
        """Raise `FailedSolve` where the trajectory never came to rest, else return it."""
        if is_traced(self.found) or np.asarray(self.found).all():
            return self
        self.approach.check()
        waited = float(np.max(np.asarray(self.approach.ts)))
        raise FailedSolve(
            f"The trajectory of `steady_state` did not come to rest by t={waited:.6g}. It may swing, wander or keep"
            " a quantity that leaves its rest open: look at `approach`, start elsewhere, or put the quantity in.",
            self,
        )


def steady_state(
    equation: Equation | Callable[[Any, Any, Any], Any],
    y0: State,
    *,
    args: Args = None,
    t: Any = 0.0,
    method: Method | type[Method] | None = None,
    rtol: Any = None,
    atol: Any = None,
    horizon: Any = None,
    max_steps: int = MAX_STEPS,
    throw: bool = True,
) -> SteadyState:
    r"""Follow an equation from a state until it stands still.

    $$ y' = f(y, \text{args}), \qquad y^* = \lim_{t \to \infty} y(t) $$

    The state has come to rest where Newton's method would move it by less than a hundred tolerances; that method takes
    it from there to the root itself. Derivatives are those of the root, by the implicit function theorem: they cost one
    linear solve, whatever the way there was, and do not depend on y0.

    Args:
        equation: an `Equation` or a function `f(t, y, args)`, which does not depend on time.
        y0: where to begin, with real arrays: it decides which steady state is found.
        args: handed to the equation; any PyTree.
        t: the time that the equation is handed throughout.
        method: how to step; `Rodas5P()` unless given.
        rtol: relative tolerance, as in `solve`.
        atol: absolute tolerance, as in `solve`; it decides when a state that goes to zero has arrived.
        horizon: how long to wait; a billion times the time in which the first slope changes the state by its own size,
            unless given.
        max_steps: how many steps may be attempted.
        throw: whether a trajectory that does not come to rest raises. Under your own `jit` nothing can be raised: see
            `found`.

    Returns:
        A `SteadyState`: `y` (the structure of y0), `found`, `approach`.

    Raises:
        ArgumentError, ArgumentTypeError: as `solve`.
        FailedSolve: the trajectory does not come to rest, or the solve ended early.

    Good for: chemical and biological equilibria, operating points, layers defined by their rest (deep equilibrium
    models) of up to some hundred states. The Jacobian at rest must be regular: a conserved quantity has to be put in.
    For all equilibria of an equation see `continua.stability.equilibria`.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> decay = lambda t, y, supply: supply - 0.5 * y
        >>> rest = lambda supply: steady_state(decay, jnp.array([0.0]), args=supply).y[0]
        >>> print(f"{rest(3.0):.4f} {jax.grad(rest)(3.0):.4f}")
        6.0000 2.0000
    """
    equation, y0, args = arguments.equation(equation), arguments.state(y0), arguments.numbers(args)
    flat, unravel = ravel_pytree(y0)
    t = jnp.asarray(t, flat.dtype)
    functions.check_field(equation, t, y0, args)
    method = Rodas5P() if method is None else arguments.method(method, equation)
    control = arguments.step_control(method, None, rtol, atol, flat.dtype)
    scale = cast(Adaptive, arguments.flat_control(control, y0))

    def slope(y: Array) -> Array:
        return ravel_pytree(equation(t, unravel(y), args))[0]

    def unrest(_: Any, y: State, __: Args) -> Array:
        y = ravel_pytree(y)[0]
        step = _newton_step(lambda y: ravel_pytree(fixed(t, unravel(y), given))[0], y)
        distance = jnp.max(jnp.abs(step) / (scale.atol + scale.rtol * jnp.abs(y)))
        return jnp.where(jnp.isfinite(distance), distance / NEAR - 1, 1)

    if horizon is None:
        speed = jnp.max(jnp.abs(slope(flat)))
        lifetime = (jnp.max(jnp.abs(flat)) + jnp.max(scale.atol / scale.rtol)) / jnp.where(speed > 0, speed, 1)
        horizon = LIFETIMES * lifetime
    fixed, start, given, until = _constant((equation, y0, args, jnp.asarray(horizon, flat.dtype)))
    approach = solve(
        lambda elapsed, y, _: fixed(t, y, given),
        start,
        jnp.stack([jnp.zeros_like(t), until]),
        method=method,
        step_control=control,
        events=Event(unrest, direction=-1, terminal=True),
        max_steps=max_steps,
        throw=False,
    )
    approach = _constant(approach)
    stopped = approach.ending.status[0] == Status.EVENT
    end = unravel(approach.ending.y)
    still = (approach.ending.status[0] == Status.SUCCESS) & (unrest(None, end, None) < 0)
    root = lax.custom_root(slope, approach.ending.y, _newton, _tangent)
    found = (stopped | still) & jnp.all(jnp.isfinite(root))
    rest = SteadyState(unravel(jnp.where(found, root, jnp.nan)), found, approach)
    return rest.check() if throw else rest


def _constant(tree: Any) -> Any:
    """The same without derivatives."""
    return jax.tree.map(lambda x: lax.stop_gradient(x) if eqx.is_inexact_array(x) else x, tree)


def _newton_step(slope: Callable[[Array], Array], y: Array) -> Array:
    return jnp.linalg.solve(jax.jacfwd(slope)(y), slope(y))


def _newton(slope: Callable[[Array], Array], guess: Array) -> Array:
    """The root near a state that has almost come to rest; no step that makes the slope larger."""
    size = lambda y: jnp.max(jnp.abs(slope(y)))  # noqa: E731

    def improve(_: Any, y: Array) -> Array:
        closer = y - _newton_step(slope, y)
        return jnp.where(size(closer) < size(y), closer, y)  # a comparison with NaN keeps y

    return lax.fori_loop(0, POLISHING, improve, guess)


def _tangent(push: Callable[[Array], Array], right: Array) -> Array:
    """The solution of the linearised slope; by its matrix, which is transposed in reverse."""
    return jnp.linalg.solve(jax.jacfwd(push)(jnp.zeros_like(right)), right)
