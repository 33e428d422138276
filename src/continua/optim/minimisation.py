"""`minimise`: the lowest point of a function, without a learning rate, and a word on how sure that is."""

import enum
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, Int

from continua.calculus import extreme_eigenvalues
from continua.core import ArgumentError, ArgumentTypeError, ContinuaError, floats, is_traced
from continua.equations import GradientFlow
from continua.optim.augmented_lagrangian import AugmentedLagrangian
from continua.optim.bounds import ProjectedLBFGS, ProjectedNewton
from continua.optim.constraints import Box, Constrained, Constraint, Domain, Multipliers, domain_of, multipliers
from continua.optim.newton import Newton, TruncatedNewton
from continua.optim.objective import HalfSquare, Minimiser, Objective, Stand, Unknowns, Vector
from continua.optim.quasi_newton import LBFGS
from continua.optim.sqp import SQP

DENSE = 500  # parameters: beyond, a Hessian is too much
MAX_STEPS = 1000
ENDLESS = 1e15  # a value that falls below, in units of the first, or parameters beyond it: there is no minimum
SURE = 1e-6  # of the largest curvature: what counts as none
LEVEL = 4  # steps in a row that lower a value by no more than its round-off: nothing is left to be gained
SMALL = 100  # parameters, and values of constraints: beyond, the matrices of a quadratic problem are too much
PROBES = 12  # products with the Hessian that look for negative curvature


class Outcome(enum.IntEnum):
    """How a minimisation ended."""

    MINIMUM = 0
    STEP_LIMIT = 1
    STALLED = 2
    UNBOUNDED = 3
    NOT_FINITE = 4
    SADDLE = 5
    MAXIMUM = 6
    INFEASIBLE = 7


REMEDIES = {
    Outcome.STEP_LIMIT: "took all {steps} steps; the largest entry of the gradient is {slope:.1e}. Raise `max_steps`"
    " or `gtol`, or scale the parameters alike",
    Outcome.STALLED: "found nothing lower although the largest entry of the gradient is {slope:.1e}. The function may"
    " have a kink there, or round-off as large: use double precision or a larger `gtol`",
    Outcome.UNBOUNDED: "went to {value:.1e} with parameters up to {size:.1e}. The function has no minimum there:"
    " set bounds, or add a penalty such as 1e-6 * sum(x**2)",
    Outcome.NOT_FINITE: "met a value or gradient at `x0` that is not finite. Start where the function is defined",
    Outcome.SADDLE: "ended at a saddle: the gradient vanishes, and there are ways down. Start beside it",
    Outcome.MAXIMUM: "ended at a maximum: the gradient vanishes, and all ways lead down. Start beside it",
    Outcome.INFEASIBLE: "ended where the constraints are missed by {slope:.1e} and every way misses them more. They may"
    " contradict each other: drop or relax one, or start elsewhere",
}


SECOND_CHANCE = (Outcome.STEP_LIMIT, Outcome.STALLED)  # outcomes of one method after which another may do better


class FailedMinimisation(ContinuaError, RuntimeError):
    """No minimum was found; `result` holds where it ended."""

    def __init__(self, message: str, result: "Minimum") -> None:
        super().__init__(message)
        self.result = result


class Minimum(eqx.Module):
    """What `minimise` returns.

    Attributes:
        x: where, with the structure of x0.
        value: the function there.
        slope: the largest entry of its gradient there: the certificate, zero at a minimum. With bounds, of the gradient
            of the parameters that no bound holds; with constraints, the largest entry of what Karush, Kuhn and Tucker's
            conditions say is zero: ∇L in units of the largest multiplier, g, and min(h, λ).
        curvatures: the least and the largest eigenvalue of the Hessian there; NaN beyond 500 parameters. With bounds
            and constraints, of the Lagrangian's along what is active; NaN where that leaves no way.
        steps: how many were taken.
        evaluations: of the function with its gradient, and of products with its Hessian.
        history: value, slope and evaluations after each step, [step, 3], from the start; NaN past the end.
        method: what went there.
        multipliers: what each bound and constraint costs, a `Multipliers`; None without any. Its `explain()` says it in
            words.
    """

    x: Any
    value: Float[Array, ""]
    slope: Float[Array, ""]
    curvatures: Float[Array, "2"]
    steps: Int[Array, ""]
    evaluations: Int[Array, ""]
    history: Float[Array, "step 3"]
    outcome: Int[Array, ""]
    method: Minimiser
    multipliers: Multipliers | None = None

    @property
    def status(self) -> Any:
        """An `Outcome`; an array of its numbers where it is being traced or was mapped."""
        return Outcome(int(self.outcome)) if not is_traced(self.outcome) and self.outcome.ndim == 0 else self.outcome

    def check(self) -> "Minimum":
        """Raise `FailedMinimisation` where there is no minimum, else return it."""
        if is_traced(self.outcome) or not np.asarray(self.outcome).any():
            return self
        worst = int(np.asarray(self.outcome).reshape(-1)[np.flatnonzero(np.asarray(self.outcome))[0]])
        size = max((float(np.abs(leaf).max()) for leaf in jax.tree.leaves(self.x) if np.size(leaf)), default=0.0)
        facts = {"steps": int(np.max(self.steps)), "slope": float(np.max(self.slope)), "size": size}
        told = REMEDIES[Outcome(worst)].format(value=float(np.min(self.value)), **facts)
        raise FailedMinimisation(f"The descent {told}.", self)


def minimise(
    f: Callable[..., Any],
    x0: Any,
    args: Any = None,
    *,
    bounds: Box | None = None,
    constraints: Constraint | Sequence[Constraint] = (),
    method: Minimiser | str = "auto",
    gtol: float | None = None,
    max_steps: int = MAX_STEPS,
    throw: bool = True,
) -> Minimum:
    r"""The lowest point of a function near `x0`.

    $$ \min_x f(x, \text{args}), \qquad l \le x \le u, \quad g(x, \text{args}) = 0, \quad h(x, \text{args}) \ge 0 $$

    By "auto", up to 500 parameters take `Newton`; beyond, `TruncatedNewton` where no negative curvature is found at
    the start (regressions), else `LBFGS` (networks). Under `jit`, where nothing can be looked at, it is `LBFGS`.
    With bounds it is `ProjectedNewton`, beyond 500 parameters `ProjectedLBFGS`. With constraints it is `SQP` for up to
    100 parameters and as many constraints, else `AugmentedLagrangian`, which is also tried where `SQP` fails.

    The place is differentiable in `args`, in bounds, and in what all functions close over, by the implicit function
    theorem: $\delta x^* = -H^{-1} \partial_x \partial_{args} f\, \delta args$; with constraints H is the matrix of
    Karush, Kuhn and Tucker's conditions.

    Args:
        f: `f(x)` or `f(x, args)`, a real scalar.
        x0: where to start: an array, or any PyTree of arrays, of floats.
        args: handed to f and to constraints.
        bounds: a `Box(low, high)`. A start outside is moved to the nearest point inside.
        constraints: an `Equality(g)`, an `Inequality(h)`, which means h ≥ 0, or several in a list. They need not hold
            at the start, nor on the way.
        method: a `Minimiser`, such as LBFGS(); "auto" chooses.
        gtol: the largest entry of the gradient that counts as zero, where values are of order one; 1e-8 in double
            precision and 1e-4 in single, unless given.
        max_steps: at most so many.
        throw: whether to raise where no minimum is found; else the status tells.

    Returns:
        A `Minimum`.

    Raises:
        ArgumentError, ArgumentTypeError: for an x0 without floats or with numbers that are not finite, and for what
            does not return one real number; for bounds whose low is above their high.
        FailedMinimisation: unless `throw=False`, where no minimum was found; it says what to try.

    Example:
        >>> from continua import minimise
        >>> found = minimise(lambda x: 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2, jnp.array([-1.2, 1.0]))
        >>> print(found.status.name, found.x)
        MINIMUM [1. 1.]

        The largest rectangle with a perimeter of 4, and what a longer perimeter is worth:

        >>> from continua.optim import Equality
        >>> found = minimise(
        ...     lambda x: -x[0] * x[1], jnp.array([1.0, 0.5]), constraints=Equality(lambda x: 4 - 2 * x.sum())
        ... )
        >>> print(found.x, found.multipliers.explain())
        [1. 1.] constraint 0, entry 0: 0.5: relaxing this by one unit changes the minimum by about -0.5
    """
    x0 = started("minimise", x0)
    domain = domain_of(bounds, constraints, x0, args)
    found = descended(GradientFlow(f), x0, args, method, gtol, max_steps, domain)
    return found.check() if throw else found


def descended(
    flow: GradientFlow,
    x0: Any,
    args: Any,
    method: Any,
    gtol: float | None,
    max_steps: int,
    domain: Domain | None = None,
) -> Minimum:
    """Where it ends, from arrays of floats."""
    flat, unravel = ravel_pytree(x0)
    jax.eval_shape(flow.value, x0, args)
    if not isinstance(max_steps, int) or max_steps < 1:
        raise ArgumentError(f"`max_steps` of `minimise` must be a whole number from 1. Got {max_steps!r}.")
    gtol = float(gtol if gtol is not None else 1e-8 if flat.dtype == jnp.float64 else 1e-4)
    if not gtol > 0:
        raise ArgumentError(f"`gtol` of `minimise` must be positive. Got {gtol!r}. Leave it out for 1e-8.")
    chosen = _chosen(method, flow, flat, unravel, args, domain)
    found = _run(flow, flat, args, chosen, gtol, max_steps, unravel, domain)
    if method == "auto" and isinstance(chosen, SQP) and not is_traced(found.outcome) and found.status in SECOND_CHANCE:
        second = _run(flow, flat, args, AugmentedLagrangian(), gtol, max_steps, unravel, domain)
        return second if second.status == Outcome.MINIMUM else found
    return found


def started(verb: str, x0: Any) -> Any:
    """`x0` as arrays of floats, or an error."""
    found = floats(verb, x0, "x0")
    if any(leaf.size == 0 for leaf in jax.tree.leaves(found)):
        raise ArgumentError(f"`x0` of `{verb}` must hold numbers. Got an empty array. Pass the point to start from.")
    return found


def _chosen(method: Any, flow: GradientFlow, x: Vector, unravel: Any, args: Any, domain: Domain | None) -> Minimiser:
    """The minimiser that was asked for, or the one that suits."""
    if isinstance(method, type) and issubclass(method, Minimiser):
        return method()
    if isinstance(method, Minimiser):
        return method
    if method != "auto":
        raise ArgumentTypeError(f'`method` of `minimise` must be a Minimiser or "auto". Got {method!r}. Use LBFGS().')
    if domain is not None:
        return _within(x.size, domain)
    if x.size <= DENSE:
        return Newton()
    try:
        return TruncatedNewton() if bool(_bowl(flow, x, args, unravel)) else LBFGS()
    except jax.errors.TracerBoolConversionError:  # something is traced: nothing can be looked at
        return LBFGS()


def _within(size: int, domain: Domain) -> Minimiser:
    """The minimiser that suits bounds and constraints."""
    if domain.sizes:
        return SQP() if max(size, sum(domain.sizes)) <= SMALL else AugmentedLagrangian()
    return ProjectedNewton() if size <= DENSE else ProjectedLBFGS()


def _objective(flow: GradientFlow, args: Any, unravel: Any) -> Objective:
    """The loss as a function of a vector."""
    loss = flow.loss
    residual = (lambda x: loss.residual(unravel(x), args)) if isinstance(loss, HalfSquare) else None
    return Objective(lambda x: flow.value(unravel(x), args), residual)


@eqx.filter_jit
def _bowl(flow: GradientFlow, x: Vector, args: Any, unravel: Any) -> Array:
    """Whether a dozen directions, those that Lanczos finds most telling, all curve upwards at x."""
    product = _objective(flow, args, unravel).curvature(x)
    first = jax.random.normal(jax.random.key(0), x.shape, x.dtype)
    ends = extreme_eigenvalues(product, first, products=PROBES, rtol=0)
    return ends.least >= -SURE * jnp.maximum(jnp.abs(ends.least), jnp.abs(ends.largest))


@eqx.filter_jit
def _run(
    flow: GradientFlow,
    x0: Vector,
    args: Any,
    method: Minimiser,
    gtol: float,
    max_steps: int,
    unravel: Any,
    domain: Domain | None,
) -> Minimum:
    """The whole way down, as one program."""
    objective, named = _objective(flow, args, unravel), method
    if domain is not None:
        x0, method = domain.clip(x0), method.within(domain)
    x0 = lax.stop_gradient(x0)

    def descend(_: Any, unknowns: Unknowns) -> tuple[Unknowns, Any]:
        end, steps, history = _descend(objective, unknowns[: x0.size], method, gtol, max_steps)
        return method.unknowns(end), (end, steps, history)

    def solve_linear(product: Callable[[Vector], Vector], right: Vector) -> Vector:
        if right.size <= DENSE:
            return jnp.linalg.solve(jax.jacobian(product)(jnp.zeros_like(right)), right)
        symmetric = domain is None or not domain.sizes
        iterate = jax.scipy.sparse.linalg.cg if symmetric else jax.scipy.sparse.linalg.bicgstab
        return iterate(product, right, tol=1e-10)[0]

    begin = jnp.zeros(x0.size + (sum(domain.sizes) if domain else 0), x0.dtype).at[: x0.size].set(x0)
    unknowns, (end, steps, history) = lax.custom_root(
        lambda unknowns: method.condition(objective, unknowns), begin, descend, solve_linear, has_aux=True
    )
    end, steps, history = lax.stop_gradient((end, steps, history))
    x, first, slope = unknowns[: x0.size], objective.value(x0), method.slope(end)
    curvatures = jnp.full(2, jnp.nan, x.dtype)
    if x.size <= DENSE:
        seen = lax.stop_gradient(jnp.linalg.eigvalsh(method.bends(objective, unknowns)))
        curvatures = jnp.stack([seen[0], seen[-1]])
    outcome = _outcome(end, first, slope, method.unit(first, end.here.value), curvatures, gtol)
    outcome = jnp.where(method.infeasible(end), jnp.int32(Outcome.INFEASIBLE), outcome)
    costs = multipliers(method, objective, unknowns) if isinstance(method, Constrained) else None
    value = objective.value(x)
    return Minimum(unravel(x), value, slope, curvatures, steps, end.evaluations, history, outcome, named, costs)


class Way(NamedTuple):
    """The way down so far."""

    stand: Stand
    steps: Int[Array, ""]
    history: Float[Array, "step 3"]
    lowest: Float[Array, ""]
    level: Int[Array, ""]  # steps since the value last fell by more than its round-off


def _descend(
    objective: Objective, x0: Vector, method: Minimiser, gtol: float, max_steps: int
) -> tuple[Stand, Array, Array]:
    """Steps until the gradient vanishes, or nothing is lower, or all steps are taken."""
    begin = method.begin(objective.at(x0))
    first = begin.here.value

    def told(stand: Stand) -> Array:
        return jnp.stack([stand.here.value, method.slope(stand), stand.evaluations.astype(x0.dtype)])

    def on(way: Way) -> Array:
        here = way.stand.here
        far = method.slope(way.stand) > gtol * method.unit(first, here.value)
        bounded = (here.value > -ENDLESS * (1 + jnp.abs(first))) & (jnp.abs(here.x).max() < ENDLESS)
        return far & ~way.stand.stuck & bounded & (way.steps < max_steps) & (way.level < LEVEL)

    def step(way: Way) -> Way:
        after = method.step(objective, way.stand)
        noise = 10 * jnp.finfo(x0.dtype).eps * jnp.abs(after.here.value)
        lower = after.here.value < way.lowest - noise
        moved = (after.here.x != way.stand.here.x).any()
        level = jnp.select([lower | (not method.monotone), moved], [0, way.level + 1], way.level)
        steps = way.steps + 1
        return Way(
            after, steps, way.history.at[steps].set(told(after)), jnp.minimum(way.lowest, after.here.value), level
        )

    history = jnp.full((max_steps + 1, 3), jnp.nan, x0.dtype).at[0].set(told(begin))
    zero = jnp.zeros((), jnp.int32)
    end, steps, history, _, level = lax.while_loop(on, step, Way(begin, zero, history, begin.here.value, zero))
    return end._replace(stuck=end.stuck | (level >= LEVEL)), steps, history


def _outcome(end: Stand, first: Array, slope: Array, unit: Array, curvatures: Array, gtol: float) -> Array:
    """How it ended."""
    here = end.here
    small = slope <= gtol * unit
    # Where nothing is lower in these numbers, their round-off in the gradient is what is left of it.
    exhausted = end.stuck & (slope <= 10 * jnp.sqrt(jnp.finfo(slope.dtype).eps) * unit)
    flat = SURE * jnp.abs(curvatures).max()
    endless = (here.value <= -ENDLESS * (1 + jnp.abs(first))) | (jnp.abs(here.x).max() >= ENDLESS)
    lost = ~(jnp.isfinite(first) & jnp.isfinite(here.value) & jnp.isfinite(slope))
    cases = [
        (lost, Outcome.NOT_FINITE),
        (endless, Outcome.UNBOUNDED),
        (~small & ~exhausted & end.stuck, Outcome.STALLED),
        (~small & ~exhausted, Outcome.STEP_LIMIT),
        (curvatures[1] < -flat, Outcome.MAXIMUM),
        (curvatures[0] < -flat, Outcome.SADDLE),
    ]
    return jnp.select([case for case, _ in cases], [jnp.int32(code) for _, code in cases], jnp.int32(Outcome.MINIMUM))
