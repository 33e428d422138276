"""Any solver of diffrax, where a Method stands."""

from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp

from continua.core import Args, ArgumentError, ArgumentTypeError, Instant, State
from continua.methods.method import Method, Slope, Step


class FromDiffrax(Method):
    """A solver of diffrax for one `ODETerm`, stepped by this driver: step control, events and derivatives are ours.

    Its own error estimate, dense output and order are used. What it carries from step to step (a last slope) is
    found anew in each step, so that a step is a function of its start alone. Batches are left to `jax.vmap`.

    Args:
        solver: such as `diffrax.Kvaerno3()`; diffrax must be installed. A root finder that asks for the tolerances of
            the step control gets the 3/4 power of the precision.

    Good for: methods that are not here yet, and comparisons step by step.

    Source: Kidger, On neural differential equations, PhD thesis, Oxford 2021.
    """

    solver: Any

    evaluations: ClassVar[int | None] = None
    in_lanes: ClassVar[bool] = False

    def __check_init__(self) -> None:
        diffrax = _diffrax()
        if not isinstance(self.solver, diffrax.AbstractSolver):
            raise ArgumentTypeError(
                f"`solver` of `FromDiffrax` must be a solver of diffrax. Got {self.solver!r}. Use diffrax.Kvaerno3()."
            )
        if self.solver.term_structure is not diffrax.AbstractTerm:
            raise ArgumentError(
                f"`solver` of `FromDiffrax` must solve one ODETerm. Got {type(self.solver).__name__}(), which splits "
                "its equation. Use one of continua.methods for that."
            )
        if isinstance(self.solver, diffrax.LeapfrogMidpoint):
            raise ArgumentError(
                "`solver` of `FromDiffrax` must start anew in every step. Got LeapfrogMidpoint(), which needs the step "
                "before. Use diffrax.Midpoint()."
            )

    @property
    def order(self) -> int:  # type: ignore[override]
        """The solver's."""
        return self.solver.order(None)

    @property
    def adaptive(self) -> bool:  # type: ignore[override]
        """Whether the solver estimates its error."""
        return isinstance(self.solver, _diffrax().AbstractAdaptiveSolver)

    def step(self, equation: Slope, t: Instant, h: Instant, y: State, args: Args, cache: Any) -> Step:
        """One step of the solver; one whose implicit system is not solved is NaN."""
        end, error, _ = self._stepped(equation, t, h, y, args)
        increment = jax.tree.map(jnp.subtract, end, y)
        return Step(increment, error, None)

    def interpolate(self, equation: Slope, t: Instant, h: Instant, y: State, args: Args, theta: Instant) -> State:
        """The solver's own dense output."""
        *_, dense = self._stepped(equation, t, h, y, args)
        moment, length, part = (jnp.reshape(x, ()) for x in (t, h, theta))
        far = jnp.where(length != 0, length, 1)  # nothing divides by a step of no length
        value = self.solver.interpolation_cls(t0=moment, t1=moment + far, **dense).evaluate(moment + part * far)
        return jax.tree.map(lambda value, y: jnp.where(length != 0, value, y), value, y)

    def _stepped(
        self, equation: Slope, t: Instant, h: Instant, y: State, args: Args
    ) -> tuple[State, State | None, Any]:
        """The end of the step, its error, and what the dense output needs."""
        diffrax, shape, solver = _diffrax(), jnp.shape(t), self._differentiable(y)
        terms = diffrax.ODETerm(lambda t, y, args: equation(jnp.reshape(t, shape), y, args))
        start, end = jnp.reshape(t, ()), jnp.reshape(t + h, ())
        state = solver.init(terms, start, end, y, args)
        after, error, dense, _, result = solver.step(terms, start, end, y, args, state, made_jump=False)
        after = jax.tree.map(lambda y: jnp.where(diffrax.is_okay(result), y, jnp.nan), after)
        return after, error, dense

    def _differentiable(self, y: State) -> Any:
        """The solver with loops that have both directions, and a root finder that knows how near it must come."""
        solver = self.solver
        if getattr(solver, "scan_kind", 0) is None:
            solver = eqx.tree_at(lambda s: s.scan_kind, solver, "bounded", is_leaf=lambda x: x is None)
        tolerance = float(jnp.finfo(jnp.result_type(*jax.tree.leaves(y))).eps) ** 0.75
        for name, value in (("rtol", tolerance), ("atol", tolerance), ("norm", _largest)):
            given = getattr(getattr(solver, "root_finder", None), name, value)
            if not callable(given) and not isinstance(given, float | jax.Array):  # a mark of diffrax: to be filled in
                solver = eqx.tree_at(lambda s, name=name: getattr(s.root_finder, name), solver, value)
        return solver


def _largest(tree: State) -> Any:
    return jax.tree.reduce(jnp.maximum, jax.tree.map(lambda x: jnp.max(jnp.abs(x)), tree))


def _diffrax() -> Any:
    try:
        import diffrax  # type: ignore[reportMissingImports]  # only who uses it has it
    except ImportError:
        raise ArgumentError("`FromDiffrax` needs diffrax. It is not installed. Use pip install diffrax.") from None
    return diffrax
