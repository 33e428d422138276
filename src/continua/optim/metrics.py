"""Parts of a flow that say how long a direction is: entry by entry, or matrix by matrix."""

import math
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array
from optax.contrib import MuonDimensionNumbers

from continua.core import ArgumentError, one_of
from continua.optim.flows import Now, Params, Subflow
from continua.optim.inertia import Decay, corrected, relaxed, zeros

LEAST = 1e-8  # what squares are divided by at least
QUINTIC = (3.4445, -4.7750, 2.0315)  # Jordan et al., Muon (2024): steepest at zero, all of [0, 1] to within [.7, 1.2]


def square(g: Array) -> Array:
    """|g|², of complex entries too."""
    return g**2 if jnp.isrealobj(g) else jnp.real(g) ** 2 + jnp.imag(g) ** 2


class RootMeanSquare(Subflow):
    r"""The metric of Adam: each entry is measured by the root of the mean square of its gradients.

    $$ v' = \frac{g^2 - v}{\tau}, \qquad q \mapsto \frac{q}{\sqrt{\hat v + \epsilon_r} + \epsilon} $$

    Args:
        decay: $e^{-h/\tau}$.
        eps: ε, which keeps still entries from infinity.
        eps_root: ε_r, for those who differentiate through it.
    """

    decay: Decay
    eps: Decay = 1e-8
    eps_root: Decay = 0.0

    @property
    def counts(self) -> bool:
        """For the correction."""
        return True

    def start(self, params: Params) -> Params:
        """Zero."""
        return zeros(params)

    def step(self, now: Now, own: Params) -> tuple[Now, Params]:
        """The direction, divided."""
        mean = relaxed(self.decay, jax.tree.map(square, now.gradient), own)
        measured = corrected(mean, self.decay, now.number)
        direction = jax.tree.map(lambda q, v: q / (jnp.sqrt(v + self.eps_root) + self.eps), now.direction, measured)
        return now._replace(direction=direction), jax.tree.map(lambda v, old: v.astype(old.dtype), mean, own)


class MeanSquare(Subflow):
    r"""The metric of RMSProp, from a mean square that starts where it is told.

    $$ v' = \frac{g^2 - v}{\tau}, \qquad q \mapsto \frac{q}{\sqrt{v - m^2 + \epsilon}} $$

    Args:
        decay: $e^{-h/\tau}$.
        eps: ε.
        initial: v at the start.
        inside: whether ε stands under the root; else beside it.
        centred: whether m, the mean of the gradient, is taken off; else m = 0.
        correct: whether means are corrected for their start.
    """

    decay: Decay
    eps: Decay = 1e-8
    initial: Decay = 0.0
    inside: bool = eqx.field(static=True, default=True)
    centred: bool = eqx.field(static=True, default=False)
    correct: bool = eqx.field(static=True, default=False)

    @property
    def counts(self) -> bool:
        """For the correction."""
        return self.correct

    def start(self, params: Params) -> tuple[Params, Params]:
        """The mean square, and the mean where it is needed."""
        return jax.tree.map(lambda p: jnp.full_like(p, self.initial), params), zeros(params) if self.centred else ()

    def step(self, now: Now, own: tuple[Params, Params]) -> tuple[Now, Any]:
        """The direction, multiplied by the inverse root."""
        means = relaxed(self.decay, jax.tree.map(square, now.gradient), own[0]), own[1]
        if self.centred:
            means = means[0], relaxed(self.decay, now.gradient, own[1])
        squares, mean = corrected(means, self.decay, now.number) if self.correct else means
        variance = jax.tree.map(lambda v, m: v - square(m), squares, mean) if self.centred else squares
        direction = jax.tree.map(lambda v, q: self._inverse_root(v) * q, variance, now.direction)
        return now._replace(direction=direction), means

    def _inverse_root(self, v: Array) -> Array:
        """What the direction is multiplied by."""
        return jax.lax.rsqrt(v + self.eps) if self.inside else 1 / (jnp.sqrt(v) + self.eps)


class SumOfSquares(Subflow):
    r"""The metric of Adagrad, which only ever grows.

    $$ v' = g^2, \qquad q \mapsto \frac{q}{\sqrt{v + \epsilon}} $$

    Args:
        initial: v at the start.
        eps: ε.
    """

    initial: Decay = 0.1
    eps: Decay = 1e-7

    def start(self, params: Params) -> Params:
        """The sum that it starts from."""
        return jax.tree.map(lambda p: jnp.full_like(p, self.initial), params)

    def step(self, now: Now, own: Params) -> tuple[Now, Params]:
        """The direction, multiplied by the inverse root."""
        total = jax.tree.map(lambda g, v: square(g) + v, now.gradient, own)
        direction = jax.tree.map(
            lambda v, q: jnp.where(v > 0, jax.lax.rsqrt(v + self.eps), 0.0) * q, total, now.direction
        )
        return now._replace(direction=direction), total


class Sign(Subflow):
    r"""The steepest direction where length is the largest entry: $q \mapsto \operatorname{sign} q$."""

    def step(self, now: Now, own: Any) -> tuple[Now, Any]:
        """The sign of the direction."""
        return now._replace(direction=jax.tree.map(jnp.sign, now.direction)), own


class Spectral(Subflow):
    r"""The steepest direction where length is the largest singular value, for parameters that are matrices.

    $$ U \Sigma V^\top = q \mapsto \sqrt{\max(1, n/m)}\; U V^\top \qquad (q \in \mathbb R^{m \times n}) $$

    $U V^\top$ is where Newton and Schulz's iteration $X \mapsto a X + (b A + c A^2) X$ with $A = X X^\top$ takes a
    direction whose singular values are at most about one.

    Args:
        coefficients: (a, b, c) of every iteration, or one such row for each.
        iterations: how many.
        eps: keeps a direction of zero at zero.
        adaptive: whether the size of the direction is kept, in the dual norm.
        consistent: where given, the factor is this times √max(m, n) instead.
        preconditioning: what makes singular values small first: "frobenius" (division by the root of their squares'
            sum), "spectral" (by the largest), "schatten" (by the fourth root of the fourth powers' sum) or "aol" (row
            by row, which makes rows nearly orthogonal).
        dimensions: which axes of a parameter are the rows and which the columns of a matrix, all others being batches
            of matrices: optax's `MuonDimensionNumbers`, a tree of them, or a function that makes one.

    Source: Jordan et al., Muon (2024); Boissin et al., arXiv 2512.04632 (aol); Grishina et al., arXiv 2506.10935
    (schatten).
    """

    coefficients: Any = QUINTIC
    iterations: int = eqx.field(static=True, default=5)
    eps: Decay = 1e-8
    adaptive: bool = eqx.field(static=True, default=False)
    consistent: Decay | None = None
    preconditioning: str = eqx.field(static=True, default="frobenius")
    dimensions: Any = eqx.field(static=True, default=MuonDimensionNumbers())

    def __check_init__(self) -> None:
        """Refuses coefficients of another shape, and names that are none."""
        shape = np.shape(self.coefficients)
        if shape[-1:] != (3,) or len(shape) > 2:
            raise ArgumentError(f"`ns_coeffs` must be three numbers, or rows of three. Got shape {shape}.")
        if len(shape) == 2 and shape[0] > self.iterations:
            raise ArgumentError(f"`ns_coeffs` must not have more rows than `ns_steps`. Got {shape[0]} rows.")
        one_of("muon", "preconditioning", self.preconditioning, PRECONDITIONINGS)

    def step(self, now: Now, own: Any) -> tuple[Now, Any]:
        """The directions, matrix by matrix."""

        def turned(dimensions: Any, part: Params) -> Params:
            return jax.tree.map(lambda q: self._matrices(q, dimensions), part)

        return now._replace(direction=over_dimensions(turned, self.dimensions, now.direction)), own

    def _matrices(self, q: Array, dimensions: MuonDimensionNumbers) -> Array:
        """One direction, as a batch of matrices."""
        rows, columns = (_axes(axes, q.ndim) for axes in dimensions)
        batch = tuple(axis for axis in range(q.ndim) if axis not in rows + columns)
        order = batch + rows + columns
        if len(set(order)) < len(order) or not rows or not columns:
            raise ArgumentError(
                f"`muon_weight_dimension_numbers` must name axes for rows and others for columns. Got {dimensions} "
                f"for shape {q.shape}."
            )
        m, n = (math.prod(q.shape[axis] for axis in axes) for axes in (rows, columns))
        turned = q.transpose(order)
        rotation = jax.vmap(self._orthogonal)(turned.reshape(-1, m, n)).reshape(turned.shape)
        rotation = rotation.transpose(np.argsort(order))
        if self.adaptive:
            rotation = jnp.sum(q.conj() * rotation) * rotation
        if self.consistent is None:
            return jnp.sqrt(jnp.maximum(1, n / m)).astype(q.dtype) * rotation
        return (jnp.sqrt(jnp.maximum(m, n)) * self.consistent).astype(q.dtype) * rotation

    def _orthogonal(self, q: Array) -> Array:
        """U Vᵀ, nearly."""
        wide = q.T if q.shape[0] > q.shape[1] else q
        rows = jnp.asarray(self.coefficients, q.dtype)
        rows = rows if rows.ndim == 2 else jnp.broadcast_to(rows, (self.iterations, 3))
        wide, gram = PRECONDITIONINGS[self.preconditioning](wide, self.eps)
        for row in rows:
            gram = wide @ wide.T.conj() if gram is None else gram
            wide, gram = row[0] * wide + (row[1] * gram + row[2] * gram @ gram) @ wide, None
        return wide.T if q.shape[0] > q.shape[1] else wide


def over_dimensions(function: Callable[[Any, Params], Params], dimensions: Any, params: Params) -> Params:
    """The function of each dimension numbers, or None, and of the part of the parameters that they speak of."""
    tree = dimensions(params) if callable(dimensions) else dimensions
    return jax.tree.map(function, tree, params, is_leaf=lambda d: d is None or isinstance(d, MuonDimensionNumbers))


def _axes(axes: Any, rank: int) -> tuple[int, ...]:
    """As a tuple, counted from the front."""
    return tuple(axis % rank for axis in ((axes,) if isinstance(axes, int) else axes))


def _by_rows(x: Array) -> tuple[Array, Array]:
    """Each row divided by the root of its products' sum with all rows, and the products then."""
    gram = x @ x.T.conj()
    scale = jax.lax.rsqrt(jnp.maximum(jnp.abs(gram).sum(-1), LEAST))[:, None]
    return x * scale, gram * scale * scale.T


def _by_fourth_powers(x: Array) -> tuple[Array, Array]:
    """All divided by the fourth root of the sum of singular values' fourth powers, and the products of rows then."""
    gram = x @ x.T.conj()
    scale = jax.lax.rsqrt(jnp.maximum(jnp.linalg.norm(gram, ord="fro"), LEAST))
    return x * scale, gram * scale**2


# What makes singular values at most about one, and the products of rows where it has them at hand.
PRECONDITIONINGS: dict[str, Callable[[Array, Any], tuple[Array, Array | None]]] = {
    "frobenius": lambda x, eps: (x / (jnp.linalg.norm(x, ord="fro") + eps), None),
    "spectral": lambda x, eps: (x / (jnp.linalg.norm(x, ord=2) + eps), None),
    "aol": lambda x, eps: _by_rows(x),
    "schatten": lambda x, eps: _by_fourth_powers(x),
}
