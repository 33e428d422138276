"""Families of the named classical systems, closed under changes of units."""

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.typing import NDArray

from continua.core import Given, in_double_precision, is_traced, kept
from continua.discovery.family import Family, LinearFamily
from continua.discovery.observations import Observations
from continua.equations import (
    SIR,
    Duffing,
    Equation,
    ExponentialDecay,
    HarmonicOscillator,
    Logistic,
    Lorenz,
    LotkaVolterra,
    ParameterInfo,
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
class NamedFamily(Family):
    """A named system with its free parameters; the others keep their default.

    It is closed under changes of units by those `scales` of states, and that `rate` of time, which its own parameters
    do not absorb.
    """

    system: type[Equation]
    free: tuple[str, ...] = ()
    positive: tuple[bool, ...] = ()
    scales: tuple[int, ...] = ()
    rate: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Its own parameters, then the scales and the rate."""
        scales = tuple(f"scale_{i + 1}" for i in self.scales)
        return self.free + scales + (("rate",) if self.rate else ())

    @property
    def logarithmic(self) -> NDArray[np.bool_]:
        """Positive parameters, and all scales."""
        return np.array(self.positive + (True,) * (len(self.scales) + self.rate))

    def equation(self, p: Float[Array, " parameter"]) -> Equation:
        """The system, in other units where these are free."""
        own = len(self.free)
        values = p if is_traced(p) else map(jnp.asarray, np.asarray(p))
        base = self.system(**dict(zip(self.free, values, strict=False)))
        if not self.scales and not self.rate:
            return base
        scale = jnp.ones(self.size)
        for k, state in enumerate(self.scales):
            scale = scale.at[state].set(p[own + k])
        return Scaled(base, scale, p[-1] if self.rate else jnp.ones(()))

    def typical_sizes(self, data: Observations) -> NDArray[np.float64]:
        """Each parameter by its unit, from the sizes of the states and the rate of the data."""
        own = np.where(np.isin(np.arange(self.size), self.scales), 1.0, data.size)
        sizes = {"time": 1.0 if self.rate else 1 / data.rate, **dict(zip(self.own_states, own, strict=True))}
        rate = [data.rate] if self.rate else []
        units = [self.described[name].unit for name in self.free]
        return np.array([*(_size_of(unit, sizes) for unit in units), *data.size[list(self.scales)], *rate])

    @property
    def own_states(self) -> tuple[str, ...]:
        """As the system calls them."""
        return tuple(self.system.states)

    @property
    def described(self) -> dict[str, ParameterInfo]:
        """Of the system's own parameters."""
        return {info.name: info for info in parameters_of(self.system) if info.name in self.free}


def _size_of(unit: str, sizes: Mapping[str, float]) -> float:
    """A unit such as `1/(position²·time²)` as a number."""
    above, _, below = unit.partition("/")
    return _product_of(above, sizes) / _product_of(below or "1", sizes)


def _product_of(factors: str, sizes: Mapping[str, float]) -> float:
    words = [word for word in factors.strip("()").split("·") if word != "1"]
    return math.prod((sizes[word.rstrip("²")] ** (1 + word.endswith("²")) for word in words), start=1.0)


def families(size: int) -> list[Family]:
    """Every family for that number of states: the named systems and linear dynamics."""
    named = [_closed(named) for named in NAMED_SYSTEMS if len(named.system.states) == size]
    return [*named, LinearFamily("linear dynamics", size)]


@kept(0)
def _by_parameter(family: NamedFamily, p: Given, states: Given) -> Float[Array, "slope parameter"]:
    """How the slopes at these states change with each parameter."""

    def law(p: Array) -> Array:
        return jax.vmap(lambda y: family.equation(p)(jnp.zeros(()), y, None))(states).reshape(-1)

    return jax.jacfwd(law)(jnp.asarray(p))


@functools.cache
@in_double_precision
def _closed(named: NamedSystem) -> NamedFamily:
    """The smallest family that holds the system in all units of its states and of time.

    A scale is added where, at random states, it moves the law in a direction that no parameter so far does. The last
    states come first: a velocity is rescaled rather than its position.
    """
    free = tuple(info for info in parameters_of(named.system) if info.name not in named.kept)
    size = len(named.system.states)
    full = NamedFamily(
        named.title,
        size,
        named.system,
        tuple(info.name for info in free),
        tuple(info.sign == "positive" for info in free),
        tuple(range(size)),
        True,
    )
    random = np.random.default_rng(0)
    states = random.uniform(0.5, 1.5, (64, size))
    jacobian = np.asarray(_by_parameter(full, random.uniform(0.5, 1.5, len(full.names)), states))
    lengths = np.linalg.norm(jacobian, axis=0)
    jacobian = jacobian * np.where(lengths > 1e-10 * lengths.max(), 1 / np.maximum(lengths, 1e-300), 0)
    chosen = list(range(len(free)))
    for column in [*reversed(range(len(free), len(free) + size)), len(full.names) - 1]:
        if np.linalg.matrix_rank(jacobian[:, [*chosen, column]], tol=1e-8) > len(chosen):
            chosen.append(column)
    scales = tuple(sorted(c - len(free) for c in chosen if len(free) <= c < len(free) + size))
    return NamedFamily(full.title, size, full.system, full.free, full.positive, scales, len(full.names) - 1 in chosen)
