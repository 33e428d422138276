"""`fit`: from a table to the law that explains it best."""

import itertools
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import norm

from continua.core import in_double_precision
from continua.discovery.audit import Finding, audit
from continua.discovery.estimate import CONFIDENCE, Estimate, estimates
from continua.discovery.family import Family, WrittenFamily
from continua.discovery.forecasting import Belief
from continua.discovery.matching import matching_cost
from continua.discovery.model import Model, Rival
from continua.discovery.named_families import families
from continua.discovery.noise import NOISES
from continua.discovery.observations import Observations, longest_trajectory, observe, thinned
from continua.discovery.proposing import Proposal, sparse_proposal, symbol_names, written_proposals
from continua.discovery.rolling import Skill, rolling_origins
from continua.discovery.searched_terms import SearchedTerms
from continua.discovery.sparse import Forbidden, Known
from continua.discovery.unexplained import Unexplained
from continua.files import Table, read_table

Progress = Callable[[int, int], None]
MOST_ORDERS = 2
CLEARLY = 0.5
EXPLAINED = 0.9  # of the variance
FAR = 3.0  # times the mismatch of changes


@in_double_precision
def fit(
    data: str | os.PathLike[str] | Mapping[str, Any] | Any,
    *,
    time: str | None = None,
    states: Sequence[str] | None = None,
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
    terms are searched, and your own are fitted by multiple shooting with unknown initial states and a σ for each
    state. The one with the lowest AICc is returned; a searched law pays for the number of its choices.

    Args:
        data: the path of a CSV file, a mapping from names to columns, a polars or pandas data frame, or a `Table`.
        time: the time column; inferred unless given.
        states: the columns to explain; all numeric ones unless given.
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
    table = longest_trajectory(data if isinstance(data, Table) else read_table(data, time, states))
    observations, dropped = observe(table)
    findings = audit(table.time, table.values, table.states, table.calendar)
    own = written_proposals(equations, table)
    terms = SearchedTerms(degree, trigonometric, rational, known or {}, forbidden)
    terms = terms.of(table.states, symbol_names(table.states))
    tried = list(_tried(table, observations, own, terms, seed, progress))
    found = sorted((e for _, _, e in tried if e is not None and np.isfinite(e.aicc)), key=lambda e: e.aicc)
    best = found[0] if found else None
    rivals = sorted((_rival(f.title, n, order, e, table, best) for (f, n), order, e in tried), key=lambda r: r.aicc)
    order = next((order for _, order, e in tried if e is best), tuple(range(len(table.states))))
    ordered = observations.ordered(order)
    whole = (table.time - table.time[0], table.values[:, list(order)])
    skills = rolling_origins(ordered.time, ordered.values, table.calendar, whole, best)
    reasons = [f.message for f in findings if f.severity == "refusal" and not _overruled(f, skills)]
    if best is None:
        reasons.append("no law could be solved along the record, or it has too few rows for any")
    elif best.aicc > mean_aicc(observations):
        reasons.append("no law explains the record better than its mean does")
    notes = [*table.notes, *dropped]
    if best is None or reasons:
        whole = (whole[0], table.values)
        skills = rolling_origins(observations.time, observations.values, table.calendar, whole)
        return _unexplained(reasons, table, rivals, skills, findings, notes)
    return _model(best, order, table, rivals, skills, findings, notes)


def _overruled(finding: Finding, skills: Sequence[Skill]) -> bool:
    """Whether a law that forecasts clearly better than every baseline speaks against a suspected random walk."""
    clear = bool(skills) and all(skill.skill > CLEARLY for skill in skills)
    return finding.kind == "looks_like_random_walk" and clear


def mean_aicc(data: Observations) -> float:
    """AICc of the law that nothing ever happens: a mean and a σ for each state."""
    counts, spread = data.known.sum(0), np.maximum(data.spread, 1e-300)
    k, n = 2 * len(counts), int(counts.sum())
    likelihood = float((counts * (np.log(2 * np.pi * spread**2) + 1)).sum())
    return likelihood + 2 * k + 2 * k * (k + 1) / (n - k - 1) if n > k + 1 else np.inf


def _unexplained(
    reasons: list[str],
    table: Table,
    rivals: list[Rival],
    skills: list[Skill],
    findings: tuple[Finding, ...],
    notes: list[str],
) -> Unexplained:
    return Unexplained(
        reasons=tuple(reasons),
        states=tuple(table.states),
        time=table.time,
        values=table.values,
        rivals=tuple(rivals),
        skills=tuple(skills),
        time_name=table.time_name,
        unit=table.calendar or table.units.get(table.time_name, "time"),
        calendar=table.calendar,
        findings=findings,
        notes=tuple(notes),
        source=table.source,
    )


def _tried(
    table: Table,
    data: Observations,
    own: Sequence[Proposal],
    terms: SearchedTerms,
    seed: int,
    progress: Progress | None,
) -> Iterator[tuple[tuple[Family, str], tuple[int, ...], Estimate | None]]:
    """Every family in its orders, the best matched first, every proposal and, last, the searched law; with each noise.

    Once a law explains the record, those that match its changes far worse are left out: they are not worth a search.
    """
    candidates = [Proposal(f, order) for f in families(data.values.shape[1]) for order in _orders(f, data)]
    costs = {p: matching_cost(p.family, data.ordered(p.order)) for p in candidates}
    candidates.sort(key=lambda p: costs[p])
    noises, best, most = [noise for noise in NOISES if noise.fits(data.values)], mean_aicc(data), np.inf
    known = [*candidates, *own]
    count = len(known) + 1
    for done in range(count):
        if progress is not None:
            progress(done, count)
        proposal = known[done] if done < len(known) else sparse_proposal(table, terms, seed)
        if proposal is None:
            continue
        family, order, states = proposal.family, proposal.order, proposal.states
        near = None if states is None else states[thinned(len(states))]
        found: list[Estimate | None] = [None] * len(noises)
        if costs.get(proposal, 0.0) <= most:
            found = estimates(family, data.ordered(order), noises, best, near)
        best = min([best, *(e.aicc for e in found if e is not None)])
        if any(e is not None and e.reproduction > EXPLAINED for e in found):
            most = min(most, FAR * costs.get(proposal, np.inf))
        yield from (((family, noise.title), order, e) for noise, e in zip(noises, found, strict=True))
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


def _rival(
    title: str, noise: str, order: tuple[int, ...], found: Estimate | None, table: Table, best: Estimate | None
) -> Rival:
    aicc = np.inf if found is None else float(found.aicc)
    behind = np.inf if best is None else aicc - best.aicc
    return Rival(title, noise, tuple(table.states[i] for i in order), aicc, behind)


def _model(
    best: Estimate,
    order: tuple[int, ...],
    table: Table,
    rivals: list[Rival],
    skills: list[Skill],
    findings: tuple[Finding, ...],
    notes: list[str],
) -> Model:
    data = best.shooting.data
    return Model(
        law=best.family.title,
        written=best.family.written if isinstance(best.family, WrittenFamily) else None,
        states=tuple(table.states[i] for i in order),
        noise=best.noise.title,
        sigma=best.sigma,
        belief=_belief(best),
        errors=best.errors,
        bounds=best.intervals,
        time=data.time + table.time[0],
        values=data.values,
        fitted=best.fitted,
        aicc=best.aicc,
        rivals=tuple(rivals),
        skills=tuple(skills),
        findings=findings,
        time_name=table.time_name,
        unit=table.calendar or table.units.get(table.time_name, "time"),
        notes=tuple(notes),
        source=table.source,
    )


def _belief(best: Estimate) -> Belief:
    """Parameters and last state, and their joint covariance by the trajectory's derivative."""
    parameters = len(best.point.u)
    last = best.shooting.trajectory(best.point).jacobian[-1]
    onto = np.concatenate([np.eye(parameters, last.shape[1]), last])
    wider = best.quantile / norm.ppf(
        0.5 + CONFIDENCE / 2
    )  # normal draws stand for Student's t: their 95 % are its 95 %
    covariance = onto @ best.covariance @ onto.T * wider**2
    sigma = best.sigma * np.sqrt(best.count / best.left) * wider
    return Belief(best.point.u, best.shooting.typical, best.fitted[-1], covariance, sigma, best.shooting.data.size)
