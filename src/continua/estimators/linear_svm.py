"""`LinearSVC`: a support vector machine by its primal flow."""

from typing import Any

import numpy as np

from continua.estimators.linear_classifier import LinearClassifier, labelled
from continua.estimators.linear_model import number
from continua.estimators.risks import SquaredHinge


class LinearSVC(LinearClassifier):
    r"""A linear support vector machine with squared hinge loss, one against the rest for several classes.

    $$ \min_{w, b} \tfrac12 \big(|w|^2 + (b/c)^2\big)
       + C \sum_i s_i \max(0, 1 - y_i (x_i \cdot w + b))^2, \qquad y_i = \pm 1 $$

    Labels may be anything: 0 and 1, −1 and +1, words. The gradient of F has a kink at each sample's margin; Newton's
    steps take the curvature of the side on which it lies, and end after finitely many.

    Args:
        C: how much the data weigh against the penalty.
        fit_intercept: whether b is fitted.
        intercept_scaling: c; the larger, the less b is penalised.
        class_weight: class → weight of its samples, "balanced", or None.
        tol: of the objective at zero, what may be left to be gained.
        max_iter: steps at most.
        warm_start: whether `fit` starts where the last one ended.
        verbose: whether each step is told on the standard error.

    Attributes:
        classes_: the classes, in the order of scores.
        coef_: w, [1, feature] for two classes, else [class, feature].
        intercept_: b, [1] or [class].
        n_iter_: steps, the most that a class took.

    Good for: many rows or many features; kernels are in `SVC`.

    Source: Keerthi & DeCoste, J. Mach. Learn. Res. 6 (2005) 341–361.
    """

    def __init__(
        self,
        C: float = 1.0,
        *,
        fit_intercept: bool = True,
        intercept_scaling: float = 1.0,
        class_weight: Any = None,
        tol: float = 1e-10,
        max_iter: int = 1000,
        warm_start: bool = False,
        verbose: int = 0,
    ) -> None:
        self.C = C
        self.fit_intercept = fit_intercept
        self.intercept_scaling = intercept_scaling
        self.class_weight = class_weight
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start
        self.verbose = verbose

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "LinearSVC":
        """Fit it to rows X [sample, feature], dense or sparse, and classes y [sample]."""
        data, constant = number(self, "C", above=True), number(self, "intercept_scaling", above=True)
        X, numbers, weights = labelled(self, X, y, sample_weight)
        positive = [1] if len(self.classes_) == 2 else range(len(self.classes_))
        start = self._start(X.shape[1], len(positive)) / np.append(np.ones(X.shape[1]), constant)[:, None]
        found = [
            self._descend(
                X, np.where(numbers == one, 1.0, -1.0), data * weights, SquaredHinge(), before, 1.0, constant=constant
            )
            for one, before in zip(positive, start.T, strict=True)
        ]
        w = np.array([each for each, _ in found])
        self.coef_, self.intercept_ = w[:, :-1], constant * w[:, -1]
        self.n_iter_ = max(steps for _, steps in found)
        return self
