"""Limits of functions: how much, how sure, from which side, and when there is none."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, get_args

import jax
import jax.numpy as jnp
import numpy as np

from continua.calculus.acceleration import accelerated, grows
from continua.calculus.integrands import result_of
from continua.core import ArgumentError

Side = Literal["both", "left", "right"]

# Three ways to the point, each halved again and again: rounding differs between them, and on two of them no period of
# sin(π/x) closes.
FIRST_STEPS = (0.36787944, 0.43588989, 0.5)
DEPTH = 0.35  # of the binary digits: smaller steps lose more in differences such as 1 − cos h than they gain
FEWEST = 6  # finite terms on a way
SETTLED = 3e-3  # of the terms' size: a limit whose error is larger is none


class Limit(NamedTuple):
    """A limit, or why there is none.

    Attributes:
        value: NaN where there is none, ±inf where the function grows without bound.
        error: how far the limit may be from `value`.
        exists: whether there is a finite one.
        reason: in words.
    """

    value: float
    error: float
    exists: bool
    reason: str

    def __str__(self) -> str:
        return f"{_rounded(self)} ± {self.error:.1g}" if self.exists else self.reason


def limit(f: Callable[[Any], Any], x0: Any, side: Side = "both") -> Limit:
    r"""The limit of a function at a point or at infinity.

    $$ \lim_{x \to x_0} f(x) $$

    The function is looked at along x₀ ± h, with h halved again and again, or at infinity along doubled x. The sequences
    are accelerated by ε and u transforms; of three, from different first steps, two must agree. None uses the smallest
    steps there are: in differences such as (eʰ − 1)/h these leave nothing but rounding.

    Args:
        f: a function of a number, made of `jax.numpy`'s functions.
        x0: the point, `jnp.inf` or `-jnp.inf`. Its dtype is that of the computation, double where JAX's is.
        side: from where: "both", "left" or "right". At infinity there is one side only.

    Returns:
        A `Limit`: `value`, `error`, `exists`, `reason`.

    Raises:
        ArgumentError: `x0` is NaN or no single number, `side` is none of the three, f gives no single real number.
        ArgumentTypeError: f is no function that JAX can trace.

    Good for: values that formulas leave open (0/0, ∞ − ∞, 1^∞), behaviour at infinity. What happens on a scale below a
    millionth of x₀ (or of 1) is not seen, nor what begins beyond a million.

    Example:
        >>> print(limit(lambda x: jnp.sin(x) / x, 0.0))  # doctest: +ELLIPSIS
        1 ± ...
        >>> print(limit(lambda x: jnp.abs(x) / x, 0.0))
        the sides differ: -1 from the left, 1 from the right
    """
    point = _point(x0)
    if side not in get_args(Side):
        raise ArgumentError(f'`side` of `limit` must be "both", "left" or "right". Got {side!r}.')
    sides = ("left", "right") if side == "both" else (side,)
    if np.isinf(point):
        sides = ("left",) if point > 0 else ("right",)
    found = [_one_sided(f, point, one) for one in sides]
    return found[0] if len(found) == 1 else _joined(*found)


def _point(x0: Any) -> np.floating:
    """The point as a floating scalar."""
    try:
        point = np.asarray(x0)
        point = point if np.issubdtype(point.dtype, np.floating) and hasattr(x0, "dtype") else jnp.asarray(point, float)
        (value,) = np.ravel(np.asarray(point))
        if isinstance(x0, str):
            raise ValueError
    except (TypeError, ValueError):
        raise ArgumentError(f"`x0` of `limit` must be one real number. Got {x0!r}. Use 0.0 or jnp.inf.") from None
    if np.isnan(value):
        raise ArgumentError("`x0` of `limit` must be a number. Got NaN. Use 0.0 or jnp.inf.")
    return value


def _joined(left: Limit, right: Limit) -> Limit:
    """The limit from both sides."""
    if left.exists and right.exists:
        apart, error = abs(left.value - right.value), left.error + right.error
        better = min(left, right, key=lambda side: side.error)
        if apart <= error:
            return better._replace(error=max(better.error, apart), reason="f settles on both sides")
    elif left.value == right.value:  # both infinite
        return left
    elif np.isnan(left.value) and np.isnan(right.value):
        return left._replace(
            reason=f"{left.reason}, and {right.reason}" if left.reason != right.reason else left.reason
        )
    words = [_words(one, side) for one, side in ((left, "left"), (right, "right"))]
    return Limit(np.nan, np.inf, False, f"the sides differ: {words[0]}, {words[1]}")


def _words(found: Limit, side: str) -> str:
    return found.reason if np.isnan(found.value) else f"{_rounded(found)} from the {side}"


def _rounded(found: Limit) -> str:
    """The value without digits that its error does not know."""
    return "0" if abs(found.value) <= found.error < np.inf else f"{found.value:.12g}"


def _one_sided(f: Callable, point: np.floating, side: str) -> Limit:
    """The limit along three ways to the point."""
    where = f"towards {point:g}" if np.isinf(point) else f"to the {side} of {point:g}"
    found = _values(f, _ways(point, side))
    ways = _finite_ends(found)
    sign = _infinite(found) if ways is None else _growth(ways)
    if sign:
        words = f"f grows without bound {where}" if sign > 0 else f"f falls without bound {where}"
        return Limit(sign * np.inf, np.inf, False, words)
    if ways is None:
        return Limit(np.nan, np.inf, False, f"f is not a finite number {where}")
    value, error = _agreed(ways)
    if not error <= SETTLED * np.max(np.abs(ways)):
        return Limit(np.nan, np.inf, False, f"f does not settle {where}")
    return Limit(value, error, True, f"f settles {where}")


def _agreed(ways: np.ndarray) -> tuple[float, float]:
    """The value on which two ways agree best, and which what lies closest to the point does not contradict."""
    values, errors = _bounds(ways)
    near, doubts = _bounds(ways[:, -(ways.shape[1] // 2) :])
    errors += np.sort(np.abs(values[:, None] - values) + errors, axis=1)[:, 1]
    best = int(np.argmin(errors))
    contradiction = np.median(np.maximum(np.abs(values[best] - near) - doubts, 0))
    return float(values[best]), float(errors[best] + contradiction)


def _bounds(ways: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    values, errors = _accelerated(jnp.asarray(ways))
    return np.array(values, float), np.array(errors, float)


def _ways(point: np.floating, side: str) -> np.ndarray:
    """Where the function is looked at: [way, term]."""
    count = round(DEPTH * np.finfo(point.dtype).nmant)
    steps = np.multiply.outer(FIRST_STEPS, 2.0 ** -np.arange(count))
    steps = (steps if side == "right" else -steps).astype(point.dtype)
    if np.isinf(point):
        return -1 / steps
    return point + steps * max(abs(point), point.dtype.type(1))


def _values(f: Callable, places: np.ndarray) -> np.ndarray:
    """What f gives at the places."""
    result_of(f, jax.ShapeDtypeStruct((), places.dtype), name="f", of="limit")
    return np.asarray(jax.jit(jax.vmap(jax.vmap(f)))(jnp.asarray(places)))


def _finite_ends(ways: np.ndarray) -> np.ndarray | None:
    """The terms from which on all ways are finite, where there are enough of them."""
    broken = np.flatnonzero(~np.isfinite(ways).all(axis=0))
    start = broken[-1] + 1 if len(broken) else 0
    return ways[:, start:] if ways.shape[1] - start >= FEWEST else None


def _infinite(ways: np.ndarray) -> int:
    """1 or -1 where all ways end there, else 0."""
    ends = ways[:, -1]
    return int(np.sign(ends[0])) if np.all(np.isinf(ends)) and np.all(ends == ends[0]) else 0


def _growth(ways: np.ndarray) -> int:
    """1 or -1 where all ways go there."""
    signs = np.asarray(grows(jnp.asarray(ways)))
    return int(signs[0]) if np.all(signs == signs[0]) else 0


_accelerated = jax.jit(jax.vmap(accelerated))
