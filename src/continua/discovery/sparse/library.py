"""The terms that a law may be made of: monomials and, where asked, sines, cosines and saturations of each state."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from continua.core import ArgumentError, kept

MOST_TERMS = 300
AFFINE = ((1, 1), (1, 2))  # degree in the inputs, and in all: u and x u


@dataclass(frozen=True)
class Features:
    """What a library computes, without names: equal for equal structure, so that programs compile once.

    Args:
        exponents: of each monomial, one for each variable; variables are the states, then the inputs.
        waves: the variables with a sine and a cosine.
        saturations: the variables v with 1/(1 + v²) and v/(1 + v²).
    """

    exponents: tuple[tuple[int, ...], ...]
    waves: tuple[int, ...] = ()
    saturations: tuple[int, ...] = ()

    @property
    def count(self) -> int:
        """How many terms."""
        return len(self.exponents) + 2 * len(self.waves) + 2 * len(self.saturations)

    def __call__(self, variables: Float[Array, "variable ..."]) -> Float[Array, "term ..."]:
        """The value of every term; the first axis becomes that of the terms."""
        made = {(0,) * len(variables): jnp.ones_like(variables[0])}
        for exponents in self.exponents:
            _monomial(exponents, variables, made)
        values = [made[exponents] for exponents in self.exponents]
        for i in self.waves:
            values += [jnp.sin(variables[i]), jnp.cos(variables[i])]
        for i in self.saturations:
            bounded = 1 / (1 + variables[i] ** 2)
            values += [bounded, variables[i] * bounded]
        return jnp.stack(values)


def _monomial(exponents: tuple[int, ...], variables: Array, made: dict[tuple[int, ...], Array]) -> Array:
    """One multiplication more than a lower monomial, which is remembered."""
    if exponents not in made:
        last = max(i for i, power in enumerate(exponents) if power)
        lower = tuple(power - (i == last) for i, power in enumerate(exponents))
        made[exponents] = _monomial(lower, variables, made) * variables[last]
    return made[exponents]


@dataclass(frozen=True)
class Library:
    r"""Candidate terms $\phi_j$ of a law $x_i' = \sum_j \theta_{ij} \phi_j(x, u)$.

    Made by `Library.polynomial`.

    Example:
        >>> Library.polynomial(("x", "y"), degree=2).terms
        ('1', 'x', 'y', 'x**2', 'x*y', 'y**2')
    """

    states: tuple[str, ...]
    inputs: tuple[str, ...]
    features: Features

    @classmethod
    def polynomial(
        cls,
        states: Sequence[str],
        degree: int,
        *,
        inputs: Sequence[str] = (),
        affine: bool = False,
        trigonometric: bool = False,
        rational: bool = False,
    ) -> "Library":
        """All monomials of states and inputs up to a total degree.

        Args:
            states: the names of the states.
            degree: the highest total degree, at least 0.
            inputs: the names of exogenous inputs.
            affine: only inputs themselves and their products with one state, no powers of inputs.
            trigonometric: also sin(x) and cos(x) of each state x.
            rational: also 1/(1 + x²) and x/(1 + x²) of each state x.

        Returns:
            The library.

        Raises:
            ArgumentError: no states, a name given twice, a negative degree, or more terms than can be searched.
        """
        names = (*states, *inputs)
        if not states:
            raise ArgumentError("`states` of `Library.polynomial` is empty. Name at least one state.")
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise ArgumentError(f"`states` and `inputs` name {twice!r} twice. Give every variable its own name.")
        if degree < 0:
            raise ArgumentError(f"`degree` of `Library.polynomial` must not be negative. Got {degree}. Use 2 or 3.")
        own = range(len(states))
        monomials = _exponents(len(names), degree)
        if affine:
            monomials = tuple(m for m in monomials if not any(m[own.stop :]) or (sum(m[own.stop :]), sum(m)) in AFFINE)
        features = Features(monomials, tuple(own) * trigonometric, tuple(own) * rational)
        if features.count > MOST_TERMS:
            raise ArgumentError(
                f"`degree` of `Library.polynomial` gives {features.count} terms, more than {MOST_TERMS}. "
                f"Got {degree} for {len(names)} variables. Use a lower degree."
            )
        return cls(tuple(states), tuple(inputs), features)

    @property
    def terms(self) -> tuple[str, ...]:
        """Every term in Python syntax: `1`, `x`, `x*y`, `x**2`, `sin(x)`, `x/(1 + x**2)`."""
        names = (*self.states, *self.inputs)
        texts = [_text(exponents, names) for exponents in self.features.exponents]
        for i in self.features.waves:
            texts += [f"sin({names[i]})", f"cos({names[i]})"]
        for i in self.features.saturations:
            texts += [f"1/(1 + {names[i]}**2)", f"{names[i]}/(1 + {names[i]}**2)"]
        return tuple(texts)

    @property
    def degrees(self) -> tuple[int, ...]:
        """The total degree of every term; those that are no monomials stand one above the highest."""
        degrees = [sum(exponents) for exponents in self.features.exponents]
        return (*degrees, *[max(degrees) + 1] * (self.features.count - len(degrees)))

    def __call__(
        self, x: Float[Array | np.ndarray, "*rows state"], u: Float[Array | np.ndarray, "*rows input"] | None = None
    ) -> Float[Array, "*rows term"]:
        """The value of every term at states and inputs."""
        return _values(self.features, x, u)


@kept(0)  # one program, where every operation would be one of its own
def _values(features: Features, x: Array | np.ndarray, u: Array | np.ndarray | None) -> Array:
    variables = x if u is None else jnp.concatenate([x, u], -1)
    return jnp.moveaxis(features(jnp.moveaxis(variables, -1, 0)), 0, -1)


def _exponents(variables: int, degree: int) -> tuple[tuple[int, ...], ...]:
    """By rising degree, each in the order of the variables."""
    chosen = (
        choice
        for total in range(degree + 1)
        for choice in itertools.combinations_with_replacement(range(variables), total)
    )
    return tuple(tuple(choice.count(i) for i in range(variables)) for choice in chosen)


def _text(exponents: tuple[int, ...], names: tuple[str, ...]) -> str:
    factors = [
        name if power == 1 else f"{name}**{power}" for name, power in zip(names, exponents, strict=True) if power
    ]
    return "*".join(factors) or "1"
