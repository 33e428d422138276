"""Equilibria: the states at which an equation stands still, and what happens near them."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from continua.calculus import Ends, levenberg_marquardt
from continua.core import Args, ArgumentError, count, in_double_precision
from continua.equations import Equation
from continua.stability import arguments
from continua.stability.arguments import States, StateVector
from continua.stability.autonomous import check_autonomous
from continua.stability.classification import is_stable, kind_of, without_noise
from continua.stability.linearisation import Eigenvalues, Matrix, ordered_eigenvalues, slopes_and_jacobians
from continua.stability.region import Region, in_units, region_of

# Two roots closer than this, in widths of the box, are one.
APART = 1e-5
# How far along a singular direction another equilibrium is looked for, in widths of the box.
STRIDE = 1e-2


@dataclass(frozen=True, eq=False)
class Equilibrium:
    """A state at which the equation stands still.

    Args:
        point: [state].
        eigenvalues: [state], complex, per unit of time, the largest real part first.
        kind: in standard words: "stable node", "unstable focus", "saddle", "saddle-focus", "stable focus-node" (both
            real and complex eigenvalues), "centre to first order" (the linear part turns without growing; only the
            nonlinear terms tell whether orbits close), "degenerate" (an eigenvalue is zero), or "curve of equilibria,
            attracting" for one of many that are not isolated.
        jacobian: [state, state].
        residual: the largest |slope| left, in widths of the region per unit of time over the fastest rate there.
        beyond: how far outside the box of `near` it lies, in widths of that box; 0 within.
        family: the dimension of the set of equilibria that it belongs to; 0 where it stands alone.
    """

    point: StateVector
    eigenvalues: Eigenvalues
    kind: str
    jacobian: Matrix
    residual: float
    beyond: float
    family: int

    @property
    def stable(self) -> bool | None:
        """Whether nearby states come to it; None where the linear part does not decide."""
        return is_stable(self.eigenvalues, self.family)

    @property
    def period(self) -> float | None:
        """2π/|Im λ| of the pair that decays slowest or grows fastest; None where nothing turns."""
        turning = self.eigenvalues[np.imag(self.eigenvalues) > 0]
        return 2 * math.pi / float(np.imag(turning)[np.argmax(np.real(turning))]) if len(turning) else None

    @property
    def doubling_time(self) -> float | None:
        """The time ln 2 / Re λ of the fastest growth away from it; None where nothing grows."""
        fastest = float(np.real(self.eigenvalues).max())
        return math.log(2) / fastest if fastest > 0 else None

    @property
    def half_life(self) -> float | None:
        """The time ln 2 / |Re λ| of the slowest decay towards it; None where it is not stable."""
        rates = np.real(self.eigenvalues)
        return math.log(2) / float(-rates[rates < 0].max()) if self.stable else None


@in_double_precision
def equilibria(
    equation: Equation | Callable[[Any, Any, Any], Any],
    near: Any,
    *,
    args: Args = None,
    margin: float = 1.0,
    tolerance: float = 1e-12,
    neutral: float = 1e-8,
    starts: int = 128,
) -> tuple[Equilibrium, ...]:
    r"""The equilibria of an autonomous equation in and round a box of states.

    $$ f(y_*) = 0 $$

    Damped Newton steps with exact Jacobians from many starts, the same in every call: measured states, the origin,
    states with some components 0, the corners of the box, and points spread evenly over its surroundings.
    No such search can promise to find all. The answer does not depend on the units of states and time.

    Args:
        equation: an `Equation`, or a function `f(t, y, args)` that returns dy/dt, which must not depend on t.
        near: [state] or [point, state]: measured states, or two corners of a box; rows with NaN are left out.
        args: handed to the equation.
        margin: how far outside the box of `near` equilibria are still told, in widths of the box; `math.inf` for all
            that are found. `Equilibrium.beyond` tells how far each is.
        tolerance: the largest |f| that counts as zero, in widths of the box times the fastest rate in it.
        neutral: the largest part of an eigenvalue that counts as zero, in units of the fastest rate in the box.
        starts: how many searches.

    Returns:
        `Equilibrium` objects, ordered by their coordinates. Where equilibria are not isolated but fill a curve or a
        surface, the one nearest to the middle of the box stands for all of its kind.

    Raises:
        ArgumentError: a shape or value cannot be used, or the equation depends on time.
        ArgumentTypeError: a type cannot be used.

    Example:
        >>> from continua.equations import Logistic
        >>> for found in equilibria(Logistic(r=0.5, K=10.0), [[1.0], [9.0]]):
        ...     print(found.point, found.kind)
        [0.] unstable node
        [10.] stable node
    """
    verb = "equilibria"
    region = region_of(arguments.states(verb, near))
    equation, args = arguments.system(verb, equation, len(region.low), args)
    margin = arguments.number(verb, "margin", margin, zero=True, infinite=True)
    tolerance, neutral = (
        arguments.number(verb, name, value) for name, value in [("tolerance", tolerance), ("neutral", neutral)]
    )
    starts = count(verb, "starts", starts, 4096)
    z = _filled(region.thinned(starts) / region.width, starts)
    rate = _fastest_rate(in_units(equation, region.width), args, z)
    own = in_units(equation, region.width, rate)
    check_autonomous(verb, own, args, z)
    return _Search(own, args, region, rate, tolerance, neutral, starts).run(margin)


def _filled(z: States, count: int) -> Float[np.ndarray, "filled state"]:
    """`count` states, the first repeated where there are fewer: one shape is one compilation."""
    return np.concatenate([z, np.repeat(z[:1], count - len(z), 0)])


def _fastest_rate(equation: Equation, args: Args, z: States) -> float:
    """The largest rate at which the equation moves or separates the states, per unit of time."""
    slopes, matrices = slopes_and_jacobians(equation, z, args)
    usable = np.isfinite(slopes).all(1) & np.isfinite(matrices).all((1, 2))
    if not usable.any():
        raise ArgumentError(
            "`near` must hold states where the equation is finite. Got NaN or infinity in all. Use other states."
        )
    rates = np.linalg.norm(matrices[usable], 2, (1, 2))
    return float(max(rates.max(), np.abs(slopes[usable]).max())) or 1.0


@dataclass(frozen=True, eq=False)
class _Search:
    """One search; the equation is in the units of the region: widths for states, 1/rate for time."""

    equation: Equation
    args: Args
    region: Region
    rate: float
    tolerance: float
    neutral: float
    starts: int

    def field(self, z: States) -> tuple[np.ndarray, np.ndarray]:
        """Slopes and Jacobians, at most at `starts` states."""
        slopes, matrices = slopes_and_jacobians(self.equation, _filled(z, self.starts), self.args)
        return slopes[: len(z)], matrices[: len(z)]

    def run(self, margin: float) -> tuple[Equilibrium, ...]:
        """Search, sort out, describe."""
        z = self.region.starts(self.starts, margin) / self.region.width
        roots = self._distinct(levenberg_marquardt(self.field, z), margin)
        if not len(roots):
            return ()
        _, matrices = self.field(roots)
        families = self._families(roots, matrices)
        found = [self._describe(*entry) for entry in zip(roots, matrices, families.tolist(), strict=True)]
        return tuple(sorted(self._representatives(found), key=self._place))

    def _distinct(self, ends: Ends, margin: float) -> Float[np.ndarray, "root state"]:
        """The ends that are roots, each once, the best first; those beyond the margin are dropped."""
        settled = ends.steps <= 1e-6 * (1 + np.abs(ends.points).max(1))  # else f only fades out towards infinity
        chosen: list[np.ndarray] = []
        for i in np.argsort(ends.residuals, kind="stable"):
            z = ends.points[i]
            inside = self.region.beyond(z * self.region.width) <= margin
            if not (settled[i] and inside and ends.residuals[i] <= self.tolerance):
                continue
            if all(np.abs(z - other).max() > APART * (1 + np.abs(z).max()) for other in chosen):
                chosen.append(z)
        return np.stack(chosen) if chosen else np.empty((0, len(self.region.low)))

    def _families(self, roots: States, matrices: np.ndarray) -> np.ndarray:
        """[root], along how many singular directions of its Jacobian other equilibria follow."""
        _, singular, rows = np.linalg.svd(matrices)
        families = np.zeros(len(roots), int)
        for direction in range(roots.shape[1]):
            null = singular[:, direction] <= self.neutral
            if not null.any():
                continue
            follows = np.zeros(len(roots), bool)
            for stride in (STRIDE, -STRIDE):
                along = rows[:, direction]
                ends = levenberg_marquardt(self.field, roots + stride * along)
                moved = ((ends.points - roots) * along).sum(1) / stride
                follows |= (ends.residuals <= self.tolerance) & (moved > 0.5)
            families += null & follows
        return families

    def _describe(self, root: StateVector, matrix: Matrix, family: int) -> Equilibrium:
        values = without_noise(ordered_eigenvalues(matrix), self.neutral) * self.rate
        width = self.region.width
        point = np.where(np.abs(root) > 1e-12, root, 0.0) * width  # round-off round zero
        residual = float(np.abs(self.field(root[None])[0]).max())
        units = width[:, None] / width[None] * self.rate
        kind = kind_of(values, family)
        return Equilibrium(point, values, kind, matrix * units, residual, self.region.beyond(point), family)

    def _representatives(self, found: list[Equilibrium]) -> list[Equilibrium]:
        """All that stand alone, and of each kind of family the member nearest to the middle of the box."""
        chosen = [e for e in found if not e.family]
        for kind in {e.kind: None for e in found if e.family}:
            members = [e for e in found if e.family and e.kind == kind]
            chosen.append(min(members, key=self._from_centre))
        return chosen

    def _from_centre(self, equilibrium: Equilibrium) -> float:
        return float(np.linalg.norm((equilibrium.point - self.region.centre) / self.region.width))

    def _place(self, equilibrium: Equilibrium) -> tuple[float, ...]:
        return tuple(np.round(equilibrium.point / self.region.width, 4).tolist())
