"""What is minimised: a risk of linear scores, with penalties, on dense or sparse rows."""

from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from continua.estimators.risks import Floats, Risk

BLOCK = 4096  # rows of a Gram matrix that are scaled at a time: they stay in the cache


class Design(NamedTuple):
    """The matrix A = [X, c 1]: rows of X, dense or CSR, and a last column for the intercept."""

    X: Any
    constant: float = 1.0  # of the last column; its weight is 0 where there is no intercept

    @property
    def width(self) -> int:
        """Parameters of one score."""
        return self.X.shape[1] + 1

    def scores(self, w: Floats) -> Floats:
        """A w."""
        return self.X @ w[:-1] + self.constant * w[-1]

    def gathered(self, r: Floats) -> Floats:
        """Aᵀ r."""
        return np.concatenate([self.X.T @ r, self.constant * r.sum(0, keepdims=True)])

    def gram(self, d: Floats) -> Floats:
        """Aᵀ diag(d) A for d ≥ 0."""
        found = np.empty((self.width, self.width))
        found[-1] = found[:, -1] = self.constant * self.gathered(d)
        found[:-1, :-1] = self._inner(d)
        return found

    def _inner(self, d: Floats) -> Floats:
        """Xᵀ diag(d) X."""
        if sparse.issparse(self.X):
            return (self.X.T @ sparse.diags_array(d) @ self.X).toarray()
        found = np.zeros((self.width - 1,) * 2)
        for first in range(0, len(d), BLOCK):
            rows = self.X[first : first + BLOCK] * np.sqrt(d[first : first + BLOCK, None])
            found += rows.T @ rows
        return found

    def squared(self) -> "Design":
        """The squares of its entries: gathered, they are the diagonal of a Gram matrix."""
        X = self.X
        squares = sparse.csr_array((X.data**2, X.indices, X.indptr), X.shape) if sparse.issparse(X) else X**2
        return Design(squares, self.constant**2)

    def columns(self, free: Any) -> "Design":
        """Only these features (a mask without the intercept, which stays)."""
        return self if free.all() else Design(self.X[:, free], self.constant)


class Problem(NamedTuple):
    r"""The objective of all linear models here.

    $$ F(w) = \sum_i s_i\, \ell(A_i w, t_i) + \tfrac12 \sum_j \beta_j w_j^2 + \sum_j \alpha_j |w_j| $$
    """

    design: Design
    risk: Risk
    targets: Floats  # t
    weights: Floats  # s
    ridge: Floats  # β, [parameter] or, with several scores, [parameter, 1]
    lasso: Floats  # α, likewise
    movable: Floats  # 0 for an intercept that is to stay zero, else 1; likewise

    def among(self, rows: Any) -> "Problem":
        """Only these samples (a mask)."""
        if rows.all():
            return self
        design = Design(self.design.X[rows], self.design.constant)
        return self._replace(design=design, targets=self.targets[rows], weights=self.weights[rows])

    def value(self, w: Floats, z: Floats) -> float:
        """F, given the scores z = A w."""
        penalty = np.sum(self.ridge * w**2) / 2 + np.sum(self.lasso * np.abs(w))
        return float(self.weights @ self.risk.value(z, self.targets) + penalty)

    def spread(self, v: Floats) -> Floats:
        """A number for each sample, times its weight, for one score or several."""
        return self.weights.reshape(-1, *[1] * (v.ndim - 1)) * v

    def gradient(self, w: Floats, z: Floats) -> Floats:
        """The gradient of the smooth part of F."""
        return (self.design.gathered(self.spread(self.risk.slope(z, self.targets))) + self.ridge * w) * self.movable

    def uphill(self, w: Floats, z: Floats) -> Floats:
        """The shortest element of F's subdifferential: zero at the minimum and nowhere else."""
        gradient = self.gradient(w, z)
        at_zero = np.sign(gradient) * np.maximum(np.abs(gradient) - self.lasso, 0)
        return np.where(w != 0, gradient + self.lasso * np.sign(w), at_zero)
