"""The peers of training.py as loops that end where the goal is reached, compiled whole."""

from collections.abc import Callable
from typing import Any, NamedTuple


class Run(NamedTuple):
    """Where a loop of optax stands."""

    x: Any
    state: Any
    gradients: Any
    value: Any
    lowest: Any
    slope: Any
    level: Any  # steps since the value last fell by more than its round-off
    first: Any


def optax_loop(
    loss: Callable, optimiser: Any, goal: float, most: int, *, slope: float = 0.0, searches: bool = False
) -> Callable[[Any], Run]:
    """Down to a value or a slope; `searches` where the optimiser evaluates the loss itself, as its L-BFGS does.

    Down to a slope it ends as `minimise` does: in the same units, and where four steps lowered the value by round-off
    alone. A loop that went on there would be slow for nothing.
    """
    import jax
    import jax.numpy as jnp
    import optax

    def body(run: Run) -> Run:
        if searches:
            value, gradient = optax.value_and_grad_from_state(loss)(run.x, state=run.state)
            updates, state = optimiser.update(gradient, run.state, run.x, value=value, grad=gradient, value_fn=loss)
            cost = state[-1].info.num_linesearch_steps
        else:
            value, gradient = jax.value_and_grad(loss)(run.x)
            updates, state = optimiser.update(gradient, run.state, run.x)
            cost = 1
        x = optax.apply_updates(run.x, updates)
        lower = value < run.lowest - 10 * jnp.finfo(x.dtype).eps * jnp.abs(value)
        level, lowest = jnp.where(lower, 0, run.level + 1), jnp.minimum(run.lowest, value)
        first = jnp.where(jnp.isinf(run.value), value, run.first)
        return Run(x, state, run.gradients + cost, value, lowest, jnp.abs(gradient).max(), level, first)

    def on(run: Run) -> Any:
        unit = jnp.maximum(1, jnp.minimum(jnp.abs(run.first), jnp.abs(run.value)))
        far = (run.slope > slope * unit) & (run.level < 4) if slope else True
        return (run.value > goal) & far & (run.gradients < most)

    def down(x: Any) -> Run:
        far, near = jnp.asarray(jnp.inf, x.dtype), jnp.asarray(0.0, x.dtype)
        return jax.lax.while_loop(
            on, body, Run(x, optimiser.init(x), jnp.asarray(0), far, far, far, jnp.asarray(0), near)
        )

    return jax.jit(down)


def scipy_solver(method: str, options: dict[str, Any]) -> Callable[[Any, Any], Callable[[], Any]]:
    """By scipy, whose function is compiled by JAX."""
    import jax
    import numpy as np
    import scipy.optimize

    def solve(f: Callable, x: Any) -> Callable[[], Any]:
        both = jax.jit(jax.value_and_grad(f))

        def function(w: Any) -> tuple[float, Any]:
            value, gradient = both(w)
            return float(value), np.asarray(gradient)

        start = np.asarray(x)
        function(start)
        return lambda: scipy.optimize.minimize(function, start, jac=True, method=method, options=options).fun

    return solve
