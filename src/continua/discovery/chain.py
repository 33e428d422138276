r"""Least squares over a chain: every segment has unknowns of its own, shares the parameters, and is tied to the next.

$$ \min_{\delta u, \delta s} \sum_k |r_k + A_k \delta u + B_k \delta s_k|^2
   + \sum_k |g_k + C_k \delta u + E_k \delta s_k - w_k \delta s_{k+1}|^2 + \lambda |D(\delta u, \delta s)|^2 $$

Orthogonal elimination from the first segment to the last, then back: the work grows with the number of segments, not
with its cube, and no condition number is squared. Source: Bierman, Factorization Methods for Discrete Sequential
Estimation (1977), chapter 5.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

FIRST_DAMPING = 1e-3
MOST_DAMPING = 1e16
LEAST_GAIN = 1e-4  # of the predicted fall, for a step to be taken


class Point(NamedTuple):
    """Unknowns: u [parameter], and nodes [segment, state] in units of the states' sizes."""

    u: NDArray[np.float64]
    nodes: NDArray[np.float64]


class Sides(NamedTuple):
    """A square-root of information: `matrix` [equation, own + parameter + 1], whose last column is the residual."""

    matrix: NDArray[np.float64]
    own: int


class Chain(NamedTuple):
    """The linearised problem at a point; residuals and their derivatives, weighted."""

    misfit: Float[np.ndarray, "segment residual"]
    by_parameter: Float[np.ndarray, "segment residual parameter"]
    by_node: Float[np.ndarray, "segment residual state"]
    gap: Float[np.ndarray, "tie state"]
    gap_by_parameter: Float[np.ndarray, "tie state parameter"]
    gap_by_node: Float[np.ndarray, "tie state state"]
    gap_by_next: Float[np.ndarray, "tie state"]

    @classmethod
    def of_parameters(cls, misfit: Float[np.ndarray, " residual"], by_parameter: NDArray[np.float64]) -> "Chain":
        """Plain least squares: residuals that depend on the parameters [residual, parameter] alone."""
        rows, parameters = by_parameter.shape
        nothing = (np.zeros((0, 0)), np.zeros((0, 0, parameters)), np.zeros((0, 0, 0)), np.zeros((0, 0)))
        return cls(misfit[None], by_parameter[None], np.zeros((1, rows, 0)), *nothing)

    @property
    def cost(self) -> float:
        """The sum of squares."""
        return float((self.misfit**2).sum() + (self.gap**2).sum())

    def lengths(self) -> Point:
        """How strongly the misfit, without the ties, depends on each unknown."""
        return Point(np.sqrt((self.by_parameter**2).sum((0, 1))), np.sqrt((self.by_node**2).sum(1)))

    def compressed(self) -> "Chain":
        """The same problem with no more equations a segment than it has unknowns, and one."""
        together = np.concatenate([self.by_node, self.by_parameter, self.misfit[..., None]], -1)
        if together.shape[1] > together.shape[2]:
            together = np.linalg.qr(together, mode="r")
        states = self.by_node.shape[-1]
        return self._replace(
            by_node=together[..., :states], by_parameter=together[..., states:-1], misfit=together[..., -1]
        )

    def without(self, fixed: NDArray[np.bool_]) -> "Chain":
        """The same with some of the parameters fixed."""
        return self._replace(
            by_parameter=np.where(fixed, 0, self.by_parameter),
            gap_by_parameter=np.where(fixed, 0, self.gap_by_parameter),
        )

    def last(self, damping: Point | None = None, eliminated: list[NDArray[np.float64]] | None = None) -> Sides:
        """What all equations say of the last node and the parameters; earlier nodes are put into `eliminated`."""
        segments, _, states = self.by_node.shape
        parameters = self.by_parameter.shape[-1]
        carry = np.zeros((0, states + parameters + 1))
        for k in range(segments):
            data = np.concatenate([self.by_node[k], self.by_parameter[k], self.misfit[k][:, None]], 1)
            rows = [carry, data]
            if damping is not None:
                rows.append(_diagonal(damping.nodes[k], 0, carry.shape[1]))
            here = np.concatenate(rows)
            if k == segments - 1:
                carry = here
                break
            wide = np.zeros((len(here) + states, 2 * states + parameters + 1))
            wide[: len(here), :states], wide[: len(here), 2 * states :] = here[:, :states], here[:, states:]
            tie = wide[len(here) :]
            tie[:, :states], tie[:, states : 2 * states] = self.gap_by_node[k], np.diag(self.gap_by_next[k])
            tie[:, 2 * states : -1], tie[:, -1] = self.gap_by_parameter[k], self.gap[k]
            triangle = np.linalg.qr(wide, mode="r")
            if eliminated is not None:
                eliminated.append(triangle[:states])
            carry = triangle[states:, states:]
        if damping is not None:
            carry = np.concatenate([carry, _diagonal(damping.u, states, carry.shape[1])])
        return Sides(np.linalg.qr(carry, mode="r"), states)

    def step(self, damping: Point) -> tuple[Point, float]:
        """The damped step, and by how much it makes the linearised sum of squares fall."""
        eliminated: list[NDArray[np.float64]] = []
        matrix, states = self.last(damping, eliminated)
        size = matrix.shape[1] - 1
        end = np.linalg.solve(matrix[:size, :size], -matrix[:size, size])
        nodes, u = [end[:states]], end[states:]
        for row in reversed(eliminated):
            right = row[:, -1] + row[:, states : 2 * states] @ nodes[-1] + row[:, 2 * states : -1] @ u
            nodes.append(np.linalg.solve(row[:, :states], -right))
        step = Point(u, np.stack(nodes[::-1]))
        left = matrix[size, size] ** 2 if len(matrix) > size else 0.0
        damped = ((damping.u * step.u) ** 2).sum() + ((damping.nodes * step.nodes) ** 2).sum()
        return step, self.cost - float(left) + float(damped)


def _diagonal(values: NDArray[np.float64], first: int, columns: int) -> NDArray[np.float64]:
    """The values down from the top of a column, zeros elsewhere."""
    matrix, rows = np.zeros((len(values), columns)), np.arange(len(values))
    matrix[rows, first + rows] = values
    return matrix


def descend(
    linearised: Callable[[Point], Chain],
    start: Point,
    reach: NDArray[np.float64],
    evaluations: int,
    tolerance: float,
) -> Point:
    """Minimise a chain's sum of squares by Levenberg's and Marquardt's steps, with |u| ≤ reach.

    Args:
        linearised: the chain at a point; where its cost is not finite, the search steps back.
        start: where to begin.
        reach: [parameter], infinite where there is none.
        evaluations: at most.
        tolerance: relative change of the cost, and of the point, at which the search ends.

    Raises:
        ValueError: the cost is not finite at the start.

    Source: Moré, The Levenberg–Marquardt algorithm (1978), with its scaling by the longest columns so far; Nielsen,
    Damping parameter in Marquardt's method (1999).
    """
    point = Point(np.clip(start.u, -0.99 * reach, 0.99 * reach), start.nodes)
    chain = linearised(point)
    cost, lengths = chain.cost, chain.lengths()
    if not np.isfinite(cost):
        raise ValueError("no finite cost at the start")
    chain, damping, growth = chain.compressed(), FIRST_DAMPING, 2.0
    for _ in range(evaluations - 1):
        floor = 1e-10 * max(lengths.u.max(initial=0.0), lengths.nodes.max(initial=0.0)) + 1e-300
        root = np.sqrt(damping)
        weights = Point(*(root * np.maximum(x, floor) for x in lengths))
        step, predicted = chain.step(weights)
        blocked = (np.abs(point.u) >= reach) & (point.u * step.u > 0)
        if blocked.any():
            step, predicted = chain.without(blocked).step(weights)
        trial = Point(np.clip(point.u + step.u, -reach, reach), point.nodes + step.nodes)
        found = linearised(trial)
        fall = cost - found.cost
        if np.isfinite(found.cost) and fall > LEAST_GAIN * predicted:
            moved = max(_relative(trial.u, point.u), _relative(trial.nodes, point.nodes))
            point, chain, cost = trial, found.compressed(), found.cost
            lengths = Point(*(np.maximum(a, b) for a, b in zip(lengths, found.lengths(), strict=True)))
            damping, growth = damping * max(1 / 9, 1 - (2 * fall / predicted - 1) ** 3), 2.0
            if fall <= tolerance * cost or moved <= tolerance:
                break
        elif predicted <= tolerance * cost or damping > MOST_DAMPING:
            break
        else:
            damping, growth = damping * growth, growth * 2
    return point


def _relative(new: NDArray[np.float64], old: NDArray[np.float64]) -> float:
    return float(np.abs(new - old).max(initial=0.0) / (1e-3 + np.abs(old).max(initial=0.0)))
