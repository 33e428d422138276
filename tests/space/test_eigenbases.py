"""A basis makes the second difference of its axis, ghosts and all, a product with its eigenvalues."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from continua.space import Boundaries, Dirichlet, Grid, Neumann, Outside, Periodic, Robin, Symmetric, basis, extend

EDGES = [
    (Dirichlet(), Dirichlet()),
    (Dirichlet(), Neumann()),
    (Neumann(), Dirichlet()),
    (Neumann(), Symmetric()),
    (Periodic(), Periodic()),
    (Outside(), Outside()),
    (Robin(2.0, 0.5), Dirichlet()),
    (Neumann(), Robin(1.0, 1.0)),
]


@pytest.mark.core
@pytest.mark.parametrize("size", [6, 7])
def test_second_differences_become_products(size):
    cases = []
    for pair in EDGES:
        cases += [(Grid.cells(size, upper=2.0), pair), (Grid.vertices(size, [pair], upper=2.0), pair)]
    u = np.random.default_rng(size).standard_normal((size, 2))

    @jax.jit
    def both(u):
        found = []
        for grid, pair in cases:
            one = basis(grid.axes[0], *pair)
            faces = [(grid.face(0, False), grid.face(0, True))]
            ghosted = jax.vmap(lambda x, f=faces, p=pair: extend(x, f, Boundaries((p,)), ((1, 1),)), 1, 1)(u)
            exact = -jnp.diff(ghosted, 2, 0) / grid.spacing[0] ** 2
            amplitudes = one.forward(u, 0) * one.eigenvalues[:, None]
            found.append((one.backward(amplitudes, 0), exact, one.backward(one.forward(u, 0), 0)))
        return found

    for (grid, pair), (product, exact, again) in zip(cases, both(u), strict=True):
        np.testing.assert_allclose(product, exact, atol=1e-11, err_msg=f"{grid} {pair}")
        np.testing.assert_allclose(again, u, atol=1e-13)
