"""The expressions of a vector field have the values of the vector field."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from continua.show import NotExpressible, evaluate, expand, text, trace_expressions

CONSTANT = np.array([[1.0, -2.0, 0.5], [0.0, 3.0, 1.0], [0.25, 0.0, -1.0]])
STATES = ("x", "y", "z")
SHAPES = {"k": (), "b": (3,), "A": (3, 3)}


@jax.custom_jvp
def softened(x):
    return jnp.sqrt(1 + x**2)


@softened.defjvp
def _(primals, tangents):
    return softened(primals[0]), tangents[0] * primals[0] / softened(primals[0])


@jax.custom_vjp
def doubled(x):
    return 2 * x


doubled.defvjp(lambda x: (2 * x, None), lambda _, cotangent: (2 * cotangent,))

FIELDS = {
    "stack": lambda t, y, p: jnp.stack([p["k"] * y[0], -y[1], y[0] * y[2] - p["b"][1]]),
    "array": lambda t, y, p: jnp.array([y[-1], y[0] / p["k"], t * y[1]]),
    "linear": lambda t, y, p: p["A"] @ y + p["b"],
    "constant matrix": lambda t, y, p: jnp.asarray(CONSTANT, y.dtype) @ y - 0.1 * y,
    "einsum": lambda t, y, p: jnp.einsum("ij,j,i->i", p["A"], y, y),
    "batched": lambda t, y, p: jnp.einsum("ij,ij->i", p["A"], p["A"] * y[None, :]),
    "outer": lambda t, y, p: (y[:, None] * y[None, :]).sum(axis=1) + jnp.sum(p["A"], axis=0),
    "functions": lambda t, y, p: jnp.sin(y) * jnp.cos(t) + jnp.tan(0.1 * y) + jnp.tanh(y) + jnp.exp(-y) + jnp.log(y),
    "more functions": lambda t, y, p: jnp.sinh(y) + jnp.cosh(y) + jnp.arctan(y) + jnp.log1p(y) + jnp.expm1(y),
    "powers": lambda t, y, p: y**2 + y**-3 + y**0.5 + y ** p["k"] + jnp.sqrt(y) + jax.lax.rsqrt(y) + 2.0**y,
    "square": lambda t, y, p: jnp.square(y) + jax.lax.integer_pow(y, 4) + jax.nn.sigmoid(y),
    "kinks": lambda t, y, p: jnp.abs(y - 1) + jnp.sign(y - 1) + jnp.maximum(y, 1) * jnp.minimum(y, 2) + jax.nn.relu(y),
    "clip": lambda t, y, p: jnp.clip(y, 0.5, 1.2) + y.max() - y.min(),
    "moves": lambda t, y, p: jnp.concatenate([y[1:], y[:1]]) + y[::-1] + jnp.roll(y, 1) + p["A"].T.reshape(-1)[:3],
    "gather": lambda t, y, p: y[jnp.array([2, 0, 0])] * p["A"][np.array([0, 1, 2]), np.array([2, 1, 0])],
    "dynamic slice": lambda t, y, p: jax.lax.dynamic_slice(y, (1,), (1,)) + p["A"][1],
    "scatter": lambda t, y, p: jnp.zeros_like(y).at[0].set(y[1]).at[2].set(-y[0] * p["k"]),
    "update": lambda t, y, p: jax.lax.dynamic_update_slice(y, p["b"][:2], (1,)),
    "where": lambda t, y, p: jnp.where(np.array([True, False, True]), y, p["b"]),
    "pad": lambda t, y, p: jnp.pad(y[:2], (1, 0)) + jnp.diff(jnp.append(y, 0.0)),
    "split": lambda t, y, p: jnp.concatenate(jnp.split(y, 3)[::-1]),
    "product": lambda t, y, p: jnp.prod(y) * jnp.ones_like(y),
    "jit": lambda t, y, p: jax.jit(lambda v: v * p["k"])(y),
    "checkpoint": lambda t, y, p: jax.checkpoint(lambda v: jnp.sin(v) * p["k"])(y),
    "custom derivatives": lambda t, y, p: softened(y) + doubled(y),
    "stopped": lambda t, y, p: jax.lax.stop_gradient(y) * y.astype(y.dtype),
    "vmap": lambda t, y, p: jax.vmap(lambda row, x: row @ y * x)(p["A"], y),
    "gradient": lambda t, y, p: -jax.grad(lambda v: jnp.sum(p["b"] * v**4) + v[0] * jnp.sin(v[1]))(y),
    "constants": lambda t, y, p: y * jnp.arange(3, dtype=y.dtype) + jnp.linspace(0.0, 1.0, 3, dtype=y.dtype),
}


def point(seed):
    generator, dtype = np.random.default_rng(seed), jnp.result_type(float)
    y = generator.uniform(0.5, 1.5, 3).astype(dtype)
    p = {name: np.asarray(generator.uniform(0.5, 1.5, shape), dtype) for name, shape in SHAPES.items()}
    t = np.asarray(generator.uniform(0.5, 1.5), dtype)
    values = {"t": float(t), "k": float(p["k"]), **dict(zip(STATES, y.tolist(), strict=True))}
    values |= {f"b_{i + 1}": float(p["b"][i]) for i in range(3)}
    values |= {f"A_{i + 1}{j + 1}": float(p["A"][i, j]) for i in range(3) for j in range(3)}
    return t, y, p, values


@pytest.mark.parametrize("name", FIELDS)
def test_expressions_have_the_values_of_the_function(name):
    field = FIELDS[name]
    traced = trace_expressions(field, y=STATES, p=SHAPES)
    for seed in range(3):
        t, y, p, values = point(seed)
        expected = np.asarray(field(jnp.asarray(t), jnp.asarray(y), jax.tree.map(jnp.asarray, p)))
        np.testing.assert_allclose([evaluate(e, values) for e in traced], expected, rtol=2e-5, atol=2e-5)
        np.testing.assert_allclose([evaluate(expand(e), values) for e in traced], expected, rtol=5e-5, atol=5e-5)


@pytest.mark.parametrize(
    ("field", "named"),
    [
        (lambda t, y, p: jax.lax.fori_loop(0, 3, lambda _, v: v * 2, y), "scan|while"),
        (lambda t, y, p: jnp.where(y > 0, y, -y), "`gt`"),
        (lambda t, y, p: jnp.sort(y), "`sort`"),
        (lambda t, y, p: y[jnp.argmax(y)] * y, "`argmax`"),
        (lambda t, y, p: jax.scipy.special.erf(y), "`erf`"),
        (lambda t, y, p: y.astype(jnp.int32).astype(jnp.float32), "`convert_element_type`"),
        (lambda t, y, p: y[:2], "shapes"),
        (lambda t, y, p: (y, y), "shapes"),
        (lambda t, y, p: y * jnp.inf, "not finite"),
    ],
)
def test_what_has_no_formula_is_named(field, named):
    with pytest.raises(NotExpressible, match=named):
        trace_expressions(field, y=STATES, p=SHAPES)


def test_float32_constants_are_printed_as_written():
    with jax.enable_x64(False):
        (rate,) = trace_expressions(lambda t, y, p: -0.1 * y + jnp.full(1, 2.7), y=("x",))
    assert text(rate) == "−0.1 x + 2.7"


def test_double_precision():
    with jax.enable_x64(True):
        (rate,) = trace_expressions(lambda t, y, p: 0.123456789012 * y, y=("x",), p={})
    assert text(rate) == "0.123456789012 x"


def test_parameters_may_be_given_as_arrays_and_names_grow_commas():
    (rate,) = trace_expressions(lambda t, y, p: p["w"][11:] * y, y=("x",), p={"w": np.zeros(12)})
    assert text(rate) == "w₁₂ x"
    rates = trace_expressions(lambda t, y, p: p["W"] @ y, y=[f"x{k}" for k in range(11)], p={"W": np.zeros((11, 11))})
    assert text(rates[0]).startswith("W₁,₁ x0 + W₁,₂ x1")


def test_the_order_of_writing_is_kept():
    def lotka_volterra(t, y, p):
        hare, lynx = y
        return jnp.stack([p["alpha"] * hare - p["beta"] * hare * lynx, hare * p["delta"] * lynx - lynx * p["gamma"]])

    rates = trace_expressions(
        lotka_volterra, y=("hare", "lynx"), p=dict.fromkeys(("alpha", "beta", "gamma", "delta"), ())
    )
    assert [text(rate) for rate in rates] == ["α hare − β hare·lynx", "δ hare·lynx − γ lynx"]
