"""Derivatives by name: of one variable and of several, whole or in one direction.

An operator takes a function and returns a function of the same arguments; it differentiates by the first of them.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree

from continua.calculus import arguments
from continua.calculus.colouring import compression
from continua.calculus.dependence import sparsity
from continua.calculus.series import HIGHEST, derivatives_at
from continua.core import ArgumentError, count


def derivative(f: Callable[..., Any], order: int = 1) -> Callable[..., Any]:
    r"""The derivative of a function of one number, of any order.

    $$ f^{(n)}(x) = \frac{d^n f}{dx^n} $$

    Args:
        f: `f(x, *args)` of one number x; it returns an array or a tree of them.
        order: n ≥ 1.

    Returns:
        A function of (x, *args) that gives what f gives, differentiated n times by x.

    Raises:
        ArgumentError: x is no single finite number, or the derivative is not finite there.
        ArgumentTypeError: x is an integer, or f is no function of floats.

    Example:
        >>> print(derivative(jnp.sin)(0.0), derivative(lambda x: x**4, order=3)(2.0))
        1.0 48.0
    """
    arguments.function("derivative", f)
    order = count("derivative", "order", order, HIGHEST)

    def operator(x: Any, *args: Any) -> Any:
        x = arguments.number("derivative", x)
        own = arguments.checked("derivative", f)
        return arguments.finite("derivative", derivatives_at(lambda x: own(x, *args), x, order)[-1], x)

    return operator


def gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    r"""The direction in which a function of several variables grows fastest, and how fast.

    $$ \nabla f = \Big(\frac{\partial f}{\partial x_1}, \dots, \frac{\partial f}{\partial x_n}\Big) $$

    Args:
        f: `f(x, *args)` returns one number; x is an array or a tree of arrays of floats.

    Returns:
        A function of (x, *args) that gives the partial derivatives in the structure and shapes of x.

    Raises:
        ArgumentError: f returns more than one number, or the gradient is not finite.
        ArgumentTypeError: x holds integers.

    Example:
        >>> print(gradient(lambda x: x[0] ** 2 + x[1] ** 2)(jnp.array([1.0, 3.0])))
        [2. 6.]
    """
    return _of_one_number("gradient", f, jax.grad)


def hessian(f: Callable[..., Any]) -> Callable[..., Any]:
    r"""All second derivatives of a function of several variables, forward over reverse.

    $$ H_{ij} = \frac{\partial^2 f}{\partial x_i\, \partial x_j} $$

    Args:
        f: `f(x, *args)` returns one number.

    Returns:
        A function of (x, *args) that gives [*shape of x, *shape of x]; for a tree, a tree of such trees.

    Raises:
        ArgumentError: f returns more than one number, or the result is not finite.
        ArgumentTypeError: x holds integers.

    Example:
        >>> print(hessian(lambda x: x[0] ** 2 * x[1])(jnp.array([1.0, 3.0])))
        [[6. 2.]
         [2. 0.]]
    """
    return _of_one_number("hessian", f, jax.hessian)


def _of_one_number(verb: str, f: Callable[..., Any], transformation: Callable) -> Callable[..., Any]:
    """An operator of JAX with a door."""
    arguments.function(verb, f)

    def operator(x: Any, *args: Any) -> Any:
        x = arguments.floats(verb, x)
        own = arguments.checked(verb, f, scalar=True)
        return arguments.finite(verb, transformation(own)(x, *args), x)

    return operator


def jacobian(f: Callable[..., Any], *, sparse: bool = False) -> Callable[..., Any]:
    r"""All first derivatives of a function with several outputs.

    $$ J_{ij} = \frac{\partial f_i}{\partial x_j} $$

    It is found forward, a product with J for each input, or in reverse, a product with its transpose for each output,
    whichever are fewer.

    Args:
        f: `f(x, *args)` returns an array or a tree of arrays.
        sparse: read from the program of f which entries can differ from 0, and let columns that meet in no row share a
            product. For x [n] and f [m]; pays where each output reads few inputs.

    Returns:
        A function of (x, *args) that gives [*shape of f, *shape of x]; for trees, a tree of trees.

    Raises:
        ArgumentError: a shape cannot be used, or the result is not finite.
        ArgumentTypeError: x or f(x) holds integers.

    Example:
        >>> print(jacobian(lambda x: jnp.stack([x[0] * x[1], x[1]]))(jnp.array([2.0, 3.0])))
        [[3. 2.]
         [0. 1.]]
    """
    arguments.function("jacobian", f)

    def operator(x: Any, *args: Any) -> Any:
        x = arguments.floats("jacobian", x)
        own = arguments.checked("jacobian", f)
        found = own(x, *args)
        if sparse:
            return arguments.finite("jacobian", _compressed(lambda x: own(x, *args), x, found), x)
        inputs, outputs = (sum(jnp.size(leaf) for leaf in jax.tree.leaves(tree)) for tree in (x, found))
        transformation = jax.jacfwd if inputs <= outputs else jax.jacrev
        return arguments.finite("jacobian", transformation(own)(x, *args), x)

    return operator


def _compressed(f: Callable[[Any], Any], x: Any, found: Any) -> jax.Array:
    """By one product for each colour of the columns."""
    for name, value in (("x", x), ("f(x)", found)):
        if not isinstance(value, jax.Array) or value.ndim != 1:
            raise ArgumentError(
                f"`{name}` of `jacobian` with sparse=True must be one array [n]. Got {arguments.layout(value)}. "
                "Use jax.flatten_util.ravel_pytree."
            )
    pattern = sparsity(f, x)
    colours = compression(pattern)
    _, push = jax.linearize(f, x)
    products = jax.vmap(push)(jnp.asarray(colours.seeds, x.dtype))
    return jnp.where(pattern, products[colours.colours].T, jnp.zeros((), found.dtype))


def hvp(f: Callable[[Any], Any], x: Any, v: Any) -> Any:
    r"""The Hessian times a vector, without the Hessian: forward over reverse, for the price of a few gradients.

    $$ H v = \frac{d}{d\varepsilon} \nabla f(x + \varepsilon v) \Big|_{\varepsilon = 0} $$

    Args:
        f: `f(x)` returns one number.
        x: an array or a tree of floats.
        v: like x.

    Returns:
        Hv, like x.

    Raises:
        ArgumentError: v is not like x, or f returns more than one number.
        ArgumentTypeError: x or v holds integers.

    Example:
        >>> print(hvp(lambda x: jnp.sum(x**3), jnp.array([1.0, 2.0]), jnp.array([1.0, 1.0])))
        [ 6. 12.]
    """
    return _along("hvp", f, x, v, jax.grad, scalar=True)


def directional(f: Callable[[Any], Any], x: Any, v: Any) -> Any:
    r"""How fast a function changes where x moves with velocity v, forward and in one pass.

    $$ D_v f(x) = \frac{d}{d\varepsilon} f(x + \varepsilon v) \Big|_{\varepsilon = 0} = \nabla f \cdot v $$

    Args:
        f: `f(x)` returns an array or a tree of arrays.
        x: an array or a tree of floats.
        v: like x, as long as it is: for the slope in a direction give one of length 1.

    Returns:
        What f gives, per unit of v.

    Raises:
        ArgumentError: v is not like x, or the result is not finite.
        ArgumentTypeError: x or v holds integers.

    Example:
        >>> print(directional(lambda x: jnp.sum(x**2), jnp.array([1.0, 2.0]), jnp.array([0.6, 0.8])))
        4.4
    """
    return _along("directional", f, x, v, lambda f: f)


def _along(verb: str, f: Any, x: Any, v: Any, of: Callable[[Callable], Callable], scalar: bool = False) -> Any:
    """The forward derivative of `of(f)` at x along v."""
    arguments.function(verb, f)
    x = arguments.floats(verb, x)
    own = arguments.checked(verb, f, scalar=scalar)
    return arguments.finite(verb, jax.jvp(of(own), (x,), (arguments.like(verb, v, x),))[1], x)


def flat(f: Callable[..., Any], x: Any, *args: Any) -> tuple[Callable[[jax.Array], Any], jax.Array]:
    """The function of one vector [n] that f is, and the vector that x is."""
    vector, unravel = ravel_pytree(x)
    return lambda z: f(unravel(z), *args), vector
