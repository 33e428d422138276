"""`SVC`: a support vector machine with a kernel, by its dual."""

import sys
from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics.pairwise import pairwise_kernels
from sklearn.utils.validation import check_is_fitted, validate_data

from continua.core import ArgumentError
from continua.estimators.interior_point import box_dual
from continua.estimators.linear_classifier import labelled
from continua.estimators.linear_model import number, takes_sparse_rows
from continua.estimators.pairwise import pairwise_dual
from continua.estimators.risks import Floats
from continua.estimators.threads import fitting_threads

KERNELS = {"linear": (), "rbf": ("gamma",), "poly": ("gamma", "degree", "coef0"), "sigmoid": ("gamma", "coef0")}
NONE = 1e-6  # of the largest multiplier that it may have: what is left of one whose sample is no support vector


class SVC(ClassifierMixin, BaseEstimator):
    r"""A support vector machine with a kernel, one class against another for several classes.

    $$ \min_\alpha \tfrac12 \sum_{ij} \alpha_i \alpha_j y_i y_j K(x_i, x_j) - \sum_i \alpha_i, \qquad
       0 \le \alpha_i \le C s_i, \quad \sum_i y_i \alpha_i = 0 $$

    The dual of hinge loss with a penalty |w|²/2 in the kernel's own space. It is solved pair by pair of multipliers
    and, where that takes long (large C), from within the box, all at once. Memory grows with the square of the samples.

    Args:
        C: how much the data weigh against the penalty.
        kernel: "rbf" exp(−γ|x − x'|²), "linear" x·x', "poly" (γ x·x' + c₀)^d, "sigmoid" tanh(γ x·x' + c₀), or a
            function of two arrays of rows that returns the matrix of K.
        degree: d.
        gamma: γ; "scale" for 1/(features · weighted variance), "auto" for 1/features.
        coef0: c₀.
        class_weight: class → weight of its samples, "balanced", or None.
        tol: how far scores may be from optimal, in units of the margin.
        verbose: whether each pair of classes is told on the standard error.

    Attributes:
        classes_: the classes.
        support_: the rows of the training data that matter.
        support_vectors_: those rows, [support, feature].
        dual_coef_: y α of each pair of classes (0, 1), (0, 2), …, (1, 2), …: [pair, support], positive for the later.
        intercept_: b of each pair.
        n_iter_: steps of each pair.

    Good for: up to some thousand samples whose classes no plane divides.
    """

    classes_: Any

    def __init__(
        self,
        C: float = 1.0,
        *,
        kernel: str | Callable[[Any, Any], Floats] = "rbf",
        degree: float = 3,
        gamma: float | str = "scale",
        coef0: float = 0.0,
        class_weight: Any = None,
        tol: float = 1e-8,
        verbose: int = 0,
    ) -> None:
        self.C = C
        self.kernel = kernel
        self.degree = degree
        self.gamma = gamma
        self.coef0 = coef0
        self.class_weight = class_weight
        self.tol = tol
        self.verbose = verbose

    def __sklearn_tags__(self) -> Any:
        """It takes sparse rows."""
        return takes_sparse_rows(super().__sklearn_tags__())

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "SVC":
        """Fit it to rows X [sample, feature], dense or sparse, and classes y [sample]."""
        most, tol = number(self, "C", above=True), number(self, "tol", above=True)
        X, numbers, weights = labelled(self, X, y, sample_weight)
        self._width = self._gamma(X, sample_weight)
        inner = self._kernel(X, X)
        pairs = list(combinations(range(len(self.classes_)), 2))
        duals, self.intercept_ = np.zeros((len(pairs), X.shape[0])), np.zeros(len(pairs))
        self.n_iter_ = np.zeros(len(pairs), int)
        for row, (first, second) in enumerate(pairs):
            own = np.flatnonzero(((numbers == first) | (numbers == second)) & (weights > 0))
            signs, upper = np.where(numbers[own] == second, 1.0, -1.0), most * weights[own]
            kernel = inner if len(own) == len(inner) else inner[np.ix_(own, own)]
            with fitting_threads(len(own) ** 2):
                found = pairwise_dual(kernel, signs, upper, tol)
                found = found or box_dual(kernel * signs * signs[:, None], signs, upper, tol)
            if self.verbose:
                sys.stderr.write(f"SVC: classes {first} and {second}, {found.steps} steps\n")
            duals[row, own] = signs * np.where(found.alpha > NONE * upper, found.alpha, 0)
            self.intercept_[row], self.n_iter_[row] = found.constant, found.steps
        self.support_ = np.flatnonzero(duals.any(0))
        self.support_vectors_, self.dual_coef_ = X[self.support_], duals[:, self.support_]
        return self

    def decision_function(self, X: Any) -> Floats:
        """Scores of rows X: [sample] for two classes; else [sample, class], votes and, within a third, sureness."""
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse="csr", dtype=np.float64, reset=False)
        scores = self._kernel(X, self.support_vectors_) @ self.dual_coef_.T + self.intercept_
        if len(self.classes_) == 2:
            return scores.ravel()
        votes, sure = np.zeros((2, len(scores), len(self.classes_)))
        for (first, second), score in zip(combinations(range(len(self.classes_)), 2), scores.T, strict=True):
            sure[:, first] -= score
            sure[:, second] += score
            votes[:, first] += score <= 0
            votes[:, second] += score > 0
        return votes + sure / (3 * (np.abs(sure) + 1))

    def predict(self, X: Any) -> NDArray[Any]:
        """The class of rows X."""
        scores = self.decision_function(X)
        return self.classes_[(scores > 0).astype(int) if scores.ndim == 1 else scores.argmax(1)]

    def _gamma(self, X: Any, sample_weight: Any) -> float:
        """γ as a number."""
        if self.gamma == "auto":
            return 1 / X.shape[1]
        if self.gamma == "scale":
            squares = X.power(2) if sparse.issparse(X) else X**2
            weights = None if sample_weight is None else np.asarray(sample_weight)
            mean, square = (np.average(each.mean(1), weights=weights) for each in (X, squares))
            spread = square - mean**2
            return 1 / (X.shape[1] * spread) if spread > 0 else 1.0
        return number(self, "gamma", above=True)

    def _kernel(self, X: Any, other: Any) -> Floats:
        """K of all pairs of rows."""
        if callable(self.kernel):
            return np.asarray(self.kernel(X, other), np.float64)
        if self.kernel not in KERNELS:
            names = ", ".join(map(repr, KERNELS))
            raise ArgumentError(f"`kernel` of SVC must be one of {names} or a function. Got {self.kernel!r}.")
        known: dict[str, Any] = {"gamma": self._width, "degree": self.degree, "coef0": self.coef0}
        return pairwise_kernels(X, other, metric=self.kernel, **{name: known[name] for name in KERNELS[self.kernel]})
