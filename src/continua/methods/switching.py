"""Switching between an explicit and a stiff method within one solve: each phase of a solution by what suits it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar, NamedTuple, TypeVar, cast

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array

from continua.core import Args, ArgumentError, Instant, State, anywhere
from continua.methods.method import Method, Part, Slope, Step
from continua.methods.power_iteration import spectral_radius
from continua.methods.rodas5p import Rodas5P
from continua.methods.tsit5 import Tsit5

Outcome = TypeVar("Outcome")

SOONEST, LATEST = 16, 128  # attempts between two glances
STIFF = 2.0  # |h| times the spectral radius: above it explicit steps are held by stability
MILD = 1.0  # below it they would be held by accuracy
PRODUCTS = 6  # of a glance: of a spectrum that is dense up to its end they see nine tenths


class Remembered(NamedTuple):
    """Which method steps (1: the stiff one), and since the last glance the attempts, their lengths and how many may be.

    Like `t` each.
    """

    stiff: Array
    attempts: Array
    lengths: Array
    patience: Array


class Switching(Method):
    r"""An explicit method where it is stable by itself, a stiff one where stability would hold its steps.

    $$ y_{n+1} = \begin{cases} \Phi^{\text{stiff}}_h(y_n) & \text{where } |h|\,\rho(\partial_y f) \text{ is large} \\
       \Phi^{\text{explicit}}_h(y_n) & \text{where it is small} \end{cases} $$

    The spectral radius ρ is estimated by a power iteration of six products, after the first sixteen attempts of
    either method, and while the explicit one goes on ever more seldom, at least every 128. So an equation that is not
    stiff takes exactly the steps of the explicit method. Which method makes a step is a constant of its derivative.

    Good for: equations of which it is not known whether they are stiff, also under `jit`; relaxation oscillations.

    Args:
        explicit: the method that begins. It must estimate its error, as the other.
        stiff: the method for stiff phases.
        now: which steps next: the driver fills it in from what it remembers; outside of it the explicit one does.

    Source: Petzold, Automatic selection of methods for solving stiff and nonstiff systems of ordinary differential
    equations, SIAM J. Sci. Stat. Comput. 4 (1983) 136–148, with steps and the spectral radius for its criterion.
    """

    explicit: Method = Tsit5()
    stiff: Method = Rodas5P()
    now: Any = None

    adaptive = True
    evaluations: ClassVar[int | None] = None

    def __check_init__(self) -> None:
        for name in ("explicit", "stiff"):
            method = getattr(self, name)
            if not isinstance(method, Method) or not method.adaptive:
                raise ArgumentError(
                    f"`{name}` of `Switching` must be a method that estimates its error. Got {method}. "
                    "Use Tsit5() and Rodas5P()."
                )

    @property
    def order(self) -> int | float:  # type: ignore[override]
        """The lower one of both."""
        return min(self.explicit.order, self.stiff.order)

    @property
    def in_lanes(self) -> bool:  # type: ignore[override]
        """Whether both take lanes."""
        return self.explicit.in_lanes and self.stiff.in_lanes

    def prepared(self, equation: Slope) -> Slope:
        """As the stiff method is to see it."""
        return self.stiff.prepared(equation)

    def parts(self, equation: Slope) -> dict[str, Part]:
        """What either needs."""
        return {**self.explicit.parts(equation), **self.stiff.parts(equation)}

    def start(self, equation: Slope, t: Instant, y: State, args: Args) -> Any:
        """That of the explicit method."""
        return self.explicit.start(equation, t, y, args)

    def memory(self, t: Instant) -> Array:
        """Explicit at first."""
        zero = jnp.zeros_like(t)
        return jnp.concatenate(Remembered(zero, zero, zero, jnp.full_like(t, SOONEST)))

    def recalling(self, memory: Array | None) -> "Switching":
        """With the method that it had decided on."""
        return replace(self, now=cast(Array, memory)[:1] > 0) if self.now is None else self

    def phases(self) -> tuple[Method, ...]:
        """Explicit, and stiff."""
        return replace(self, now=False), replace(self, now=True)

    def remember(self, equation: Slope, t: Instant, h: Instant, y: State, args: Args, memory: Array | None) -> Array:
        """The attempt is counted; every so often the decision is made again where it led."""
        stiff, attempts, lengths, patience = jnp.split(cast(Array, memory), len(Remembered._fields))
        before = Remembered(stiff, attempts + (h != 0).astype(h.dtype), lengths + jnp.abs(h), patience)
        due = (h != 0) & (before.attempts >= patience)

        def glance() -> Array:
            usual = jnp.minimum(before.lengths / before.attempts, jnp.abs(h))
            reach = usual * spectral_radius(equation, t, y, args, PRODUCTS)
            found = (reach > jnp.where(stiff > 0, MILD, STIFF)).astype(h.dtype)
            longer = jnp.where((found > 0) | (stiff > 0), SOONEST, jnp.minimum(2 * patience, LATEST))
            zero = jnp.zeros_like(h)
            anew = Remembered(found, zero, zero, longer)
            return jnp.concatenate([jnp.where(due, a, b) for a, b in zip(anew, before, strict=True)])

        return lax.stop_gradient(lax.cond(jnp.any(due), glance, lambda: jnp.concatenate(before)))

    def step(self, equation: Slope, t: Instant, h: Instant, y: State, args: Args, cache: Any) -> Step:
        """One step of the method that steps; behind a stiff one the explicit method's cache begins anew."""

        def explicit(h: Instant) -> Step:
            return self.explicit.step(equation, t, h, y, args, cache)

        def stiff(h: Instant) -> Step:
            step = self.stiff.step(equation, t, h, y, args, self.stiff.start(equation, t, y, args))
            return step._replace(cache=self.explicit.start(equation, t + h, step.after(y), args))

        still = jax.tree.map(jnp.zeros_like, y)
        return self._either(explicit, stiff, h, Step(still, still, cache), self._chosen)

    def interpolate(self, equation: Slope, t: Instant, h: Instant, y: State, args: Args, theta: Instant) -> State:
        """The dense output of the method that steps."""

        def of(method: Method) -> Callable[[Instant], State]:
            return lambda h: method.interpolate(equation, t, h, y, args, theta)

        return self._either(of(self.explicit), of(self.stiff), h, y, self._chosen, alone=False)

    def pullback(
        self, equation: Slope, t: Instant, h: Instant, y: State, args: Args, cotangent: State
    ) -> tuple[State, Args]:
        """The transposed step of the method that steps."""

        def of(method: Method) -> Callable[[Instant], tuple[State, Args]]:
            return lambda h: method.pullback(equation, t, h, y, args, cotangent)

        def join(explicit: tuple[State, Args], stiff: tuple[State, Args]) -> tuple[State, Args]:
            return self._chosen(explicit[0], stiff[0]), jax.tree.map(jnp.add, explicit[1], stiff[1])

        still = cotangent, jax.tree.map(jnp.zeros_like, args)
        return self._either(of(self.explicit), of(self.stiff), h, still, join)

    def _either(
        self,
        explicit: Callable[[Instant], Outcome],
        stiff: Callable[[Instant], Outcome],
        h: Instant,
        still: Outcome,
        join: Callable[[Outcome, Outcome], Outcome],
        alone: bool = True,
    ) -> Outcome:
        """What the method that steps gives; the other takes a step of no length, which gives `still`.

        Of lanes each has its own, and a method that none needs is left out. So it is where JAX maps what is not
        `alone`.
        """
        if self.now is None or isinstance(self.now, bool):
            return (stiff if self.now else explicit)(h)
        one, other = (jnp.where(here, h, 0) for here in (~self.now, self.now))
        if alone and jnp.ndim(h) == 1:
            return lax.cond(self.now[0], lambda: stiff(other), lambda: explicit(one))

        def where_needed(work: Callable[[Instant], Outcome], h: Instant, here: Array) -> Outcome:
            return lax.cond(anywhere(jnp.any(here)), work, lambda _: still, h)

        return join(where_needed(explicit, one, ~self.now), where_needed(stiff, other, self.now))

    def _chosen(self, explicit: Any, stiff: Any) -> Any:
        """Of the method that steps."""
        return jax.tree.map(lambda one, other: jnp.where(self.now, other, one), explicit, stiff)
