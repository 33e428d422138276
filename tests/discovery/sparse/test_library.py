"""Libraries: the texts of the terms are what the terms compute."""

import math

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from continua.core import ArgumentError
from continua.discovery.sparse import Library


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 3), st.integers(0, 3), st.booleans(), st.booleans(), st.integers(0, 1), st.integers(0, 2**32 - 1))
def test_a_term_computes_its_text(states, degree, waves, saturations, inputs, seed):
    names, controls = "xyz"[:states], "u"[:inputs]
    library = Library.polynomial(names, degree, inputs=controls, trigonometric=waves, rational=saturations)
    random = np.random.default_rng(seed)
    x, u = random.normal(size=(4, states)), random.normal(size=(4, inputs))
    values = library(jnp.asarray(x), jnp.asarray(u))
    assert values.shape == (4, len(library.terms)) == (4, library.features.count)
    for row, point in enumerate(np.concatenate([x, u], 1)):
        scope = {"sin": math.sin, "cos": math.cos, **dict(zip([*names, *controls], point, strict=True))}
        np.testing.assert_allclose(values[row], [eval(term, scope) for term in library.terms], rtol=1e-12)  # noqa: S307
    assert len(set(library.terms)) == len(library.terms)
    count = math.comb(states + inputs + degree, degree) + 2 * states * (waves + saturations)
    assert len(library.terms) == len(library.degrees) == count


def test_names_play_no_part_in_what_is_compiled():
    assert Library.polynomial(("a", "b"), 3).features == Library.polynomial(("x", "y"), 3).features


@pytest.mark.parametrize(
    ("states", "degree", "inputs"),
    [((), 2, ()), (("x",), -1, ()), (("x", "x"), 2, ()), (("x",), 2, ("x",)), ("abcdefgh", 6, ())],
)
def test_what_makes_no_library_is_refused(states, degree, inputs):
    with pytest.raises(ArgumentError, match=r"`(states|degree)`"):
        Library.polynomial(states, degree, inputs=inputs)
