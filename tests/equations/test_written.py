"""An equation from text is the equation that a class would be: same slopes, same gradients, same solution."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import continua
from continua.core import ContinuaError
from continua.equations import Lorenz, LotkaVolterra, Written, parameter_values, parse, python_text
from continua.equations.written import ARRAY_FUNCTIONS
from continua.show import FUNCTIONS, evaluate, kinds_of, text, trace_expressions

PREY = "dx/dt = alpha*x - beta*x*y\ndy/dt = delta*x*y - gamma*y"
LORENZ = "x' = sigma*(y - x)\ny' = x*(rho - z) - y\nz' = x*y - beta*z"
START = jnp.array([30.0, 4.0])
TIMES = jnp.linspace(0.0, 12.0, 13)


def values_of(equation):
    return {name: float(value) for name, value in parameter_values(equation).items()}


def slope(equation, y, t=0.7, args=None):
    return equation(jnp.asarray(t), jnp.asarray(y), args)


@pytest.mark.core
@pytest.mark.parametrize(("written", "named"), [(PREY, LotkaVolterra()), (LORENZ, Lorenz())], ids=["prey", "lorenz"])
def test_slopes_are_those_of_the_named_class(written, named):
    equation = Written.from_text(written, values_of(named))
    y = np.random.default_rng(0).uniform(1.0, 3.0, len(equation.states))
    np.testing.assert_allclose(slope(equation, y), slope(named, y), rtol=1e-14)


@pytest.mark.core
def test_solution_is_that_of_the_named_class():
    named = LotkaVolterra()
    equation = Written.from_text(PREY, values_of(named))
    own, theirs = (continua.solve(e, START, TIMES, rtol=1e-10, atol=1e-10).ys for e in (equation, named))
    np.testing.assert_allclose(own, theirs, rtol=1e-9)


def test_gradient_of_a_solution():
    r"""x' = −k x + c: x(T) = c/k + (1 − c/k) exp(−k T) from 1."""
    equation = Written.from_text("x' = -k*x + c", {"k": 0.5, "c": 0.2})
    times = jnp.array([0.0, 2.0])
    gradient = jax.grad(lambda e: continua.solve(e, jnp.ones(1), times, rtol=1e-10, atol=1e-10).ys[-1, 0])(equation)
    decay = np.exp(-1.0)
    assert float(gradient.parameters["c"]) == pytest.approx((1 - decay) / 0.5, rel=1e-8)
    assert float(gradient.parameters["k"]) == pytest.approx(-0.8 * (1 - decay) - 2 * 0.6 * decay, rel=1e-8)


def test_gradients_are_the_closed_forms():
    r"""d/dp of k x² exp(−c t) + sqrt(x) max(x, y) + u."""
    equation = Written.from_text("x' = k*x**2*exp(-c*t) + s*sqrt(x)*max(x, y) + q*u\ny' = 0", inputs=["u"])
    equation = equation.with_parameters({"k": 0.3, "c": 0.2, "s": 1.5, "q": -1.0})
    x, y, t, u = 1.7, 0.9, 0.7, 2.5
    gradient = jax.grad(lambda e: slope(e, [x, y], t, {"u": u})[0])(equation).parameters
    decay = np.exp(-0.2 * t)
    expected = {"k": x**2 * decay, "c": -0.3 * x**2 * t * decay, "s": x**1.5, "q": u}
    for name, value in expected.items():
        assert float(gradient[name]) == pytest.approx(value, rel=1e-13)
    jacobian = jax.jacfwd(lambda y: slope(equation, y, t, {"u": u}))(jnp.array([x, y]))
    np.testing.assert_allclose(jacobian, [[0.6 * x * decay + 1.5 * 1.5 * x**0.5, 0.0], [0.0, 0.0]], rtol=1e-13)


@pytest.mark.parametrize("power", ["x**2", "x*x", "x**3", "(x + y)**2", "x**2/(1 + x**2)", "abs(x)", "y**64"])
def test_gradients_at_zero_are_finite(power):
    equation = Written.from_text(f"x' = {power}\ny' = x")
    assert np.isfinite(jax.jacrev(lambda y: slope(equation, y))(jnp.zeros(2))).all()
    assert np.isfinite(jax.jacfwd(lambda y: slope(equation, y))(jnp.zeros(2))).all()


@pytest.mark.parametrize(
    "left",
    ["dx/dt", "d x/dt", "d x / dt", "d(x)/dt", "d (x) / dt", "x'", "x '", "x′", "x’", "  dx/dt"],
)
def test_left_sides(left):
    equation = Written.from_text(f"# growth\n\n{left} = r*x  # per year\r\n", {"r": 2.0})
    assert equation.states == ("x",)
    np.testing.assert_allclose(slope(equation, [3.0]), [6.0])
    assert str(equation) == "d x/dt = r*x"


def test_names_that_begin_with_d():
    assert Written.from_text("ddt/dt = d\nd d/dt = dt").states == ("dt", "d")
    assert Written.from_text("dhare/dt = -hare\nd delta/dt = hare").states == ("hare", "delta")


def test_free_parameters():
    equation = Written.from_text("x' = a*x + b + pi*e*t")
    assert equation.free == ("a", "b")
    assert {name: float(value) for name, value in equation.parameters.items()} == {"a": 1.0, "b": 1.0}
    equation = Written.from_text("x' = a*x + b", {"a": None, "b": 2})
    assert equation.free == ("a",)
    assert equation.parameters["b"].dtype == jnp.asarray(2.0).dtype
    assert equation.with_parameters({"a": 3.0}).free == ()
    assert float(equation.with_parameters({"a": 3.0}).parameters["a"]) == 3.0


def test_constants_are_no_leaves():
    equation = Written.from_text("x' = a*x + b", {"a": 2.0}, constants={"b": 5.0})
    assert len(jax.tree.leaves(equation)) == 1
    np.testing.assert_allclose(slope(equation, [1.0]), [7.0])


def test_inputs_are_numbers_or_functions_of_time():
    equation = Written.from_text("x' = u - k*x", {"k": 0.0}, inputs=["u"])
    np.testing.assert_allclose(slope(equation, [1.0], 2.0, {"u": 3.0}), [3.0])
    np.testing.assert_allclose(slope(equation, [1.0], 2.0, {"u": lambda t: t**2, "other": 1.0}), [4.0])
    ramp = {"u": jax.tree_util.Partial(lambda t: 2.0 * t)}
    ys = continua.solve(equation, jnp.array([1.0]), jnp.linspace(0.0, 3.0, 4), args=ramp).ys[:, 0]
    np.testing.assert_allclose(ys, 1.0 + np.arange(4.0) ** 2, rtol=1e-5)
    for args in (None, {}, {"v": 1.0}, jnp.zeros(1)):
        with pytest.raises(ContinuaError, match="`args` must map"):
            slope(equation, [1.0], 2.0, args)


def test_jit_vmap_and_single_precision():
    equation = Written.from_text(PREY, values_of(LotkaVolterra()))
    expected = slope(equation, START)
    np.testing.assert_allclose(jax.jit(slope)(equation, START), expected, rtol=1e-14)
    many = jax.tree.map(lambda x: jnp.stack([x, 2 * x]), equation)
    np.testing.assert_allclose(jax.vmap(slope, (0, None))(many, START), [expected, 2 * expected], rtol=1e-14)
    single = jax.tree.map(lambda x: x.astype(jnp.float32), equation)
    found = single(jnp.array(0.0, jnp.float32), START.astype(jnp.float32), None)
    assert found.dtype == jnp.float32
    constant = Written.from_text("x' = 1\ny' = t*exp(1/3)/x")
    assert constant(jnp.array(0.0, jnp.float32), START.astype(jnp.float32), None).dtype == jnp.float32


def test_equal_texts_compile_once():
    count = 0

    @jax.jit
    def counted(equation, y):
        nonlocal count
        count += 1
        return equation(jnp.zeros(()), y, None)

    for rate in (1.0, 2.0, 3.0):
        counted(Written.from_text("x' = a*x", {"a": rate}), jnp.ones(1))
    assert count == 1


def test_trees_are_those_that_are_shown():
    equation = Written.from_text("dx/dt = alpha*x - beta*x*y\ndy/dt = y/(1 + x)")
    assert [text(side) for side in equation.sides] == ["α x − β x·y", "y/(1 + x)"]
    names = list(equation.parameters)
    traced = trace_expressions(
        lambda t, y, p: equation.with_parameters(p)(t, y, None), y=equation.states, p=dict.fromkeys(names, ())
    )
    values = {"x": 1.3, "y": 0.6, "alpha": 0.5, "beta": 0.2}
    for side, again in zip(equation.sides, traced, strict=True):
        assert evaluate(again, values) == pytest.approx(evaluate(side, values), rel=1e-12)


def test_every_function_has_its_array_form():
    assert ARRAY_FUNCTIONS.keys() == FUNCTIONS.keys()
    for name, function in FUNCTIONS.items():
        arguments = [0.3, 0.7] if name in ("atan2", "max", "min") else [0.3]
        found = ARRAY_FUNCTIONS[name](*map(jnp.asarray, arguments))
        assert float(found) == pytest.approx(function(*arguments), rel=1e-14)


@pytest.mark.core
@pytest.mark.parametrize(
    ("written", "keywords", "words"),
    [
        ("", {}, "Got 0"),
        ("# nothing", {}, "Got 0"),
        ("x = -x", {}, "x' = "),
        ("-k*x", {}, "x' = "),
        ("d prey count/dt = 1", {}, "one word"),
        ("x'' = -x", {}, "as two"),
        ("d2x/dt2 = -x", {}, "as two"),
        ("d^2 x/dt^2 = -x", {}, "as two"),
        ("d2x/dt = -x", {}, "as two"),
        ("dx/dz = -x", {}, "dx/dt"),
        ("x' = x\ny' = x y", {}, "Line 2, `y' = x y`: no sign between `x` and `y` at column 8"),
        ("x' = x\n\nx' = 1", {}, "Line 3: the slope of `x` is already given in line 1"),
        ("x' == x", {}, "at column 5"),
        ("x' = k*x", {"parameters": {}}, "unknown name `k` at column 6"),
        ("x' = rate*x", {"parameters": {"rates": 1.0}}, "Did you mean `rates`?"),
        ("x' = k*x", {"parameters": {"k": 1.0, "c": 1.0}}, "`c`, which does not"),
        ("x' = k*x", {"parameters": {"k": [1.0]}}, "scalars"),
        ("x' = k*x", {"parameters": {"k": "1"}}, "numbers"),
        ("x' = k*x", {"parameters": {"k": 1j}}, "real"),
        ("x' = x + 0*u", {"inputs": "u"}, "several names"),
        ("x' = x", {"inputs": ["x"]}, "`x` twice"),
        ("x' = k*x", {"parameters": {"k": 1.0}, "constants": {"k": 1.0}}, "`k` twice"),
        ("\n".join(f"x{i}' = 1" for i in range(101)), {}, "Got 101"),
        ("x' = 1\n" * 10**5, {}, "characters"),
        ("x' = " + "(" * 4_000, {}, "nested deeper"),
        ("d" * 10**4 + "/dt = 1", {}, "one word"),
        ("x\u202e' = 1", {}, "one word"),
        ("x' = 1\0", {}, "U+0000"),
    ],
)
def test_refusals_are_one_line(written, keywords, words):
    with pytest.raises(ContinuaError) as caught:
        Written.from_text(written, **keywords)
    assert words in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300


def test_wrong_states_and_parameters_are_refused():
    equation = Written.from_text(PREY)
    with pytest.raises(ContinuaError, match="one component for each of x, y"):
        slope(equation, [1.0])
    with pytest.raises(ContinuaError, match="Did you mean `alpha`"):
        equation.with_parameters({"alpah": 1.0})
    with pytest.raises(ContinuaError, match="one right-hand side"):
        Written(("x", "y"), (parse("x", ["x"]),))
    with pytest.raises(ContinuaError, match="neither a state"):
        Written(("x",), (parse("x*k", ["x", "k"]),))


POLYNOMIALS = st.lists(
    st.tuples(st.integers(-3, 3), st.integers(0, 3), st.integers(0, 2)),
    min_size=1,
    max_size=5,
    unique_by=lambda m: m[1:],
)


@settings(max_examples=20, deadline=None)
@given(monomials=POLYNOMIALS, x=st.floats(-2, 2), y=st.floats(-2, 2))
def test_random_polynomials_have_numpys_value_and_gradient(monomials, x, y):
    side = " + ".join(f"{c}*x**{i}*y**{j}" for c, i, j in monomials)
    equation = Written.from_text(f"x' = {side}\ny' = x")
    value, gradient = jax.value_and_grad(lambda y: slope(equation, y)[0])(jnp.array([x, y]))
    assert float(value) == pytest.approx(sum(c * x**i * y**j for c, i, j in monomials), abs=1e-10)
    by_x = sum(c * i * x ** max(i - 1, 0) * y**j for c, i, j in monomials)
    by_y = sum(c * x**i * j * y ** max(j - 1, 0) for c, i, j in monomials)
    np.testing.assert_allclose(gradient, [by_x, by_y], atol=1e-10)
    again = Written.from_text(str(equation))
    assert again.sides == equation.sides
    assert parse(python_text(equation.sides[0]), kinds_of(["x", "y"], [])) == equation.sides[0]
