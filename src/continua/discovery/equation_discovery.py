"""`EquationDiscovery`: sparse laws behind the face of a scikit-learn estimator."""

import importlib
import inspect
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from continua.core import ArgumentError, in_double_precision
from continua.discovery.proposing import symbol_names
from continua.discovery.samples import is_several, samples, states_of
from continua.discovery.searched_terms import SearchedTerms
from continua.discovery.sparse import Forbidden, Known, SparseField, SparseLaw, best_law, smoothed_states
from continua.equations import Equation, parse_term, python_text
from continua.show import Expression, Number, Symbol, add, format_number, format_uncertain, multiply, text
from continua.solver import solve

Floats = NDArray[np.float64]


class EquationDiscovery:
    r"""The few terms behind trajectories: $x_i' = \sum_j \theta_{ij} \phi_j(x)$.

    An estimator in the sense of scikit-learn, which need not be installed: `clone`, `Pipeline` and `cross_val_score`
    take it. There is no threshold to tune; see `continua.discovery.sparse.sparse_law`.

    Args:
        degree: the highest degree of the monomials; or several, of which the best is taken.
        trigonometric: also sin(x) and cos(x) of each state.
        rational: also 1/(1 + x²) and x/(1 + x²) of each state.
        known: state → terms that must stand in its equation, in Python syntax; or state → {term: its coefficient}.
        forbidden: state → terms that may not; or terms that may stand in no equation.
        proportional: whether the noise grows with the state; None lets the data say, for each state.
        seed: of the smoother's random signs; the same seed gives the same law.

    Attributes:
        coefficients_: θ [state, term].
        standard_errors_: [state, term], given the terms; 0 for terms that do not stand or are known.
        terms_: state → {term: coefficient}.
        equation_: the law as text, a line for each state, with standard errors in the last digits.
        library_terms_: the φ in Python syntax, in the order of the columns of `coefficients_`.
        state_names_: the states as the law writes them: `feature_names_in_` without signs that no formula can hold.
        reproduction_: R² of the law run freely from its estimated starts; of a chaotic system it says little.
        law_: the `SparseLaw`, with covariance, noise, estimated states and rivals.
        feature_names_in_: the columns of `X`.
        n_features_in_: how many there are.

    Good for: smooth dynamics sampled densely, all states measured, with noise up to about a third of their spread.

    Example:
        >>> t = np.linspace(0.0, 6.0, 61)
        >>> X = np.stack([np.cos(2 * t), -np.sin(2 * t)], 1)
        >>> model = EquationDiscovery(degree=1).fit(X, t, feature_names=["x", "y"])
        >>> model.equations()
        ['2*y', '-2*x']
        >>> model.predict([[0.0, 1.0]]).round(3)
        array([[2., 0.]])
    """

    law_: SparseLaw
    reproduction_: float
    feature_names_in_: NDArray[np.object_]
    n_features_in_: int

    def __init__(
        self,
        *,
        degree: int | Sequence[int] = 2,
        trigonometric: bool = False,
        rational: bool = False,
        known: Known | None = None,
        forbidden: Forbidden = (),
        proportional: bool | None = False,
        seed: int = 0,
    ) -> None:
        self.degree = degree
        self.trigonometric = trigonometric
        self.rational = rational
        self.known = known
        self.forbidden = forbidden
        self.proportional = proportional
        self.seed = seed

    # ---- the law

    def fit(self, X: Any, t: Any = None, *, feature_names: Sequence[str] | None = None) -> "EquationDiscovery":
        """Find the law.

        Args:
            X: [row, state]; a list of such trajectories, of any lengths; a data frame, or a list of those. NaN where
                nothing was measured.
            t: the sampling interval, the times [row], or a list of those, one for each trajectory; of data frames
                also the name of the time column, or None to have it found. A `Pipeline` hands over its `y`.
            feature_names: of the states; those of the data frame, or x0, x1, … unless given.

        Returns:
            Itself.

        Raises:
            ArgumentError: `X` and `t` do not fit, known terms are not in the library, or nothing could be fitted.
            DataError: a data frame cannot be used.
        """
        given = samples(X, t)
        size = given.trajectories[0][1].shape[1]
        names = [*(feature_names or given.names or [f"x{i}" for i in range(size)])]
        if len(names) != size:
            raise ArgumentError(f"`feature_names` must name {size} states. Got {len(names)}.")
        own = symbol_names(names)
        asked = SearchedTerms(self.degree, self.trigonometric, self.rational, self.known or {}, self.forbidden)
        terms = asked.of(names, own)
        found = best_law(
            given.trajectories,
            terms.libraries(own),
            known=terms.known,
            forbidden=terms.forbidden,
            proportional=self.proportional,
            seed=self.seed,
        )
        if found is None:
            raise ArgumentError(
                "`X` of `fit` supports no law: it has too few rows, a state without measurements, or the dynamics "
                "cannot be followed from row to row. Use more rows, or a lower `degree`."
            )
        self.law_, self.reproduction_ = found
        self.feature_names_in_, self.n_features_in_ = np.array(names, object), size
        return self

    @property
    def state_names_(self) -> tuple[str, ...]:
        """The states as the law writes them."""
        return self._law.library.states

    @property
    def library_terms_(self) -> tuple[str, ...]:
        """The candidate terms."""
        return self._law.library.terms

    @property
    def coefficients_(self) -> Floats:
        """[state, term]."""
        return self._law.coefficients

    @property
    def standard_errors_(self) -> Floats:
        """[state, term]."""
        return self._law.standard_errors

    @property
    def terms_(self) -> dict[str, dict[str, float]]:
        """State → {term: coefficient}."""
        return self._law.terms

    @property
    def equation_(self) -> str:
        """The law as text."""
        errors = self.standard_errors_
        lines = []
        for i, state in enumerate(self.state_names_):
            numbers = {
                f"#{j}": format_uncertain(float(c), float(errors[i, j])) if errors[i, j] else format_number(float(c))
                for j, c in enumerate(self.coefficients_[i])
            }
            lines.append(f"d {state}/dt = {text(self._side(i, [Symbol(name) for name in numbers]), numbers)}")
        return "\n".join(lines)

    def equations(self, precision: int = 3) -> list[str]:
        """The right-hand side of each state in Python syntax, coefficients to that many digits."""
        rounded = [[Number(float(f"{c:.{precision}g}")) for c in row] for row in self.coefficients_]
        return [python_text(self._side(i, row)) for i, row in enumerate(rounded)]

    def _side(self, state: int, coefficients: Sequence[Expression]) -> Expression:
        names, row = self.state_names_, self.coefficients_[state]
        triples = zip(self.library_terms_, coefficients, row, strict=True)
        return add(*(multiply(shown, parse_term(term, names)) for term, shown, c in triples if c))

    # ---- what it says of other states

    @in_double_precision
    def predict(self, X: Any) -> Any:
        """dx/dt.

        Args:
            X: states [row, state], or a list of such, as arrays or data frames.

        Returns:
            [row, state], or a list of such.
        """
        if is_several(X):
            return [self.predict(piece) for piece in X]
        law, states = self._law, self._states(X)
        with jax.debug_nans(False):
            return np.asarray(law.library(jnp.asarray(states))) @ law.coefficients.T

    def score(self, X: Any, t: Any = None) -> float:
        """R² of `predict` against the slopes of other trajectories, the mean over states, as PySINDy's `score`.

        Slopes are second-order differences (`numpy.gradient`) of the smoothed trajectories, and `predict` is asked at
        the same smooth states, so that noise hardly counts; data without noise is left as it is. A free run says
        more of a system that is not chaotic: compare `simulate` with the data.

        Args:
            X: as for `fit`.
            t: as for `fit`.
        """
        law = self._law
        pieces = samples(X, t, self.feature_names_in_.tolist()).trajectories
        slopes, predicted = [], []
        for (times, _), states in zip(pieces, smoothed_states(pieces, self.seed), strict=True):
            slopes.append(np.gradient(states, times, axis=0))
            predicted.append(self.predict(states))
        slope, miss = np.concatenate(slopes), np.concatenate(slopes) - np.concatenate(predicted)
        spread = np.sum((slope - slope.mean(0)) ** 2, 0)
        # A state that never changes is explained by a slope of zero, and by nothing else.
        share = np.where(spread > 0, np.sum(miss**2, 0) / np.where(spread > 0, spread, 1.0), (miss != 0).any(0))
        return float(np.mean(1 - share[: len(law.library.states)]))

    @in_double_precision
    def simulate(self, x0: Any, t: Any) -> Floats:
        """The law run freely.

        Args:
            x0: [state], at t[0].
            t: [row], rising or falling times.

        Returns:
            [row, state], to a relative tolerance of 1e-8.

        Raises:
            ArgumentError: `x0` or `t` cannot be used.
            FailedSolve: the law diverges from there; the message says where.
        """
        start = np.asarray(x0, float)
        if start.shape != (self._law.coefficients.shape[0],):
            names = ", ".join(self.state_names_)
            raise ArgumentError(f"`x0` of `simulate` must have a number for each of {names}. Got shape {start.shape}.")
        seen = np.concatenate([np.abs(states) for states in self._law.states])
        size = np.maximum(seen.max(0), np.abs(start))
        return np.asarray(solve(self.field_, start, np.asarray(t, float), rtol=1e-8, atol=1e-8 * size + 1e-300).ys)

    @property
    def field_(self) -> Equation:
        """The law as an equation that `continua.solve` takes, in the precision of your JAX setting."""
        law = self._law
        none = jnp.zeros((2, 0))
        return SparseField(jnp.asarray(law.coefficients), jnp.arange(2.0), none, law.library.features)

    def _states(self, X: Any) -> Floats:
        names = self.feature_names_in_.tolist() if hasattr(self, "law_") else None
        states = states_of(X, names)
        if states.shape[1] != self._law.coefficients.shape[0]:
            raise ArgumentError(f"`X` must have {self.n_features_in_} columns, as in `fit`. Got {states.shape[1]}.")
        return states

    @property
    def _law(self) -> SparseLaw:
        if not hasattr(self, "law_"):
            raise ArgumentError("This EquationDiscovery has no law yet. Call `fit` first.")
        return self.law_

    # ---- what scikit-learn asks

    @classmethod
    def _parameters(cls) -> list[str]:
        return list(inspect.signature(cls).parameters)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The arguments of the constructor by name; `deep` makes no difference, none is an estimator."""
        return {name: getattr(self, name) for name in self._parameters()}

    def set_params(self, **parameters: Any) -> "EquationDiscovery":
        """Change arguments of the constructor.

        Raises:
            ArgumentError: it has no such argument.
        """
        for name, value in parameters.items():
            if name not in self._parameters():
                raise ArgumentError(
                    f"`{name}` is no parameter of EquationDiscovery. Use one of {', '.join(self._parameters())}."
                )
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        defaults = inspect.signature(type(self)).parameters
        given = [f"{name}={value!r}" for name, value in self.get_params().items() if value != defaults[name].default]
        return f"EquationDiscovery({', '.join(given)})"

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "law_")

    def __sklearn_tags__(self) -> Any:
        utils = importlib.import_module("sklearn.utils")
        inputs = utils.InputTags(allow_nan=True)
        return utils.Tags(None, target_tags=utils.TargetTags(required=False), input_tags=inputs)
