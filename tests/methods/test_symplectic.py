"""Every symplectic method through the same invariants: order, bounded energy, symplecticity, exact derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import ellipj, ellipk

import continua
from continua.core import ArgumentError, ArgumentTypeError
from continua.equations import SecondOrder, SeparableHamiltonian
from continua.methods import RK4, SymplecticEuler, Tsit5, Verlet, Yoshida4, Yoshida6
from continua.solver import Event, Fixed

METHODS = [SymplecticEuler(), Verlet(), Yoshida4(), Yoshida6()]
every_method = pytest.mark.parametrize("method", METHODS, ids=lambda m: type(m).__name__)


def gravity(t, q, args):
    return -q / jnp.linalg.norm(q) ** 3


def swing(t, angle, args):
    return -jnp.sin(angle)


KEPLER, PENDULUM = SecondOrder(gravity), SecondOrder(swing)


def ellipse(eccentricity):
    """The start at the perihelion of an orbit with period 2π."""
    speed = np.sqrt((1 + eccentricity) / (1 - eccentricity))
    return jnp.array([1 - eccentricity, 0.0]), jnp.array([0.0, speed])


def on_ellipse(eccentricity, t):
    """Kepler's closed form: (q, v) at mean anomaly t, by Newton's iteration for the eccentric anomaly."""
    e, root = eccentricity, np.sqrt(1 - eccentricity**2)
    anomaly = t
    for _ in range(50):
        anomaly = anomaly - (anomaly - e * np.sin(anomaly) - t) / (1 - e * np.cos(anomaly))
    c, s = np.cos(anomaly), np.sin(anomaly)
    return np.stack([c - e, root * s], -1), np.stack([-s, root * c], -1) / (1 - e * c)[..., None]


def kepler_energy(t, y, args):
    q, v = y
    return (v**2).sum() / 2 - 1 / jnp.linalg.norm(q)


@pytest.mark.core
@every_method
def test_observed_order_on_keplers_closed_form_with_dense_output(method):
    """Ends and values between steps, against the position at the true time."""
    ts = jnp.array([0.0, 1.0, 2.51, 4.003, 5.0])
    counts = {1: (4000, 8000), 2: (500, 1000), 4: (250, 500), 6: (150, 300)}[method.order]
    run = jax.jit(lambda h: continua.solve(KEPLER, ellipse(0.3), ts, method=method, step_control=Fixed(h)).ys[0])
    q, _ = on_ellipse(0.3, np.asarray(ts))
    errors = np.array([np.abs(run(5 / n) - q)[1:] for n in counts]).max(-1)
    np.testing.assert_allclose(np.log2(errors[0] / errors[1]), method.order, atol=0.1)


@every_method
def test_order_with_forces_and_velocities_that_depend_on_time(method):
    driven = SeparableHamiltonian(
        lambda t, p, args: (2 + jnp.sin(3 * t)) * p**2 / 2, lambda t, q, args: jnp.cos(q) * (1 + jnp.cos(2 * t) / 2)
    )
    start = (jnp.array(1.0), jnp.array(0.5))
    exact = continua.solve(driven, start, [0.0, 2.0], method=continua.methods.DOP853(), rtol=1e-13, atol=1e-15).ys
    run = jax.jit(
        lambda h: continua.solve(driven, start, jnp.array([0.0, 2.0]), method=method, step_control=Fixed(h)).ys
    )
    counts = {1: (800, 1600), 2: (100, 200), 4: (80, 160), 6: (50, 100)}[method.order]
    errors = [max(abs(float(a[-1] - b[-1])) for a, b in zip(run(2 / n), exact, strict=True)) for n in counts]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(method.order, abs=0.1)


def test_the_pendulums_closed_form():
    """From rest at 2 radians: sin(θ/2) = k sn(K − t, k) with k = sin 1, the amplitude never lost."""
    k, ts = np.sin(1.0), np.linspace(0.0, 50.0, 101)
    sn, *_ = ellipj(ellipk(k**2) - ts, k**2)
    start = (jnp.array(2.0), jnp.array(0.0))
    angle, _ = continua.solve(PENDULUM, start, ts, method=Yoshida6(), step_control=Fixed(0.05)).ys
    np.testing.assert_allclose(angle, 2 * np.arcsin(k * sn), atol=1e-7)


@pytest.mark.core
@every_method
def test_the_energy_error_is_bounded_over_a_million_steps(method):
    """No drift: the error of the last tenth is that of the first."""
    h, start = jnp.asarray(0.05), ellipse(0.2)
    count = 1_000_000

    @jax.jit
    def tenths():
        advance = lambda n, y: method.advance(KEPLER, n * h, h, y, None)  # noqa: E731

        def turn(y, _):
            def inner(n, carry):
                y, low, high, total = carry
                y = advance(n, y)
                e = kepler_energy(0.0, y, None) - kepler_energy(0.0, start, None)
                return y, jnp.minimum(low, e), jnp.maximum(high, e), total + e

            y, low, high, total = jax.lax.fori_loop(0, count // 10, inner, (y, jnp.inf, -jnp.inf, 0.0))
            return y, (low, high, total / (count // 10))

        return jax.lax.scan(turn, start, None, length=10)[1]

    low, high, mean = map(np.asarray, tenths())
    size = {1: 4e-2, 2: 1e-3, 4: 2e-4, 6: 3e-6}[method.order]
    amplitude = np.maximum(np.abs(low), np.abs(high))
    assert amplitude.max() < size
    assert amplitude[-1] / amplitude[0] == pytest.approx(1, abs=1e-2)
    assert abs(mean[-1] - mean[0]) < 1e-3 * amplitude[0] + 1e-12


def test_an_explicit_method_drifts_where_a_symplectic_one_does_not():
    """Over 300 revolutions at equal cost, through `solve`."""
    ts = jnp.linspace(0.0, 600 * jnp.pi, 61)

    def energy(method, h):
        options = {"method": method, "step_control": Fixed(h), "save": kepler_energy, "max_steps": 2**17}
        return np.abs(continua.solve(KEPLER, ellipse(0.2), ts, **options).ys + 0.5)

    verlet, rk4 = energy(Verlet(), 0.025), energy(RK4(), 0.1)
    assert rk4[-10:].max() > 6 * rk4[:10].max()
    assert verlet[-10:].max() < 1.05 * verlet.max()


@every_method
def test_steps_are_symplectic_and_reversible(method):
    y, h = jnp.array([0.7, -0.4, 0.3, 0.9]), jnp.array(0.3)

    def step(y, h=h):
        return jnp.concatenate(method.advance(KEPLER, jnp.array(0.0), h, (y[:2], y[2:]), None))

    jacobian, form = (
        jax.jit(jax.jacfwd(step))(y),
        jnp.block([[jnp.zeros((2, 2)), jnp.eye(2)], [-jnp.eye(2), jnp.zeros((2, 2))]]),
    )
    np.testing.assert_allclose(jacobian.T @ form @ jacobian, form, atol=1e-13)
    np.testing.assert_array_equal(step(y, 0 * h), y)
    if not isinstance(method, SymplecticEuler):
        np.testing.assert_allclose(step(step(y), -h), y, rtol=1e-13)


def test_derivatives_batches_and_trees():
    """Reverse = forward; vmap = a loop; a tree = an array."""
    ts, method = jnp.array([0.0, 0.7, 2.0]), Verlet()

    def pull(t, q, k):
        return jax.tree.map(lambda q: -k * jnp.sin(q) + jnp.cos(t), q)

    @jax.jit
    def run(k, start):
        return continua.solve(SecondOrder(pull), start, ts, args=k, method=method, step_control=Fixed(0.1)).ys

    q, v = jnp.array([0.3, 1.2]), jnp.array([0.0, -0.5])
    loss = jax.jit(lambda k, start: sum((x**2).sum() for x in jax.tree.leaves(run(k, start))))
    reverse, forward = jax.jit(jax.grad(loss))(1.3, (q, v)), jax.jit(jax.jacfwd(loss))(1.3, (q, v))
    assert float(reverse) == pytest.approx(float(forward), rel=1e-10)
    quotient = (loss(1.3 + 1e-5, (q, v)) - loss(1.3 - 1e-5, (q, v))) / 2e-5
    assert float(reverse) == pytest.approx(float(quotient), rel=1e-8)
    one = run(1.3, (q, v))
    np.testing.assert_allclose(jnp.stack(one, 1), run(1.3, jnp.stack([q, v])), rtol=1e-14)
    tree = run(1.3, ({"a": q[0], "b": q[1:]}, {"a": v[0], "b": v[1:]}))
    np.testing.assert_allclose(tree[0]["b"][:, 0], one[0][:, 1], rtol=1e-14)
    ks = jnp.array([0.5, 1.3, 2.0])
    many = jax.vmap(lambda k: run(k, (q, v)))(ks)
    loop = [run(k, (q, v)) for k in ks]
    np.testing.assert_allclose(many[0], jnp.stack([x[0] for x in loop]), rtol=1e-12)
    lanes = jax.jit(jax.grad(lambda k: jax.vmap(lambda k: loss(k, (q, v)))(k).sum()))(ks)
    np.testing.assert_allclose(lanes[1], reverse, rtol=1e-10)


def test_backward_in_time_and_events():
    start, ts = (jnp.array(2.0), jnp.array(0.0)), jnp.linspace(0.0, 3.0, 4)
    options = {"method": Yoshida4(), "step_control": Fixed(0.05)}
    there = continua.solve(PENDULUM, start, ts, **options).ys
    back = continua.solve(PENDULUM, (there[0][-1], there[1][-1]), ts[::-1], **options).ys
    np.testing.assert_allclose(back[0][-1], 2.0, rtol=1e-12)
    bottom = Event(lambda t, y, args: y[0], terminal=True)
    fall = continua.solve(PENDULUM, start, ts, events=bottom, **options)
    assert float(fall.events.ts[0]) == pytest.approx(ellipk(np.sin(1.0) ** 2), abs=1e-5)


def test_what_does_not_fit_is_said():
    pair, ts, options = (jnp.ones(2), jnp.ones(2)), [0.0, 1.0], {"step_control": Fixed(0.1)}
    with pytest.raises(ArgumentTypeError, match=r"`equation` of `Verlet` must be in two halves\. Got ODE\. Use Second"):
        continua.solve(lambda t, y, args: -y, jnp.ones(2), ts, method=Verlet(), **options)
    with pytest.raises(ArgumentTypeError, match=r"must take \(t, q, args\), and no velocity\. Got \(t, q, v, args\)"):
        SecondOrder(lambda t, q, v, args: -q)
    for wrong in (jnp.ones(3), (jnp.ones(2), jnp.ones(3)), {"q": 1.0, "v": 1.0}):
        with pytest.raises(ArgumentError, match=r"`y0` of `SecondOrder` must be a pair of two states alike"):
            continua.solve(KEPLER, wrong, ts, method=Verlet(), **options)
    short = SecondOrder(lambda t, q, args: q[:1])
    with pytest.raises(ArgumentError, match=r"`SecondOrder` must give the second half .* shapes \[2\]\. Got \[1\]"):
        continua.solve(short, pair, ts, method=Verlet(), **options)
    with pytest.raises(ArgumentError, match=r"`method` of `solve` must estimate its error"):
        continua.solve(KEPLER, pair, ts, method=Verlet())
    assert continua.solve(KEPLER, pair, ts, method=Tsit5()).status is continua.Status.SUCCESS
