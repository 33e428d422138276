"""Is a gradient right? Reverse mode against forward mode and against finite differences, entry by entry."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from continua.calculus import arguments
from continua.calculus.derivatives import flat

Entries = Float[np.ndarray, " entry"]

LEVELS = 12  # steps of the difference quotient, each half of the one before
TOGETHER = 256  # entries whose differences are taken at once


@dataclass(frozen=True, eq=False)
class GradientCheck:
    """What `check_gradient` found; true where the gradient is right.

    Args:
        names: [entry], where each entry stands in x.
        reverse: [entry], by reverse mode, which is what `gradient` gives.
        forward: [entry], by forward mode; None where f has a derivative of its own for reverse mode alone.
        differences: [entry], by extrapolated central differences.
        tolerances: [entry], how far the differences may be off, by their own estimate.
        precision: how far forward and reverse mode may be apart, in units of the largest entry.
    """

    names: tuple[str, ...]
    reverse: Entries
    forward: Entries | None
    differences: Entries
    tolerances: Entries
    precision: float

    @property
    def excess(self) -> Entries:
        """[entry], the disagreement in units of what is tolerated: more than 1 is wrong."""
        found = np.abs(self.reverse - self.differences) / self.tolerances
        if self.forward is not None:
            allowed = self.precision * max(np.abs(self.reverse).max(), np.abs(self.forward).max(), 1e-300)
            found = np.maximum(found, np.abs(self.reverse - self.forward) / allowed)
        return np.where(np.isfinite(found), found, np.inf)

    @property
    def worst(self) -> int:
        """The entry with the largest disagreement."""
        return int(self.excess.argmax())

    @property
    def verdict(self) -> str:
        """In a word: "right", "WRONG", or "not decided" where differences are off by a hundredth of the gradient."""
        noisy = self.tolerances > 1e-2 * max(np.abs(self.reverse).max(), np.abs(self.differences).max(), 1e-300)
        if (self.excess > 1).any():
            return "WRONG"
        return "not decided" if noisy.any() else "right"

    def __bool__(self) -> bool:
        return self.verdict == "right"

    def __str__(self) -> str:
        i = self.worst
        forward = "none (f has a reverse derivative of its own)" if self.forward is None else f"{self.forward[i]:.9g}"
        return (
            f"gradient {self.verdict}: {int((self.excess <= 1).sum())} of {len(self.names)} entries agree; "
            f"worst {self.names[i]}: reverse {self.reverse[i]:.9g}, forward {forward}, "
            f"differences {self.differences[i]:.9g} ± {self.tolerances[i]:.1g}"
        )


def check_gradient(f: Callable[..., Any], x: Any, *args: Any) -> GradientCheck:
    r"""Compare the gradient of a function with forward mode and with finite differences.

    $$ \frac{\partial f}{\partial x_i} \approx \frac{f(x + h e_i) - f(x - h e_i)}{2h}, \qquad
       h = h_0, \tfrac{h_0}{2}, \dots, \tfrac{h_0}{2^{11}}, \quad h_0 = \tfrac{\max(|x_i|, 1)}{16} $$

    extrapolated to h = 0 in powers of h² (Ridders); of all extrapolations the one that agrees best with its neighbours
    counts, and the disagreement is its error.

    Args:
        f: `f(x, *args)` returns one number.
        x: an array or a tree of arrays of floats, in the precision in which the gradient is used. Differences take
            24 evaluations for each entry.
        args: handed to f.

    Returns:
        `GradientCheck`: true where all agree, with a text that names the worst entry.

    Raises:
        ArgumentError: f returns more than one number.
        ArgumentTypeError: x holds integers.

    Example:
        >>> print(check_gradient(lambda x: jnp.sum(x["w"] ** 2) * x["b"], {"w": jnp.array([1.0, 2.0]), "b": 3.0}))
        gradient right: 3 of 3 entries agree; worst ...

    Source: Ridders, Adv. Eng. Softw. 4 (1982) 75–76.
    """
    verb = "check_gradient"
    arguments.function(verb, f)
    x = arguments.known(verb, arguments.floats(verb, x))
    own, z = flat(arguments.checked(verb, f, scalar=True), x, *args)
    reverse = np.asarray(jax.jit(jax.grad(own))(z), float)
    differences, errors = _differences(own, z)
    precision = float(jnp.finfo(z.dtype).eps)
    scale = max(np.abs(differences[np.isfinite(differences)]).max(initial=0.0), 1e-300)
    tolerances = 4 * errors + precision**0.75 * scale
    return GradientCheck(_names(x), reverse, _forward(own, z), differences, tolerances, precision**0.75)


def _forward(f: Callable[[Array], Array], z: Array) -> Entries | None:
    """By forward mode, where f has it."""
    try:
        return np.asarray(jax.jit(jax.jacfwd(f))(z), float)
    except TypeError as error:
        if "custom_vjp" in str(error):
            return None
        raise


def _differences(f: Callable[[Array], Array], z: Array) -> tuple[Entries, Entries]:
    """The extrapolated difference quotients of all entries, and how far each may be off."""
    steps = jnp.asarray(np.maximum(np.abs(z), 1)[:, None] / 2.0 ** np.arange(4, 4 + LEVELS), z.dtype)

    @jax.jit
    def both_sides(entry: Array) -> Array:
        unit = jnp.zeros_like(z).at[entry].set(1)
        return jax.vmap(lambda h: jnp.stack([f(z + h * unit), f(z - h * unit)]))(steps[entry])

    sides = jax.lax.map(both_sides, jnp.arange(z.size), batch_size=min(TOGETHER, z.size))
    up, down, h, at = (np.asarray(each, float) for each in (sides[..., 0], sides[..., 1], steps, z[:, None]))
    quotients = (up - down) / (2 * h)
    noise = float(jnp.finfo(z.dtype).eps) * (np.abs(up) + np.abs(down) + np.abs(at) * np.abs(quotients)) / h
    return _extrapolated(quotients, noise)


def _extrapolated(rows: np.ndarray, noise: np.ndarray) -> tuple[Entries, Entries]:
    """Of Neville's triangle in h² the entry nearest to the two that it was made of, and how far it may be off."""
    best, error = rows[:, -1], np.full(len(rows), np.inf)
    for power in 4.0 ** np.arange(1, LEVELS):
        finer = (power * rows[:, 1:] - rows[:, :-1]) / (power - 1)
        noise = (power * noise[:, 1:] + noise[:, :-1]) / (power - 1)
        distance = np.maximum(np.abs(finer - rows[:, 1:]), np.abs(finer - rows[:, :-1])) + noise
        distance = np.where(np.isfinite(distance), distance, np.inf)
        place = distance.argmin(1)[:, None]
        nearest, value = (np.take_along_axis(each, place, 1)[:, 0] for each in (distance, finer))
        best, error = np.where(nearest < error, value, best), np.minimum(nearest, error)
        rows = finer
    return best, error


def _names(x: Any) -> tuple[str, ...]:
    """Where each entry stands in x, in the order of the flat vector."""
    return tuple(
        f"x{jax.tree_util.keystr(path)}{list(index) if index else ''}"
        for path, leaf in jax.tree_util.tree_leaves_with_path(x)
        for index in np.ndindex(np.shape(leaf))
    )
