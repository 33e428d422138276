"""The error estimate of every method that has one falls with the order that its step control counts on."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from continua import methods
from continua.methods import Method

FOUND = [getattr(methods, name) for name in methods.__all__]
METHODS = [x for x in FOUND if inspect.isclass(x) and issubclass(x, Method)]
ADAPTIVE = [x for x in METHODS if isinstance(getattr(x, "order", None), int) and x.adaptive]


def curved(t, y, args):
    return jnp.stack([jnp.cos(t) * y[1], -jnp.sin(1 + t) * y[0] * y[1]])


@pytest.mark.parametrize("kind", ADAPTIVE, ids=lambda kind: kind.__name__)
def test_the_estimate_falls_with_its_order(kind):
    method, y = kind(), jnp.array([0.7, 1.1])

    @jax.jit
    def estimate(t, h):
        return jnp.abs(method.step(curved, t, h, y, None, method.start(curved, t, y, None)).error).max()

    def typical(h):
        """The geometric mean over many times: at some of them an estimate happens to vanish."""
        return np.log2([float(estimate(t, h)) for t in np.linspace(0.0, 6.0, 25)]).mean()

    expected = method.error_order or method.order
    h = 0.16 if expected > 6 else 0.05
    assert typical(h) - typical(h / 2) == pytest.approx(expected, abs=0.35)


def test_every_adaptive_method_is_looked_at():
    assert {"ImplicitEuler", "RKC", "Rosenbrock23", "Tsit5", "DOP853"} <= {kind.__name__ for kind in ADAPTIVE}
