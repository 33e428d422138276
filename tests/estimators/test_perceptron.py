"""Networks with scikit-learn's face: the same minima from the same start, and what may vary around them."""

import contextlib

import numpy as np
import pytest
from scipy import sparse
from sklearn import neural_network
from sklearn.exceptions import ConvergenceWarning

from continua import estimators, optim
from continua.core import ArgumentError, ArgumentTypeError

RNG = np.random.default_rng(0)
X = RNG.standard_normal((50, 3))
TARGETS = np.column_stack([np.sin(2 * X[:, 0]), X[:, 1] * X[:, 2]])
LABELS = (TARGETS > 0).astype(int)
# More than 500 parameters, whose Hessian nobody asks for; a penalty that leaves one minimum around the start.
SAME = {
    "hidden_layer_sizes": (20, 20),
    "activation": "tanh",
    "solver": "lbfgs",
    "alpha": 5.0,
    "tol": 1e-7,
    "max_iter": 1000,
    "random_state": 0,
}


@pytest.mark.core
def test_regression_has_the_minimum_of_scikit_learn():
    ours = estimators.MLPRegressor(**SAME).fit(X, TARGETS[:, 0])
    theirs = neural_network.MLPRegressor(**SAME).fit(X, TARGETS[:, 0])
    assert ours.loss_ == pytest.approx(theirs.loss_, rel=1e-7)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), atol=1e-4)
    theirs.coefs_, theirs.intercepts_ = ours.coefs_, ours.intercepts_
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), atol=1e-12)
    # Rows with weights are rows as often, and sparse rows are rows, by the same program; so is the next start.
    counts = RNG.integers(0, 3, 50)
    weighted = estimators.MLPRegressor(**SAME).fit(sparse.csr_array(X), TARGETS[:, 0], counts).predict(X)
    repeated = estimators.MLPRegressor(**SAME).fit(np.repeat(X, counts, 0), np.repeat(TARGETS[:, 0], counts))
    np.testing.assert_allclose(weighted, repeated.predict(X), atol=1e-6)
    ours.set_params(warm_start=True).fit(X, TARGETS[:, 0])
    assert ours.n_iter_ <= 1
    assert ours.predict(X.astype(np.float32)).dtype == np.float64


def test_labels_have_the_minimum_of_scikit_learn(capsys):
    ours = estimators.MLPClassifier(**SAME, verbose=1).fit(X, LABELS)
    theirs = neural_network.MLPClassifier(**SAME).fit(X, LABELS)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-4)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    assert ours.out_activation_ == theirs.out_activation_ == "logistic"
    told = capsys.readouterr().err.splitlines()
    assert len(told) >= ours.n_iter_
    assert all(line.startswith("MLPClassifier: loss ") for line in told)
    assert float(told[-1].split()[-1]) == pytest.approx(ours.loss_, rel=1e-6)


@pytest.mark.parametrize("loss", ["absolute_error", "huber", "poisson"])
def test_other_losses_meet_their_condition(loss):
    # Without a hidden layer nor a penalty the score's constant makes the mean slope of the loss vanish.
    counts = np.floor(np.exp(X[:, 0]))
    with pytest.warns(ConvergenceWarning) if loss == "absolute_error" else contextlib.nullcontext():
        model = estimators.MLPRegressor(loss, (), solver="lbfgs", alpha=0.0, max_iter=60).fit(X, counts)
    left = model.predict(X) - counts
    slope = {"absolute_error": np.sign(left), "huber": np.clip(left, -1, 1), "poisson": left}[loss]
    assert abs(slope.mean()) <= {"absolute_error": 5 / 50}.get(loss, 1e-3)


def test_batches_learn_what_all_rows_teach():
    small = {"hidden_layer_sizes": (20,), "batch_size": 16, "n_iter_no_change": 5, "random_state": 0, "tol": 0.05}
    for solver in ("adam", optim.sgd(0.1, momentum=0.9)):
        early = {"early_stopping": True, "learning_rate_init": 0.03} if solver == "adam" else {}
        model = estimators.MLPClassifier(**small, **early, solver=solver)
        assert model.fit(X, LABELS[:, 1]).score(X, LABELS[:, 1]) > 0.85
        assert len(model.loss_curve_) == model.n_iter_
        again = model.fit(X, LABELS[:, 1]).coefs_[0]
        np.testing.assert_array_equal(again, model.fit(X, LABELS[:, 1]).coefs_[0])


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"solver": "lbgfs"}, ArgumentError, "`solver` of `MLPClassifier` must be one of .* Did you mean `lbfgs`"),
        ({"solver": 3}, ArgumentTypeError, "a transformation as optax means it. Got 3"),
        ({"activation": "rleu"}, ArgumentError, "Did you mean `relu`"),
        ({"hidden_layer_sizes": (4, 0)}, ArgumentError, "`hidden_layer_sizes` of `MLPClassifier`"),
        ({"alpha": -1.0}, ArgumentError, "`alpha` of MLPClassifier must be a number at least 0"),
        ({"solver": "lbfgs", "early_stopping": True}, ArgumentError, "goes with mini-batches"),
        ({"max_iter": 0}, ArgumentError, "`max_iter` of `MLPClassifier`"),
    ],
)
def test_bad_arguments_are_named(options, error, words):
    with pytest.raises(error, match=words):
        estimators.MLPClassifier(**options).fit(X, LABELS[:, 0])
