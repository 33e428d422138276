"""The error estimate of every method that has one falls with the order that its step control counts on."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from continua import methods
from continua.equations import Matrix, SplitODE
from continua.methods import AdditiveRungeKutta, Exponential, Method, StochasticMethod

FOUND = [getattr(methods, name) for name in methods.__all__]
METHODS = [x for x in FOUND if inspect.isclass(x) and issubclass(x, Method) and not issubclass(x, StochasticMethod)]
ADAPTIVE = [x for x in METHODS if isinstance(getattr(x, "order", None), int) and x.adaptive]


def curved(t, y, args):
    return jnp.stack([jnp.cos(t) * y[1], -jnp.sin(1 + t) * y[0] * y[1]])


def beside(t, y, args):
    """What is left of it beside y ↦ 0.3 (y₁, -y₀)."""
    return curved(t, y, args) - 0.3 * jnp.stack([y[1], -y[0]])


def turning(t, y, args):
    return 0.3 * jnp.stack([y[1], -y[0]])


def form_for(kind):
    """The same equation, in two parts for methods that want them."""
    if issubclass(kind, Exponential):
        return SplitODE(Matrix(0.3 * jnp.array([[0.0, 1.0], [-1.0, 0.0]])), beside)
    return SplitODE(turning, beside) if issubclass(kind, AdditiveRungeKutta) else curved


@pytest.mark.parametrize("kind", ADAPTIVE, ids=lambda kind: kind.__name__)
def test_the_estimate_falls_with_its_order(kind):
    method, law, y = kind(), form_for(kind), jnp.array([0.7, 1.1])

    @jax.jit
    def estimate(t, h):
        return jnp.abs(method.step(law, t, h, y, None, method.start(law, t, y, None)).error).max()

    def typical(h):
        """The geometric mean over many times: at some of them an estimate happens to vanish."""
        return np.log2([float(estimate(t, h)) for t in np.linspace(0.0, 6.0, 25)]).mean()

    expected = method.error_order or method.order
    h = 0.16 if expected > 6 else 0.05
    assert typical(h) - typical(h / 2) == pytest.approx(expected, abs=0.35)


def test_every_adaptive_method_is_looked_at():
    assert {"ImplicitEuler", "RKC", "Rosenbrock23", "Tsit5", "DOP853"} <= {kind.__name__ for kind in ADAPTIVE}
