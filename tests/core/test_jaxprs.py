"""The walk through a program: calls are opened, what brings its own derivative stays shut where that is asked for."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from continua.core import CALLS, CUSTOM, bound, walk


def program(x):
    inner = jax.jit(lambda x: jax.nn.relu(x) + jnp.arange(3.0))
    return {"a": jax.checkpoint(jnp.sin)(inner(x)), "b": 2.0}


@pytest.mark.core
@pytest.mark.parametrize(("calls", "opened"), [(CALLS, True), (CALLS - CUSTOM, False)])
def test_each_operation_is_met_once_and_gives_its_value(calls, opened):
    met = []

    def rule(equation, inputs):
        met.append(equation.primitive.name)
        return bound(equation, inputs)

    x = jnp.array([-1.0, 0.5, 2.0])
    found = walk(jax.make_jaxpr(program)(x), [x], rule, lambda value: value, calls)
    np.testing.assert_allclose(found[0], program(x)["a"], rtol=1e-15)
    assert found[1] == 2.0
    assert ("max" in met) is opened
    assert ("custom_jvp_call" in met) is not opened
    assert met.count("sin") == 1
