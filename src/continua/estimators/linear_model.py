"""What all linear models share: their data checked, their objective made, and the way down it."""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from continua.core import ArgumentError
from continua.estimators.descent import descend
from continua.estimators.problem import Design, Problem
from continua.estimators.risks import Floats, Risk
from continua.estimators.threads import fitting_threads

MOST = 2**31  # steps


def number(estimator: object, name: str, least: float = 0.0, *, above: bool = False, most: float = np.inf) -> float:
    """An argument of an estimator that must be a number between two bounds."""
    value = getattr(estimator, name)
    real = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not real or not least <= value <= most or (above and value == least):
        bounds = f"{'above' if above else 'at least'} {least:g}" + (f" and at most {most:g}" if most < np.inf else "")
        raise ArgumentError(f"`{name}` of {type(estimator).__name__} must be a number {bounds}. Got {value!r}.")
    return float(value)


def checked(estimator: Any, X: Any, y: Any, sample_weight: Any, **rules: Any) -> tuple[Any, Any, Floats]:
    """Rows [sample, feature] in double precision, dense or CSR; targets; weights [sample]. Rules are scikit-learn's."""
    X, y = validate_data(estimator, X, y, accept_sparse="csr", **{"dtype": np.float64, **rules})
    return X, y, _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)


def takes_sparse_rows(tags: Any) -> Any:
    """The tags of an estimator that does."""
    tags.input_tags.sparse = True
    return tags


class LinearModel(BaseEstimator):
    """A model of scores that are linear in the features: `coef_`, `intercept_`."""

    fit_intercept: bool
    warm_start: bool
    tol: float
    max_iter: int
    verbose: int
    coef_: Any
    intercept_: Any
    n_iter_: Any

    def __sklearn_tags__(self) -> Any:
        """It takes sparse rows."""
        return takes_sparse_rows(super().__sklearn_tags__())

    def _linear(self, X: Any) -> Floats:
        """The scores of rows."""
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse="csr", dtype=np.float64, reset=False)
        return X @ self.coef_.T + self.intercept_

    def _descend(
        self,
        X: Any,
        targets: Floats,
        weights: Floats,
        risk: Risk,
        start: Floats,
        ridge: float = 0.0,
        lasso: float = 0.0,
        constant: float | None = None,
    ) -> tuple[Floats, int]:
        """The minimum [parameter] or [parameter, score] of the objective, and how many steps it took.

        With a `constant`, the intercept is the weight of a feature of that size, and penalised like the others.
        """
        design = Design(X, 1.0 if constant is None else constant)
        column = np.ones((design.width, *[1] * (targets.ndim - 1)))
        penalised, movable = column.copy(), column.copy()
        penalised[-1], movable[-1] = constant is not None, self.fit_intercept
        problem = Problem(design, risk, targets, weights, ridge * penalised, lasso * penalised, movable)
        steps = int(number(self, "max_iter", 1, most=MOST))
        name = type(self).__name__
        with fitting_threads(X.size):
            found = descend(problem, start, number(self, "tol", above=True), steps, name, bool(self.verbose))
        return found.w, found.steps

    def _start(self, features: int, scores: int) -> Floats:
        """Where to start, [parameter, score]: zero, or with `warm_start` where the last fit ended."""
        zero = np.zeros((features + 1, scores))
        if not self.warm_start or not hasattr(self, "coef_"):
            return zero
        before = np.column_stack([np.atleast_2d(self.coef_), np.broadcast_to(self.intercept_, scores)]).T
        return before if before.shape == zero.shape else zero
