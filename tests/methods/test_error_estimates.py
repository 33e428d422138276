"""The error estimate of every method that has one falls with the order that its step control counts on."""

import inspect

import jax.numpy as jnp
import numpy as np
import pytest

from continua import methods
from continua.methods import Method

FOUND = [getattr(methods, name) for name in methods.__all__]
CONCRETE = [
    x for x in FOUND if inspect.isclass(x) and issubclass(x, Method) and isinstance(getattr(x, "order", 0), int)
]
ADAPTIVE = [x for x in CONCRETE if getattr(x, "order", 0) and x.adaptive]


def curved(t, y, args):
    return jnp.stack([jnp.cos(t) * y[1], -jnp.sin(1 + t) * y[0] * y[1]])


@pytest.mark.parametrize("kind", ADAPTIVE, ids=lambda kind: kind.__name__)
def test_the_estimate_falls_with_its_order(kind):
    method, t, y = kind(), jnp.array(0.3), jnp.array([0.7, 1.1])

    def estimate(h):
        step = method.step(curved, t, jnp.asarray(h), y, None, method.start(curved, t, y, None))
        return np.abs(step.error).max()

    expected = method.error_order or method.order
    lengths = (0.15, 0.075) if expected > 6 else (0.05, 0.025)
    assert np.log2(estimate(lengths[0]) / estimate(lengths[1])) == pytest.approx(expected, abs=0.35)


def test_every_adaptive_method_is_looked_at():
    assert {"ImplicitEuler", "RKC", "Rosenbrock23", "Tsit5", "DOP853"} <= {kind.__name__ for kind in ADAPTIVE}
