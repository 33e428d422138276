"""A family of laws: a system, which of its parameters are free, and the units it needs to fit any data."""

import functools
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from continua.core import in_double_precision
from continua.equations import (
    SIR,
    Duffing,
    Equation,
    ExponentialDecay,
    HarmonicOscillator,
    Linear,
    Logistic,
    Lorenz,
    LotkaVolterra,
    Pendulum,
    Robertson,
    Scaled,
    VanDerPol,
    parameters_of,
)


@dataclass(frozen=True)
class NamedSystem:
    """A named system as a candidate: what it is called, and which of its parameters keep their default."""

    title: str
    system: type[Equation]
    kept: tuple[str, ...] = ()


NAMED_SYSTEMS = (
    NamedSystem("exponential decay", ExponentialDecay),
    NamedSystem("logistic growth", Logistic),
    NamedSystem("Lotka–Volterra", LotkaVolterra),
    NamedSystem("Van der Pol oscillator", VanDerPol),
    NamedSystem("pendulum", Pendulum),
    NamedSystem("harmonic oscillator", HarmonicOscillator),
    NamedSystem("Duffing oscillator", Duffing, kept=("gamma", "omega")),
    NamedSystem("Lorenz", Lorenz),
    NamedSystem("SIR epidemic", SIR),
    NamedSystem("Robertson reactions", Robertson),
)


@dataclass(frozen=True)
class Family:
    r"""Laws that differ in numbers only, with a vector of unknowns u.

    A positive parameter is $p = c\, e^u$, any other $p = c\, u$, where c is its typical size on the data: so the search
    does not depend on units. A named system is closed under changes of units by those `scales` of states, and that
    `rate` of time, which its own parameters do not absorb.
    """

    title: str
    size: int
    system: type[Equation] = Linear
    free: tuple[str, ...] = ()
    positive: tuple[bool, ...] = ()
    scales: tuple[int, ...] = ()
    rate: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the parameters, in the order of u."""
        if self.system is Linear:
            n = range(1, self.size + 1)
            return tuple(f"A_{i}{j}" for i in n for j in n) + tuple(f"b_{i}" for i in n)
        scales = tuple(f"scale_{i + 1}" for i in self.scales)
        return self.free + scales + (("rate",) if self.rate else ())

    @property
    def logarithmic(self) -> np.ndarray:
        """Which unknowns are logarithms."""
        if self.system is Linear:
            return np.zeros(len(self.names), bool)
        return np.array(self.positive + (True,) * (len(self.scales) + self.rate))

    def values(self, u: Float[Array, " parameter"], typical: Float[Array, " parameter"]) -> Float[Array, " parameter"]:
        """The parameters of the unknowns."""
        return typical * jnp.where(self.logarithmic, jnp.exp(jnp.where(self.logarithmic, u, 0.0)), u)

    def equation(self, p: Float[Array, " parameter"]) -> Equation:
        """The law with parameters p."""
        if self.system is Linear:
            n = self.size
            return Linear(p[: n * n].reshape(n, n), p[n * n :])
        own = len(self.free)
        base = self.system(**{name: p[i] for i, name in enumerate(self.free)})
        if not self.scales and not self.rate:
            return base
        scale = jnp.ones(self.size)
        for k, state in enumerate(self.scales):
            scale = scale.at[state].set(p[own + k])
        return Scaled(base, scale, p[-1] if self.rate else jnp.ones(()))


def families(size: int) -> list[Family]:
    """Every family for that number of states: the named systems and linear dynamics."""
    named = [_closed(named) for named in NAMED_SYSTEMS if len(named.system.states) == size]
    return [*named, Family("linear dynamics", size)]


@functools.cache
@in_double_precision
def _closed(named: NamedSystem) -> Family:
    """The smallest family that holds the system in all units of its states and of time.

    A scale is added where, at random states, it moves the law in a direction that no parameter so far does. The last
    states come first: a velocity is rescaled rather than its position.
    """
    free = tuple(info for info in parameters_of(named.system) if info.name not in named.kept)
    size = len(named.system.states)
    full = Family(
        named.title,
        size,
        named.system,
        tuple(info.name for info in free),
        tuple(info.sign == "positive" for info in free),
        tuple(range(size)),
        True,
    )
    random = np.random.default_rng(0)
    states = jnp.asarray(random.uniform(0.5, 1.5, (64, size)))
    point = jnp.asarray(random.uniform(0.5, 1.5, len(full.names)))

    def law(p: Array) -> Array:
        return jax.vmap(lambda y: full.equation(p)(jnp.zeros(()), y, None))(states).reshape(-1)

    jacobian = np.asarray(jax.jit(jax.jacfwd(law))(point))
    lengths = np.linalg.norm(jacobian, axis=0)
    jacobian = jacobian * np.where(lengths > 1e-10 * lengths.max(), 1 / np.maximum(lengths, 1e-300), 0)
    chosen = list(range(len(free)))
    for column in [*reversed(range(len(free), len(free) + size)), len(full.names) - 1]:
        if np.linalg.matrix_rank(jacobian[:, [*chosen, column]], tol=1e-8) > len(chosen):
            chosen.append(column)
    scales = tuple(sorted(c - len(free) for c in chosen if len(free) <= c < len(free) + size))
    return Family(full.title, size, full.system, full.free, full.positive, scales, len(full.names) - 1 in chosen)
