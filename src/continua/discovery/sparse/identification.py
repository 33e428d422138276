"""`sparse_law`: from trajectories and a library to the few terms that explain them."""

from collections.abc import Iterator, Sequence
from typing import Any

import jax
import numpy as np

from continua.core import ArgumentError, in_double_precision
from continua.discovery.sparse.arrow import solve_definite
from continua.discovery.sparse.criterion import Penalty, extended_bic, peers
from continua.discovery.sparse.joint import JointFit, Mask, Problem
from continua.discovery.sparse.law import RivalLaw, SparseLaw
from continua.discovery.sparse.library import Library
from continua.discovery.sparse.normal_equations import Measurements
from continua.discovery.sparse.selection import Search
from continua.discovery.sparse.smoothing import smoothed
from continua.discovery.sparse.trajectories import Floats, Record, Trajectory
from continua.discovery.sparse.wanted import Forbidden, Known, Wanted, wanted
from continua.discovery.sparse.weak_form import weak_form

RIVALS_WITHIN = 6.0
PROPORTIONAL_FROM = 6.0  # what proportional noise has to gain in −2 log L
SMALLEST = 0.02  # proportional noise is not believed below this share of the largest value


@in_double_precision
def sparse_law(
    trajectories: Sequence[Any],
    library: Library,
    *,
    known: Known | None = None,
    forbidden: Forbidden = (),
    penalty: Penalty = extended_bic,
    proportional: bool | None = False,
    substeps: int | None = None,
    near: SparseLaw | None = None,
    seed: int = 0,
) -> SparseLaw | None:
    r"""Find which terms of a library a record supports, and their coefficients.

    $$ y_{ki} = x_i(t_k) + \sigma_i \varepsilon_{ki}, \qquad x_i' = \sum_j \theta_{ij} \phi_j(x, u) $$

    The states at all samples and the coefficients are estimated together, σ of each state by maximum likelihood;
    terms are dropped, added and swapped by the Schur complement of the states, while the criterion falls.

    Args:
        trajectories: each a `Trajectory` or a tuple (t [row], y [row, state]) or (t, y, u [row, input]); NaN in y
            where nothing was measured.
        library: the candidate terms.
        known: state → terms that must be in its equation, however they are written; or state → {term: coefficient},
            where the coefficient is kept, or estimated if it is None.
        forbidden: state → terms that may not be, or terms that may be in no equation.
        penalty: what terms cost; `extended_bic` or `corrected_aic`.
        proportional: whether σ grows with the state; None lets the data say, for each state.
        substeps: Runge–Kutta steps in a sampling interval; as many as the noise makes worth while unless given.
        near: a law found among some of the library's terms: its own are a start in place of all those of its degrees.
        seed: of the random signs in the smoother; the same seed gives the same law.

    Returns:
        The law with the lowest criterion, or None where nothing could be fitted: too few numbers, or no start that
        stays finite.

    Raises:
        ArgumentError: trajectories that do not fit the library, or terms that are not in it.

    Example:
        >>> t = np.linspace(0.0, 5.0, 60)
        >>> law = sparse_law([(t, 3.0 * np.exp(-0.5 * t)[:, None])], Library.polynomial(("x",), degree=2))
        >>> {term: round(c, 4) for term, c in law.terms["x"].items()}
        {'x': -0.5}
    """
    pieces = [_fitting(Trajectory.of(given), library) for given in trajectories]
    asked = wanted(library, known or {}, forbidden)
    record = Record.of(pieces, len(library.inputs))
    if record is None or not asked.allowed.any():
        return None
    # Steps that overflow are tried and refused; they are neither warnings nor errors.
    with np.errstate(all="ignore"), jax.debug_nans(False):
        states, sigma = smoothed(record, seed)
        problem, grows = _problem(record, library, states, sigma, asked, penalty, proportional, substeps or 1)
        sigma = np.maximum(sigma / np.sqrt(np.mean(problem.profile**2, 0)), problem.least_sigma)
        search = Search(problem, asked.required)
        for theta, mask in _starts(problem, library, states, asked.required, near):
            search.start(states, theta, mask, sigma)
        search.explore()
        while substeps is None and search.best is not None and search.best.criterion < np.inf:
            finer = search.refined()
            if finer is None:
                break
            search = finer
        return _law(search, library, grows, asked.fixed, refine=substeps is None)


def _fitting(piece: Trajectory, library: Library) -> Trajectory:
    inputs = 0 if piece.u is None else piece.u.shape[1]
    for what, got, needed in (
        ("states", piece.y.shape[1], len(library.states)),
        ("inputs", inputs, len(library.inputs)),
    ):
        if got != needed:
            raise ArgumentError(
                f"`trajectories` of `sparse_law` must have the {needed} {what} of `library`. Got {got}. "
                "Make the library with the same columns."
            )
    return piece


def _problem(
    record: Record,
    library: Library,
    states: Floats,
    sigma: Floats,
    asked: Wanted,
    penalty: Penalty,
    proportional: bool | None,
    substeps: int,
) -> tuple[Problem, Mask]:
    """The problem in units of its own, and which states have proportional noise."""
    values = _terms(record, library, states)
    usable = np.isfinite(values).all(0)
    values = values[:, usable]
    unit = np.ones(len(usable))
    unit[usable] = np.maximum(np.sqrt(np.mean(values**2, 0)), 1e-300)
    allowed = asked.allowed & np.tile(usable, states.shape[1])
    size = np.maximum(np.abs(states), SMALLEST * np.abs(states).max(0))
    grows = _grows(record, states, size, sigma, proportional)
    profile = np.where(grows, size / np.sqrt(np.mean(size**2, 0)), 1.0)
    prices = penalty(int(record.known.sum()), peers(np.tile(library.degrees, states.shape[1]), allowed))
    measurements = _measurements(record, unit)
    fixed = asked.fixed.ravel() / _scale(record, unit)
    problem = Problem(library.features, record, measurements, profile, prices, allowed, fixed, substeps)
    return problem, grows


def _scale(record: Record, feature_unit: Floats) -> Floats:
    """[coefficient]: its unit in units of the data."""
    return (record.unit[:, None] / (record.time_unit * feature_unit)).ravel()


def _grows(record: Record, states: Floats, size: Floats, sigma: Floats, wanted: bool | None) -> Mask:
    """[state]: whether σ proportional to the state explains what was smoothed away better."""
    if wanted is not None:
        return np.full(states.shape[1], wanted)
    known = record.known
    residual = np.where(known, np.nan_to_num(record.y) - states, 0.0)
    numbers = record.numbers
    additive = numbers * np.log(np.sum(residual**2, 0) / numbers + 1e-300)
    relative = numbers * np.log(np.sum((residual / size) ** 2, 0) / numbers + 1e-300)
    relative += 2 * np.sum(np.where(known, np.log(size), 0.0), 0)
    return (relative < additive - PROPORTIONAL_FROM) & (sigma > 1e-3 * record.spread)


def _terms(record: Record, library: Library, states: Floats) -> Floats:
    """[row, term], in the units of the data."""
    return np.asarray(library(states * record.unit, record.left))


def _measurements(record: Record, feature_unit: Floats) -> Measurements:
    """Padded to one of few lengths, so that records of other lengths find a compiled program."""
    rows = len(record.y)
    padded = padded_rows(rows)

    def wide(values: Floats) -> jax.Array:
        return jax.device_put(np.pad(values.T, [(0, 0)] * (values.ndim - 1) + [(0, padded - rows)]))

    y, inputs = wide(np.nan_to_num(record.y)), (wide(record.left), wide(record.right))
    return Measurements(y, wide(record.step), *inputs, jax.device_put(record.unit), jax.device_put(feature_unit))


def padded_rows(rows: int) -> int:
    """The next of 32, 48, 64, 96, 128, …: at most a third is padding."""
    length = 32
    while length < rows:
        length = length * 3 // 2 if (length & (length - 1)) == 0 else length // 3 * 4
    return length


def _starts(
    problem: Problem, library: Library, states: Floats, required: Mask, near: SparseLaw | None
) -> Iterator[tuple[Floats, Mask]]:
    """(theta, mask): the terms of the near law, all up to each higher degree, and what the weak form keeps."""
    record = problem.record
    values = _terms(record, library, states) / np.asarray(problem.measurements.feature_unit)
    weak = weak_form(record, states, np.where(np.isfinite(values), values, 0.0))
    if weak is not None:
        weak = weak._replace(slopes=weak.slopes - weak.integrals @ problem.fixed.reshape(problem.size, -1).T)
    degrees, masks, below = np.tile(library.degrees, problem.size), [], 0
    if near is not None and set(near.library.terms) <= set(library.terms):
        support = np.zeros((problem.size, len(library.terms)), bool)
        support[:, [library.terms.index(term) for term in near.library.terms]] = near.support
        masks, below = [problem.allowed & (support.ravel() | required)], max(near.library.degrees)
    masks += [
        problem.allowed & ((degrees <= degree) | required)
        for degree in sorted({min(2, max(degrees)), *range(2, max(degrees) + 1)})
        if degree > below
    ]
    if weak is not None:
        masks.append(weak.support(problem.allowed, required))
    for mask in masks:
        yield (np.zeros(len(mask)) if weak is None else weak.coefficients(mask)), mask


def _law(search: Search, library: Library, grows: Mask, fixed: Floats, *, refine: bool) -> SparseLaw | None:
    """Back to the units of the data; None where nothing has a finite criterion."""
    best = search.best
    if best is None or not np.isfinite(best.criterion):
        return None
    fit, problem = search.strict(best, refine)
    record, size = problem.record, problem.size
    scale = _scale(record, np.asarray(problem.measurements.feature_unit))
    left = max(problem.count - fit.count - size * len(record.pieces), 1)
    variance = float(np.sum(fit.squares)) / left
    covariance = solve_definite(fit.schur[np.ix_(fit.mask, fit.mask)], np.eye(fit.count)) * variance
    own = scale[fit.mask]
    sigma = fit.sigma * np.sqrt(fit.squares / record.numbers * problem.count / left)
    states, support = fit.states * record.unit, fit.mask.reshape(size, -1)
    law = SparseLaw(
        library=library,
        coefficients=np.where(support, (fit.theta * scale).reshape(size, -1), fixed),
        support=support,
        covariance=covariance * own[:, None] * own,
        sigma=sigma * record.unit,
        proportional=grows,
        states=tuple(states[piece] for piece in record.pieces),
        criterion=fit.criterion + 2 * float(record.known.sum(0) @ np.log(record.unit)),
        rivals=_rivals(best, list(search.tried.values()), library, fixed.ravel() != 0),
        substeps=problem.substeps,
        fits=search.fits,
    )
    numbers = (law.coefficients, law.covariance, law.sigma, *law.states)
    return law if all(np.isfinite(part).all() for part in numbers) else None


def _rivals(best: JointFit, tried: list[JointFit], library: Library, fixed: Mask) -> tuple[RivalLaw, ...]:
    near = [fit for fit in tried if fit is not best and fit.criterion < best.criterion + RIVALS_WITHIN]
    return tuple(
        RivalLaw(_named(fit.mask | fixed, library), fit.criterion - best.criterion)
        for fit in sorted(near, key=lambda fit: fit.criterion)
    )


def _named(mask: Mask, library: Library) -> dict[str, tuple[str, ...]]:
    """The terms of each state."""
    rows = mask.reshape(len(library.states), -1)
    return {
        state: tuple(term for term, free in zip(library.terms, row, strict=True) if free)
        for state, row in zip(library.states, rows, strict=True)
    }
