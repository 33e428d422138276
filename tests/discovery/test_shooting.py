"""Multiple shooting: exact Jacobians, and every sample in its place."""

import jax.numpy as jnp
import numpy as np
import pytest

import continua
from continua.discovery.chain import Point
from continua.discovery.estimate import estimates
from continua.discovery.matching import starting_points
from continua.discovery.named_families import families
from continua.discovery.noise import NOISES, Additive
from continua.discovery.observations import observe
from continua.discovery.shooting import Segments, Shooting
from continua.equations import Robertson
from continua.files import read_table

from .chains import dense
from .records import additive, record, table


def shooting_on(name, title):
    times, y = record(name)
    y = additive(y, 0.02, 1)
    y[4, 0] = np.nan
    data, _ = observe(read_table(table(times, y, [f"s{i}" for i in range(y.shape[1])])))
    family = next(f for f in families(y.shape[1]) if f.title == title)
    return Shooting(family, data, family.typical_sizes(data), Segments.of(data.pieces))


@pytest.mark.parametrize(("name", "title"), [("LotkaVolterra", "Lotka–Volterra"), ("LotkaVolterra", "linear dynamics")])
@pytest.mark.parametrize("noise", NOISES, ids=lambda n: n.title)
def test_the_jacobian_is_exact(name, title, noise):
    shooting = shooting_on(name, title)
    random = np.random.default_rng(0)
    u = starting_points(shooting.family, shooting.data, shooting.typical)[0]
    nodes = 1.0 + 0.1 * random.standard_normal((len(shooting.segments.index), 2))
    sigma = np.array([0.3, 0.2])

    def chain(x):
        point = Point(x[: len(u)], x[len(u) :].reshape(nodes.shape))
        return shooting.chain(shooting.trajectory(point), point.nodes, noise, sigma, 0.1)

    def residuals(x):
        return np.concatenate([chain(x).misfit.ravel(), chain(x).gap.ravel()])

    x = np.concatenate([u, nodes.ravel()])
    exact = dense(chain(x))
    h = 1e-5 * np.eye(len(x))
    differences = np.stack([(residuals(x + d) - residuals(x - d)) / 2e-5 for d in h], 1)
    finite = np.isfinite(differences).all(1)
    assert finite.mean() > 0.8
    np.testing.assert_allclose(exact[finite], differences[finite], rtol=1e-4, atol=1e-4 * np.abs(exact[finite]).max())


@pytest.mark.parametrize("rows", [4, 5, 6, 7, 21, 22, 199, 200, 400])
def test_every_sample_lies_in_a_segment(rows):
    segments = Segments.of((slice(0, rows),))
    assert sorted(segments.index[segments.own]) == list(range(rows))
    np.testing.assert_array_equal(segments.index[:-1, -1], segments.index[1:, 0])
    assert segments.index[-1, -1] == rows - 1
    assert len(segments.index) <= 40
    assert segments.joined.all()


def test_trajectories_are_not_joined():
    segments = Segments.of((slice(0, 12), slice(12, 14), slice(14, 15), slice(15, 31)))
    assert sorted(segments.index[segments.own]) == list(range(31))
    ends, starts = segments.index[:-1, -1], segments.index[1:, 0]
    np.testing.assert_array_equal(ends[segments.joined], starts[segments.joined])
    np.testing.assert_array_equal(starts[~segments.joined], [12, 14, 15])


@pytest.mark.parametrize("size", [1, 2, 3])
def test_typical_sizes_change_with_the_units(size):
    """A search in units of typical sizes is the same search in any units."""
    random = np.random.default_rng(0)
    times, values = np.linspace(0.0, 5.0, 9), random.uniform(1.0, 2.0, (9, size))
    scale, rate = 10.0 ** random.uniform(-6, 6, size), 1e-4
    names = [f"s{i}" for i in range(size)]
    plain, _ = observe(read_table(table(times, values, names)))
    scaled, _ = observe(read_table(table(times / rate, values * scale, names)))
    for family in (f for f in families(size) if not getattr(f, "scales", ())):
        y, slope = values[3], None
        for data, states, factor in ((plain, y, scale * rate), (scaled, y * scale, 1.0)):
            p = family.typical_sizes(data)
            assert np.isfinite(p).all()
            assert (p > 0).all()
            found = np.asarray(family.equation(jnp.asarray(p))(jnp.zeros(()), jnp.asarray(states), None)) * factor
            np.testing.assert_allclose(found, found if slope is None else slope, rtol=1e-6)
            slope = found


def test_a_stiff_law_is_followed_and_found():
    """Robertson's reactions: its rates span nine orders of magnitude, and no explicit method gets between two rows."""
    times = np.linspace(0.0, 40.0, 41)
    y = np.asarray(continua.solve(Robertson(), np.array([1.0, 0.0, 0.0]), times, rtol=1e-9, atol=1e-13).ys)
    data, _ = observe(read_table(table(times, additive(y, 0.01, 3), "ABC")))
    family = next(f for f in families(3) if f.title == "Robertson reactions")
    (found,) = estimates(family, data, [Additive()])
    assert found is not None
    assert found.reproduction > 0.999
    k = dict.fromkeys(("scale_1", "scale_2", "scale_3"), 1.0) | dict(zip(family.names, found.parameters, strict=True))
    forward, back = k["k2"] * k["scale_3"] / k["scale_2"] ** 2, k["k3"] * k["scale_1"] / (k["scale_2"] * k["scale_3"])
    np.testing.assert_allclose((k["k1"], forward, back), (0.04, 3e7, 1e4), rtol=0.03)  # in the units of the data
