"""Step-size control: which steps are accepted, and how long the next one is."""

from abc import abstractmethod
from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array

from continua.core import FlatState, Instant, Verdict
from continua.methods import Method
from continua.solver.field import Field, Parameters

Memory = tuple[Array, ...]  # of earlier steps, as a control wants it; forgotten where a page of the record begins


class StepControl(eqx.Module):
    """Chooses the first step and judges each attempt: [1] for a trajectory, [1, lane] for lanes.

    Its arrays have the state's axis first, of length 1 where one value serves all components.
    """

    @abstractmethod
    def first(self, method: Method, field: Field, t: Instant, end: Instant, y: FlatState, p: Parameters) -> Array:
        """The length of the first step, with the sign of `end - t`."""

    @abstractmethod
    def judge(
        self, method: Method, error: FlatState | None, before: FlatState, after: FlatState
    ) -> tuple[Verdict, Array]:
        """(accepted, factor by which the next step is longer)."""

    def blank(self, t: Instant) -> Memory:
        """The memory before the first attempt, arrays like `t`: none unless a control remembers earlier steps."""
        return ()

    def remember(self, accepted: Verdict, factor: Array, memory: Memory) -> tuple[Array, Memory]:
        """(factor, memory) for the next attempt, from the judgement of this one and the memory so far."""
        return factor, memory


class Controller(NamedTuple):
    r"""A digital filter that turns errors into step lengths.

    $$ \frac{h_{n+1}}{h_n} = \prod_i \left(\frac{e_*}{e_{n-i}}\right)^{\beta_i / p}
       \prod_i \left(\frac{h_{n-i}}{h_{n-i-1}}\right)^{-\alpha_i} $$

    `error` holds β, for this error and those before it; `ratio` holds α. After a rejected attempt `I` decides.

    Source: Söderlind, Digital filters in adaptive time-stepping, ACM TOMS 29 (2003) 1-26, tables I and III.
    """

    error: tuple[float, ...]
    ratio: tuple[float, ...] = ()


I = Controller((1.0,))  # noqa: E741  (what the field calls it)
PI = Controller((0.6, -0.2))  # PI.4.2: where stability holds the steps, they settle instead of swinging
PID = Controller((1 / 18, 1 / 9, 1 / 18))  # H312PID: smooth, for errors that are noisy
H211b = Controller((0.25, 0.25), (0.25,))  # b = 4: smooth, and the usual choice for stochastic and stiff equations


class Adaptive(StepControl):
    r"""Steps as long as the tolerance allows.

    $$ h \leftarrow h \left(\frac{e_*}{e}\right)^{1/p}, \qquad e^2 = \operatorname{mean}_i
    \left(\frac{\text{error}_i}{\text{atol}_i + \text{rtol} \max(|y_{n,i}|, |y_{n+1,i}|)}\right)^2, \qquad e_* = 0.4 $$

    p is the order of the method's estimate in h. Aiming at 0.4 instead of 1 leaves three rejections in 726 steps of
    Lotka–Volterra where the usual setting has 111.

    Args:
        rtol: relative tolerance, positive.
        atol: absolute tolerance, positive, in the units of the state: a number, or one number a component.
        controller: how errors become step lengths: `I` as above, `PI`, `PID`, `H211b`, or a `Controller` of your own.

    Source: Hairer, Nørsett & Wanner, Solving Ordinary Differential Equations I, II.4.
    """

    rtol: Any
    atol: Any
    controller: Controller = eqx.field(static=True, default=I)

    TARGET = 0.4
    LEAST, MOST = 0.2, 10.0

    def first(self, method: Method, field: Field, t: Instant, end: Instant, y: FlatState, p: Parameters) -> Array:
        """From the sizes of y, y' and a difference for y'', in the state's own time (HNW I, II.4)."""
        tiny = jnp.finfo(y.dtype).tiny
        span = jnp.abs(end - t)
        scale = self.atol + self.rtol * jnp.abs(y)
        slope = field(t, y, p)
        size, speed = _norm(y / scale), _norm(slope / scale)
        flat = (size < 1e-5) | (speed * span < 1e-5)  # nothing to measure a step by
        trial = jnp.where(flat, 1e-6 * span, 0.01 * size / jnp.maximum(speed, tiny))
        trial = jnp.minimum(trial, span)
        ahead = jnp.copysign(trial, end - t)
        change = field(t + ahead, y + ahead * slope, p) - slope
        bend = _norm(change / scale) / jnp.maximum(trial, tiny)
        turn = jnp.sqrt(size / jnp.maximum(bend, tiny))
        unit = jnp.minimum(jnp.where(flat, 100 * trial, jnp.maximum(100 * trial, turn)), span)  # y changes by its size
        steepest = jnp.maximum(speed * unit, bend * unit**2)
        length = unit * jnp.minimum((0.01 / jnp.maximum(steepest, 1e-15)) ** (1 / _error_order(method)), 1)
        return jnp.copysign(length, end - t)

    def blank(self, t: Instant) -> Memory:
        """Errors on target and steps of equal length."""
        return (jnp.ones_like(t),) * (len(self.controller.error) - 1 + len(self.controller.ratio))

    def judge(
        self, method: Method, error: FlatState | None, before: FlatState, after: FlatState
    ) -> tuple[Verdict, Array]:
        """Accept an error below the tolerance; a non-finite one shortens the step tenfold."""
        weight = 1 / (self.atol + self.rtol * jnp.maximum(jnp.abs(before), jnp.abs(after)))
        squared = jnp.mean((error * weight) ** 2, 0, keepdims=True)
        power = 2 * _error_order(method)
        wanted = jnp.clip(squared / self.TARGET**2, self.MOST**-power, self.LEAST**-power)
        return squared <= 1, jnp.where(jnp.isfinite(squared), _rounded_power(wanted, -1 / power), 0.1)

    def remember(self, accepted: Verdict, factor: Array, memory: Memory) -> tuple[Array, Memory]:
        """The controller's factor after an accepted step, from those by which `I` would have gone on."""
        if self.controller == I:
            return factor, memory
        betas, alphas = self.controller
        factors, ratios = (factor, *memory[: len(betas) - 1]), memory[len(betas) - 1 :]
        powers = [*zip(factors, betas, strict=True), *zip(ratios, (-alpha for alpha in alphas), strict=True)]
        filtered = jnp.ones_like(factor)
        for base, power in powers:
            filtered = filtered * _rounded_power(base, power)
        filtered = jnp.clip(filtered, self.LEAST, self.MOST)
        after = (*factors[: len(betas) - 1], *(filtered, *ratios)[: len(alphas)])
        kept = tuple(jnp.where(accepted, new, old) for new, old in zip(after, memory, strict=True))
        return jnp.where(accepted, filtered, factor), kept


class Fixed(StepControl):
    """Every step has the length `h`, in the units of time; the last one may be shorter.

    A state that overflows ends the solve.
    """

    h: Any

    def first(self, method: Method, field: Field, t: Instant, end: Instant, y: FlatState, p: Parameters) -> Array:
        """The step, with the sign of `end - t`."""
        return jnp.copysign(jnp.broadcast_to(self.h, t.shape), end - t)

    def judge(
        self, method: Method, error: FlatState | None, before: FlatState, after: FlatState
    ) -> tuple[Verdict, Array]:
        """Accept everything finite; a zero step ends the solve."""
        finite = jnp.sum((0 * after) ** 2, 0, keepdims=True) == 0  # a third of the time of `all(isfinite)`
        return finite, jnp.where(finite, 1.0, 0.0).astype(after.dtype)


def _error_order(method: Method) -> float:
    return method.error_order or method.order


def _rounded_power(x: Array, exponent: float) -> Array:
    """x**exponent within one per cent, and rounded to eight binary digits, for a positive normal x.

    The bits of a number, read as an integer, are its logarithm to the base 2 but for a factor and 9 per cent of an
    octave. A step length needs no better, and this takes a tenth of the time of `log` and `exp`, a fifth of a step of a
    small system. Rounded, the same steps come out where the error is computed again with other rounding.
    """
    kind = np.float64 if x.dtype == jnp.float64 else np.float32
    bits, digits = (jnp.int64, 52) if kind is np.float64 else (jnp.int32, 23)
    one = np.ones((), kind).view(bits)
    logarithm = (lax.bitcast_convert_type(x.astype(kind), bits) - one).astype(kind)
    power = (exponent * logarithm).astype(bits) + one
    rounded = (power >> (digits - 8)) << (digits - 8)
    return lax.bitcast_convert_type(rounded, kind).astype(x.dtype)


def _norm(x: FlatState) -> Array:
    return jnp.sqrt(jnp.mean(x**2, 0, keepdims=True))
