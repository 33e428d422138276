"""scikit-learn's own checks of estimators, and its coefficients and scores on the data that it brings."""

import numpy as np
import pytest
from sklearn import linear_model, neural_network, svm
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, load_wine
from sklearn.model_selection import cross_val_score
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from threadpoolctl import threadpool_limits

from continua import estimators

ESTIMATORS = [
    estimators.LinearRegression(),
    estimators.Ridge(),
    estimators.Lasso(),
    estimators.ElasticNet(),
    estimators.LogisticRegression(),
    estimators.LinearSVC(),
    estimators.SVC(),
    estimators.MLPClassifier(max_iter=50),
    estimators.MLPRegressor(max_iter=50),
]
LOADERS = {
    "diabetes": load_diabetes,
    "cancer": load_breast_cancer,
    "wine": load_wine,
    "iris": load_iris,
    "digits": load_digits,
}
REGRESSIONS = [
    (estimators.LinearRegression(), linear_model.LinearRegression()),
    (estimators.LinearRegression(fit_intercept=False), linear_model.LinearRegression(fit_intercept=False)),
    (estimators.Ridge(0.1), linear_model.Ridge(0.1)),
    (estimators.Lasso(0.1), linear_model.Lasso(0.1, tol=1e-12, max_iter=100_000)),
    (
        estimators.ElasticNet(0.01, l1_ratio=0.7),
        linear_model.ElasticNet(0.01, l1_ratio=0.7, tol=1e-12, max_iter=100_000),
    ),
]
CLASSIFICATIONS = {
    "cancer": (estimators.LogisticRegression(0.3), linear_model.LogisticRegression(C=0.3, tol=1e-10)),
    "wine": (
        estimators.LogisticRegression(0.1, fit_intercept=False),
        linear_model.LogisticRegression(C=0.1, fit_intercept=False, tol=1e-10),
    ),
    "digits": (estimators.LogisticRegression(), linear_model.LogisticRegression(tol=1e-8, solver="newton-cg")),
    "iris": (
        estimators.LogisticRegression(0.5, l1_ratio=0.5),
        linear_model.LogisticRegression(C=0.5, l1_ratio=0.5, solver="saga", tol=1e-9, max_iter=10_000),
    ),
}
PEERS = (linear_model, svm, neural_network)
# The penalty leaves networks few minima, and both start at the same place.
NETWORK = {
    "hidden_layer_sizes": (64,),
    "activation": "tanh",
    "alpha": 10.0,
    "solver": "lbfgs",
    "max_iter": 1000,
    "random_state": 0,
}
FOLDS = [
    *(("diabetes", name, {}) for name in ("LinearRegression", "Ridge")),
    *(("diabetes", name, {"alpha": 0.01}) for name in ("Lasso", "ElasticNet")),
    ("diabetes", "MLPRegressor", NETWORK),
    *(
        (data, name, options)
        for data in ("cancer", "wine", "iris", "digits")
        for name, options in (
            ("LogisticRegression", {}),
            ("LinearSVC", {}),
            ("SVC", {}),
            ("MLPClassifier", NETWORK),
        )
    ),
]


def rows(name):
    """Standardised features, and targets."""
    X, y = LOADERS[name](return_X_y=True)
    return StandardScaler().fit_transform(X), y


def same(ours, theirs, tol):
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=tol * np.abs(theirs.coef_).max())
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=tol * (1 + np.abs(theirs.intercept_).max()))


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks(ESTIMATORS)
def test_check_estimator(estimator, check):
    check(estimator)


@pytest.mark.core
@pytest.mark.parametrize(("ours", "theirs"), REGRESSIONS)
def test_regressions_have_its_coefficients(ours, theirs):
    X, y = rows("diabetes")
    weights = np.random.default_rng(0).uniform(0.1, 2, len(y))
    same(ours.fit(X, y, weights), theirs.fit(X, y, weights), 1e-7)
    assert ours.score(X, y) == pytest.approx(theirs.score(X, y), abs=1e-9)


@pytest.mark.parametrize("data", CLASSIFICATIONS)
def test_logistic_regression_has_its_coefficients(data):
    X, y = rows(data)
    ours, theirs = CLASSIFICATIONS[data]
    same(ours.fit(X, y), theirs.fit(X, y), 1e-5)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-5)


@pytest.mark.parametrize("data", ["cancer", "iris"])
@pytest.mark.parametrize("kernel", ["rbf", "linear", "poly"])
def test_kernel_machine_has_its_scores(data, kernel):
    X, y = rows(data)
    ours = estimators.SVC(kernel=kernel).fit(X, y)
    theirs = svm.SVC(kernel=kernel, tol=1e-8).fit(X, y)
    np.testing.assert_allclose(ours.decision_function(X), theirs.decision_function(X), rtol=1e-3, atol=1e-3)
    assert len(np.setxor1d(ours.support_, theirs.support_)) <= 1  # one may lie on the margin


@pytest.mark.parametrize("data", ["cancer", "wine"])
def test_linear_machine_has_its_coefficients(data):
    X, y = rows(data)
    theirs = svm.LinearSVC(C=0.1, tol=1e-10, max_iter=1_000_000, random_state=0, dual=False)
    same(estimators.LinearSVC(0.1).fit(X, y), theirs.fit(X, y), 1e-4)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("data", "name", "options"), FOLDS)
def test_five_folds_score_as_its_own(data, name, options):
    X, y = rows(data)
    y = (y - y.mean()) / y.std() if data == "diabetes" else y
    with threadpool_limits(1):  # networks this small wait for each other's threads
        ours, theirs = (
            cross_val_score(getattr(module, name)(**options), X, y, cv=5).mean()
            for module in (estimators, next(m for m in PEERS if hasattr(m, name)))
        )
    assert ours == pytest.approx(theirs, abs=0.005)
