"""Motion from one function: the equations of Euler and Lagrange, and the straightest lines of a metric."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree

from continua.calculus import christoffel
from continua.core import Args, Instant, State, as_node
from continua.equations.equation import Equation
from continua.equations.partitioned import halves, joined


class EulerLagrange(Equation):
    r"""The path on which the action ∫ L dt is stationary.

    $$ \frac{d}{dt} \frac{\partial L}{\partial v} = \frac{\partial L}{\partial q}, \qquad
       \frac{\partial^2 L}{\partial v^2}\, v' = \frac{\partial L}{\partial q}
       - \frac{\partial^2 L}{\partial v\, \partial q}\, v - \frac{\partial^2 L}{\partial v\, \partial t},
       \qquad q' = v $$

    Args:
        lagrangian: `L(t, q, v, args)` returns one number: kinetic minus potential energy, or what is to be minimised
            along a curve q(t), such as the time of a slide. Its second derivative by v must not be singular.

    The state is a pair (q, v) of PyTrees alike, or an array whose first axis holds both. Good for: pendulums, double
    pendulums, beads on wires in the coordinates that fit them; shortest and fastest curves. For an energy that is a sum
    T(p) + V(q), `SeparableHamiltonian` has symplectic methods.

    Example:
        >>> import continua
        >>> pendulum = EulerLagrange(lambda t, angle, speed, args: speed**2 / 2 + jnp.cos(angle))
        >>> start = (jnp.array(1.0), jnp.array(0.0))
        >>> angle, speed = continua.solve(pendulum, start, [0.0, 10.0]).ys
        >>> print(
        ...     f"{pendulum.energy(10.0, (angle[-1], speed[-1]), None):.3f} = {pendulum.energy(0.0, start, None):.3f}"
        ... )
        -0.540 = -0.540

    Source: Landau & Lifshitz, Mechanics, § 2.
    """

    lagrangian: Callable[[Any, Any, Any, Any], Any] = eqx.field(converter=as_node)

    def __call__(self, t: Instant, y: State, args: Args) -> State:
        """The velocity, and the acceleration that the Lagrangian asks for."""
        q, v = halves(self, y)
        flat, unravel = ravel_pytree(q)
        speed = ravel_pytree(v)[0]

        def momentum(t: Any, q: Any, v: Any) -> Any:
            return jax.grad(lambda v: self.lagrangian(t, unravel(q), unravel(v), args))(v)

        t = jnp.asarray(t, speed.dtype)
        force = jax.grad(lambda q: self.lagrangian(t, unravel(q), unravel(speed), args))(flat)
        _, drift = jax.jvp(lambda t, q: momentum(t, q, speed), (t, flat), (jnp.ones_like(t), speed))
        mass = jax.jacfwd(lambda v: momentum(t, flat, v))(speed)
        return joined(self, y, v, unravel(jnp.linalg.solve(mass, force - drift)))

    def energy(self, t: Instant | float, y: State, args: Args) -> State:
        """V · ∂L/∂v − L, which is kept where L does not depend on time."""
        q, v = halves(self, y)
        value, along = jax.jvp(lambda v: self.lagrangian(t, q, v, args), (v,), (v,))
        return along - value


class Geodesic(Equation):
    r"""The straightest lines of a metric, which are the shortest between near points.

    $$ q'' = - \sum_{ij} \Gamma_{ij}(q)\, v_i v_j, \qquad q' = v $$

    Args:
        metric: g(q) [axis, axis] at the coordinates q [axis], as `calculus.metric` makes it from a map.

    The state is a pair (q, v) of arrays [axis], or [2, axis]. The length of v, measured by the metric, is kept: from a
    velocity of length 1, time is the length of the line.

    Example:
        >>> import continua
        >>> sphere = Geodesic(lambda q: jnp.diag(jnp.stack([jnp.ones_like(q[0]), jnp.sin(q[0]) ** 2])))
        >>> start = jnp.array([[jnp.pi / 2, 0.0], [0.6, 0.8]])  # on the equator, partly to the south
        >>> colatitude, longitude = continua.solve(sphere, start, [0.0, jnp.pi / 2]).ys[-1, 0]
        >>> print(f"{colatitude - jnp.pi / 2:.3f} = {jnp.arcsin(0.6):.3f}, {longitude:.3f} = {jnp.pi / 2:.3f}")
        0.644 = 0.644, 1.571 = 1.571

    Source: do Carmo, Riemannian Geometry (1992), chapter 3.
    """

    metric: Callable[[Any], Any] = eqx.field(converter=as_node)

    def __call__(self, t: Instant, y: State, args: Args) -> State:
        """The velocity, and the acceleration that keeps it straight."""
        q, v = halves(self, y)
        return joined(self, y, v, -jnp.einsum("kij,i,j->k", christoffel(self.metric)(q), v, v))

    def energy(self, t: Instant | float, y: State, args: Args) -> State:
        """Half of the squared speed, which is kept."""
        q, v = halves(self, y)
        return v @ self.metric(q) @ v / 2
