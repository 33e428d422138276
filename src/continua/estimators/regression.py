"""Least squares, plain and with penalties: `LinearRegression`, `Ridge`, `Lasso`, `ElasticNet`."""

from typing import Any

import numpy as np
from scipy import sparse
from scipy.linalg import lstsq
from scipy.sparse.linalg import aslinearoperator, lsqr
from sklearn.base import MultiOutputMixin, RegressorMixin

from continua.estimators.linear_model import LinearModel, checked, number
from continua.estimators.risks import Floats, HalfSquare


class LinearRegression(MultiOutputMixin, RegressorMixin, LinearModel):
    r"""Ordinary least squares: where the gradient flow of the squared error ends, started from zero.

    $$ \min_{w, b} \sum_i s_i\, (x_i \cdot w + b - y_i)^2; \qquad \text{of several such } w \text{ the shortest} $$

    Args:
        fit_intercept: whether b is fitted; without it, data that do not pass through the origin are fitted badly.
        tol: of sparse rows, which are solved by conjugate gradients (LSQR), the relative tolerance.

    Attributes:
        coef_: w, [feature] or, for several targets, [target, feature].
        intercept_: b.
        n_features_in_: features.

    Good for: fewer features than rows, none a combination of others; else use `Ridge`.

    Example:
        >>> from continua.estimators import LinearRegression
        >>> line = LinearRegression().fit([[1.0], [2.0], [3.0], [4.0], [5.0]], [1.5, 2.5, 3.5, 4.5, 5.5])
        >>> line.coef_.round(6), round(float(line.intercept_), 6)
        (array([1.]), 0.5)
    """

    def __init__(self, *, fit_intercept: bool = True, tol: float = 1e-10) -> None:
        self.fit_intercept = fit_intercept
        self.tol = tol

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "LinearRegression":
        """Fit it to rows X [sample, feature], dense or sparse, and targets y [sample] or [sample, target]."""
        X, y, weights = checked(self, X, y, sample_weight, y_numeric=True, multi_output=True)
        tol, total = number(self, "tol", above=True), weights.sum()
        middle, centre = np.zeros(X.shape[1]), np.zeros(y.shape[1:])
        if self.fit_intercept:
            middle, centre = np.asarray(X.T @ weights).ravel() / total, weights @ y / total
        root = np.sqrt(weights)
        right = ((y - centre).T * root).T
        if sparse.issparse(X):
            self.coef_ = _by_products(X, middle, root, right, tol)
        else:
            lost = max(X.shape) * np.finfo(float).eps  # of the largest singular value: round-off, no direction
            self.coef_ = lstsq((X - middle) * root[:, None], right, cond=lost)[0].T
        self.intercept_ = centre - self.coef_ @ middle
        return self

    def predict(self, X: Any) -> Floats:
        """The target of rows X: x · w + b."""
        return self._linear(X)


def _by_products(X: Any, middle: Floats, root: Floats, right: Floats, tol: float) -> Floats:
    """The shortest solution for sparse rows, never made dense."""
    column, row = root[:, None], middle[None]
    design = aslinearoperator(X.multiply(column).tocsr()) - aslinearoperator(column) @ aslinearoperator(row)
    columns = [lsqr(design, one, atol=tol, btol=tol)[0] for one in np.atleast_2d(right.T)]
    return np.array(columns).reshape(*right.shape[1:], X.shape[1])


class PenalisedRegression(RegressorMixin, LinearModel):
    """Half the squared error with penalties on the weights."""

    def _fit(self, X: Any, y: Any, sample_weight: Any, *, mean: bool, ridge: float, lasso: float) -> None:
        """Go down, the squares being summed or averaged."""
        X, y, weights = checked(self, X, y, sample_weight, y_numeric=True)
        weights = weights / weights.sum() if mean else weights
        start = self._start(X.shape[1], 1)[:, 0]
        w, self.n_iter_ = self._descend(X, np.asarray(y, np.float64), weights, HalfSquare(), start, ridge, lasso)
        self.coef_, self.intercept_ = w[:-1], float(w[-1])

    def predict(self, X: Any) -> Floats:
        """The target of rows X: x · w + b."""
        return np.ravel(self._linear(X))


class Ridge(PenalisedRegression):
    r"""Least squares with a penalty on the squares of the weights.

    $$ \min_{w, b} \sum_i s_i\, (x_i \cdot w + b - y_i)^2 + \alpha\, |w|^2 $$

    Args:
        alpha: α, from 0.
        fit_intercept: whether b, which is not penalised, is fitted.
        tol: of the objective at zero, what may be left to be gained.
        max_iter: steps at most; up to a thousand features, one is enough.
        warm_start: whether `fit` starts where the last one ended.
        verbose: whether each step is told on the standard error.

    Attributes:
        coef_: w, [feature].
        intercept_: b.
        n_iter_: steps.

    Good for: features that resemble each other, and more features than rows.
    """

    def __init__(
        self,
        alpha: float = 1.0,
        *,
        fit_intercept: bool = True,
        tol: float = 1e-10,
        max_iter: int = 1000,
        warm_start: bool = False,
        verbose: int = 0,
    ) -> None:
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start
        self.verbose = verbose

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "Ridge":
        """Fit it to rows X [sample, feature], dense or sparse, and targets y [sample]."""
        self._fit(X, y, sample_weight, mean=False, ridge=number(self, "alpha"), lasso=0.0)
        return self


class ElasticNet(PenalisedRegression):
    r"""Least squares with penalties on the sizes and on the squares of the weights.

    $$ \min_{w, b} \frac{1}{2 \sum_i s_i} \sum_i s_i\, (x_i \cdot w + b - y_i)^2
       + \alpha \rho\, |w|_1 + \tfrac12 \alpha (1 - \rho)\, |w|^2 $$

    Args:
        alpha: α, from 0.
        l1_ratio: ρ, from 0 (squares alone) to 1 (sizes alone).
        fit_intercept: whether b, which is not penalised, is fitted.
        tol: of the objective at zero, what may be left to be gained.
        max_iter: steps at most.
        warm_start: whether `fit` starts where the last one ended, as along a path of α.
        verbose: whether each step is told on the standard error.

    Attributes:
        coef_: w, [feature]; exact zeros where a feature is not needed.
        intercept_: b.
        n_iter_: steps.

    Good for: many features of which few matter; groups of like features stay together.
    """

    def __init__(
        self,
        alpha: float = 1.0,
        *,
        l1_ratio: float = 0.5,
        fit_intercept: bool = True,
        tol: float = 1e-10,
        max_iter: int = 1000,
        warm_start: bool = False,
        verbose: int = 0,
    ) -> None:
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start
        self.verbose = verbose

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "ElasticNet":
        """Fit it to rows X [sample, feature], dense or sparse, and targets y [sample]."""
        alpha, share = number(self, "alpha"), number(self, "l1_ratio", most=1)
        self._fit(X, y, sample_weight, mean=True, ridge=alpha * (1 - share), lasso=alpha * share)
        return self


class Lasso(ElasticNet):
    r"""Least squares with a penalty on the sizes of the weights, many of which it makes exactly zero.

    $$ \min_{w, b} \frac{1}{2 \sum_i s_i} \sum_i s_i\, (x_i \cdot w + b - y_i)^2 + \alpha\, |w|_1 $$

    Args:
        alpha: α, from 0.
        fit_intercept: whether b, which is not penalised, is fitted.
        tol: of the objective at zero, what may be left to be gained.
        max_iter: steps at most.
        warm_start: whether `fit` starts where the last one ended, as along a path of α.
        verbose: whether each step is told on the standard error.

    Attributes:
        coef_: w, [feature].
        intercept_: b.
        n_iter_: steps.

    Good for: many features of which few matter.
    """

    def __init__(
        self,
        alpha: float = 1.0,
        *,
        fit_intercept: bool = True,
        tol: float = 1e-10,
        max_iter: int = 1000,
        warm_start: bool = False,
        verbose: int = 0,
    ) -> None:
        super().__init__(
            alpha, l1_ratio=1.0, fit_intercept=fit_intercept, tol=tol, max_iter=max_iter, warm_start=warm_start,
            verbose=verbose,
        )  # fmt: skip
