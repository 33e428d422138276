"""Least squares over a chain: the same steps as dense linear algebra, and the same minima."""

import numpy as np
import pytest

from continua.discovery.chain import Chain, Point, descend

from .chains import dense


def random_chain(segments=5, rows=7, states=2, parameters=3, seed=0, joined=None):
    random = np.random.default_rng(seed)
    normal = random.standard_normal
    weight = np.ones((segments - 1, 1)) if joined is None else np.asarray(joined, float)[:, None]
    return Chain(
        normal((segments, rows)),
        normal((segments, rows, parameters)),
        normal((segments, rows, states)),
        weight * normal((segments - 1, states)),
        weight[..., None] * normal((segments - 1, states, parameters)),
        weight[..., None] * normal((segments - 1, states, states)),
        -weight * (1 + random.uniform(size=(segments - 1, states))),
    )


def flat(point):
    return np.concatenate([point.u, point.nodes.ravel()])


@pytest.mark.parametrize("rows", [1, 7, 40])
@pytest.mark.parametrize("joined", [None, [True, False, True, False]])
@pytest.mark.parametrize("segments", [1, 5])
def test_a_damped_step_solves_the_dense_problem(rows, joined, segments):
    chain = random_chain(segments, rows, joined=joined if segments > 1 else None)
    random = np.random.default_rng(1)
    damping = Point(random.uniform(0.1, 1, 3), random.uniform(0.1, 1, (segments, 2)))
    jacobian, residual = dense(chain), np.concatenate([chain.misfit.ravel(), chain.gap.ravel()])
    matrix = np.concatenate([jacobian, np.diag(flat(damping))])
    expected = np.linalg.lstsq(matrix, -np.concatenate([residual, np.zeros(len(flat(damping)))]), rcond=None)[0]
    step, fall = chain.compressed().step(damping)
    np.testing.assert_allclose(flat(step), expected, rtol=1e-10, atol=1e-12)
    after = residual + jacobian @ expected
    assert fall == pytest.approx(residual @ residual - after @ after, rel=1e-9)


def test_what_is_left_for_the_last_node_and_the_parameters():
    """RᵀR is the Schur complement of the earlier nodes."""
    chain = random_chain(rows=9)
    jacobian = dense(chain)
    last = np.r_[jacobian.shape[1] - 2, jacobian.shape[1] - 1, 0, 1, 2]
    covariance = np.linalg.inv(jacobian.T @ jacobian)[np.ix_(last, last)]
    matrix = chain.compressed().last().matrix[:5, :5]
    np.testing.assert_allclose(np.linalg.inv(matrix.T @ matrix), covariance, rtol=1e-9)


def test_lengths_do_not_grow_with_the_ties():
    chain = random_chain()
    loose = chain._replace(**{k: 0 * getattr(chain, k) for k in ("gap_by_parameter", "gap_by_node", "gap_by_next")})
    np.testing.assert_allclose(flat(chain.lengths()), np.linalg.norm(dense(loose), axis=0))


def rosenbrock(point):
    """Rosenbrock's valley in (u, node)."""
    (u,), ((s,),) = point
    return Chain(
        np.array([[10 * (s - u**2), 1 - u]]),
        np.array([[[-20 * u], [-1.0]]]),
        np.array([[[10.0], [0.0]]]),
        np.zeros((0, 1)),
        np.zeros((0, 1, 1)),
        np.zeros((0, 1, 1)),
        np.zeros((0, 1)),
    )


def test_a_curved_valley_is_followed_to_its_minimum():
    found = descend(rosenbrock, Point(np.array([-1.2]), np.array([[1.0]])), np.array([np.inf]), 100, 1e-14)
    np.testing.assert_allclose(flat(found), [1.0, 1.0], rtol=1e-8)


def test_a_parameter_stays_within_reach():
    found = descend(rosenbrock, Point(np.array([-1.2]), np.array([[1.0]])), np.array([0.5]), 100, 1e-14)
    np.testing.assert_allclose(flat(found), [0.5, 0.25], rtol=1e-6)


def test_a_start_without_a_finite_cost_is_refused():
    with pytest.raises(ValueError, match="finite"):
        descend(rosenbrock, Point(np.array([np.inf]), np.array([[1.0]])), np.array([np.inf]), 10, 1e-8)
