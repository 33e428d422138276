"""Symplectic methods: compositions of the two exact flows of an equation in halves."""

import itertools
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from continua.core import Args, ArgumentTypeError, Instant, State
from continua.equations import Partitioned
from continua.methods.method import Method, Part, Slope, Step, part_of


class Symplectic(Method):
    r"""The step that every composition shares: kicks of the second half and drifts of the first in turn.

    $$ p \leftarrow p + b_i h\, g(t_n + \hat b_i h, q), \qquad q \leftarrow q + a_i h\, f(t_n + \hat a_i h, p),
       \qquad i = 1 \dots s $$

    Each is the exact flow of a part of the energy, so their composition is symplectic: with fixed steps the energy
    error stays bounded over times exponentially long in 1/h. Time is a coordinate of both flows ($\hat b_i$ is the
    sum of the a before, $\hat a_i$ that of the b before), so the order holds for forces that depend on time too.
    Dense output is a shorter step from the start of the same step, of the method's order.

    Source: Hairer, Lubich & Wanner, Geometric Numerical Integration, II.5, VI.3 and IX.3.
    """

    kicks: ClassVar[tuple[float, ...]]
    drifts: ClassVar[tuple[float, ...]]  # as many, or one fewer: then the last kick is the next step's first

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.evaluations, cls.dense_order = len(cls.drifts), cls.order

    def parts(self, equation: Slope) -> dict[str, Part]:
        """The two halves of the slope."""
        if not isinstance(equation, Partitioned):
            raise ArgumentTypeError(
                f"`equation` of `{type(self).__name__}` must be in two halves. Got {type(equation).__name__}. "
                "Use SecondOrder(acceleration) or SeparableHamiltonian(kinetic, potential), or method=Tsit5()."
            )
        return {"drift": Part(equation.drift), "kick": Part(equation.kick)}

    def start(self, equation: Slope, t: Instant, y: State, args: Args) -> State | None:
        """The first kick, where the last one of a step is the first of the next."""
        return part_of(equation, "kick")(t, y, args) if self._first_same_as_last else None

    def step(self, equation: Slope, t: Instant, h: Instant, y: State, args: Args, cache: Any) -> Step:
        """One step of the composition."""
        drift, kick = part_of(equation, "drift"), part_of(equation, "kick")
        moved, drifted, kicked, slope = jax.tree.map(jnp.zeros_like, y), 0.0, 0.0, cache

        def carried(part: float, slope: State) -> State:
            return jax.tree.map(lambda d, f: d + (part * h) * f, moved, slope)

        for i, weight in enumerate(self.kicks):
            if slope is None or i:
                slope = kick(t + drifted * h, jax.tree.map(jnp.add, y, moved), args)
            moved, kicked = carried(weight, slope), kicked + weight
            if i < len(self.drifts):
                along = drift(t + kicked * h, jax.tree.map(jnp.add, y, moved), args)
                moved, drifted = carried(self.drifts[i], along), drifted + self.drifts[i]
        return Step(moved, None, slope if self._first_same_as_last else None)

    def interpolate(self, equation: Slope, t: Instant, h: Instant, y: State, args: Args, theta: Instant) -> State:
        """A shorter step."""
        return self.advance(equation, t, theta * h, y, args)

    @property
    def _first_same_as_last(self) -> bool:
        return len(self.kicks) > len(self.drifts)


def _kicks_of(drifts: tuple[float, ...]) -> tuple[float, ...]:
    """Of Verlet steps with these lengths one after the other: kicks that meet are one."""
    ends = (0.0, *drifts, 0.0)
    return tuple((left + right) / 2 for left, right in itertools.pairwise(ends))


class SymplecticEuler(Symplectic):
    r"""Symplectic (semi-implicit) Euler, order 1: the new velocity moves the position.

    $$ p_{n+1} = p_n + h\, g(t_n, q_n), \qquad q_{n+1} = q_n + h\, f(t_{n+1}, p_{n+1}) $$

    Good for: reading what games and gradient descent with momentum do. Source: de Vogelaere (1956); Hairer, Lubich &
    Wanner, Geometric Numerical Integration, I.1.2 and VI.3.
    """

    order = 1
    kicks, drifts = (1.0,), (1.0,)


class Verlet(Symplectic):
    r"""Störmer–Verlet (leapfrog), order 2, one force a step.

    $$ p_{n+1/2} = p_n + \tfrac h2 g(t_n, q_n), \qquad q_{n+1} = q_n + h f(t_{n+1/2}, p_{n+1/2}), \qquad
       p_{n+1} = p_{n+1/2} + \tfrac h2 g(t_{n+1}, q_{n+1}) $$

    Good for: long runs of mechanics, molecules and many bodies, where forces are costly and trajectories need not be
    exact: energy and symmetries stay. Stable for hω < 2.

    Source: Hairer, Lubich & Wanner, Geometric numerical integration illustrated by the Störmer–Verlet method, Acta
    Numerica 12 (2003) 399–450.
    """

    order = 2
    kicks, drifts = (0.5, 0.5), (1.0,)


_OUTER4 = 1 / (2 - 2 ** (1 / 3))
_STEPS4 = (_OUTER4, 1 - 2 * _OUTER4, _OUTER4)


class Yoshida4(Symplectic):
    r"""Yoshida's symplectic composition of three Verlet steps, order 4.

    $$ \Phi_{\gamma_1 h} \circ \Phi_{\gamma_2 h} \circ \Phi_{\gamma_1 h}, \qquad
       \gamma_1 = \frac{1}{2 - 2^{1/3}}, \qquad \gamma_2 = 1 - 2 \gamma_1 $$

    Good for: long runs of mechanics with energy errors of 1e-5 … 1e-8.

    Source: Yoshida, Construction of higher order symplectic integrators, Phys. Lett. A 150 (1990) 262–268; Forest &
    Ruth, Physica D 43 (1990) 105–117.
    """

    order = 4
    kicks, drifts = _kicks_of(_STEPS4), _STEPS4


_W6 = (0.78451361047755726382, 0.23557321335935813368, -1.17767998417887100695)
_STEPS6 = (*_W6, 1 - 2 * sum(_W6), *_W6[::-1])


class Yoshida6(Symplectic):
    r"""Yoshida's symplectic composition of seven Verlet steps, order 6.

    $$ \Phi_{w_3 h} \circ \Phi_{w_2 h} \circ \Phi_{w_1 h} \circ \Phi_{w_0 h} \circ \Phi_{w_1 h} \circ \Phi_{w_2 h}
       \circ \Phi_{w_3 h} $$

    Good for: planets and other smooth mechanics over very many periods, with energy errors of 1e-8 … 1e-13.

    Source: Yoshida, Phys. Lett. A 150 (1990) 262–268, solution A; digits of Hairer, Lubich & Wanner, V.3.2.
    """

    order = 6
    kicks, drifts = _kicks_of(_STEPS6), _STEPS6
