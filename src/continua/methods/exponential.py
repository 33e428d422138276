"""Exponential methods: the linear part of a sum is stepped exactly, however fast it is."""

from collections.abc import Callable
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Inexact

from continua.calculus import doubled, phi, phi_of_matrix
from continua.core import Args, ArgumentError, ArgumentTypeError, FlatState, Instant, State
from continua.equations import Linear, LinearTerm, Matrix, SplitODE
from continua.methods.method import Method, Part, Slope, Step

Product = Callable[[int, float, State], State]  # of φₖ(share · hL) and a state; the share is 1/2 or 1


class Exponential(Method):
    r"""What exponential methods share: products with φₖ(hL), where L is the linear part, and N, the rest.

    $$ y' = L y + N(t, y), \qquad \varphi_0(z) = e^z, \qquad \varphi_{k+1}(z) = \frac{\varphi_k(z) - 1/k!}{z} $$

    The equation is a `SplitODE` whose `stiff` part is a `Diagonal`, a `Matrix` or another `LinearTerm`; or such a term
    or a `Linear` alone. Functions of a matrix are kept as long as the step does not change, so fixed steps suit them;
    those of a diagonal cost next to nothing. Dense output is a shorter step from the start of the same step, of the
    method's order. `highest` is the largest k.
    """

    highest: ClassVar[int]
    adaptive = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.dense_order = cls.order

    def parts(self, equation: Slope) -> dict[str, Part]:
        """The rest; L where its functions are kept as matrices, else products with φₖ(hL), with h in the place of t."""
        term, rest = _in_two(self, equation)
        if term.dense:
            return {"rest": Part(rest), "L": Part(term)}

        def product(order: int) -> Part:
            return Part(lambda h, y, args: term.phi(order, h, y))

        return {"rest": Part(rest)} | {f"φ{k}": product(k) for k in range(self.highest + 1)}

    def start(self, equation: Slope, t: Instant, y: State, args: Args) -> Any:
        """The first N, and the functions of a matrix for no step yet."""
        first = self._rest(equation)(t, y, args)
        if "L" not in dict(getattr(equation, "flat_parts", ())):
            return first, None
        nothing = jnp.zeros((2 * self.highest + 2, len(y), *y.shape), y.dtype)
        return first, (jnp.full_like(t, jnp.inf), nothing)

    def advance(self, equation: Slope, t: Instant, h: Instant, y: State, args: Args) -> State:
        """The step map; functions of a matrix are made for it, without looking at any cache."""
        step = self.step(equation, t, h, y, args, (self._rest(equation)(t, y, args), None))
        return jax.tree.map(jnp.add, y, step.increment)

    def interpolate(self, equation: Slope, t: Instant, h: Instant, y: State, args: Args, theta: Instant) -> State:
        """A shorter step."""
        return self.advance(equation, t, theta * h, y, args)

    def _rest(self, equation: Slope) -> Slope:
        flat = dict(getattr(equation, "flat_parts", ()))
        return flat["rest"] if flat else _in_two(self, equation)[1]

    def _products(self, equation: Slope, h: Instant, args: Args, y: State, kept: Any) -> tuple[Product, Any]:
        """Products with the functions, and what is to be kept for the next step."""
        flat = dict(getattr(equation, "flat_parts", ()))
        if not flat:
            term, _ = _in_two(self, equation)
            return lambda k, share, v: term.phi(k, share * h, v), None
        if "L" not in flat:
            return lambda k, share, v: flat[f"φ{k}"](share * h, v, args), None

        def made() -> Array:
            return _matrices(self.highest, lambda v: h / 2 * flat["L"](h, v, args), y)

        matrices = made() if kept is None else lax.cond(jnp.all(h == kept[0]), lambda: kept[1], made)

        def product(k: int, share: float, v: FlatState) -> FlatState:
            return jnp.einsum("ij...,j...->i...", matrices[k if share < 1 else k + self.highest + 1], v)

        return product, (h, matrices)


def _matrices(highest: int, half: Callable[[FlatState], FlatState], y: FlatState) -> Array:
    """The functions of hL/2, then those of hL, [function, state, state, …], from products with hL/2."""
    identity = jnp.eye(len(y), dtype=y.dtype).reshape(len(y), len(y), *[1] * (y.ndim - 1))
    columns = jax.vmap(half)(jnp.broadcast_to(identity, (len(y), *y.shape)))
    phis = phi_of_matrix(highest, jnp.moveaxis(columns, (1, 0), (-2, -1)))
    return jnp.moveaxis(jnp.stack([*phis, *doubled(phis)]), (-2, -1), (1, 2))


def _in_two(method: Method, equation: Slope) -> tuple[LinearTerm, Slope]:
    """The linear term and the rest of an equation, or an error that names a method that fits."""
    if isinstance(equation, Linear):
        return Matrix(equation.A), lambda t, y, args: equation.b.astype(y.dtype)
    if isinstance(equation, LinearTerm):
        return equation, lambda t, y, args: jax.tree.map(jnp.zeros_like, y)
    name = type(method).__name__
    if not isinstance(equation, SplitODE):
        raise ArgumentTypeError(
            f"`equation` of `{name}` must have a linear part. Got {type(equation).__name__}. "
            "Use SplitODE(Diagonal(eigenvalues), rest), SplitODE(Matrix(A), rest), or method=Rodas5P()."
        )
    if not isinstance(equation.stiff, LinearTerm):
        raise ArgumentTypeError(
            f"`stiff` of `SplitODE` must be a Diagonal or a Matrix for `{name}`. Got {type(equation.stiff).__name__}. "
            "Use method=KenCarp4() for a stiff part that is a function."
        )
    return equation.stiff, equation.rest


class ETD1(Exponential):
    r"""Exponential Euler, order 1 (exponential time differencing, zero-order hold).

    $$ y_{n+1} = \varphi_0(hL) y_n + h \varphi_1(hL) N(t_n, y_n), \qquad
       e = h \varphi_2(hL) \big( N(t_{n+1}, y_{n+1}) - N(t_n, y_n) \big) $$

    Exact where N is constant, with steps of any length: linear equations, and inputs that are held from sample to
    sample. One evaluation of N a step.

    Good for: linear equations; the linear part of a `Strang` splitting; state-space models (see `zero_order_hold`).

    Example:
        >>> import continua
        >>> spiral = Linear([[-0.1, -1.0], [1.0, -0.1]], [0.0, 0.0])
        >>> solution = continua.solve(spiral, jnp.array([1.0, 0.0]), [0.0, 10.0], method=ETD1())
        >>> print(f"{solution.ys[-1, 0]:.4f} = {jnp.exp(-1.0) * jnp.cos(10.0):.4f}")
        -0.3087 = -0.3087

    Source: Hochbruck & Ostermann, Exponential integrators, Acta Numerica 19 (2010) 209–286, section 2; the estimate is
    the correction of ETD2RK in Cox & Matthews, J. Comput. Phys. 176 (2002) 430–455.
    """

    order = 1
    error_order = 2
    highest = 2

    def step(self, equation: Slope, t: Instant, h: Instant, y: State, args: Args, cache: Any) -> Step:
        """One exponential step."""
        n0, kept = self.start(equation, t, y, args) if cache is None else cache
        product, kept = self._products(equation, h, args, y, kept)
        flow, drive = product(0, 1.0, y), product(1, 1.0, n0)
        increment = jax.tree.map(lambda e, y, d: e - y + h * d, flow, y, drive)
        n1 = self._rest(equation)(t + h, jax.tree.map(jnp.add, y, increment), args)
        error = product(2, 1.0, jax.tree.map(lambda a, b: h * (a - b), n1, n0))
        return Step(increment, error, (n1, kept))


class ETDRK4(Exponential):
    r"""Exponential time differencing with the classical Runge–Kutta stages, order 4, and an estimate of order 3.

    $$ a = E y_n + P N_0, \quad b = E y_n + P N_a, \quad c = E a + P (2 N_b - N_0), \qquad
       E = \varphi_0(\tfrac{hL}2), \quad P = \tfrac h2 \varphi_1(\tfrac{hL}2) $$
    $$ y_{n+1} = \varphi_0 y_n + h \big( \varphi_1 N_0 + \varphi_2 (2 N_a + 2 N_b - 3 N_0 - N_c)
       + 4 \varphi_3 (N_0 - N_a - N_b + N_c) \big), \qquad e = h\, |(4 \varphi_3 - \varphi_2)(N_c - N_{n+1})| + q $$

    where q is for a rest that changes with time alone, of which the first term sees nothing: from differences of N,
    (the second)² / the first.

    Four evaluations of N a step: that of the end, for the estimate, is the next step's first.

    Good for: spectral discretisations of Kuramoto–Sivashinsky, Korteweg–de Vries, Allen–Cahn and the like, with fixed
    steps or tolerances. What `solve` takes for a `SplitODE` with a `Diagonal` unless told otherwise.

    Source: Cox & Matthews, J. Comput. Phys. 176 (2002) 430–455; Kassam & Trefethen, SIAM J. Sci. Comput. 26 (2005)
    1214–1233; the estimate: Whalen, Brio & Moloney, J. Comput. Phys. 280 (2015) 579–601.
    """

    order = 4
    error_order = 4
    evaluations = 4
    highest = 3

    def step(self, equation: Slope, t: Instant, h: Instant, y: State, args: Args, cache: Any) -> Step:
        """One exponential step."""
        n0, kept = self.start(equation, t, y, args) if cache is None else cache
        rest = self._rest(equation)
        product, kept = self._products(equation, h, args, y, kept)

        def plus(x: State, slope: State) -> State:
            return jax.tree.map(lambda x, p: x + (h / 2) * p, x, product(1, 0.5, slope))

        half = product(0, 0.5, y)
        a = plus(half, n0)
        na = rest(t + h / 2, a, args)
        nb = rest(t + h / 2, plus(half, na), args)
        nc = rest(t + h, plus(product(0, 0.5, a), jax.tree.map(lambda b, o: 2 * b - o, nb, n0)), args)
        bend = jax.tree.map(lambda o, a, b, c: 2 * (a + b) - 3 * o - c, n0, na, nb, nc)
        twist = jax.tree.map(lambda o, a, b, c: 4 * (o - a - b + c), n0, na, nb, nc)
        terms = (product(0, 1.0, y), product(1, 1.0, n0), product(2, 1.0, bend), product(3, 1.0, twist))
        increment = jax.tree.map(lambda y, e, *ps: e - y + h * (ps[0] + ps[1] + ps[2]), y, *terms)
        n1 = rest(t + h, jax.tree.map(jnp.add, y, increment), args)
        late, rise, bow = (
            jax.tree.map(
                lambda *ns, signs=signs: h * sum(w * n for w, n in zip(signs, ns, strict=True)), n0, na, nb, nc, n1
            )
            for signs in ((0, 0, 0, 1, -1), (-1, 0, 0, 0, 1), (1, -1, -1, 0, 1))
        )
        stages = jax.tree.map(lambda p3, p2: 4 * p3 - p2, product(3, 1.0, late), product(2, 1.0, late))
        bent = jax.tree.map(lambda p3, p2: 4 * p3 - 2 * p2, product(3, 1.0, bow), product(2, 1.0, bow))
        error = jax.tree.map(_either, stages, bent, product(2, 1.0, rise))
        return Step(increment, error, (n1, kept))


def _either(stages: Array, bent: Array, rise: Array) -> Array:
    """The stages' estimate, of order 4 in h, and a quadrature's of the same order: the first sees no change in time.

    The second is (second difference)² / first difference, and a tenth of it, since Simpson's rule is better than that.
    """
    size = jnp.sqrt(jnp.abs(bent) ** 2 + jnp.abs(rise) ** 2)
    return jnp.abs(stages) + 0.1 * jnp.abs(bent) ** 2 / jnp.where(size > 0, size, 1)


def zero_order_hold(
    A: Inexact[Array, "state state"] | Inexact[Array, " state"], B: Inexact[Array, "state input"], h: Any
) -> tuple[Array, Array]:
    r"""A linear system with inputs that are held for a time h, as a recurrence; a step of `ETD1`.

    $$ x' = A x + B u \quad\to\quad x_{n+1} = \bar A x_n + \bar B u_n, \qquad
       \bar A = e^{hA}, \qquad \bar B = h \varphi_1(hA) B $$

    Args:
        A: [state, state], or [state] for a diagonal one; real or complex.
        B: [state, input].
        h: how long an input is held, in the unit of time.

    Returns:
        Ā like A, and B̄ [state, input].

    Good for: state-space sequence models (S4, S5, Mamba), sampled control.

    Example:
        >>> decay, drive = zero_order_hold(jnp.array([-1.0]), jnp.array([[2.0]]), 0.5)
        >>> print(f"{decay[0]:.4f} {drive[0, 0]:.4f}")
        0.6065 0.7869
    """
    A, B = jnp.asarray(A), jnp.asarray(B)
    if A.ndim not in (1, 2) or A.shape != (len(A),) * A.ndim or B.ndim != 2 or len(B) != len(A):
        raise ArgumentError(
            "`A` and `B` of `zero_order_hold` must be [state, state] or [state], and [state, input]. "
            f"Got {list(A.shape)} and {list(B.shape)}. Use B[:, None] for one input."
        )
    scaled = jnp.asarray(h).astype(A.dtype) * A
    kind = np.promote_types(A.dtype, B.dtype)
    if A.ndim == 1:
        return phi(0, scaled), (jnp.asarray(h).astype(A.dtype) * phi(1, scaled)).astype(kind)[:, None] * B.astype(kind)
    flow, held = phi_of_matrix(1, scaled)
    return flow, (jnp.asarray(h).astype(A.dtype) * held).astype(kind) @ B.astype(kind)
