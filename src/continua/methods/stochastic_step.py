"""What every stochastic method shares: the diffusion, the path of the noise, and which equations it can step."""

import enum
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple, cast

import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array

from continua.core import Args, FlatState, Instant, State
from continua.equations import DiagonalNoise, Driven, Interpretation, Reinterpreted, Stochastic
from continua.methods.method import Method, Part, Slope, Step, part_of


class Needs(enum.Enum):
    """What the noise must be like, beyond which there is no order left."""

    NOTHING = "any noise"
    COMMUTATIVE = "commutative noise"
    ADDITIVE = "additive noise"


class Terms(NamedTuple):
    """The equation on flat states at one time: f(y), g(y) as [state] or [state·motion], and the noise of the step.

    `noise` is [motion]; with areas, [2·motion]: increments, then the integrals of W − W(t).
    """

    drift: Callable[[Instant, FlatState], FlatState]
    diffusion: Callable[[Instant, FlatState], Array]
    noise: Array


class StochasticMethod(Method):
    r"""A method for $dy = f\,dt + g\,dW$, whose step sees the noise through `path`, a function of time.

    An equation in the sense of the other integral is reinterpreted first (see `Reinterpreted`). Values between steps
    are shorter steps on the same path.
    """

    interpretation: ClassVar[Interpretation]
    weak_order: ClassVar[int | float]
    needs: ClassVar[Needs] = Needs.NOTHING
    needs_when_adaptive: ClassVar[Needs] = Needs.COMMUTATIVE
    areas: ClassVar[bool] = False

    @abstractmethod
    def increment(self, terms: Terms, t: Instant, h: Instant, y: FlatState) -> tuple[FlatState, FlatState | None]:
        """The increment of a flat state, and the estimate of its error."""

    def step(self, equation: Slope, t: Instant, h: Instant, y: State, args: Args, cache: Any) -> Step:
        """One step along the path."""
        if jnp.ndim(t):  # inside the driver all is flat
            terms = Terms(
                lambda t, y: equation(t, y, args),
                lambda t, y: part_of(equation, "diffusion", equation)(t, y, args),
                part_of(equation, "path", equation)(t, h, args),
            )
            return Step(*self.increment(terms, t, h, y), None)
        flat, unravel = ravel_pytree(y)
        own = {name: part.function for name, part in self.parts(equation).items()}
        prepared = self.prepared(equation)
        terms = Terms(
            lambda t, y: ravel_pytree(prepared(t, unravel(y), args))[0],
            lambda t, y: ravel_pytree(own["diffusion"](t, unravel(y), args))[0],
            own["path"](t, h, args).reshape(-1),
        )
        increment, error = self.increment(terms, t, h, flat)
        return Step(unravel(increment), None if error is None else unravel(error), None)

    def interpolate(self, equation: Slope, t: Instant, h: Instant, y: State, args: Args, theta: Instant) -> State:
        """A step that is shorter."""
        return self.advance(equation, t, theta * h, y, args)

    def prepared(self, equation: Slope) -> Slope:
        """In the sense that the method has."""
        stochastic = cast(Stochastic, equation)
        return equation if stochastic.interpretation is self.interpretation else Reinterpreted(stochastic)

    def parts(self, equation: Slope) -> dict[str, Part]:
        """The diffusion, and the noise of a step, along a path; without one yet, none."""
        if not isinstance(equation, Driven):
            return {}
        driven = equation
        noise = driven.path.with_area if self.areas else driven.path
        return {
            "diffusion": Part(driven.diffusion, like_state=False),
            "path": Part(noise, like_state=False, of_step=True),
        }

    def unfit(self, equation: Slope, t: Instant, y: State, args: Args, adaptive: bool) -> str | None:
        """An equation without noise, or noise that is too general."""
        name = type(self).__name__
        if not isinstance(equation, Stochastic):
            return f"must step an equation without noise. Got {name}(). Use an `SDE`, or Tsit5()"
        other = equation.interpretation is not self.interpretation
        if equation.is_additive(t, y, args):
            return None
        commutative, fitting = equation.is_commutative(t, y, args), _fitting(equation.interpretation)
        if self.needs is Needs.ADDITIVE:
            found = "Milstein()" if commutative else fitting
            return f"must fit noise that depends on the state. Got {name}(), for additive noise. Use {found}"
        if commutative:
            return None
        if self.needs is Needs.COMMUTATIVE:
            return f"must fit noise that does not commute. Got {name}(). Use {fitting} with step_control=Fixed(h)"
        if adaptive and self.adaptive:
            return f"must keep fixed steps where noise does not commute. Got {name}(). Use step_control=Fixed(h)"
        if other and not _convertible(equation):
            kind = equation.interpretation.value
            return f"must fit the {kind} integral here. Got {name}(). Use {fitting} with step_control=Fixed(h)"
        return None


def _fitting(interpretation: Interpretation) -> str:
    """A method for any noise."""
    return "EulerMaruyama()" if interpretation is Interpretation.ITO else "StochasticHeun()"


def _convertible(equation: Stochastic) -> bool:
    """Whether the other integral's drift costs no more than a derivative along each motion."""
    return not isinstance(equation.noise, DiagonalNoise)


def driven(diffusion: Array, noise: Array, y: FlatState) -> FlatState:
    """Σⱼ gᵢⱼ Wⱼ, of g [state] with a motion for each component or one for all, or of g [state·motion]."""
    if len(diffusion) == len(y):
        return diffusion * noise
    matrix = diffusion.reshape(len(y), len(noise), *diffusion.shape[1:])
    return (matrix * noise[None]).sum(1)
