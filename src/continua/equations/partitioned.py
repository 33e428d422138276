"""Equations of two halves that move each other: positions and velocities, or positions and momenta."""

import inspect
from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from continua.core import Args, ArgumentError, ArgumentTypeError, Instant, State, as_node
from continua.equations.equation import Equation


class Partitioned(Equation):
    r"""An equation of which each half moves by the other alone.

    $$ q' = f(t, p, \text{args}), \qquad p' = g(t, q, \text{args}) $$

    The state is a pair (q, p) of PyTrees alike, or an array whose first axis holds both. A subclass writes `velocity`
    (f) and `force` (g). Symplectic methods step it by its two exact flows, `drift` and `kick`.
    """

    @abstractmethod
    def velocity(self, t: Instant, p: State, args: Args) -> State:
        """The slope q', like `p`."""

    @abstractmethod
    def force(self, t: Instant, q: State, args: Args) -> State:
        """The slope p', like `q`."""

    def __call__(self, t: Instant, y: State, args: Args) -> State:
        """The slopes of both halves."""
        q, p = halves(self, y)
        return joined(self, y, self.velocity(t, p, args), self.force(t, q, args))

    def drift(self, t: Instant, y: State, args: Args) -> State:
        """The slope of the first half, and none of the second."""
        _, p = halves(self, y)
        return joined(self, y, self.velocity(t, p, args), jax.tree.map(jnp.zeros_like, p))

    def kick(self, t: Instant, y: State, args: Args) -> State:
        """The slope of the second half, and none of the first."""
        q, _ = halves(self, y)
        return joined(self, y, jax.tree.map(jnp.zeros_like, q), self.force(t, q, args))


class SecondOrder(Partitioned):
    r"""Newton's equation of motion: an acceleration that depends on time and position alone.

    $$ q'' = a(t, q, \text{args}), \qquad y = (q, v) $$

    Args:
        acceleration: `a(t, q, args)` returns q'' with the structure and shapes of q. With friction, use
            `SplitODE(SecondOrder(a), friction)` and `methods.Strang`, or a plain function of (q, v).

    Good for: orbits, molecules, pendulums; anything that must keep its energy over many periods. `methods.Verlet` and
    `methods.Yoshida6` step it.

    Example:
        >>> import continua
        >>> pendulum = SecondOrder(lambda t, angle, args: -jnp.sin(angle))
        >>> solution = continua.solve(pendulum, (jnp.array(1.0), jnp.array(0.0)), [0.0, 10.0])
        >>> angle, speed = solution.ys
        >>> print(f"{speed[-1] ** 2 / 2 - jnp.cos(angle[-1]):.4f} = {-jnp.cos(1.0):.4f}")
        -0.5403 = -0.5403
    """

    acceleration: Callable[[Any, Any, Any], Any] = eqx.field(converter=as_node)

    def __check_init__(self) -> None:
        if not _takes_three(self.acceleration):
            raise ArgumentTypeError(
                "`acceleration` of `SecondOrder` must take (t, q, args), and no velocity. Got "
                f"{inspect.signature(self.acceleration)}. With friction, use SplitODE(SecondOrder(a), friction) or ODE."
            )

    def velocity(self, t: Instant, p: State, args: Args) -> State:
        """The velocity itself."""
        return p

    def force(self, t: Instant, q: State, args: Args) -> State:
        """The acceleration."""
        return self.acceleration(t, q, args)


class SeparableHamiltonian(Partitioned):
    r"""Hamilton's equations of an energy that is a sum, from the energy by automatic differentiation.

    $$ H = T(t, p, \text{args}) + V(t, q, \text{args}), \qquad
       q' = \frac{\partial T}{\partial p}, \qquad p' = -\frac{\partial V}{\partial q} $$

    Args:
        kinetic: `T(t, p, args)` returns one number.
        potential: `V(t, q, args)` returns one number.

    Example:
        >>> spring = SeparableHamiltonian(lambda t, p, mass: p**2 / (2 * mass), lambda t, q, mass: q**2 / 2)
        >>> q, p = spring(0.0, (jnp.array(1.0), jnp.array(3.0)), 2.0)
        >>> print(q, p)
        1.5 -1.0
    """

    kinetic: Callable[[Any, Any, Any], Any] = eqx.field(converter=as_node)
    potential: Callable[[Any, Any, Any], Any] = eqx.field(converter=as_node)

    def velocity(self, t: Instant, p: State, args: Args) -> State:
        """The slope ∂T/∂p."""
        return jax.grad(lambda p: self.kinetic(t, p, args))(p)

    def force(self, t: Instant, q: State, args: Args) -> State:
        """The slope −∂V/∂q."""
        return jax.grad(lambda q: -self.potential(t, q, args))(q)

    def energy(self, t: Instant, y: State, args: Args) -> State:
        """The energy H, which is kept where it does not depend on time."""
        q, p = halves(self, y)
        return self.kinetic(t, p, args) + self.potential(t, q, args)


def _takes_three(function: Callable) -> bool:
    try:
        inspect.signature(function).bind(0.0, 0.0, None)
    except TypeError:
        return False
    except ValueError:  # no signature to look at
        return True
    return True


def _layout(tree: State) -> Any:
    return jax.tree.structure(tree), [jnp.shape(x) for x in jax.tree.leaves(tree)]


def halves(equation: Equation, y: State) -> tuple[State, State]:
    """Both halves of a pair, or of an array with both along its first axis."""
    sizes = jnp.shape(y)[:1] == (2,) if isinstance(y, jax.Array) else isinstance(y, tuple | list) and len(y) == 2
    if not sizes or _layout(y[0]) != _layout(y[1]):
        got = jax.tree.map(lambda x: list(jnp.shape(x)), y)
        raise ArgumentError(
            f"`y0` of `{type(equation).__name__}` must be a pair of two states alike, position and velocity or "
            f"momentum. Got shapes {got}. Use y0 = (q, v)."
        )
    return y[0], y[1]


def joined(equation: Equation, y: State, *halves: State) -> State:
    """Both halves of a slope in the form of the state, each like its half of it."""
    for name, half, own in zip(("first", "second"), halves, (y[0], y[1]), strict=True):
        if _layout(half) != _layout(own):
            asked, got = (jax.tree.map(lambda x: list(jnp.shape(x)), tree) for tree in (own, half))
            raise ArgumentError(
                f"`{type(equation).__name__}` must give the {name} half of the slope like that of y0, shapes {asked}. "
                f"Got {got}. Return one number for each component."
            )
    if isinstance(y, jax.Array):
        return jnp.stack(halves)
    outer = jax.tree.structure(y, is_leaf=lambda node: node is not y)
    return jax.tree.unflatten(outer, halves)
