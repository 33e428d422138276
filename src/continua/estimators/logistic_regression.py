"""`LogisticRegression`: the chance of each class."""

from typing import Any

import numpy as np
from scipy.special import log_softmax, softmax
from sklearn.utils.validation import check_is_fitted

from continua.estimators.linear_classifier import LinearClassifier, labelled
from continua.estimators.linear_model import number
from continua.estimators.risks import Floats, Logistic, Softmax


class LogisticRegression(LinearClassifier):
    r"""Logistic regression, of two classes or, by softmax, of several.

    $$ \min_{w, b} C \sum_i s_i\, \log \sum_k e^{z_{ik} - z_{i c_i}}
       + \tfrac{1 - \rho}{2}\, |w|^2 + \rho\, |w|_1, \qquad z_{ik} = x_i \cdot w_k + b_k $$

    Two classes have one score, z of the second, beside a zero for the first. Labels may be anything: 0 and 1, −1 and
    +1, words.

    Args:
        C: how much the data weigh against the penalties; `inf` for no penalty.
        l1_ratio: ρ, from 0 (squares alone) to 1 (sizes alone, many weights exactly zero).
        fit_intercept: whether b, which is not penalised, is fitted.
        class_weight: class → weight of its samples, "balanced", or None.
        tol: of the objective at zero, what may be left to be gained.
        max_iter: steps at most.
        warm_start: whether `fit` starts where the last one ended.
        verbose: whether each step is told on the standard error.

    Attributes:
        classes_: the classes, in the order of scores.
        coef_: w, [1, feature] for two classes, else [class, feature].
        intercept_: b, [1] or [class].
        n_iter_: steps, [1].

    Good for: chances of classes that a plane, roughly, divides.

    Example:
        >>> from continua.estimators import LogisticRegression
        >>> model = LogisticRegression().fit([[0.0], [1.0], [3.0], [4.0]], ["low", "low", "high", "high"])
        >>> model.predict([[0.5], [3.5]]), model.predict_proba([[2.0]]).round(6)
        (array(['low', 'high'], dtype='<U4'), array([[0.5, 0.5]]))
    """

    def __init__(
        self,
        C: float = 1.0,
        *,
        l1_ratio: float = 0.0,
        fit_intercept: bool = True,
        class_weight: Any = None,
        tol: float = 1e-10,
        max_iter: int = 1000,
        warm_start: bool = False,
        verbose: int = 0,
    ) -> None:
        self.C = C
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.class_weight = class_weight
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start
        self.verbose = verbose

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "LogisticRegression":
        """Fit it to rows X [sample, feature], dense or sparse, and classes y [sample]."""
        weight, share = number(self, "C", above=True), number(self, "l1_ratio", most=1)
        X, numbers, weights = labelled(self, X, y, sample_weight)
        data, scale = (weight, 1.0) if np.isfinite(weight) else (1.0, 0.0)
        penalties = scale * (1 - share), scale * share
        if len(self.classes_) == 2:
            start = self._start(X.shape[1], 1)[:, 0]
            w, steps = self._descend(X, np.where(numbers, 1.0, -1.0), data * weights, Logistic(), start, *penalties)
            w = w[:, None]
        else:
            hot = np.equal.outer(numbers, np.arange(len(self.classes_))).astype(np.float64)
            start = self._start(X.shape[1], len(self.classes_))
            w, steps = self._descend(X, hot, data * weights, Softmax(), start, *penalties)
        self.coef_, self.intercept_, self.n_iter_ = w[:-1].T.copy(), w[-1], np.array([steps])
        return self

    def predict_proba(self, X: Any) -> Floats:
        """The chances of the classes, [sample, class], of rows X."""
        return softmax(self._pairs(X), axis=1)

    def predict_log_proba(self, X: Any) -> Floats:
        """Their logarithms."""
        return log_softmax(self._pairs(X), axis=1)

    def _pairs(self, X: Any) -> Floats:
        """Scores with one column for each class."""
        check_is_fitted(self)
        scores = self.decision_function(X)
        return scores if scores.ndim == 2 else np.stack([np.zeros_like(scores), scores], axis=1)
