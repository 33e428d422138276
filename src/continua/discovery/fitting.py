"""`fit`: from a table to the law that explains it best."""

import itertools
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from threadpoolctl import threadpool_limits

from continua.core import in_double_precision
from continua.discovery.audit import Finding, audit
from continua.discovery.estimate import CONFIDENCE, Estimate, estimates
from continua.discovery.family import Family, WrittenFamily
from continua.discovery.forecasting import Belief
from continua.discovery.matching import matching_cost
from continua.discovery.model import LITTLE, Model, Rival
from continua.discovery.named_families import families
from continua.discovery.noise import NOISES, Noise
from continua.discovery.observations import Observations, observe
from continua.discovery.profiling import profile_intervals
from continua.discovery.proposing import Proposal, sparse_proposals, table_symbols, written_proposals
from continua.discovery.rolling import Skill, rolling_origins
from continua.discovery.searched_terms import SearchedTerms
from continua.discovery.sparse import Forbidden, Known
from continua.discovery.thinning import fitted_rows
from continua.discovery.unexplained import Unexplained
from continua.files import Table, read_table

Progress = Callable[[int, int], None]
MOST_ORDERS = 2
CLEARLY = 0.5
EXPLAINED = 0.9  # of the variance
FAR = 3.0  # times the mismatch of changes


@threadpool_limits.wrap(limits=1, user_api="blas")
@in_double_precision
def fit(
    data: str | os.PathLike[str] | Mapping[str, Any] | Any,
    *,
    time: str | None = None,
    states: Sequence[str] | None = None,
    inputs: Sequence[str] | None = None,
    trajectory: str | None = None,
    equations: Sequence[str | os.PathLike[str]] = (),
    degree: int | None = None,
    trigonometric: bool = False,
    rational: bool = False,
    known: Known | None = None,
    forbidden: Forbidden = (),
    seed: int = 0,
    progress: Progress | None = None,
) -> Model | Unexplained:
    r"""Find the differential equation behind a record.

    $$ y_i(t_k) = m_i(t_k) + \sigma_i \varepsilon_{ik} \quad\text{or}\quad
    \log y_i(t_k) = \log m_i(t_k) + \sigma_i \varepsilon_{ik},
    \qquad m' = f(m; p) $$

    Every named system with that number of states, in the orders of its states, linear dynamics, a sparse law whose
    terms are searched (for a single state also one of second order, with a hidden velocity), and your own are fitted
    by multiple shooting with unknown initial states and a σ for each state, to all trajectories together. Where there
    are inputs, only laws that use them are tried; what an input does between two rows, held or along a line, is
    chosen too. The law with the lowest AICc is returned; a searched law pays for the number of its choices.

    Args:
        data: the path of a CSV or Parquet file, a mapping from names to columns, a polars or pandas data frame, several
            of those, or a `Table`; as for `continua.files.read_table`.
        time: the time column; inferred unless given.
        states: the columns to explain; all numeric ones unless given.
        inputs: columns that drive the states and are not explained.
        trajectory: the column that tells trajectories apart.
        equations: laws of your own to try beside the others, each a TOML file or its text (see
            `continua.equations.read_equation`).
        degree: the highest degree of the terms that are searched; 2 and 3 unless given (1 and 2 for many states).
        trigonometric: whether sin(x) and cos(x) of each state x are searched whatever the degree.
        rational: whether 1/(1 + x²) and x/(1 + x²) are.
        known: state → terms that must stand in its equation of the searched law, in Python syntax; or state → {term:
            coefficient}, where the coefficient is kept, or estimated if it is None.
        forbidden: state → terms that the search may not use in its equation; or terms that it may use in none.
        seed: of everything random; the same seed gives the same result.
        progress: called with (done, all) as candidates are tried.

    Returns:
        A `Model`: `equation`, `parameters`, `intervals`, `terms`, `field`, `forecast(h)`, `save(folder)`, what was
        tried and what to beware of; or an `Unexplained`, whose `equation` is None and whose forecast is that of the
        best baseline, where the data supports no law.

    Raises:
        DataError: the data cannot be used; one line says what, where and the remedy.
        ArgumentError: `equations` are not in the grammar, or not of these states; `known` or `forbidden` name a state
            or a term that there is not.
    """
    table = data if isinstance(data, Table) else read_table(data, time, states, inputs=inputs, trajectory=trajectory)
    observations, dropped = observe(table)
    terms = SearchedTerms(degree, trigonometric, rational, known or {}, forbidden)
    terms = terms.of(table.states, *table_symbols(table))
    last = table.pieces[-1]  # whose end a forecast continues
    findings = audit(table.time[last], table.values[last], table.states, table.calendar)
    tried = list(_tried(table, observations, written_proposals(equations, table), terms, seed, progress))
    found = [one for one in tried if one.aicc < np.inf]
    best = min(found, key=lambda one: one.aicc, default=None)
    rivals = tuple(sorted((one.rival(table.states, best) for one in tried), key=lambda r: r.aicc))
    law = None if best is None else best.estimate
    skills = rolling_origins(observations, table, law, None if best is None else best.proposal.order)
    reasons = _reasons(observations, findings, law, skills)
    record = Record(table, (*table.notes, *dropped), findings, rivals)
    if best is None or reasons:
        without = [replace(skill, model=np.nan) for skill in skills] or rolling_origins(observations, table)
        return _unexplained(reasons, record, without)
    return _model(best, record, skills)


class Tried(NamedTuple):
    """A candidate with a noise, and its estimate where it could be fitted."""

    proposal: Proposal
    noise: str
    estimate: Estimate | None

    @property
    def aicc(self) -> float:
        """Infinite where it could not be fitted."""
        return np.inf if self.estimate is None or np.isnan(self.estimate.aicc) else float(self.estimate.aicc)

    def rival(self, states: Sequence[str], best: "Tried | None") -> Rival:
        """As the comparison shows it."""
        behind = np.inf if best is None else self.aicc - best.aicc
        return Rival(self.proposal.family.title, self.noise, self.proposal.names(states), self.aicc, behind)


class Record(NamedTuple):
    """What was read, and what was said and tried along the way."""

    table: Table
    notes: tuple[str, ...]
    findings: tuple[Finding, ...]
    rivals: tuple[Rival, ...]

    @property
    def common(self) -> dict[str, Any]:
        """What a result holds with and without a law."""
        table = self.table
        return {
            "rivals": self.rivals,
            "findings": self.findings,
            "time_name": table.time_name,
            "unit": table.calendar or table.units.get(table.time_name, "time"),
            "notes": self.notes,
            "source": table.source,
        }


def _reasons(
    data: Observations, findings: Sequence[Finding], law: Estimate | None, skills: Sequence[Skill]
) -> list[str]:
    """Why no law is believed; empty where the best one is."""
    found = [f.message for f in findings if f.severity == "refusal" and not _overruled(f, skills)]
    if law is None:
        found.append("no law could be solved along the record, or it has too few rows for any")
    elif law.aicc > mean_aicc(data):
        found.append("no law explains the record better than its mean does")
    elif law.reproduction < LITTLE and skills and not skills[0].skill > 0:
        found.append(
            f"the best law, {law.family.title}, explains {max(law.reproduction, 0):.0%} of the record "
            f"and forecasts no better than {skills[0].rival}"
        )
    elif skills and not any(skill.skill > 0 for skill in skills) and not law.determined.any():
        found.append(
            f"this data determines no coefficient of the best law, {law.family.title}, "
            f"which forecasts no better than {skills[0].rival}"
        )
    return found


def _overruled(finding: Finding, skills: Sequence[Skill]) -> bool:
    """Whether a law that forecasts clearly better than every baseline speaks against a suspected random walk."""
    clear = bool(skills) and all(skill.skill > CLEARLY for skill in skills)
    return finding.kind == "looks_like_random_walk" and clear


def mean_aicc(data: Observations) -> float:
    """AICc of the law that nothing ever happens: a level and a σ for each state, with the noise that suits it best."""
    counts = data.known.sum(0)
    k, n = 2 * len(counts), int(counts.sum())
    if n <= k + 1:
        return np.inf
    likelihoods = []
    for noise in (noise for noise in NOISES if noise.fits(data.values)):
        level = np.nanmedian(data.values, 0) if noise.heavy else _mean(noise, data.values)
        residual = np.where(data.known, noise.residuals(level + 0 * data.values, data.values)[0], 0)
        sigma = np.maximum(noise.sigma(residual, data.known), 1e-300)
        densities = np.where(data.known, noise.minus_two_log(residual / sigma), 0).sum()
        likelihoods.append(float(densities + counts @ np.log(sigma**2) + noise.log_jacobian(data.values)))
    return min(likelihoods) + 2 * k + 2 * k * (k + 1) / (n - k - 1)


def _mean(noise: Noise, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """[state], on the scale on which the noise is normal."""
    scale = noise.residuals(values, np.ones_like(values))[0]
    return noise.quantile(np.ones(values.shape[1]), np.nanmean(scale, 0))


def _unexplained(reasons: list[str], record: Record, skills: list[Skill]) -> Unexplained:
    """The last trajectory, which a baseline continues."""
    table, last = record.table, record.table.pieces[-1]
    return Unexplained(
        reasons=tuple(reasons),
        states=tuple(table.states),
        time=table.time[last],
        values=table.values[last],
        skills=tuple(skills),
        calendar=table.calendar,
        **record.common,
    )


def _tried(
    table: Table,
    data: Observations,
    own: Sequence[Proposal],
    terms: SearchedTerms,
    seed: int,
    progress: Progress | None,
) -> Iterator[Tried]:
    """Every family in its orders, the best matched first, every proposal and, last, the searched laws; with each noise.

    Once a law explains the record, those that match its changes far worse are left out: they are not worth a search.
    """
    size = 0 if table.inputs else data.values.shape[1]  # textbook laws have no inputs
    candidates = [Proposal(f, order) for f in families(size) if size for order in _orders(f, data)]
    costs = {p: matching_cost(p.family, p.data(data)) for p in candidates}
    candidates.sort(key=lambda p: costs[p])
    noises, best, most = [noise for noise in NOISES if noise.fits(data.values)], mean_aicc(data), np.inf
    known, searches, kept = [*candidates, *own], sparse_proposals(table, terms, seed), fitted_rows(table)
    count = len(known) + len(searches)
    for done in range(count):
        if progress is not None:
            progress(done, count)
        proposal = known[done] if done < len(known) else searches[done - len(known)]()
        if proposal is None:
            continue
        found: list[Estimate | None] = [None] * len(noises)
        if costs.get(proposal, 0.0) <= most:
            near = None if proposal.states is None else proposal.states[kept]
            found = estimates(proposal.family, proposal.data(data), noises, best, near)
        best = min([best, *(e.aicc for e in found if e is not None)])
        if any(e is not None and e.reproduction > EXPLAINED for e in found):
            most = min(most, FAR * costs.get(proposal, np.inf))
        pairs = zip(noises, found, strict=True)
        yield from (Tried(proposal, noise.title, e) for noise, e in pairs if e is not None or not noise.heavy)
    if progress is not None:
        progress(count, count)


def _orders(family: Family, data: Observations) -> list[tuple[int, ...]]:
    """The orders of the states worth fitting: both of two, the best matched of more; one for linear dynamics."""
    if family.symmetric:
        return [tuple(range(family.size))]
    orders = list(itertools.permutations(range(family.size)))
    if len(orders) <= MOST_ORDERS:
        return orders
    return sorted(orders, key=lambda order: matching_cost(family, data.ordered(order)))[:MOST_ORDERS]


def _model(best: Tried, record: Record, skills: list[Skill]) -> Model:
    found = best.estimate
    assert found is not None
    data, family = found.shooting.data, found.family
    return Model(
        law=family.title,
        written=family.written if isinstance(family, WrittenFamily) else None,
        states=best.proposal.names(record.table.states),
        noise=found.noise.title,
        sigma=found.sigma,
        belief=_belief(found),
        errors=found.errors,
        bounds=profile_intervals(found),
        time=data.time + record.table.time[0],
        values=data.values,
        fitted=found.fitted,
        aicc=found.aicc,
        skills=tuple(skills),
        inputs=tuple(record.table.inputs[i] for i in best.proposal.driven),
        input_values=data.inputs,
        held=found.shooting.held,
        begins=tuple(piece.start for piece in data.pieces),
        **record.common,
    )


def _belief(best: Estimate) -> Belief:
    """Parameters and last state, and their joint covariance by the trajectory's derivative."""
    wider = best.quantile / ndtri(0.5 + CONFIDENCE / 2)  # normal draws stand for Student's t: their 95 % are its 95 %
    covariance = best.covariance * wider**2
    sigma = best.sigma * np.sqrt(best.count / best.left) * wider
    sigma = np.where(best.shooting.data.measured, sigma, 0)
    return Belief(best.point.u, best.shooting.typical, best.fitted[-1], covariance, sigma, best.shooting.data.size)
