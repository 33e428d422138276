"""What an equilibrium is called, from its eigenvalues: the standard words of the phase plane, for any number of states.

Source: Strogatz, Nonlinear Dynamics and Chaos, ch. 5; Kuznetsov, Elements of Applied Bifurcation Theory, § 2.
"""

import numpy as np
from jaxtyping import Complex

Values = Complex[np.ndarray, " any"]

_MANIFOLD = {1: "curve", 2: "surface"}


def kind_of(eigenvalues: Values, family: int = 0) -> str:
    """The kind; parts of the eigenvalues that are meant to be zero must be exactly zero.

    Args:
        eigenvalues: [state].
        family: the dimension of the set of equilibria that the point lies on; 0 where it stands alone.
    """
    if family:
        across = eigenvalues[np.argsort(np.abs(eigenvalues))[family:]]
        return f"{_MANIFOLD.get(family, f'{family}-dimensional set')} of equilibria{_pull(across)}"
    if (eigenvalues == 0).any():
        return "degenerate"
    if (np.real(eigenvalues) == 0).any():
        return _centre(eigenvalues)
    rising = np.real(eigenvalues) > 0
    turning = np.imag(eigenvalues) != 0
    if rising.any() and not rising.all():
        return "saddle-focus" if turning.any() else "saddle"
    shape = "node" if not turning.any() else "focus" if turning.all() else "focus-node"
    return f"{'unstable' if rising.all() else 'stable'} {shape}"


def _pull(across: Values) -> str:
    """What the states beside a set of equilibria do."""
    if not len(across):
        return ""
    if (np.real(across) == 0).any():
        return ", degenerate" if (across == 0).any() else ", neutral to first order"
    rising = np.real(across) > 0
    return ", repelling" if rising.all() else ", of saddle type" if rising.any() else ", attracting"


def _centre(eigenvalues: Values) -> str:
    """Nonlinear terms, which no eigenvalue knows of, decide whether it is a centre indeed."""
    if (np.real(eigenvalues) > 0).any():
        return "centre to first order, unstable"
    return "centre to first order" + (", attracting" if (np.real(eigenvalues) < 0).any() else "")


def is_stable(eigenvalues: Values, family: int = 0) -> bool | None:
    """Whether nearby states stay near: None where the linear part does not decide."""
    across = eigenvalues[np.argsort(np.abs(eigenvalues))[family:]]
    if (np.real(across) > 0).any():
        return False
    return None if family == len(eigenvalues) or (np.real(across) == 0).any() else True


def without_noise(eigenvalues: Values, zero: float) -> Values:
    """Real and imaginary parts no larger than `zero` as exact zeros."""
    real, imaginary = np.real(eigenvalues), np.imag(eigenvalues)
    return np.where(np.abs(real) > zero, real, 0.0) + 1j * np.where(np.abs(imaginary) > zero, imaginary, 0.0)
