"""Every stiff method through the same invariants: order, stability, dense output, exact derivatives."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import continua
from continua import Status
from continua.core import FailedSolve
from continua.equations import Robertson, VanDerPol
from continua.methods import ImplicitEuler, Kvaerno5, Method, Rodas5P, Rosenbrock23, Trapezoidal, Tsit5
from continua.solver import Fixed

METHODS = [Rodas5P(), Rosenbrock23(), ImplicitEuler(), Trapezoidal(), Kvaerno5(newton_tolerance=1e-14)]
INTERPOLATION_ORDER = {"Rodas5P": 4, "Kvaerno5": 4}

every_method = pytest.mark.parametrize("method", METHODS, ids=lambda m: type(m).__name__)
both_kinds = pytest.mark.parametrize("method", [Rodas5P(), Kvaerno5()], ids=lambda m: type(m).__name__)


def driven(t, y, args):
    """Nonlinear, and its time enters by itself."""
    return jnp.stack([y[0] * (2 - 4 * y[1]) / 3 + jnp.sin(3 * t), y[1] * (y[0] - 1)])


def order_of(errors):
    return np.log2(np.asarray(errors[:-1]) / np.asarray(errors[1:]))


def marcher(method, field):
    """(count, y, end, args) to the state after `count` equal steps; one program for all counts."""

    def march(count, y, end, args):
        h = end / count
        step = lambda n, y: method.advance(field, n * h, h, y, args)  # noqa: E731
        return jax.lax.fori_loop(0, count, step, y)

    return jax.jit(march)


@pytest.mark.core
@every_method
def test_observed_order_is_the_order(method):
    slope = lambda t, y: [y[0] * (2 - 4 * y[1]) / 3 + np.sin(3 * t), y[1] * (y[0] - 1)]  # noqa: E731
    exact = solve_ivp(slope, (0, 10), [1, 1.2], "DOP853", rtol=3e-14, atol=1e-15).y[:, -1]
    march, counts = marcher(method, driven), {1: (8192, 16384), 2: (1024, 2048), 5: (384, 768)}[method.order]
    ends = [march(count, jnp.array([1.0, 1.2]), 10.0, None) for count in counts]
    errors = [float(np.abs(np.asarray(end) - exact).max()) for end in ends]
    assert order_of(errors)[0] == pytest.approx(method.order, abs=0.1)


@every_method
def test_the_error_of_a_step_is_estimated(method):
    """Against the step's true error: the estimate is not smaller, and falls as a lower order's does."""
    t, y = jnp.array(0.2), jnp.array([1.0, 1.2])
    step = jax.jit(lambda h: method.step(driven, t, h, y, None, None))
    estimates, lengths = [], (0.1, 0.05, 0.025)
    for h in lengths:
        found = step(h)
        fine = solve_ivp(lambda t, y: driven(t, y, None), (0.2, 0.2 + h), y, "DOP853", rtol=3e-14, atol=1e-15).y[:, -1]
        estimates.append(float(jnp.abs(found.error).max()))
        assert float(jnp.abs(y + found.increment - fine).max()) < 5 * estimates[-1]
    assert order_of(estimates)[-1] > min(method.order, 4) + 0.6


@every_method
def test_dense_output_has_its_order_and_meets_both_ends(method):
    """At inner times as lanes; θ = 0 and 1 among them give the ends themselves."""
    theta = jnp.linspace(0.0, 1.0, 9)[None]
    lanes = jnp.ones_like(theta)

    @jax.jit
    def values(h):
        def field(t, y, args):
            return jnp.cos(t) * y

        t, y = 0 * lanes, lanes
        return method.interpolate(field, t, h * lanes, y, None, theta)[0], method.advance(field, t, h * lanes, y, None)[
            0
        ]

    errors = []
    for h in (0.05, 0.025):
        y, end = values(h)
        errors.append(float(jnp.abs(y - jnp.exp(jnp.sin(theta[0] * h)))[1:-1].max()))
        np.testing.assert_allclose([y[0], y[-1]], [1.0, end[-1]], rtol=2e-15)
    expected = INTERPOLATION_ORDER.get(type(method).__name__, method.order)
    assert order_of(errors)[0] >= expected + 1 - 0.2


def test_kvaerno_fulfils_every_condition_of_its_order():
    """Sums over rooted trees: of order 5 for the method, 4 for the embedded one and for the dense output at any θ."""
    tableau = Kvaerno5.tableau
    a = np.array([[*row, *[0.0] * (7 - len(row))] for row in tableau.a])
    c, b, ones = np.array(tableau.c), np.array(tableau.b), np.ones(7)
    np.testing.assert_allclose(a @ ones, c, atol=1e-15)
    up_to_four = [(1, 1, ones), (2, 2, c), (3, 3, c**2), (3, 6, a @ c), (4, 4, c**3), (4, 8, c * (a @ c))]
    up_to_four += [(4, 12, a @ c**2), (4, 24, a @ a @ c)]
    fives = [c**4, c**2 * (a @ c), (a @ c) ** 2, c * (a @ c**2), a @ c**3, c * (a @ a @ c), a @ (c * (a @ c))]
    fives += [a @ a @ c**2, a @ a @ a @ c]
    for density, weights in zip((5, 10, 20, 15, 20, 30, 40, 60, 120), fives, strict=True):
        assert b @ weights == pytest.approx(1 / density, abs=1e-15)
    dense = np.array(tableau.dense)
    for order, density, weights in up_to_four:
        assert b @ weights == pytest.approx(1 / density, abs=1e-15)
        assert (b - np.array(tableau.b_error)) @ weights == pytest.approx(1 / density, abs=1e-15)
        np.testing.assert_allclose(weights @ dense, (np.arange(1, 5) == order) / density, atol=2e-14)
    np.testing.assert_allclose(dense.sum(1), b, atol=1e-14)


@every_method
def test_a_fast_decay_is_gone_after_one_step(method):
    """L-stability: R(z) → 0 as z → −∞; for the trapezoidal rule |R| → 1. And |R| ≤ 1 on the way."""
    lanes = jnp.array([[1.0, 1e2, 1e4, 1e8]])
    decay = lambda t, y, k: -k * y  # noqa: E731
    found = np.abs(np.asarray(method.advance(decay, 0 * lanes, 1 + 0 * lanes, 1 + 0 * lanes, lanes)))[0]
    if isinstance(method, Trapezoidal):
        np.testing.assert_allclose(found, np.abs((2 - lanes[0]) / (2 + lanes[0])), rtol=1e-7)
    else:
        assert (found <= np.where(lanes[0] == 1, 0.51, 30 / lanes[0])).all()


@every_method
def test_prothero_and_robinsons_problem(method):
    """y' = −10⁶ (y − sin t) + cos t: the error stays small and falls, however stiff."""
    march = marcher(method, lambda t, y, k: -k * (y - jnp.sin(t)) + jnp.cos(t))
    errors = [abs(float(march(count, jnp.zeros(1), 2.0, 1e6)[0]) - np.sin(2.0)) for count in (10, 20, 40)]
    if isinstance(method, Rodas5P):
        assert order_of(errors).min() > 3
    assert max(errors) < {1: 1e-6, 2: 1e-2, 5: 1e-7}[method.order]
    assert errors[-1] < errors[0] / 3.5 ** (method.order > 1)


@every_method
def test_zero_steps_and_pullbacks(method):
    """A step of no length is the identity; and what is written by hand is what JAX transposes."""
    y, cotangent, args = jnp.array([1.0, 0.3]), jnp.array([2.0, 3.0]), jnp.array([0.7, 2.0])

    def field(t, y, args):
        return jnp.stack([args[0] * y[1] + jnp.cos(3 * t), -args[1] * y[0] ** 3 - 30 * y[1]])

    @jax.jit
    def both(h):
        t = jnp.array(0.4)
        of = lambda pull: pull(method, field, t, h, y, args, cotangent)  # noqa: E731
        return method.step(field, t, h, y, args, None), of(type(method).pullback), of(Method.pullback)

    step, (own, own_args), (plain, plain_args) = both(0.0)
    assert (step.increment == 0).all()
    assert (step.error == 0).all()
    np.testing.assert_array_equal(own, cotangent)
    np.testing.assert_array_equal(plain, cotangent)
    assert not own_args.any()
    assert not plain_args.any()
    _, (own, own_args), (plain, plain_args) = both(0.2)
    np.testing.assert_allclose(own, plain, rtol=1e-11)
    np.testing.assert_allclose(own_args, plain_args, rtol=1e-11)


@every_method
def test_steps_a_tree_and_lanes_alike(method):
    t, h = jnp.array(0.3), jnp.array(0.1)
    states = jnp.array([[1.0, 1.2], [0.5, 2.0], [2.0, 0.1]])
    tree = lambda t, y, args: dict(zip("ab", driven(t, jnp.stack([y["a"], y["b"]]), args), strict=True))  # noqa: E731
    step = jax.jit(lambda y: method.step(driven, t, h, y, None, None))
    one = [step(y) for y in states]
    lanes = jnp.ones((1, 3))
    in_lanes = jax.vmap(driven, (0, -1, None), -1)
    batch = lambda t, y, args: in_lanes(t[0], y, args)  # noqa: E731
    many = jax.jit(lambda y: method.step(batch, t * lanes, h * lanes, y, None, None))(states.T)
    np.testing.assert_allclose(many.increment.T, jnp.stack([s.increment for s in one]), rtol=1e-12)
    np.testing.assert_allclose(many.error.T, jnp.stack([s.error for s in one]), rtol=1e-6, atol=1e-15)
    of_tree = jax.jit(lambda y: method.step(tree, t, h, y, None, None).increment)(
        {"a": states[0, 0], "b": states[0, 1]}
    )
    np.testing.assert_allclose(jnp.stack([of_tree["a"], of_tree["b"]]), one[0].increment, rtol=1e-13)


@both_kinds
def test_derivatives_of_a_stiff_step_of_first_and_second_order(method):
    """Reverse, and forward over reverse, against differences extrapolated to the fourth order."""
    t, h, y = jnp.array(0.0), jnp.array(0.5), jnp.array([0.9, 2e-5, 0.1])
    rates, weights, p = jnp.array([0.04, 3e7, 1e4]), jnp.array([1.0, 1e4, 1.0]), jnp.ones(3)

    def field(t, y, p):
        slow, fast, back = p[0] * y[0], p[1] * y[1] ** 2, p[2] * y[1] * y[2]
        return jnp.stack([back - slow, slow - fast - back, fast])

    end = jax.jit(lambda p: (method.advance(field, t, h, y, p * rates) * weights).sum())
    gradient = jax.jit(lambda p: method.pullback(field, t, h, y, p * rates, weights)[1] * rates)

    def quotients(f):
        near, far = (np.stack([(f(p + e * d) - f(p - e * d)) / (2 * e) for d in jnp.eye(3)], -1) for e in (1e-3, 2e-3))
        return (4 * near - far) / 3

    np.testing.assert_allclose(gradient(p), quotients(end), rtol=1e-8, atol=1e-10)
    hessian = jax.jit(jax.jacfwd(gradient))(p)
    np.testing.assert_allclose(hessian, quotients(gradient), rtol=1e-7, atol=1e-10)
    np.testing.assert_allclose(hessian, hessian.T, rtol=1e-9, atol=1e-13)


def test_a_system_without_a_solution_is_no_silent_number():
    """y = 1 + y² h has no root for h > 1/4: fixed steps end, adaptive ones become shorter."""
    square = lambda t, y, args: y**2  # noqa: E731
    for method in (ImplicitEuler(), Kvaerno5()):
        far = jax.jit(lambda h, method=method: method.step(square, 0.0 * h, h, jnp.ones(1), None, None))(40.0)
        assert jnp.isnan(far.increment).all()
    fixed = continua.solve(square, [1.0], [0.0, 0.9], method=ImplicitEuler(), step_control=Fixed(0.45), throw=False)
    assert fixed.status is Status.STEP_FAILED
    with pytest.raises(FailedSolve, match=r"The fixed step from t=0 gives no finite state"):
        fixed.check()
    assert jnp.isnan(fixed.ys[-1]).all()
    adaptive = continua.solve(square, [1.0], [0.0, 0.9], method=Kvaerno5(), rtol=1e-8, atol=1e-8)
    assert float(adaptive.ys[-1, 0]) == pytest.approx(10.0, rel=1e-5)


def test_a_singular_matrix_ends_fixed_steps():
    """I − hJ = 0 for y' = y/h: nothing is divided by it unseen."""
    found = continua.solve(
        lambda t, y, args: 4 * y, [1.0], [0.0, 1.0], method=ImplicitEuler(), step_control=Fixed(0.25), throw=False
    )
    assert found.status is Status.STEP_FAILED
    assert jnp.isnan(found.ys[-1]).all()


@both_kinds
def test_robertsons_reactions_over_eleven_decades(method):
    """Published: y = (2.0833e-8, 8.3334e-14, 1) at t = 1e11; and scipy's Radau on the way."""
    ts, law = np.array([0.0, 0.4, 40.0, 4e3, 1e11]), Robertson()
    solution = continua.solve(law, jnp.array([1.0, 0.0, 0.0]), ts, method=method, rtol=1e-9, atol=1e-16)
    k = [float(x) for x in (law.k1, law.k2, law.k3)]

    def slope(t, y):
        first, second, third = k[0] * y[0], k[1] * y[1] ** 2, k[2] * y[1] * y[2]
        return [third - first, first - third - second, second]

    radau = solve_ivp(slope, (0, 4e3), [1.0, 0, 0], "Radau", t_eval=ts[1:4], rtol=1e-11, atol=1e-16).y.T
    # within a long step Kvaerno5's dense output of order 4 is less accurate than its steps
    np.testing.assert_allclose(solution.ys[1:4], radau, rtol=1e-7 if isinstance(method, Rodas5P) else 1e-6)
    published = [0.2083340149701255e-7, 0.8333360770334713e-13, 0.9999999791665050]
    np.testing.assert_allclose(solution.ys[4], published, rtol=1e-6)
    np.testing.assert_allclose(solution.ys.sum(1), 1.0, rtol=1e-12)
    assert int(solution.stats.steps) < 2000


def test_it_takes_the_steps_that_accuracy_asks_for_alone():
    """Van der Pol with μ = 1000 (Bari's test set, y at t = 2000): an explicit method needs hundreds of times more."""
    ts, y0, law = jnp.array([0.0, 2000.0]), jnp.array([2.0, 0.0]), VanDerPol(mu=1000.0)
    published = [1.706167732170483, -8.928097010247975e-4]
    for method, most in ((Rodas5P(), 800), (Kvaerno5(), 800)):
        stiff = continua.solve(law, y0, ts, method=method, rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(stiff.ys[-1], published, rtol=1e-5)
        assert int(stiff.stats.steps) < most
    explicit = continua.solve(law, y0, ts, method=Tsit5(), rtol=1e-6, atol=1e-9, max_steps=20_000, throw=False)
    assert explicit.status == continua.Status.STIFF


@both_kinds
def test_derivatives_of_solves_and_of_batches(method):
    """Reverse, forward, differences and lanes on Robertson's states at two times, with its parameters times p."""

    def total(p):
        law, ts = Robertson(*(p * jnp.array([0.04, 3e7, 1e4]))), jnp.array([0.0, 1.0, 100.0])
        y0, tolerances = jnp.array([1.0, 0.0, 0.0]), {"rtol": 1e-8, "atol": 1e-12, "max_steps": 256}
        ys = continua.solve(law, y0, ts, method=method, **tolerances).ys[1:]
        return (ys**2 * jnp.array([[1.0, 1e9, 1.0]])).sum()

    p, step, value_and_grad = jnp.ones(3), 1e-4, jax.value_and_grad(total)
    value, gradient = jax.jit(value_and_grad)(p)
    forward = jax.jit(jax.jacfwd(total))(p)
    np.testing.assert_allclose(gradient, forward, rtol=1e-8, atol=1e-10)
    ps = p[None] + step * jnp.concatenate([jnp.zeros((1, 3)), jnp.eye(3), -jnp.eye(3)])
    values, gradients = jax.jit(jax.vmap(value_and_grad))(ps)
    np.testing.assert_allclose(values[0], value, rtol=1e-10)
    np.testing.assert_allclose(gradients[0], gradient, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose((values[1:4] - values[4:]) / (2 * step), gradient, rtol=1e-3, atol=1e-5)


@both_kinds
def test_single_precision_keeps_its_type(method):
    y0, ts = jnp.array([1.0, 0.0, 0.0], jnp.float32), jnp.array([0.0, 10.0], jnp.float32)
    law = Robertson(*(jnp.asarray(k, jnp.float32) for k in (0.04, 3e7, 1e4)))
    found = continua.solve(law, y0, ts, method=method, rtol=1e-4, atol=1e-8)
    assert found.ys.dtype == jnp.float32
    exact = continua.solve(Robertson(), y0.astype(float), ts.astype(float), method=Rodas5P(), rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(found.ys[-1], exact.ys[-1], rtol=1e-3)


def hires(t, y, args):
    """Schäfer's model of how light steers the growth of plants; Hairer & Wanner II, IV.10."""
    y1, y2, y3, y4, y5, y6, y7, y8 = y
    bound = 280.0 * y6 * y8
    return jnp.stack([
        -1.71 * y1 + 0.43 * y2 + 8.32 * y3 + 0.0007,
        1.71 * y1 - 8.75 * y2,
        -10.03 * y3 + 0.43 * y4 + 0.035 * y5,
        8.32 * y2 + 1.71 * y3 - 1.12 * y4,
        -1.745 * y5 + 0.43 * y6 + 0.43 * y7,
        -bound + 0.69 * y4 + 1.71 * y5 - 0.43 * y6 + 0.69 * y7,
        bound - 1.81 * y7,
        -bound + 1.81 * y7,
    ])  # fmt: skip


def oregonator(t, y, args):
    """Field & Noyes' model of the Belousov–Zhabotinsky reaction; Hairer & Wanner II, IV.10."""
    s, w, q = 77.27, 0.161, 8.375e-6
    return jnp.stack([s * (y[1] + y[0] * (1 - q * y[0] - y[1])), (y[2] - (1 + y[0]) * y[1]) / s, w * (y[0] - y[2])])


HIRES_END = [
    0.7371312573325668e-3,
    0.1442485726316185e-3,
    0.5888729740967575e-4,
    0.1175651343283149e-2,
    0.2386356198831331e-2,
    0.6238968252742796e-2,
    0.2849998395185769e-2,
    0.2850001604814231e-2,
]


@both_kinds
@pytest.mark.parametrize("name", ["HIRES", "OREGO"])
def test_errors_follow_the_tolerance(name, method, request):
    """Bari's test set for initial value problems, release 2.4: its reference values at the end."""
    if name == "HIRES":
        field, y0, end, exact = hires, [1.0, 0, 0, 0, 0, 0, 0, 0.0057], 321.8122, HIRES_END
    else:
        import json

        problems = json.loads((request.getfixturevalue("data_folder") / "ode_reference.json").read_text())["problems"]
        row = problems["OREGO"]
        field, y0, end, exact = oregonator, row["y0"], row["t1"], row["y_end"]

    @jax.jit
    def run(rtol):
        atol = jnp.asarray(np.abs(exact) * 1e-3) * rtol
        return continua.solve(field, jnp.array(y0), jnp.array([0.0, end]), method=method, rtol=rtol, atol=atol).ys[-1]

    rtols = 10.0 ** -np.arange(4, 11, 2)
    errors = [np.abs(np.asarray(run(rtol)) / exact - 1).max() for rtol in rtols]
    assert (np.array(errors) < 300 * rtols).all(), errors
    slope = np.polyfit(np.log10(rtols), np.log10(errors), 1)[0]
    assert slope > 0.7, errors
    assert all(b < a for a, b in itertools.pairwise(errors)), errors
