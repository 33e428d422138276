r"""Down to the minimum of a convex function of linear scores: Newton's method on the parameters that may move.

The flow $w' = -\partial F(w)$ by linearly implicit Euler, whose steps may be endless because F is convex. Where |w| is
penalised, F is smooth within an orthant: a step leaves a parameter at zero rather than cross it, and parameters at zero
leave when the gradient there outweighs the penalty. The Hessian is one Gram matrix where parameters are few, of some of
the rows as long as that does, and a product with two passes over the data where they are many. Where the rows are many
times the parameters, the descent for all of them starts near the minimum for some.
"""

import functools
import sys
import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from continua.estimators.problem import Design, Problem
from continua.estimators.risks import Floats

DENSE = 1000  # parameters: beyond, a Gram matrix costs more than some dozen products
ENOUGH = 1e-4  # of the foretold descent: what a step must bring
HALVINGS = 40
MOST_PRODUCTS = 500  # in one step
REFRESHED = 3  # steps that share a preconditioner
COARSEST = 0.4  # of the slope: what conjugate gradients may leave of it
SAMPLES = 64  # rows for each parameter: their Gram matrix, for that of all, leaves a fiftieth of what a step gains
UNSURE = 0.1  # of the tolerance: what a step by some rows may foretell at the end, whose curvature is not that of all
ROUGH = 0.03  # the tolerance of the minimum for these rows, where a descent for all of them may start
AT_ONCE = 100  # parameters that leave zero in one step, where more have not left it yet

Solve = Callable[[Floats], Floats]


class Some:
    """Some of the samples, whose Gram matrix stands for that of all, and what steps have shown of all."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.part = functools.cache(functools.partial(_sampled, problem))
        self._pairs: list[tuple[Floats, Floats]] = []

    def enough(self, free: NDArray[np.bool_]) -> bool:
        """Whether there are many samples for each parameter that is free, and a Gram matrix for these."""
        number = int(np.count_nonzero(free))
        return free.ndim == 1 and number <= DENSE and len(self.problem.targets) > 2 * SAMPLES * number

    def learn(self, step: Floats, change: Floats) -> None:
        """What a step changed in the slope, where a Gram matrix can learn it."""
        dense = step.ndim == 1 and step.size <= DENSE
        if dense and not self.problem.lasso.any() and step @ change > 0:
            self._pairs.append((step, change))

    def corrected(self, hessian: Floats, chosen: NDArray[np.intp]) -> Floats:
        """The Hessian by which those steps change the slope as they did: the update of BFGS."""
        for step, change in self._pairs:
            s, y = step[chosen], change[chosen]
            foretold = hessian @ s
            if s @ foretold > 0:
                hessian = hessian + np.outer(y, y) / (s @ y) - np.outer(foretold, foretold) / (s @ foretold)
        return hessian


class Descent(NamedTuple):
    """Where a descent ended."""

    w: Floats
    value: float
    steps: int


def descend(problem: Problem, w: Floats, tol: float, max_iter: int, name: str, verbose: bool = False) -> Descent:
    """The minimum of F.

    Args:
        problem: F.
        w: where to start, [parameter] or [parameter, score].
        tol: of F at zero: what is left to be gained, by Newton's model, when it stops.
        max_iter: steps at most.
        name: of who asks, for words.
        verbose: whether each step is told on the standard error.

    Warns:
        ConvergenceWarning: when all steps are taken.
    """
    some = Some(problem)
    if not w.any() and some.enough(w == 0):
        _, part = some.part(SAMPLES * w.size)
        w = _descended(part, w, ROUGH, max_iter, f"{name}, {len(part.targets)} samples", verbose, None)[0].w
    found, ended = _descended(problem, w, tol, max_iter, name, verbose, some)
    if not ended:
        from sklearn.exceptions import ConvergenceWarning

        told = f"{name} took all {max_iter} steps. Raise `max_iter`, or scale the features alike."
        warnings.warn(told, ConvergenceWarning, stacklevel=3)
    return found


def _descended(
    problem: Problem, w: Floats, tol: float, max_iter: int, name: str, verbose: bool, some: Some | None
) -> tuple[Descent, bool]:
    """The minimum, and whether steps sufficed."""
    z = np.zeros(problem.targets.shape)
    unit = value = problem.value(np.zeros_like(w), z)
    if w.any():
        z = problem.design.scores(w)
        value = problem.value(w, z)
    uphill = problem.uphill(w, z)
    first = float(np.linalg.norm(uphill))
    squared = functools.cache(problem.design.squared)

    def preconditioner(z: Floats) -> Callable[[], Solve]:
        return functools.cache(lambda: _preconditioner(problem, z, squared))

    rough = preconditioner(z)
    gain = np.inf
    for step in range(max_iter):
        free = _free(problem, w, uphill)
        if step % REFRESHED == REFRESHED - 1:
            rough = preconditioner(z)
        some = some if some and some.enough(free) else None
        move = _move(problem, w, z, uphill, free, first, rough, some)
        gain, before = -float(np.sum(uphill * move)) / 2, gain
        if some and gain > before / 2:
            some = None
            move = _move(problem, w, z, uphill, free, first, rough, some)
            gain = -float(np.sum(uphill * move)) / 2
        if verbose:
            sys.stderr.write(f"{name}: step {step}, objective {value:.10g}, to be gained {max(gain, 0):.1e}\n")
        found = _searched(problem, w, uphill, move, value)
        if found is None:
            return Descent(w, value, step), True
        start, slope = w, uphill
        w, z, after = found
        level = value - after <= 1e-15 * abs(value)
        value = after
        if (gain <= (UNSURE if some else 1) * tol * unit or level) and not np.any(uphill[~free]):
            return Descent(w, value, step + 1), True
        uphill = problem.uphill(w, z)
        if some:
            some.learn(w - start, uphill - slope)
    return Descent(w, value, max_iter), False


def _free(problem: Problem, w: Floats, uphill: Floats) -> NDArray[np.bool_]:
    """Which parameters move: those beyond zero, and those at zero where the slope is steepest."""
    moving = (problem.movable > 0) & ((w != 0) | (uphill != 0) | (problem.lasso == 0))
    fresh = (w == 0) & (uphill != 0) & (problem.lasso > 0)
    most = max(AT_ONCE, np.count_nonzero(w))
    if np.count_nonzero(fresh) > most:
        sizes = np.abs(uphill[fresh])
        moving[fresh] = sizes >= np.partition(sizes, -most)[-most]
    return moving


def _move(
    problem: Problem,
    w: Floats,
    z: Floats,
    uphill: Floats,
    free: NDArray[np.bool_],
    first: float,
    rough: Callable[[], Solve],
    some: Some | None,
) -> Floats:
    """Newton's step of the free parameters; none that is at zero moves uphill."""
    penalised = np.broadcast_to(problem.lasso > 0, w.shape)
    free = free.copy()
    solve = _newton(problem, z, uphill, free, first, rough, some)
    while True:
        move = solve(free)
        wrong = free & (w == 0) & penalised & (move * uphill > 0)
        if not wrong.any():
            return move
        free &= ~wrong


def _newton(
    problem: Problem,
    z: Floats,
    uphill: Floats,
    free: NDArray[np.bool_],
    first: float,
    rough: Callable[[], Solve],
    some: Some | None,
) -> Callable[[NDArray[np.bool_]], Floats]:
    """The solution of H Δ = −uphill among those parameters that are free, or fewer of them."""
    chosen = np.flatnonzero(free)
    dense = z.ndim == 1 and len(chosen) <= DENSE
    if some:
        rows, problem = some.part(SAMPLES * len(chosen))
        z = z[rows]
    curved = problem.spread(problem.risk.stiffness(z, problem.targets)) > 0  # the others are not in H
    problem, z = problem.among(curved), z[curved]
    if dense:
        among = np.append(free[:-1], True)  # the intercept is in every Gram matrix
        stiffness = problem.spread(problem.risk.stiffness(z, problem.targets))
        gram = problem.design.columns(free[:-1]).gram(stiffness)
        hessian = (gram + np.diag(problem.ridge[among]))[: len(chosen), : len(chosen)]
        hessian = some.corrected(hessian, chosen) if some else hessian

        def direct(still: NDArray[np.bool_]) -> Floats:
            inside = still[chosen]
            move = np.zeros_like(uphill)
            move[chosen[inside]] = _factored(hessian[np.ix_(inside, inside)])(-uphill[chosen[inside]])
            return move

        return direct
    bend = problem.risk.bend(z, problem.targets)

    def product(v: Floats) -> Floats:
        turned = problem.spread(bend(problem.design.scores(v)))
        return problem.design.gathered(turned) + problem.ridge * v

    size = np.linalg.norm(uphill)
    share = min(COARSEST, np.cbrt(size / first)) if first else COARSEST
    return lambda still: _conjugate_gradients(product, rough(), -uphill * still, still, share)


def _sampled(problem: Problem, number: int) -> tuple[NDArray[np.bool_], Problem]:
    """So many of the samples, by chance, which stand for all."""
    size = len(problem.targets)
    rows = np.zeros(size, bool)
    rows[np.random.default_rng(0).choice(size, number, replace=False)] = True
    part = problem.among(rows)
    return rows, part._replace(weights=part.weights * (size / number))


def _preconditioner(problem: Problem, z: Floats, squared: Callable[[], Design]) -> Solve:
    """Nearly the inverse of H: with the mean curvature of the classes, or the diagonal alone."""
    stiffness, several = problem.spread(problem.risk.stiffness(z, problem.targets)), z.ndim > 1
    if several and problem.design.width <= DENSE and not problem.lasso.any():
        held = np.diag(problem.ridge[:, 0] + 1 - problem.movable[:, 0])
        return _factored(problem.design.gram(stiffness) + held)
    diagonal = squared().gathered(stiffness)
    diagonal = diagonal[:, None] + problem.ridge if several else diagonal + problem.ridge
    scale = np.where(diagonal > 0, diagonal, 1)
    return lambda v: v / scale


def _factored(matrix: Floats) -> Solve:
    """The solution of `matrix` x = b; of a matrix that is not positive definite, with a little more on its diagonal."""
    if not len(matrix):
        return lambda right: right
    size = max(np.trace(matrix) / len(matrix), np.finfo(float).tiny)
    damping = 0.0
    while True:
        try:
            factor = cho_factor(matrix + damping * size * np.eye(len(matrix)), lower=True, check_finite=False)
        except np.linalg.LinAlgError:
            damping = max(10 * damping, 1e-14)
            continue
        return lambda right: cho_solve(factor, right, check_finite=False)


def _conjugate_gradients(product: Solve, rough: Solve, right: Floats, free: NDArray[np.bool_], share: float) -> Floats:
    """Δ of H Δ = right among the free, until the residual is that share of what it was."""
    move, left = np.zeros_like(right), right
    near = rough(left) * free
    along, square = near, np.sum(left * near)
    enough = share * np.linalg.norm(left)
    for _ in range(MOST_PRODUCTS):
        bent = product(along) * free
        curvature = np.sum(along * bent)
        if curvature <= 0:
            break
        length = square / curvature
        move, left = move + length * along, left - length * bent
        if np.linalg.norm(left) <= enough:
            break
        near = rough(left) * free
        before, square = square, np.sum(left * near)
        along = near + square / before * along
    return move


def _searched(
    problem: Problem, w: Floats, uphill: Floats, move: Floats, value: float
) -> tuple[Floats, Floats, float] | None:
    """The first of w + Δ, w + Δ/2, … that is lower by enough, with its scores and value; None where none is."""
    penalised = np.broadcast_to(problem.lasso > 0, w.shape)
    side = np.where(w != 0, np.sign(w), -np.sign(uphill))
    noise = 4 * np.finfo(float).eps * abs(value)
    length = 1.0
    for _ in range(HALVINGS):
        there = w + length * move
        there = np.where(penalised & (there * side < 0), 0.0, there)
        z = problem.design.scores(there)
        after = problem.value(there, z)
        if after <= value + ENOUGH * np.sum(uphill * (there - w)) + noise:
            return there, z, after
        length /= 2
    return None
