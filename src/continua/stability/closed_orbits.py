"""Closed orbits: limit cycles, and the orbits of conservative systems."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Complex, Float

from continua.core import Args, count, in_double_precision
from continua.equations import Equation
from continua.methods import Method
from continua.solver import Status, by_its_steps
from continua.stability import arguments
from continua.stability.arguments import States, StateVector
from continua.stability.autonomous import check_autonomous
from continua.stability.linearisation import slopes_and_jacobians
from continua.stability.region import in_units, region_of
from continua.stability.section import MOST_RETURNS, nearest, returns
from continua.stability.trajectory import trajectory
from continua.stability.variational import carry

# Doublings of the time within which a first return is looked for: from one fast time scale to a million of them.
DOUBLINGS = 20
# Rounds in which the trajectory is followed further, each twice as long: 8, 16, … first returns.
ROUNDS = 7
NEWTON_STEPS = 30
# A trajectory so many ranges of its first turn away is not expected back.
FAR = 1e6
# A Newton step in state (in ranges of the orbit) and in period (in periods) is cut to this.
LONGEST_STEP = 0.2
# Singular values of the return map's Jacobian below this belong to a family of closed orbits, along which we stay put.
SINGULAR = 1e-7


@dataclass(frozen=True, eq=False)
class NoCycle:
    """No closed orbit was found; false in a condition.

    Args:
        reason: why, in words.
    """

    reason: str

    def __bool__(self) -> bool:
        return False


@dataclass(frozen=True, eq=False)
class Cycle:
    """A closed orbit.

    Args:
        point: [state], on it.
        period: time of one turn.
        multipliers: [state], complex, Floquet multipliers: by what differences from the orbit grow in one turn. The
            first belongs to the direction along the orbit and is 1; then the largest first.
        kind: "stable limit cycle", "unstable limit cycle", "saddle cycle", "neutral closed orbit" (neighbouring orbits
            are closed too, as far as the linear part tells), or "unstable closed orbit of a family".
        ts: [time], from 0 to the period.
        ys: [time, state], the orbit.
        residual: how far one turn ends from its start, in ranges of the orbit.
    """

    point: StateVector
    period: float
    multipliers: Complex[np.ndarray, " state"]
    kind: str
    ts: Float[np.ndarray, " time"]
    ys: Float[np.ndarray, "time state"]
    residual: float

    @property
    def amplitude(self) -> StateVector:
        """[state], half the way from the lowest to the highest value."""
        return (self.ys.max(0) - self.ys.min(0)) / 2

    @property
    def mean(self) -> StateVector:
        """[state], averages over one turn."""
        return self.ys[:-1].mean(0)

    @property
    def stable(self) -> bool | None:
        """Whether nearby states come to it; None for a neutral orbit."""
        return {"stable limit cycle": True, "neutral closed orbit": None}.get(self.kind, False)


@in_double_precision
def cycle(
    equation: Equation | Callable[[Any, Any, Any], Any],
    near: Any,
    *,
    args: Args = None,
    reach: float = 0.05,
    rtol: float = 1e-9,
    neutral: float = 1e-5,
    max_steps: int = 2**16,
) -> Cycle | NoCycle:
    r"""The closed orbit of an autonomous equation through a state, near it, or that its trajectory ends on.

    $$ \varphi_T(y_*) = y_* $$

    The trajectory is followed until it returns to a Poincaré section; Newton's method on (y, T) then closes the orbit,
    with the derivative of the flow from the variational equation. Where orbits are closed anyway, as in conservative
    systems, that is the orbit through the state. Otherwise the trajectory is followed further, and the orbit that
    attracts it is looked for.

    Args:
        equation: an `Equation`, or a function `f(t, y, args)` that returns dy/dt, which must not depend on t.
        near: [state], the state; or [point, state], the last of which is the state.
        args: handed to the equation.
        reach: how far the orbit may pass from a state that is on it or near it, in ranges of the orbit.
        rtol: relative tolerance of the trajectories.
        neutral: how far from 1 the size of a multiplier may be and still count as 1.
        max_steps: of one solve.

    Returns:
        A `Cycle`; or a `NoCycle`, which is false in a condition, with the reason. An orbit that repels is found only
        from a state within `reach`.

    Raises:
        ArgumentError: a shape or value cannot be used, or the equation depends on time.
        ArgumentTypeError: a type cannot be used.

    Example:
        >>> from continua.equations import VanDerPol
        >>> orbit = cycle(VanDerPol(mu=1.0), [2.0, 0.0])
        >>> print(f"{orbit.period:.5f}", orbit.kind)
        6.66329 stable limit cycle

    Source: Kuznetsov, Elements of Applied Bifurcation Theory, § 10.
    """
    verb = "cycle"
    sample = arguments.states(verb, near)
    equation, args = arguments.system(verb, equation, sample.shape[1], args)
    reach, rtol, neutral = (
        arguments.number(verb, name, value) for name, value in [("reach", reach), ("rtol", rtol), ("neutral", neutral)]
    )
    max_steps = count(verb, "max_steps", max_steps, 2**31 - 1)
    if sample.shape[1] == 1:
        return NoCycle("one state alone cannot turn: trajectories on a line never return")
    flow = _Flow(equation, args, region_of(sample).width, rtol, max_steps)
    return _Search(flow, reach, neutral).run(sample[-1])


class _Failure(Exception):
    """The search ends here; the message is the reason."""


class _Turn(NamedTuple):
    """A closed orbit in the units of the flow."""

    z: StateVector
    period: float
    monodromy: np.ndarray
    slope: StateVector
    residual: float


@dataclass(frozen=True, eq=False)
class _Flow:
    """Trajectories in units of `width` [state]."""

    equation: Equation
    args: Args
    width: StateVector
    rtol: float
    max_steps: int

    @property
    def own(self) -> Equation:
        return in_units(self.equation, self.width)

    def local(self, z: StateVector) -> tuple[StateVector, np.ndarray]:
        """Slope and Jacobian at a state."""
        slopes, matrices = slopes_and_jacobians(self.own, z[None], self.args)
        return slopes[0], matrices[0]

    def path(self, z: StateVector, duration: float) -> tuple[np.ndarray, States]:
        """Times and states on the trajectory from z."""
        found = trajectory(self.own, z, 0.0, duration, self.args, self.rtol, self.max_steps)
        self._check(found.status, found.reached)
        return found.ts, found.states

    def turn(self, z: StateVector, duration: float) -> tuple[StateVector, np.ndarray]:
        """Where z is after `duration`, and the derivative of that with respect to z."""
        start = z, np.eye(len(z)), np.array([0.0, duration])
        y, frame, span, rtol = jax.device_put((*start, np.asarray(self.rtol)))

        def run(method: Method) -> tuple[tuple[Any, Any, Any], Any]:
            found = carry(self.own, y, frame, span, self.args, rtol, method, self.max_steps)
            return found, found[2]

        end, moved, status = by_its_steps(run, y.size + frame.size)
        self._check(Status(int(status)), duration)
        return np.asarray(end), np.asarray(moved)

    def _check(self, status: Status, t: float) -> None:
        match status:
            case Status.SUCCESS:
                return
            case Status.BLOW_UP:
                raise _Failure(f"the trajectory grows without bound: it blows up after a time of {t:.6g}")
            case Status.STEP_BUDGET | Status.STIFF:
                raise _Failure(
                    f"no closed orbit within max_steps={self.max_steps} steps, a time of {t:.6g}: "
                    "the motion may be chaotic, quasi-periodic or stiff"
                )
            case _:
                raise _Failure(f"the equation cannot be followed beyond a time of {t:.6g}")


@dataclass(frozen=True, eq=False)
class _Search:
    flow: _Flow
    reach: float
    neutral: float

    def run(self, start: StateVector) -> Cycle | NoCycle:
        """From a state in the user's units."""
        try:
            search, z, first = self._measured(start / self.flow.width)
            return search.follow(z, first)
        except _Failure as failure:
            return NoCycle(str(failure))

    def _measured(self, z: StateVector) -> tuple["_Search", StateVector, float]:
        """The time of the first return, in a search whose units are the ranges of the trajectory until then."""
        slope, matrix = self.flow.local(z)
        rate = max(float(np.abs(np.linalg.eigvals(matrix)).max()), float(np.abs(slope).max()))
        if not np.isfinite(rate):
            raise _Failure("the equation gives NaN or infinity at the state")
        if np.abs(slope).max() <= 1e-12 * (rate or 1.0):
            raise _Failure("the state is an equilibrium")
        check_autonomous("cycle", in_units(self.flow.equation, self.flow.width, rate), self.flow.args, z[None])
        duration = 1 / rate
        for _ in range(DOUBLINGS):
            ts, path = self.flow.path(z, duration)
            found = returns(ts, path, slope / np.linalg.norm(slope))
            if found and 4 * found[0].time <= duration:  # four, so that the nearest return is among them
                size = np.ptp(path, axis=0)
                width = self.flow.width * np.where(size > 1e-9 * size.max(), size, 1.0)
                return replace(self, flow=replace(self.flow, width=width)), z * self.flow.width / width, found[0].time
            self._check_settled(path, float(np.ptp(path, axis=0).max()))
            duration *= 2
        raise _Failure(f"the trajectory does not return within a time of {duration / 2:.6g}")

    def _check_settled(self, path: States, size: float) -> None:
        """Whether the last quarter of a path stands still, compared to `size`, at a state that attracts."""
        if np.ptp(path[-len(path) // 4 :], axis=0).max() > 1e-6 * size:
            return
        matrix = self.flow.local(path[-1])[1]
        values = np.real(np.linalg.eigvals(matrix))
        if values.max() <= 1e-6 * np.abs(values).max():
            where = ", ".join(f"{v:.6g}" for v in path[-1] * self.flow.width)
            raise _Failure(f"the trajectory settles at the equilibrium ({where})")

    def follow(self, z: StateVector, first: float) -> Cycle:
        """Try to close the orbit at z, else further and further along its trajectory."""
        for number in range(ROUNDS):
            turn = self._close(z, first)
            orbit = None if turn is None else self._describe(turn)
            if turn is not None and orbit is not None:
                near = float(np.abs(turn.z - z).max()) <= self.reach
                if near and (number == 0 or orbit.stable is not False):
                    return orbit
            _, path = self.flow.path(z, first * 8 * 2**number)
            self._check_settled(path, 1.0)
            if np.abs(path[-1] - z).max() > FAR:
                raise _Failure(f"the trajectory grows without bound: {FAR:.0e} times its first turn, and on")
            z = path[-1]
        raise _Failure(
            f"the trajectory does not close within a time of {first * 8 * (2**ROUNDS - 1):.6g}: "
            "it may be chaotic, quasi-periodic, or come to its cycle very slowly"
        )

    def _close(self, z: StateVector, first: float) -> _Turn | None:
        """Newton's method on (z, T) from the nearest of the next returns; None where it does not converge."""
        slope, _ = self.flow.local(z)
        normal = slope / np.linalg.norm(slope)
        ts, path = self.flow.path(z, 8 * first)
        found = returns(ts, path, normal)
        if not found:
            return None
        try:
            turn = self._newton(z, nearest(found).time, normal)
            return None if turn is None else self._shortest(turn)
        except _Failure:
            return None

    def _shortest(self, turn: _Turn) -> _Turn | None:
        """The same orbit gone round once: where the first return was missed, its period is a multiple."""
        for times in range(MOST_RETURNS, 1, -1):
            end = self.flow.turn(turn.z, turn.period / times)[0]
            if np.abs(end - turn.z).max() <= 1e4 * self.flow.rtol:
                return self._newton(turn.z, turn.period / times, turn.slope / np.linalg.norm(turn.slope))
        return turn

    def _newton(self, z: StateVector, period: float, normal: StateVector) -> _Turn | None:
        size, plane = len(z), z
        length = np.inf
        for _ in range(NEWTON_STEPS):
            end, monodromy = self.flow.turn(z, period)
            slope = self.flow.local(end)[0]
            gap = np.append(end - z, normal @ (z - plane))
            if max(np.abs(gap).max(), length) <= 1e3 * self.flow.rtol:
                return _Turn(z, period, monodromy, slope, float(np.abs(gap).max()))
            bordered = np.zeros((size + 1, size + 1))
            bordered[:size, :size] = monodromy - np.eye(size)
            bordered[:size, size] = slope * period
            bordered[size, :size] = normal
            step = np.linalg.lstsq(bordered, -gap, rcond=SINGULAR)[0]
            length = float(np.abs(step).max())
            if not np.isfinite(length):
                return None
            step *= min(1.0, LONGEST_STEP / max(length, 1e-300))
            z, period = z + step[:size], period * (1 + step[size])
        return None

    def _describe(self, turn: _Turn) -> Cycle | None:
        """In the user's units; None for an orbit without extent, which is an equilibrium."""
        ts, path = self.flow.path(turn.z, turn.period)
        if np.ptp(path, axis=0).max() < 1e-3:
            return None
        multipliers = _multipliers(turn.monodromy, turn.slope)
        kind = _kind(np.abs(multipliers[1:]), self.neutral)
        point, ys = turn.z * self.flow.width, path * self.flow.width
        return Cycle(point, float(turn.period), multipliers, kind, ts, ys, turn.residual)


def _multipliers(monodromy: np.ndarray, slope: StateVector) -> np.ndarray:
    """The multiplier along the orbit, then those across it.

    The slope is an eigenvector of the monodromy matrix, so the others are the eigenvalues on the space across it. Of
    the whole matrix a double eigenvalue 1, as conservative systems have it, would come out wrong in half its digits.
    """
    basis = np.linalg.qr(np.column_stack([slope, np.eye(len(slope))]))[0]
    turned = basis.T @ monodromy @ basis
    across = np.linalg.eigvals(turned[1:, 1:]).astype(complex)
    return np.append(turned[0, 0], across[np.lexsort((-np.imag(across), -np.abs(across)))])


def _kind(sizes: np.ndarray, neutral: float) -> str:
    outside, inside = sizes > 1 + neutral, sizes < 1 - neutral
    if not (outside | inside).all():
        return "unstable closed orbit of a family" if outside.any() else "neutral closed orbit"
    if inside.all():
        return "stable limit cycle"
    return "unstable limit cycle" if outside.all() else "saddle cycle"
