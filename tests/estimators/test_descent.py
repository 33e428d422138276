"""The minima are minima: derivatives, optimality conditions, and the same place by other routes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from continua import estimators, minimise, optim
from continua.core import ArgumentError
from continua.estimators import descent, risks
from continua.estimators.interior_point import box_dual
from continua.estimators.pairwise import pairwise_dual

RNG = np.random.default_rng(0)
X = RNG.standard_normal((60, 5))
SCORE = X @ [1.0, -2.0, 0.5, 0.0, 0.0] + 0.3 * RNG.standard_normal(60)
SIGN = np.where(SCORE > 0, 1.0, -1.0)
CLASS = np.digitize(SCORE, [-1.0, 1.0])
HOT = np.eye(3)[CLASS]
PAIRS = [
    (risks.HalfSquare(), lambda z, t: optim.squared_error(z - t) / 2, SCORE, SCORE[::-1]),
    (risks.Logistic(), lambda z, t: optim.logistic(t * z), SCORE, SIGN[::-1]),
    (risks.SquaredHinge(), lambda z, t: optim.squared_hinge(t * z), SCORE, SIGN[::-1]),
    (risks.Softmax(), lambda z, t: optim.softmax_cross_entropy(z, jnp.argmax(t, -1)), X[:, :3], HOT),
]


@pytest.mark.parametrize(("risk", "loss", "z", "target"), PAIRS)
def test_risks_are_the_losses_with_their_derivatives(risk, loss, z, target):
    direction = RNG.standard_normal(z.shape)

    @jax.jit
    def derivatives(z, target):
        slope = jax.grad(lambda z: loss(z, target).sum())
        return loss(z, target), *jax.jvp(slope, (z,), (jnp.asarray(direction),))

    expected = derivatives(jnp.asarray(z), jnp.asarray(target))
    got = risk.value(z, target), risk.slope(z, target), risk.bend(z, target)(direction)
    for ours, theirs in zip(got, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-13)


def test_losses_do_not_overflow():
    far = jnp.asarray([-1e4, 1e4])
    np.testing.assert_array_equal(optim.logistic(far), [1e4, 0])
    np.testing.assert_array_equal(optim.hinge(far), [10001, 0])
    np.testing.assert_array_equal(optim.absolute_error(far), [1e4, 1e4])
    np.testing.assert_array_equal(optim.huber(far, 2.0), [2e4 - 2, 2e4 - 2])
    np.testing.assert_array_equal(optim.huber(jnp.asarray([0.5])), [0.125])
    with pytest.raises(TypeError, match="whole numbers"):
        optim.softmax_cross_entropy(far[None], far[:1])


def test_a_line_through_five_points():
    x, y = np.arange(1.0, 6.0)[:, None], np.arange(1.5, 6.0)
    for line in (estimators.LinearRegression(), estimators.Ridge(0.0), estimators.ElasticNet(0.0)):
        line.fit(x, y)
        assert line.coef_[0] == pytest.approx(1, abs=1e-12)
        assert line.intercept_ == pytest.approx(0.5, abs=1e-12)


@pytest.mark.core
def test_minimise_ends_at_the_same_place():
    found = minimise(
        lambda w: jnp.sum(optim.logistic(SIGN * (X @ w[:-1] + w[-1]))) + jnp.sum(w[:-1] ** 2) / 2, jnp.zeros(6)
    )
    model = estimators.LogisticRegression().fit(X, SIGN)
    np.testing.assert_allclose(np.append(model.coef_, model.intercept_), found.x, atol=1e-7)


@pytest.mark.parametrize("classes", [SIGN, CLASS])
@pytest.mark.parametrize("ratio", [0.0, 0.6])
def test_many_parameters_take_another_route_to_the_same_place(classes, ratio, monkeypatch):
    model = estimators.LogisticRegression(l1_ratio=ratio).fit(X, classes)
    monkeypatch.setattr(descent, "DENSE", 0)
    other = estimators.LogisticRegression(l1_ratio=ratio).fit(sparse.csr_array(X), classes)
    np.testing.assert_allclose(other.coef_, model.coef_, atol=1e-5)


@pytest.mark.parametrize(
    "model",
    [
        estimators.LinearRegression(),
        estimators.Ridge(),
        estimators.ElasticNet(0.1),
        estimators.LogisticRegression(l1_ratio=0.5),
        estimators.LinearSVC(),
    ],
)
def test_sparse_rows_weights_and_a_warm_start(model):
    y = SIGN if hasattr(model, "C") else SCORE
    counts = RNG.integers(0, 3, 60)
    coef = model.fit(X, y, counts).coef_
    np.testing.assert_allclose(model.fit(np.repeat(X, counts, 0), np.repeat(y, counts)).coef_, coef, atol=1e-7)
    np.testing.assert_allclose(model.fit(sparse.csr_array(X), y, counts).coef_, coef, atol=1e-7)
    if hasattr(model, "warm_start"):
        again = model.set_params(warm_start=True).fit(X, y, counts)
        assert np.max(again.n_iter_) <= 1
        np.testing.assert_allclose(again.coef_, coef, atol=1e-7)


def test_lasso_with_more_features_than_rows_is_optimal():
    wide = RNG.standard_normal((40, 400))
    y = wide[:, :3] @ [3.0, -2.0, 1.0]
    alpha = 0.1
    model = estimators.Lasso(alpha).fit(wide, y)
    pull = wide.T @ (y - model.predict(wide)) / len(y)
    kept = model.coef_ != 0
    assert 3 <= kept.sum() < 40
    np.testing.assert_allclose(pull[kept], alpha * np.sign(model.coef_[kept]), atol=1e-8)
    assert np.abs(pull).max() <= alpha + 1e-8


def test_the_dual_ends_without_a_gap():
    kernel = np.exp(-((X[:, None] - X) ** 2).sum(2) / 4)
    upper = RNG.uniform(0.5, 2, 60)
    found = box_dual(kernel * SIGN * SIGN[:, None], SIGN, upper, 1e-10)
    scores = kernel @ (found.alpha * SIGN) + found.constant
    primal = upper @ np.maximum(0, 1 - SIGN * scores) + found.alpha * SIGN @ kernel @ (found.alpha * SIGN) / 2
    dual = found.alpha.sum() - found.alpha * SIGN @ kernel @ (found.alpha * SIGN) / 2
    assert primal == pytest.approx(dual, rel=1e-8)
    assert abs(found.alpha @ SIGN) < 1e-9
    pairs = pairwise_dual(kernel, SIGN, upper, 1e-10)
    np.testing.assert_allclose(pairs.alpha, found.alpha, atol=1e-6)
    assert pairs.constant == pytest.approx(found.constant, abs=1e-6)
    slack = SIGN * (kernel @ (pairs.alpha * SIGN) + pairs.constant) - 1
    assert np.all(slack[pairs.alpha == 0] >= -1e-10)
    assert np.all(slack[pairs.alpha == upper] <= 1e-10)
    assert np.abs(slack[(pairs.alpha > 0) & (pairs.alpha < upper)]).max() <= 1e-10


def test_a_dual_that_pairs_crawl_along_is_left_to_the_other_method():
    kernel, upper = X @ X.T, np.full(60, 1e7)
    assert pairwise_dual(kernel, SIGN, upper, 1e-12) is None
    model = estimators.SVC(1e4, kernel="linear", tol=1e-9).fit(X, SIGN)
    assert model.score(X, SIGN) > 0.85


def test_many_rows_step_by_the_gram_matrix_of_some(monkeypatch):
    monkeypatch.setattr(descent, "SAMPLES", 3)
    for model in (estimators.LogisticRegression(), estimators.LinearSVC(), estimators.Lasso(0.1)):
        y = SCORE if isinstance(model, estimators.Lasso) else SIGN
        few = model.fit(X, y).coef_
        with monkeypatch.context() as whole:
            whole.setattr(descent, "SAMPLES", 60)
            np.testing.assert_allclose(few, model.fit(X, y).coef_, atol=1e-6)


def test_steps_are_told_and_counted(capsys):
    estimators.LogisticRegression(verbose=1).fit(X, SIGN)
    told = capsys.readouterr().err.splitlines()
    assert told[0].startswith("LogisticRegression: step 0, objective 41.58")
    estimators.SVC(verbose=1).fit(X, CLASS)
    assert [line.split(",")[0] for line in capsys.readouterr().err.splitlines()] == [
        "SVC: classes 0 and 1",
        "SVC: classes 0 and 2",
        "SVC: classes 1 and 2",
    ]
    with pytest.warns(ConvergenceWarning, match="took all 1 steps. Raise `max_iter`"):
        estimators.LogisticRegression(max_iter=1).fit(X, SIGN)


@pytest.mark.parametrize(
    ("model", "y", "words"),
    [
        (estimators.Ridge(-1.0), SCORE, "`alpha` of Ridge must be a number at least 0. Got -1.0"),
        (estimators.ElasticNet(l1_ratio=2), SCORE, "`l1_ratio` of ElasticNet must .* at most 1"),
        (estimators.LogisticRegression(0.0), SIGN, "`C` of LogisticRegression must be a number above 0. Got 0.0"),
        (estimators.LogisticRegression(), np.ones(60), "must hold two classes or more"),
        (estimators.SVC(kernel="rfb"), SIGN, "`kernel` of SVC must be one of 'linear', 'rbf', 'poly', 'sigmoid'"),
        (estimators.SVC(gamma=-1), SIGN, "`gamma` of SVC must be a number above 0"),
    ],
)
def test_bad_arguments_are_named(model, y, words):
    with pytest.raises(ArgumentError, match=words):
        model.fit(X, y)


def test_steps_are_newtons_on_few_rows_and_learn_from_slopes_on_many(monkeypatch, capsys):
    """What a step foretells to gain, from step to step; the gain of Newton's own steps is squared, or more."""

    def foretold(model, rows, signs):
        model.fit(rows, signs)
        lines = capsys.readouterr().err.splitlines()
        return [float(line.rsplit(" ", 1)[1]) for line in lines if "samples" not in line]

    exact = foretold(estimators.LogisticRegression(verbose=1, tol=1e-14), X, SIGN)
    assert exact[-1] < 10 * exact[-2] ** 2 < 1e-3
    rows = np.random.default_rng(1).standard_normal((4000, 8))
    signs = np.where(rows @ np.ones(8) + np.random.default_rng(2).logistic(size=4000) > 0, 1.0, -1.0)
    model = estimators.LogisticRegression(verbose=1, tol=1e-13)
    with monkeypatch.context() as alone:
        alone.setattr(descent.Some, "learn", lambda *_: None)
        slow = len(foretold(model, rows, signs))
    assert len(foretold(model, rows, signs)) < slow
