"""A family of laws: equations that differ in numbers only, with a vector of unknowns."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar, cast

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.typing import NDArray

from continua.discovery.observations import Observations
from continua.equations import Equation, Linear, ParameterInfo, WrittenSystem
from continua.show import Term, expand, is_coefficient, multiply, symbols_of, terms_of, text

Numbers = TypeVar("Numbers", Float[Array, " parameter"], Float[np.ndarray, " parameter"])

STARTS = 6


@dataclass(frozen=True)
class Family(ABC):
    r"""Laws with unknowns u: a positive parameter is $p = c\, e^u$, any other $p = c\, u$.

    c is the parameter's typical size on the data, so the search does not depend on units.
    """

    title: str
    size: int

    symmetric: ClassVar[bool] = False  # whether the states may stand in any order and the law is the same

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """The names of the parameters, in the order of u."""

    @property
    @abstractmethod
    def logarithmic(self) -> NDArray[np.bool_]:
        """Which unknowns are logarithms."""

    @abstractmethod
    def equation(self, p: Float[Array, " parameter"]) -> Equation:
        """The law with parameters p."""

    @abstractmethod
    def typical_sizes(self, data: Observations) -> NDArray[np.float64]:
        """The size of each parameter on the data; a change of units changes the sizes by just that change."""

    def values(self, u: Numbers, typical: Numbers) -> Numbers:
        """The parameters of the unknowns; of numbers on the host, by numpy."""
        module = cast(Any, np if isinstance(u, np.ndarray) else jnp)
        with np.errstate(over="ignore"):  # the end of an interval may be anywhere
            return typical * module.where(self.logarithmic, module.exp(module.where(self.logarithmic, u, 0.0)), u)

    def starts(self) -> Iterator[NDArray[np.float64]]:
        """Unknowns from which a search for the parameters may begin."""
        random = np.random.default_rng(0)
        for attempt in range(STARTS):
            yield random.normal(0, 1, len(self.names)) * (attempt > 0)

    @property
    def search_price(self) -> float:
        """What the choice of its terms costs, on the scale of AICc: 2 log of how many choices there were."""
        return 0.0

    @property
    def own_states(self) -> tuple[str, ...]:
        """What the law itself calls its states."""
        return ()

    @property
    def inputs(self) -> tuple[str, ...]:
        """What the law itself calls its inputs, in the order of the table's."""
        return ()

    @property
    def described(self) -> dict[str, ParameterInfo]:
        """Meaning and unit of parameters that have them."""
        return {}


@dataclass(frozen=True)
class LinearFamily(Family):
    """y' = A y + b."""

    symmetric = True

    @property
    def names(self) -> tuple[str, ...]:
        """The entries of A, then those of b."""
        n = range(1, self.size + 1)
        return tuple(f"A_{i}{j}" for i in n for j in n) + tuple(f"b_{i}" for i in n)

    @property
    def logarithmic(self) -> NDArray[np.bool_]:
        """None is."""
        return np.zeros(len(self.names), bool)

    def equation(self, p: Float[Array, " parameter"]) -> Equation:
        """Linear dynamics."""
        n = self.size
        return Linear(p[: n * n].reshape(n, n), p[n * n :])

    def typical_sizes(self, data: Observations) -> NDArray[np.float64]:
        """A slope over a state, and a slope."""
        slopes = data.spread * data.rate
        return np.concatenate([(slopes[:, None] / data.size).ravel(), slopes])

    def starts(self) -> Iterator[NDArray[np.float64]]:
        """One: the match is a linear problem."""
        yield np.zeros(len(self.names))


@dataclass(frozen=True)
class WrittenFamily(Family):
    """A law that was written as text, by a person or by a search for terms; its states stand in its own order."""

    written: WrittenSystem
    price: float = 0.0

    symmetric = True

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters that are not fixed."""
        return tuple(p.name for p in self.written.parameters if not p.fixed)

    @property
    def logarithmic(self) -> NDArray[np.bool_]:
        """Those that are positive."""
        return np.array([p.positive for p in self.written.parameters if not p.fixed], bool)

    def equation(self, p: Float[Array, " parameter"]) -> Equation:
        """The text with these numbers."""
        return self.written.equation({name: p[i] for i, name in enumerate(self.names)})

    def typical_sizes(self, data: Observations) -> NDArray[np.float64]:
        """The sizes of the written starts."""
        starts = self._starts()
        return np.where(starts != 0, np.abs(starts), 1.0)

    def starts(self) -> Iterator[NDArray[np.float64]]:
        """The written start first."""
        first = np.where(self.logarithmic, 0.0, np.sign(self._starts()))
        random = np.random.default_rng(0)
        for attempt in range(STARTS):
            yield first + random.normal(0, 1, len(first)) * (attempt > 0)

    def _starts(self) -> NDArray[np.float64]:
        return np.array([p.start for p in self.written.parameters if not p.fixed])

    @property
    def search_price(self) -> float:
        """Nothing for a law that was not searched for."""
        return self.price

    @property
    def own_states(self) -> tuple[str, ...]:
        """As written."""
        return self.written.states

    @property
    def inputs(self) -> tuple[str, ...]:
        """As written."""
        return self.written.inputs

    @property
    def described(self) -> dict[str, ParameterInfo]:
        """What each parameter multiplies and where, and its unit as written."""
        sides = dict(zip(self.written.states, self.written.sides, strict=True))
        roles: dict[str, str] = {}
        for state, side in sides.items():
            for term in terms_of(expand(side)):
                roles = {name: f"{role} in d {state}/dt".strip() for name, role in _roles(term)} | roles
        return {
            p.name: ParameterInfo(p.name, roles.get(p.name, ""), p.unit, p.start, "positive" if p.positive else "any")
            for p in self.written.parameters
            if not p.fixed
        }


def _roles(term: Term) -> Iterator[tuple[str, str]]:
    """(parameter, "constant" or "coefficient of x·y") of a term; nothing where it is no plain factor."""
    for symbol in {s for factor in (*term.numerator, *term.denominator) for s in symbols_of(factor)}:
        if symbol.kind != "parameter":
            continue
        rest = [factor for factor in term.numerator if factor != symbol]
        if symbol not in term.numerator or term.denominator or any(symbol in symbols_of(factor) for factor in rest):
            yield symbol.name, ""
        elif all(is_coefficient(factor) for factor in rest):
            yield symbol.name, "constant"
        else:
            yield symbol.name, f"coefficient of {text(multiply(*rest))}"
